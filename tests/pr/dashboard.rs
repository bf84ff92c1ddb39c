//! `patchgate dashboard` on a fake GitHub.

use serde_json::json;

use crate::support::forge_sandbox::{ForgeSandbox, REPO, TOKEN, writer};

/// A lockfile with one release of `evil` or without it.
fn lockfile(has_evil: bool) -> String {
    let mut packages = json!({ "": { "name": "app", "version": "1.0.0" } });
    if has_evil {
        packages[""]["dependencies"] = json!({ "evil": "1.0.0" });
        packages["node_modules/evil"] = json!({
            "version": "1.0.0", "resolved": "https://packages.invalid/evil.tgz",
        });
    }
    json!({ "name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": packages })
        .to_string()
}

#[test]
fn the_dashboard_and_the_issue_of_an_incident_follow_the_repository() {
    let Some(mut forge) = ForgeSandbox::new(vec![writer()]) else {
        return;
    };
    forge.sandbox.set("GITHUB_TOKEN", TOKEN);
    let directory = forge.sandbox.path("records/npm");
    std::fs::create_dir_all(&directory).unwrap();
    let record = json!({
        "id": "MAL-2026-1", "modified": "2026-11-01T00:00:00Z",
        "summary": "fixes #1 @everyone <img src=x>",
        "affected": [{ "package": { "ecosystem": "npm", "name": "evil" }, "versions": ["1.0.0"] }],
    });
    std::fs::write(directory.join("MAL-2026-1.json"), record.to_string()).unwrap();
    std::fs::remove_dir_all(forge.sandbox.path("store")).unwrap();
    forge.sandbox.build_store_of_records();

    let runbook = "---\nwhen: malicious\nowner: \"@acme/security\"\n---\n# Incident\n";
    forge.repository.commit(
        "main",
        "start",
        &[
            ("package-lock.json", lockfile(true).as_bytes()),
            ("runbooks/b.md", b"no head"),
            ("runbooks/incident.md", runbook.as_bytes()),
        ],
    );
    forge.check_out();
    let run = |code: i32| forge.run("dashboard", &["repo"]).expect(code);
    let issues = || forge.github.issues(REPO).unwrap();

    let printed = run(0);
    assert!(
        printed.stderr.contains("`runbooks/b.md` is left out"),
        "{printed:?}"
    );
    let opened = issues();
    let [board, incident] = &opened[..] else {
        panic!("{opened:#?}");
    };
    assert_eq!(board.title, "Patchgate dashboard");
    assert!(
        board
            .body
            .contains("**1 finding: 1 without a fix, 0 overdue."),
        "{}",
        board.body
    );
    assert_eq!(
        incident.title,
        "Malicious release: MAL-2026-1 in evil 1.0.0"
    );
    for part in [
        "fixes #&#8203;1 @&#8203;everyone &lt;img src=x&gt;",
        "| owner | `@acme/security` |",
        "[`runbooks/incident.md`](",
        "### Proposed mitigation",
        "replace the secrets",
        "- `package-lock.json:1`",
    ] {
        assert!(incident.body.contains(part), "{part}: {}", incident.body);
    }

    // A second run writes nothing.
    let before = forge.writes();
    let second = run(0);
    assert!(second.stdout.starts_with("unchanged #"), "{second:?}");
    assert_eq!(forge.writes(), before);

    // A file that cannot be read closes nothing; a finding that is gone closes its issue.
    forge
        .repository
        .commit("main", "broken", &[("package-lock.json", b"{ not JSON")]);
    forge.check_out();
    run(3);
    assert!(issues().iter().all(|issue| issue.open));
    let fixed = lockfile(false);
    forge
        .repository
        .commit("main", "fixed", &[("package-lock.json", fixed.as_bytes())]);
    forge.check_out();
    run(0);
    let open: Vec<bool> = issues().iter().map(|issue| issue.open).collect();
    assert_eq!(open, [true, false]);

    forge.github.disable_issues(REPO);
    let refused = run(3);
    assert!(
        refused
            .stderr
            .starts_with("error: the project has no issues\nhint: "),
        "{refused:?}"
    );
    forge.assert_contract_kept();
}
