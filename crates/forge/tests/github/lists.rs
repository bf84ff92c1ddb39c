//! Lists of the forge with more, less or something else in them than there should be.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::time::Duration;

use patchgate_forge::{GitHub, GitHubOptions};
use patchgate_http::{Client, ClientOptions, Secret};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn github(api: &str) -> GitHub {
    let options = GitHubOptions {
        retries: 0,
        retry_base_delay: Duration::ZERO,
    };
    let http = Client::new(ClientOptions::default()).unwrap();
    let token = Secret::new("ghs_secret0123456789");
    GitHub::new(&http, api, &token, "o/r".parse().unwrap(), options).unwrap()
}

fn json_answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

async fn get(server: &MockServer, at: &str, body: Value) {
    Mock::given(method("GET"))
        .and(path(format!("/repos/o/r{at}")))
        .respond_with(json_answer(200, &body))
        .mount(server)
        .await;
}

fn pull(number: u64) -> Value {
    json!({
        "number": number, "state": "open", "title": "Fix", "body": null, "merged_at": null,
        "head": {"ref": "patchgate/fix-1", "sha": "a".repeat(40), "repo": {"full_name": "o/r"}},
        "base": {"ref": "main", "sha": "b".repeat(40), "repo": {"full_name": "o/r"}},
    })
}

#[tokio::test]
async fn a_list_that_ends_where_more_was_announced_is_an_error() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/repos/o/r/pulls"))
        .and(query_param("page", "1"))
        .respond_with(
            json_answer(200, &json!([pull(1)]))
                .insert_header("link", "<https://forge.invalid/?page=2>; rel=\"next\""),
        )
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path("/repos/o/r/pulls"))
        .and(query_param("page", "2"))
        .respond_with(json_answer(200, &json!([])))
        .mount(&server)
        .await;
    let error = github(&server.uri())
        .patchgate_pull_requests("main")
        .await
        .unwrap_err();

    assert!(error.to_string().contains("there is more"), "{error}");
}

#[tokio::test]
async fn a_forks_closed_pull_request_on_a_branch_of_the_same_name_is_not_ours() {
    let server = MockServer::start().await;
    let mut own = pull(1);
    own["state"] = json!("closed");
    let mut forks = own.clone();
    forks["number"] = json!(2);
    forks["head"]["repo"]["full_name"] = json!("mallory/r");
    let mut gone = own.clone();
    gone["number"] = json!(3);
    gone["head"]["repo"] = Value::Null;
    get(&server, "/pulls", json!([gone, forks, own])).await;
    let closed = github(&server.uri())
        .closed_pull_requests(
            &patchgate_forge::git::PatchgateBranch::existing("patchgate/fix-1").unwrap(),
            "main",
        )
        .await
        .unwrap();
    let numbers: Vec<u64> = closed.iter().map(|pull| pull.number).collect();

    assert_eq!(numbers, [1]);
}

#[tokio::test]
async fn a_file_that_changes_its_kind_is_not_changed_in_place() {
    let server = MockServer::start().await;
    get(
        &server,
        "/pulls/7/files",
        json!([{"filename": "Cargo.lock", "status": "changed", "additions": 0, "deletions": 0}]),
    )
    .await;
    get(&server, "/pulls/7", pull(7)).await;
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(
        evidence.files.unwrap()[0].status,
        patchgate_model::FileStatus::Other("changed".into())
    );
}
