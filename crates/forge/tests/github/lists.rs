//! Lists with more, fewer or other entries than expected.

use patchgate_forge::Forge as _;
use serde_json::{Value, json};

use crate::support::{Route, Server, get, github, json_answer, method, path, query_param};

fn pull(number: u64) -> Value {
    json!({
        "number": number, "state": "open", "title": "Fix", "body": null, "merged_at": null,
        "head": {"ref": "patchgate/fix-1", "sha": "a".repeat(40), "repo": {"full_name": "o/r"}},
        "base": {"ref": "main", "sha": "b".repeat(40), "repo": {"full_name": "o/r"}},
    })
}

#[tokio::test]
async fn a_list_that_ends_where_more_was_announced_is_an_error() {
    let server = Server::start();
    Route::on(method("GET"))
        .and(path("/repos/o/r/pulls"))
        .and(query_param("page", "1"))
        .answer(
            json_answer(200, &json!([pull(1)]))
                .with_header("link", "<https://forge.invalid/?page=2>; rel=\"next\""),
        )
        .mount(&server);
    Route::on(method("GET"))
        .and(path("/repos/o/r/pulls"))
        .and(query_param("page", "2"))
        .answer(json_answer(200, &json!([])))
        .mount(&server);
    let error = github(&server.uri())
        .open_requests("main")
        .await
        .unwrap_err();

    assert!(error.to_string().contains("there is more"), "{error}");
}

#[tokio::test]
async fn a_forks_closed_pull_request_on_a_branch_of_the_same_name_is_not_ours() {
    let server = Server::start();
    let mut own = pull(1);
    own["state"] = json!("closed");
    let mut forks = own.clone();
    forks["number"] = json!(2);
    forks["head"]["repo"]["full_name"] = json!("mallory/r");
    let mut gone = own.clone();
    gone["number"] = json!(3);
    gone["head"]["repo"] = Value::Null;
    get(&server, "/pulls", json!([gone, forks, own]));
    let closed = github(&server.uri())
        .closed_requests(
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
    let server = Server::start();
    let (base, head) = ("b".repeat(40), "a".repeat(40));
    get(&server, "/pulls/7", pull(7));
    get(&server, "/branches/main", json!({"commit": {"sha": base}}));
    get(
        &server,
        &format!("/compare/{base}...{head}"),
        json!({"merge_base_commit": {"sha": base}, "total_commits": 0, "commits": [],
            "files": [{"filename": "Cargo.lock", "status": "changed"}]}),
    );
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(
        evidence.files.unwrap()[0].status,
        patchgate_model::FileStatus::Other("changed".into())
    );
}
