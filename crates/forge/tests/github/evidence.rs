//! The evidence about a pull request: every piece on its own, complete or missing.

use patchgate_model::{CheckOutcome, OwnJob, PullRequestState};
use patchgate_testkit::Response;
use serde_json::{Value, json};

use crate::support::{
    BASE, HEAD, Route, Server, get, github, header, json_answer, method, path, query_param,
};

fn pull(number: u64) -> Value {
    json!({
        "number": number, "html_url": format!("https://forge.invalid/o/r/pull/{number}"),
        "state": "open", "draft": false, "merged": false, "merged_at": null,
        "user": {"login": "fixer[bot]", "id": 1, "type": "Bot"},
        "title": "Fix", "body": null,
        "head": {"ref": "patchgate/fix-1", "sha": HEAD, "repo": {"full_name": "o/r"}},
        "base": {"ref": "main", "sha": BASE, "repo": {"full_name": "o/r"}},
        "mergeable": null, "mergeable_state": "unknown", "commits": 1, "changed_files": 1,
    })
}

fn check(id: u64, status: &str, conclusion: Value) -> Value {
    json!({
        "id": id, "name": format!("check-{id}"), "head_sha": HEAD, "status": status,
        "conclusion": conclusion, "started_at": "2026-01-01T00:00:00Z", "completed_at": null,
        "details_url": null, "app": {"id": 15368, "slug": "github-actions"},
        "check_suite": {"id": 5},
    })
}

fn pull_request(server: &Server) {
    get(server, "/pulls/7", pull(7));
    get(
        server,
        "/branches/main",
        json!({"commit": {"sha": BASE}, "protected": true, "protection": {
            "required_status_checks": {"enforcement_level": "non_admins", "contexts": ["old", "test"],
                "checks": [{"context": "test", "app_id": 15368}, {"context": "any", "app_id": -1}]}}}),
    );
    get(
        server,
        "/rules/branches/main",
        json!([{"type": "deletion"}, {"type": "required_status_checks", "parameters":
            {"required_status_checks": [{"context": "ruled", "integration_id": 9}]}}]),
    );
    get(
        server,
        &format!("/compare/{BASE}...{HEAD}"),
        json!({"merge_base_commit": {"sha": BASE}}),
    );
    get(
        server,
        "/pulls/7/commits",
        json!([{"sha": HEAD, "author": {}, "committer": null, "parents": [{"sha": BASE}],
            "commit": {"verification": {"verified": false, "reason": "unsigned"}}}]),
    );
    get(
        server,
        "/pulls/7/files",
        json!([{"filename": "a b/Cargo.lock", "status": "modified", "additions": 1, "deletions": 1}]),
    );
    get(
        server,
        &format!("/commits/{HEAD}/check-runs"),
        json!({"total_count": 5, "check_runs": [
            check(1, "completed", json!("startup_failure")),
            check(2, "waiting", Value::Null),
            check(3, "completed", Value::Null),
            check(4, "completed", json!("brand_new_word")),
            {"id": 5, "name": null, "head_sha": HEAD, "status": "completed", "conclusion": "success",
             "started_at": null, "completed_at": null, "details_url": null, "app": null, "check_suite": null},
        ]}),
    );
    get(
        server,
        &format!("/commits/{HEAD}/statuses"),
        json!([
            {"context": "ci", "state": "success", "creator": {"login": "ci", "id": 2, "type": "User"}},
            {"context": "ci", "state": "failure", "creator": null},
        ]),
    );
    get(
        server,
        "/pulls/7/reviews",
        json!([
            {"user": {"login": "ann"}, "state": "CHANGES_REQUESTED"},
            {"user": {"login": "bob"}, "state": "CHANGES_REQUESTED"},
            {"user": {"login": "ann"}, "state": "COMMENTED"},
            {"user": {"login": "bob"}, "state": "APPROVED"},
        ]),
    );

    for (commit, text) in [(BASE, "before"), (HEAD, "after\n")] {
        Route::on(method("GET"))
            .and(path("/repos/o/r/contents/a%20b/Cargo.lock"))
            .and(query_param("ref", commit))
            .and(header("accept", "application/vnd.github.raw+json"))
            .answer(Response::bytes(200, "text/plain", text))
            .mount(server);
    }
}

#[tokio::test]
async fn evidence_is_read_whole_and_takes_words_that_are_newer_than_it() {
    let server = Server::start();
    pull_request(&server);
    let own = OwnJob {
        run_id: "1".into(),
        name: "gate".into(),
    };
    let evidence = github(&server.uri())
        .evidence(7, &|path| path.ends_with("Cargo.lock"), Some(own.clone()))
        .await;
    let pull = evidence.pull_request.unwrap();

    assert_eq!((pull.state, pull.mergeable), (PullRequestState::Open, None));
    assert_eq!(evidence.head_at_end.unwrap(), HEAD);
    assert_eq!(evidence.base_tip.unwrap(), BASE);
    assert_eq!(evidence.merge_base.unwrap(), BASE);
    assert_eq!(evidence.own_job, Some(own));

    let commit = &evidence.commits.unwrap()[0];
    assert_eq!((&commit.author, &commit.committer), (&None, &None));
    assert_eq!(commit.verification, "unsigned");

    let outcomes: Vec<CheckOutcome> = evidence
        .check_runs
        .unwrap()
        .into_iter()
        .map(|check| check.outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            CheckOutcome::Failed("startup_failure".into()),
            CheckOutcome::Pending("waiting".into()),
            CheckOutcome::Unknown("completed without a conclusion".into()),
            CheckOutcome::Unknown("brand_new_word".into()),
            CheckOutcome::Success,
        ]
    );

    let statuses = evidence.statuses.unwrap();
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0].outcome, CheckOutcome::Success);

    let wanted: Vec<(String, Option<u64>)> = evidence
        .branch_checks
        .unwrap()
        .into_iter()
        .map(|check| (check.name, check.app_id))
        .collect();
    assert_eq!(
        wanted,
        [
            ("test".into(), Some(15368)),
            ("any".into(), None),
            ("old".into(), None),
            ("ruled".into(), Some(9)),
        ]
    );
    assert_eq!(evidence.changes_requested.unwrap(), ["ann"]);

    let contents = &evidence.contents["a b/Cargo.lock"];
    assert_eq!(contents.base, Ok(Some(b"before".to_vec())));
    assert_eq!(contents.head, Ok(Some(b"after\n".to_vec())));
    assert!(evidence.findings.is_err());
}

#[tokio::test]
async fn each_piece_that_fails_is_missing_and_the_others_are_there() {
    for broken in [
        "/branches/main",
        "/rules/branches/main",
        "/pulls/7/commits",
        "/pulls/7/files",
        "/pulls/7/reviews",
    ] {
        let server = Server::start();
        Route::on(method("GET"))
            .and(path(format!("/repos/o/r{broken}")))
            .answer(Response::json(
                403,
                &json!({"message": "Resource not accessible by integration"}),
            ))
            .first()
            .mount(&server);
        pull_request(&server);
        let evidence = github(&server.uri()).evidence(7, &|_| true, None).await;
        let missing = [
            evidence.base_tip.err(),
            evidence.branch_checks.err(),
            evidence.commits.err(),
            evidence.files.err(),
            evidence.changes_requested.err(),
        ];
        let missing: Vec<_> = missing.into_iter().flatten().collect();
        assert!(!missing.is_empty(), "{broken}");
        for missing in missing {
            assert!(
                missing.reason.contains("answered 403"),
                "{}",
                missing.reason
            );
            assert!(missing.hint.unwrap().contains("permission"));
        }
        assert!(evidence.pull_request.is_ok() && evidence.check_runs.is_ok());
    }
}

#[tokio::test]
async fn lists_are_read_to_their_end_and_not_beyond() {
    let server = Server::start();
    let page = |from: u64, count: u64| {
        Value::Array(
            (from..from + count)
                .map(|id| json!({"filename": format!("f{id}"), "status": "added"}))
                .collect(),
        )
    };
    for (number, body) in [
        ("1", page(0, 100)),
        ("2", page(100, 100)),
        ("3", page(200, 7)),
    ] {
        Route::on(path("/repos/o/r/pulls/7/files"))
            .and(query_param("page", number))
            .and(query_param("per_page", "100"))
            .answer(json_answer(200, &body))
            .expect(1)
            .mount(&server);
    }

    pull_request(&server);
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(evidence.files.unwrap().len(), 207);
}

#[tokio::test]
async fn a_list_at_the_forges_own_limit_is_missing() {
    let server = Server::start();
    let commits: Vec<Value> = (0..250)
        .map(|id| json!({"sha": format!("{id:040}"), "author": null, "committer": null, "commit": {}, "parents": []}))
        .collect();
    for (number, part) in commits.chunks(100).enumerate() {
        Route::on(path("/repos/o/r/pulls/7/commits"))
            .and(query_param("page", (number + 1).to_string()))
            .answer(json_answer(200, &json!(part)))
            .first()
            .mount(&server);
    }

    pull_request(&server);
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(
        evidence.commits.unwrap_err().reason,
        "the answer to `GET /repos/o/r/pulls/7/commits` is cut at 250 entries, GitHub's own limit"
    );
}

#[tokio::test]
async fn check_runs_that_are_not_all_there_are_missing() {
    let server = Server::start();
    Route::on(path(format!("/repos/o/r/commits/{HEAD}/check-runs")))
        .answer(json_answer(
            200,
            &json!({"total_count": 3, "check_runs": [check(1, "completed", json!("success"))]}),
        ))
        .first()
        .mount(&server);
    pull_request(&server);
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert!(
        evidence
            .check_runs
            .unwrap_err()
            .reason
            .contains("1 of 3 check runs")
    );
}
