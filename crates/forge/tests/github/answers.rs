//! The forms and the failures of GitHub's answers.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::time::Duration;

use patchgate_forge::{ForgeError, GitHub, GitHubOptions, MergeOutcome};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::{CheckOutcome, MergeMethod, OwnJob, PullRequestState};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const TOKEN: &str = "ghs_secret0123456789";
const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const BASE: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn github(api: &str) -> GitHub {
    let http = Client::new(ClientOptions::default()).unwrap();
    GitHub::new(
        &http,
        api,
        &Secret::new(TOKEN),
        "o/r".parse().unwrap(),
        GitHubOptions {
            retries: 2,
            retry_base_delay: Duration::ZERO,
        },
    )
    .unwrap()
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

async fn pull_request(server: &MockServer) {
    get(server, "/pulls/7", pull(7)).await;
    get(
        server,
        "/branches/main",
        json!({"commit": {"sha": BASE}, "protected": true, "protection": {
            "required_status_checks": {"enforcement_level": "non_admins", "contexts": ["old", "test"],
                "checks": [{"context": "test", "app_id": 15368}, {"context": "any", "app_id": -1}]}}}),
    )
    .await;
    get(
        server,
        "/rules/branches/main",
        json!([{"type": "deletion"}, {"type": "required_status_checks", "parameters":
            {"required_status_checks": [{"context": "ruled", "integration_id": 9}]}}]),
    )
    .await;
    get(
        server,
        &format!("/compare/{BASE}...{HEAD}"),
        json!({"merge_base_commit": {"sha": BASE}}),
    )
    .await;
    get(
        server,
        "/pulls/7/commits",
        json!([{"sha": HEAD, "author": {}, "committer": null, "parents": [{"sha": BASE}],
            "commit": {"verification": {"verified": false, "reason": "unsigned"}}}]),
    )
    .await;
    get(
        server,
        "/pulls/7/files",
        json!([{"filename": "a b/Cargo.lock", "status": "modified", "additions": 1, "deletions": 1}]),
    )
    .await;
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
    )
    .await;
    get(
        server,
        &format!("/commits/{HEAD}/statuses"),
        json!([
            {"context": "ci", "state": "success", "creator": {"login": "ci", "id": 2, "type": "User"}},
            {"context": "ci", "state": "failure", "creator": null},
        ]),
    )
    .await;
    get(
        server,
        "/pulls/7/reviews",
        json!([
            {"user": {"login": "ann"}, "state": "CHANGES_REQUESTED"},
            {"user": {"login": "bob"}, "state": "CHANGES_REQUESTED"},
            {"user": {"login": "ann"}, "state": "COMMENTED"},
            {"user": {"login": "bob"}, "state": "APPROVED"},
        ]),
    )
    .await;

    for (commit, text) in [(BASE, "before"), (HEAD, "after\n")] {
        Mock::given(method("GET"))
            .and(path("/repos/o/r/contents/a%20b/Cargo.lock"))
            .and(query_param("ref", commit))
            .and(header("accept", "application/vnd.github.raw+json"))
            .respond_with(ResponseTemplate::new(200).set_body_bytes(text))
            .mount(server)
            .await;
    }
}

#[tokio::test]
async fn evidence_is_read_whole_and_takes_words_that_are_newer_than_it() {
    let server = MockServer::start().await;
    pull_request(&server).await;
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
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(format!("/repos/o/r{broken}")))
            .respond_with(
                ResponseTemplate::new(403)
                    .set_body_json(json!({"message": "Resource not accessible by integration"})),
            )
            .with_priority(1)
            .mount(&server)
            .await;
        pull_request(&server).await;
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
    let server = MockServer::start().await;
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
        Mock::given(path("/repos/o/r/pulls/7/files"))
            .and(query_param("page", number))
            .and(query_param("per_page", "100"))
            .respond_with(json_answer(200, &body))
            .expect(1)
            .mount(&server)
            .await;
    }

    pull_request(&server).await;
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(evidence.files.unwrap().len(), 207);
}

#[tokio::test]
async fn a_list_at_the_forges_own_limit_is_missing() {
    let server = MockServer::start().await;
    let commits: Vec<Value> = (0..250)
        .map(|id| json!({"sha": format!("{id:040}"), "author": null, "committer": null, "commit": {}, "parents": []}))
        .collect();
    for (number, part) in commits.chunks(100).enumerate() {
        Mock::given(path("/repos/o/r/pulls/7/commits"))
            .and(query_param("page", (number + 1).to_string()))
            .respond_with(json_answer(200, &json!(part)))
            .with_priority(1)
            .mount(&server)
            .await;
    }

    pull_request(&server).await;
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert_eq!(
        evidence.commits.unwrap_err().reason,
        "the answer to `GET /repos/o/r/pulls/7/commits` is cut at 250 entries, GitHub's own limit"
    );
}

#[tokio::test]
async fn check_runs_that_are_not_all_there_are_missing() {
    let server = MockServer::start().await;
    Mock::given(path(format!("/repos/o/r/commits/{HEAD}/check-runs")))
        .respond_with(json_answer(
            200,
            &json!({"total_count": 3, "check_runs": [check(1, "completed", json!("success"))]}),
        ))
        .with_priority(1)
        .mount(&server)
        .await;
    pull_request(&server).await;
    let evidence = github(&server.uri()).evidence(7, &|_| false, None).await;

    assert!(
        evidence
            .check_runs
            .unwrap_err()
            .reason
            .contains("1 of 3 check runs")
    );
}

#[tokio::test]
async fn get_is_repeated_and_post_never() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(502))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    get(&server, "", json!({"default_branch": "trunk"})).await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(502))
        .expect(1)
        .mount(&server)
        .await;
    let github = github(&server.uri());

    assert_eq!(github.default_branch().await.unwrap(), "trunk");

    let error = github.comment(7, "text").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`POST /repos/o/r/issues/7/comments` answered 502"
    );
}

#[tokio::test]
async fn refusals_say_what_the_token_lacks_and_never_the_token() {
    for (answer, text, hint) in [
        (
            json_answer(401, &json!({"message": format!("Bad credentials {TOKEN}")})),
            "`PATCH /repos/o/r/pulls/7` answered 401: the token is not valid: Bad credentials ***",
            "check that the token is complete, not expired, and made for this server",
        ),
        (
            json_answer(
                403,
                &json!({"message": "Resource not accessible by integration"}),
            ),
            "`PATCH /repos/o/r/pulls/7` answered 403: Resource not accessible by integration",
            "give the token the permission `pull-requests: write` (in a workflow, under `permissions:`)",
        ),
        (
            json_answer(403, &json!({"message": "no"}))
                .insert_header("x-accepted-github-permissions", "pull_requests=write"),
            "`PATCH /repos/o/r/pulls/7` answered 403: no",
            "give the token the permission `pull_requests=write` (in a workflow, under `permissions:`)",
        ),
        (
            json_answer(404, &json!({"message": "Not Found"}))
                .insert_header("x-accepted-oauth-scopes", "repo")
                .insert_header("x-oauth-scopes", "gist"),
            "`PATCH /repos/o/r/pulls/7` answered 404: Not Found",
            "check the name; a token without `repo` (a scope; the token has: gist) gets the same answer",
        ),
        (
            json_answer(403, &json!({"message": "API rate limit exceeded"}))
                .insert_header("x-ratelimit-remaining", "0")
                .insert_header("x-ratelimit-reset", "1700000000"),
            "`PATCH /repos/o/r/pulls/7` was refused for too many calls; the limit ends at 2023-11-14T22:13:20Z",
            "wait until the limit ends, then run it again",
        ),
        (
            json_answer(
                422,
                &json!({"message": "Validation Failed", "errors": [{"message": "A pull request\u{1b}[31m already exists"}, {"code": "invalid"}]}),
            ),
            "`PATCH /repos/o/r/pulls/7` answered 422: Validation Failed; A pull request[31m already exists; invalid",
            "",
        ),
        (ResponseTemplate::new(200).set_body_string("<html>"), "", ""),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("PATCH"))
            .respond_with(answer)
            .mount(&server)
            .await;
        let github = github(&server.uri());
        let outcome = github.update_pull_request(7, "t", "b").await;
        let printed = format!("{github:?} {outcome:?}");
        assert!(!printed.contains(TOKEN), "{printed}");
        match outcome {
            Err(error) => {
                assert_eq!(error.to_string(), text);
                assert_eq!(error.hint().unwrap_or_default(), hint);
            }
            Ok(()) => assert_eq!(text, ""),
        }
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_never_gets_the_token() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    Mock::given(method("GET"))
        .respond_with(json_answer(200, &json!({"default_branch": "main"})))
        .mount(&other)
        .await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(301).insert_header(
            "location",
            format!("{}/x", other.uri().replace("127.0.0.1", "localhost")),
        ))
        .mount(&server)
        .await;

    // Whether it is followed or not: the token stays.
    let _ = github(&server.uri()).default_branch().await;
    for request in other.received_requests().await.unwrap() {
        assert!(!request.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_cut_is_an_error() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{\"default_branch\": "))
        .mount(&server)
        .await;
    let error = github(&server.uri()).default_branch().await.unwrap_err();

    assert!(matches!(error, ForgeError::Unreadable { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "the answer to `GET /repos/o/r` cannot be read"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said() {
    let error = github("http://127.0.0.1:9")
        .default_branch()
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`GET /repos/o/r` got no answer: "),
        "{error}"
    );
    assert!(error.hint().unwrap().starts_with("check the network"));
}

#[tokio::test]
async fn a_file_that_does_not_exist_is_told_from_one_that_may_not_be_read() {
    let server = MockServer::start().await;
    Mock::given(path("/repos/o/r/contents/.patchgate.yml"))
        .respond_with(json_answer(404, &json!({"message": "Not Found"})))
        .mount(&server)
        .await;
    let missing = github(&server.uri())
        .file(".patchgate.yml", BASE, 1000)
        .await;

    assert!(matches!(missing, Err(ForgeError::NotFound { .. })));

    get(
        &server,
        &format!("/git/commits/{BASE}"),
        json!({"sha": BASE}),
    )
    .await;
    let github = github(&server.uri());

    assert_eq!(
        github.file(".patchgate.yml", BASE, 1000).await.unwrap(),
        None
    );

    Mock::given(path("/repos/o/r/contents/big"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 1001]))
        .mount(&server)
        .await;
    let error = github.file("big", BASE, 1000).await.unwrap_err();

    assert!(
        error.to_string().ends_with("is larger than 1000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn a_merge_says_exactly_what_became_of_it() {
    for (status, body, expected) in [
        (
            200,
            json!({"merged": true, "sha": "m", "message": ""}),
            MergeOutcome::Merged {
                sha: Some("m".into()),
            },
        ),
        (
            405,
            json!({"message": "Required status check is expected."}),
            MergeOutcome::NotMergeable {
                reason: "Required status check is expected.".into(),
            },
        ),
        (
            409,
            json!({"message": "Head branch was modified. Review and try the merge again."}),
            MergeOutcome::HeadMoved,
        ),
        (
            422,
            json!({"message": "Squash merges are not allowed"}),
            MergeOutcome::NotMergeable {
                reason: "Squash merges are not allowed".into(),
            },
        ),
        (
            200,
            json!({"merged": false, "message": "no"}),
            MergeOutcome::NotMergeable {
                reason: "no".into(),
            },
        ),
    ] {
        let server = MockServer::start().await;
        Mock::given(method("PUT"))
            .and(path("/repos/o/r/pulls/7/merge"))
            .and(body_partial_json(
                json!({"sha": HEAD, "merge_method": "squash"}),
            ))
            .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
            .respond_with(json_answer(status, &body))
            .expect(1)
            .mount(&server)
            .await;
        let outcome = github(&server.uri())
            .merge(7, HEAD, MergeMethod::Squash)
            .await
            .unwrap();
        assert_eq!(outcome, expected);
    }

    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .respond_with(ResponseTemplate::new(500))
        .expect(1)
        .mount(&server)
        .await;

    assert!(
        github(&server.uri())
            .merge(7, HEAD, MergeMethod::Merge)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn the_base_path_of_an_enterprise_server_stays() {
    let server = MockServer::start().await;
    Mock::given(path("/api/v3/repos/o/r"))
        .respond_with(json_answer(200, &json!({"default_branch": "main"})))
        .expect(1)
        .mount(&server)
        .await;
    let github = github(&format!("{}/api/v3", server.uri()));
    assert_eq!(github.default_branch().await.unwrap(), "main");
}

#[tokio::test]
async fn bad_addresses_and_tokens_are_refused_before_anything_is_sent() {
    let http = Client::new(ClientOptions::default()).unwrap();
    let new = |api: &str, token: &str| {
        GitHub::new(
            &http,
            api,
            &Secret::new(token),
            "o/r".parse().unwrap(),
            GitHubOptions::default(),
        )
        .unwrap_err()
        .to_string()
    };

    assert!(new("http://forge.invalid", TOKEN).contains("not `https`"));
    assert!(new("not an address", TOKEN).contains("not one of the form"));
    for token in ["", "a b", "a\nb", "ünicode"] {
        assert_eq!(
            new("https://forge.invalid", token),
            "the forge's client cannot be built: the token is empty or holds characters that no token has"
        );
    }
}
