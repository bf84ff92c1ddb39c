//! Tests of the fake GitHub: it follows GitHub's contract, and agrees with git.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

use patchgate_testkit::{Account, FakeGitHub, Permission, Response, Tools, call_api};
use serde_json::{Value, json};

fn call(github: &FakeGitHub, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    call_api(&github.api_url(), token, method, path, body)
}

const REPO: &str = "/repos/acme/shop";

fn start(tools: &Tools) -> (FakeGitHub, patchgate_testkit::Repository) {
    let reader = Account {
        login: "reader".to_owned(),
        token: "read-only".to_owned(),
        app: None,
        may_write: vec![Permission::Issues],
    };
    let github = FakeGitHub::start(tools, vec![Account::workflow("secret"), reader]);
    let repository = github.create("acme/shop");
    repository.commit("main", "start", &[("a/Cargo.lock", b"1\n"), ("b", b"1\n")]);
    let base = repository.tip("main").unwrap();
    repository.git(&["branch", "fix/one", &base]);
    repository.commit("fix/one", "fix", &[("a/Cargo.lock", b"2\n")]);

    (github, repository)
}

#[test]
fn every_answer_keeps_the_contract() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let (github, repository) = start(&tools);
    let head = repository.tip("fix/one").unwrap();
    let api = |method: &str, path: &str, body: Value| {
        call(&github, "secret", method, &format!("{REPO}{path}"), &body)
    };
    let (status, pull) = api(
        "POST",
        "/pulls",
        json!({"title": "t", "head": "fix/one", "base": "main", "body": "b"}),
    );

    assert_eq!(
        (status, &pull["head"]["sha"]),
        (201, &json!(head)),
        "{pull}"
    );

    let n = pull["number"].as_u64().unwrap();
    assert_eq!(
        api("GET", "/pulls?head=acme:fix/one", Value::Null)
            .1
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let (_, files) = api("GET", &format!("/pulls/{n}/files"), Value::Null);
    assert_eq!(files[0]["filename"], "a/Cargo.lock");

    let (_, checks) = api(
        "POST",
        "/check-runs",
        json!({"name": "gate", "head_sha": head, "status": "completed", "conclusion": "success",
            "output": {"title": "t", "summary": "s"}}),
    );
    assert_eq!(checks["app"]["slug"], "github-actions", "{checks}");

    let id = checks["id"].as_u64().unwrap();
    let (_, comment) = api(
        "POST",
        &format!("/issues/{n}/comments"),
        json!({"body": "hello"}),
    );
    let comment = comment["id"].as_u64().unwrap();

    github.require_checks("acme/shop", "main", &["gate"]);
    for (method, path, body, expected) in [
        ("GET", String::new(), Value::Null, 200),
        ("GET", "/branches".to_owned(), Value::Null, 200),
        ("GET", "/branches/fix/one".to_owned(), Value::Null, 200),
        (
            "GET",
            "/branches/main/protection".to_owned(),
            Value::Null,
            200,
        ),
        ("GET", "/rules/branches/main".to_owned(), Value::Null, 200),
        (
            "GET",
            "/collaborators/someone/permission".to_owned(),
            Value::Null,
            200,
        ),
        ("GET", "/commits?sha=fix/one".to_owned(), Value::Null, 200),
        ("GET", "/commits/main".to_owned(), Value::Null, 200),
        (
            "GET",
            format!("/commits/{head}/check-runs?per_page=100"),
            Value::Null,
            200,
        ),
        (
            "GET",
            format!("/commits/{head}/check-suites"),
            Value::Null,
            200,
        ),
        ("GET", format!("/commits/{head}/status"), Value::Null, 200),
        (
            "POST",
            format!("/statuses/{head}"),
            json!({"state": "success", "context": "c"}),
            201,
        ),
        ("GET", format!("/commits/{head}/statuses"), Value::Null, 200),
        (
            "GET",
            "/compare/main...fix/one".to_owned(),
            Value::Null,
            200,
        ),
        (
            "GET",
            "/contents/a/Cargo.lock?ref=fix/one".to_owned(),
            Value::Null,
            200,
        ),
        ("GET", format!("/git/commits/{head}"), Value::Null, 200),
        (
            "GET",
            format!("/git/trees/{head}?recursive=1"),
            Value::Null,
            200,
        ),
        ("GET", "/git/ref/heads/fix/one".to_owned(), Value::Null, 200),
        (
            "GET",
            "/git/matching-refs/heads/fix".to_owned(),
            Value::Null,
            200,
        ),
        (
            "POST",
            "/git/refs".to_owned(),
            json!({"ref": "refs/heads/x", "sha": head}),
            201,
        ),
        (
            "PATCH",
            "/git/refs/heads/x".to_owned(),
            json!({"sha": head, "force": true}),
            200,
        ),
        ("DELETE", "/git/refs/heads/x".to_owned(), Value::Null, 204),
        ("GET", format!("/check-runs/{id}"), Value::Null, 200),
        (
            "PATCH",
            format!("/check-runs/{id}"),
            json!({"conclusion": "failure"}),
            200,
        ),
        ("GET", format!("/issues/{n}"), Value::Null, 200),
        ("GET", format!("/issues/{n}/comments"), Value::Null, 200),
        (
            "GET",
            format!("/issues/comments/{comment}"),
            Value::Null,
            200,
        ),
        (
            "PATCH",
            format!("/issues/comments/{comment}"),
            json!({"body": "x"}),
            200,
        ),
        (
            "DELETE",
            format!("/issues/comments/{comment}"),
            Value::Null,
            204,
        ),
        (
            "POST",
            format!("/issues/{n}/labels"),
            json!({"labels": ["security"]}),
            200,
        ),
        ("GET", format!("/issues/{n}/labels"), Value::Null, 200),
        (
            "PATCH",
            format!("/issues/{n}"),
            json!({"labels": ["a"]}),
            200,
        ),
        (
            "POST",
            "/labels".to_owned(),
            json!({"name": "new", "color": "ededed"}),
            201,
        ),
        ("GET", "/labels".to_owned(), Value::Null, 200),
        ("GET", "/labels/new".to_owned(), Value::Null, 200),
        ("GET", format!("/pulls/{n}"), Value::Null, 200),
        (
            "PATCH",
            format!("/pulls/{n}"),
            json!({"title": "other"}),
            200,
        ),
        ("GET", format!("/pulls/{n}/commits"), Value::Null, 200),
        ("GET", format!("/pulls/{n}/reviews"), Value::Null, 200),
        ("GET", format!("/pulls/{n}/merge"), Value::Null, 404),
    ] {
        let (status, answer) = api(method, &path, body);
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }

    assert_eq!(github.violations(), Vec::<String>::new());
}

#[test]
fn a_misspelt_field_and_an_unknown_path_are_violations() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let (github, _repository) = start(&tools);
    let body = json!({"title": "t", "head": "fix/one", "base": "main", "boby": "b"});
    let (status, _) = call(&github, "secret", "POST", &format!("{REPO}/pulls"), &body);

    assert_eq!(status, 422);

    let (status, _) = call(
        &github,
        "secret",
        "GET",
        &format!("{REPO}/pullz"),
        &Value::Null,
    );
    assert_eq!(status, 404);

    let check = json!({"name": "g", "head_sha": "main", "conclusoin": "success"});
    call(
        &github,
        "secret",
        "POST",
        &format!("{REPO}/check-runs"),
        &check,
    );

    assert_eq!(github.violations().len(), 3, "{:#?}", github.violations());
    assert!(github.pull_requests("acme/shop").is_empty());
}

/// The proxy passes over a schema that it cannot compile, without a word: so each is tried.
#[test]
fn an_answer_that_github_would_not_give_is_a_violation() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let (github, _repository) = start(&tools);
    let read = [
        "",
        "/branches",
        "/branches/main",
        "/branches/main/protection",
        "/rules/branches/main",
        "/collaborators/a/permission",
        "/commits",
        "/commits/main",
        "/commits/main/check-runs",
        "/commits/main/check-suites",
        "/commits/main/status",
        "/commits/main/statuses",
        "/compare/main...a",
        "/contents/a",
        "/git/blobs/1",
        "/git/commits/1",
        "/git/trees/1",
        "/git/ref/heads/main",
        "/git/matching-refs/heads/main",
        "/check-runs/1",
        "/issues/1",
        "/issues/1/comments",
        "/issues/comments/1",
        "/issues/1/labels",
        "/labels",
        "/labels/a",
        "/pulls",
        "/pulls/1",
        "/pulls/1/commits",
        "/pulls/1/files",
        "/pulls/1/reviews",
    ];

    let write = [
        (
            "POST",
            "/pulls",
            json!({"title": "t", "head": "a", "base": "b"}),
            201,
        ),
        ("PATCH", "/pulls/1", json!({"title": "t"}), 200),
        ("PUT", "/pulls/1/merge", json!({"sha": "a"}), 200),
        (
            "POST",
            "/check-runs",
            json!({"name": "n", "head_sha": "a"}),
            201,
        ),
        ("POST", "/issues/1/comments", json!({"body": "b"}), 201),
        ("POST", "/statuses/1", json!({"state": "success"}), 201),
        (
            "POST",
            "/git/refs",
            json!({"ref": "refs/heads/a", "sha": "a"}),
            201,
        ),
    ];

    let read = read.map(|path| ("GET", path, Value::Null, 200));
    for (method, path, body, good) in read.into_iter().chain(write) {
        let before = github.violations().len();
        github.before(method, "acme/shop", 0, move || {
            Some(Response::json(good, &json!([{"wrong": 1}, 7])))
        });
        call(&github, "secret", method, &format!("{REPO}{path}"), &body);

        assert_eq!(
            github.violations().len(),
            before + 1,
            "{method} {path} is unchecked"
        );
    }
}

#[test]
fn merges_only_the_head_that_was_judged_and_only_when_allowed() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let (github, repository) = start(&tools);
    let body = json!({"title": "t", "head": "fix/one", "base": "main"});
    let (_, pull) = call(&github, "secret", "POST", &format!("{REPO}/pulls"), &body);
    let n = pull["number"].as_u64().unwrap();
    let head = repository.tip("fix/one").unwrap();
    let merge = |token: &str, sha: &str| {
        call(
            &github,
            token,
            "PUT",
            &format!("{REPO}/pulls/{n}/merge"),
            &json!({"sha": sha}),
        )
        .0
    };

    github.require_checks("acme/shop", "main", &["ci"]);
    assert_eq!(merge("read-only", &head), 403);
    assert_eq!(merge("stranger", &head), 401);
    assert_eq!(merge("secret", &head), 405);

    github.report_check("acme/shop", &head, "github-actions", "ci", Some("success"));
    let moved = repository.commit("fix/one", "more", &[("b", b"2\n")]);

    assert_eq!(merge("secret", &head), 409);
    assert_eq!(
        merge("secret", &moved),
        405,
        "the check was for the old head"
    );

    github.report_check("acme/shop", &moved, "github-actions", "ci", Some("success"));
    assert_eq!(merge("secret", &moved), 200);
    assert_eq!(repository.git(&["rev-parse", "main^2"]), moved);
    assert_eq!(repository.file("main", "b").unwrap(), b"2\n");
    assert_eq!(github.violations(), Vec::<String>::new());
}

#[test]
fn pages_are_linked_at_the_public_address() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let (github, repository) = start(&tools);
    let head = repository.tip("fix/one").unwrap();
    for name in ["a", "b", "c"] {
        github.report_check("acme/shop", &head, "ci-app", name, None);
    }

    let path = format!("{REPO}/commits/{head}/check-runs?per_page=2");
    let (_, first) = call(&github, "secret", "GET", &path, &Value::Null);

    assert_eq!(first["total_count"], 3);
    assert_eq!(first["check_runs"].as_array().unwrap().len(), 2);

    let (_, second) = call(
        &github,
        "secret",
        "GET",
        &format!("{path}&page=2"),
        &Value::Null,
    );
    assert_eq!(second["check_runs"].as_array().unwrap().len(), 1);
    assert_eq!(github.violations(), Vec::<String>::new());
}
