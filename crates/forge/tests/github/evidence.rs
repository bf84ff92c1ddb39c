//! The evidence about a pull request: every piece on its own, complete or missing.

use patchgate_forge::Forge as _;
use patchgate_model::{CheckOutcome, FileStatus, OwnJob, PullRequestState, WorkflowJob};
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

fn tree(server: &Server, id: &str, entries: Value) {
    let body = json!({"sha": id, "truncated": false, "tree": entries});
    get(server, &format!("/git/trees/{id}"), body);
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
        json!({
            "merge_base_commit": {"sha": BASE},
            "total_commits": 1,
            "commits": [{"sha": HEAD, "author": {}, "committer": null, "parents": [{"sha": BASE}],
                "commit": {"verification": {"verified": false, "reason": "unsigned"}}}],
            "files": [{"filename": "a b/Cargo.lock", "status": "modified", "additions": 1,
                "deletions": 1}],
        }),
    );
    for commit in [BASE, HEAD] {
        tree(
            server,
            commit,
            json!([{"path": "a b", "mode": "040000", "sha": format!("d{commit}")}]),
        );
        let file = json!([{"path": "Cargo.lock", "mode": "100644", "sha": "f"}]);
        tree(server, &format!("d{commit}"), file);
    }
    get(
        server,
        "/actions/runs",
        json!({"total_count": 2, "workflow_runs": [
            {"id": 71, "path": ".github/workflows/test.yml", "event": "pull_request", "head_sha": HEAD},
            {"id": 72, "path": "evil.yml", "event": "push", "head_sha": BASE},
        ]}),
    );
    get(
        server,
        "/actions/runs/71/jobs",
        json!({"total_count": 1, "jobs": [{"id": 1, "run_attempt": 2}]}),
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
            {"user": {"login": "bob"}, "state": "APPROVED", "commit_id": HEAD},
            {"user": {"login": "eve"}, "state": "CHANGES_REQUESTED", "author_association": "NONE"},
            {"user": {"login": "rod"}, "state": "APPROVED", "commit_id": HEAD},
        ]),
    );
    for (login, permission) in [("bob", "write"), ("rod", "read")] {
        let path = format!("/collaborators/{login}/permission");
        get(server, &path, json!({"permission": permission}));
    }

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

    let safeguards = evidence.safeguards;
    assert_eq!(safeguards.base_is_protected, Ok(true));
    assert_eq!(safeguards.base_changes, Ok(Vec::new()));
    let approvals: Vec<(String, String, bool)> = safeguards
        .approvals
        .unwrap()
        .into_iter()
        .map(|approval| (approval.account.login, approval.commit, approval.may_write))
        .collect();
    assert_eq!(
        approvals,
        [
            ("bob".into(), HEAD.into(), true),
            ("rod".into(), HEAD.into(), false)
        ]
    );
    assert_eq!(
        safeguards.jobs.unwrap(),
        [WorkflowJob {
            check_run: 1,
            run: 71,
            attempt: 2,
            workflow: ".github/workflows/test.yml".into(),
            event: "pull_request".into(),
        }]
    );

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
        "/compare/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "/pulls/7/reviews",
        "/actions/runs/71/jobs",
        "/collaborators/bob/permission",
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
            evidence.safeguards.jobs.err(),
            evidence.safeguards.approvals.err(),
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

/// A page of the comparison, with commits of these numbers.
fn page(numbers: std::ops::Range<usize>, total: usize, files: usize) -> Value {
    let commit = |id: usize| {
        json!({"sha": format!("{id:040}"), "author": null, "committer": null, "commit": {},
            "parents": []})
    };
    let file = |id: usize| json!({"filename": format!("f{id}"), "status": "added"});
    json!({
        "merge_base_commit": {"sha": BASE},
        "total_commits": total,
        "commits": numbers.map(commit).collect::<Vec<_>>(),
        "files": (0..files).map(file).collect::<Vec<_>>(),
    })
}

fn pages(server: &Server, pages: &[Value]) {
    for (number, body) in pages.iter().enumerate() {
        Route::on(path(format!("/repos/o/r/compare/{BASE}...{HEAD}")))
            .and(query_param("page", (number + 1).to_string()))
            .and(query_param("per_page", "100"))
            .answer(json_answer(200, body))
            .expect(1)
            .first()
            .mount(server);
    }
}

#[tokio::test]
async fn a_comparison_is_read_to_its_end_and_not_beyond() {
    let server = Server::start();
    pages(
        &server,
        &[
            page(0..100, 207, 7),
            page(100..200, 207, 0),
            page(200..207, 207, 0),
        ],
    );
    pull_request(&server);
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(evidence.commits.unwrap().len(), 207);
    assert_eq!(evidence.files.unwrap().len(), 7);
}

#[tokio::test]
async fn a_comparison_at_a_limit_or_cut_is_missing() {
    let server = Server::start();
    pages(
        &server,
        &[
            page(0..100, 999, 300),
            page(100..200, 999, 0),
            page(200..300, 999, 0),
        ],
    );
    pull_request(&server);
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    let reason = evidence.commits.unwrap_err().reason;
    assert!(
        reason.contains("(commits)` is cut at 250 entries"),
        "{reason}"
    );
    let reason = evidence.files.unwrap_err().reason;
    assert!(
        reason.contains("(files)` is cut at 300 entries"),
        "{reason}"
    );

    let server = Server::start();
    pages(&server, &[page(0..100, 120, 1), page(100..110, 120, 0)]);
    pull_request(&server);
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;
    let reason = evidence.commits.unwrap_err().reason;
    assert!(reason.contains("110 of 120 commits"), "{reason}");
}

/// Attack 2: by the number of a pull request, each question may be about another head.
#[tokio::test]
async fn attack_02_commits_and_files_are_asked_for_by_ids() {
    let server = Server::start();
    pull_request(&server);
    let _ = github(&server.uri()).evidence(7, &|_| true, None).await;

    for request in server.requests() {
        assert!(
            !request.path.ends_with("/pulls/7/files")
                && !request.path.ends_with("/pulls/7/commits"),
            "{}",
            request.path
        );
    }
}

/// A link has the name of a lockfile, and the forge's contents follow it.
#[tokio::test]
async fn attack_02_modes_are_those_of_the_trees() {
    for (side, mode, status) in [
        (
            HEAD,
            "120000",
            FileStatus::Other("mode 100644 to 120000".into()),
        ),
        (
            BASE,
            "100755",
            FileStatus::Other("mode 100755 to 100644".into()),
        ),
        (HEAD, "100644", FileStatus::Modified),
    ] {
        let server = Server::start();
        Route::on(path(format!("/repos/o/r/git/trees/d{side}")))
            .answer(json_answer(
                200,
                &json!({"sha": "d", "truncated": false,
                "tree": [{"path": "Cargo.lock", "mode": mode, "sha": "f"}]}),
            ))
            .first()
            .mount(&server);
        pull_request(&server);
        let evidence = github(&server.uri()).evidence(7, &|_| true, None).await;
        assert_eq!(evidence.files.unwrap()[0].status, status);
    }

    for body in [
        json!({"sha": "d", "truncated": true, "tree": [{"path": "Cargo.lock", "mode": "100644",
            "sha": "f"}]}),
        json!({"sha": "d", "truncated": false, "tree": []}),
    ] {
        let server = Server::start();
        Route::on(path(format!("/repos/o/r/git/trees/d{HEAD}")))
            .answer(json_answer(200, &body))
            .first()
            .mount(&server);
        pull_request(&server);
        let evidence = github(&server.uri()).evidence(7, &|_| true, None).await;
        assert_ne!(evidence.files.unwrap()[0].status, FileStatus::Modified);
    }
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
