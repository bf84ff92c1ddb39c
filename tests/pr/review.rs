//! `patchgate review` of a person's pull request on a real Gitea.

use serde_json::json;

use super::gitea::OnGitea;

/// A lockfile with one release of jquery. 3.4.1 has two known vulnerabilities, one of them exploited.
fn lockfile(version: &str) -> String {
    json!({
        "name": "tools", "version": "1.0.0", "lockfileVersion": 3,
        "packages": {
            "": { "name": "tools", "version": "1.0.0", "dependencies": { "jquery": version } },
            "node_modules/jquery": {
                "version": version,
                "resolved": format!("https://packages.invalid/jquery-{version}.tgz"),
            },
        },
    })
    .to_string()
}

/// The path of the lockfile, which tries to mention somebody.
const PATH: &str = "@everyone/package-lock.json";

#[test]
fn a_review_is_one_comment_that_follows_the_pull_request() {
    let Some(forge) = OnGitea::new() else {
        return;
    };
    let commit = |version: &str| {
        let content = lockfile(version);
        forge
            .repository
            .commit("feature", "tools", &[(PATH, content.as_bytes())])
    };
    forge.repository.branch("feature", "main");
    let head = commit("3.4.1");
    let body = json!({ "title": "tools", "head": "feature", "base": "main", "body": "" });
    let path = "/repos/jane/storefront/pulls";
    forge.server.expect(&forge.person, "POST", path, &body, 201);
    let review = |more: &[&str]| {
        let arguments = ["--pull-request", "1", "--offline", "--format", "json"];
        forge.run("review", &[&arguments[..], more].concat())
    };
    let status = |commit: &str| {
        let statuses = forge.get(&format!("/commits/{commit}/statuses"));
        let own = |it: &&serde_json::Value| it["context"] == "patchgate review";
        let statuses = statuses.as_array().unwrap().iter().filter(own);
        let newest = statuses.max_by_key(|it| it["id"].as_u64());
        newest.map(|it| it["status"].as_str().unwrap().to_owned())
    };
    let comments = || forge.get("/issues/1/comments").as_array().unwrap().clone();

    // Nothing is written on request.
    review(&["--no-comment"]).expect(1);
    assert!(comments().is_empty());
    assert_eq!(status(&head), None);

    // What comes is new, although the base has the same vulnerabilities in another file.
    let report = review(&[]).expect(1).json();
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["new"].as_array().unwrap().len(), 2, "{report:#}");
    assert_eq!(report["new"][0]["package"], "jquery");
    assert_eq!(report["files"], json!([PATH]));
    assert_eq!(status(&head).as_deref(), Some("failure"));
    let written = comments();
    assert_eq!(written.len(), 1, "{written:#?}");
    let text = written[0]["body"].as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[1].starts_with("**Patchgate review failed: 2 new, 0 worse"),
        "{text}"
    );
    assert!(text.contains("CVE-2020-11023"), "{text}");
    assert!(text.contains("`@everyone/package-lock.json:1`"), "{text}");

    // Another run changes nothing, a fixed head edits the comment.
    review(&[]).expect(1);
    assert_eq!(comments()[0]["updated_at"], written[0]["updated_at"]);
    let head = commit("3.7.1");
    let report = review(&[]).expect(0).json();
    assert_eq!(report["verdict"], "passed");
    assert_eq!(status(&head).as_deref(), Some("success"));
    let edited = comments();
    assert_eq!(edited.len(), 1);
    assert_eq!(edited[0]["id"], written[0]["id"]);
    let text = edited[0]["body"].as_str().unwrap();
    assert!(text.contains("**Patchgate review passed: 0 new"), "{text}");

    // A lockfile that cannot be read is never clean.
    forge
        .repository
        .commit("feature", "broken", &[(PATH, b"{ not JSON")]);
    let report = review(&[]).expect(3).json();
    assert_eq!(report["verdict"], "incomplete");
    assert_eq!(comments().len(), 1);
}
