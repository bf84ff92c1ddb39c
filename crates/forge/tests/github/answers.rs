//! Single answers: refusals, redirects, answers of another form, and the outcomes of a merge.

use patchgate_forge::{
    Forge as _, ForgeError, ForgeKind, GitHub, GitHubOptions, MergeOutcome, MergeText,
};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::MergeMethod;
use patchgate_testkit::Response;
use serde_json::json;

use crate::support::{
    BASE, HEAD, Route, Server, TOKEN, body_has, get, github, header, json_answer, method, path,
};

#[tokio::test]
async fn get_is_repeated_and_post_never() {
    let server = Server::start();
    Route::on(method("GET"))
        .answer(Response::status(502))
        .at_most(2)
        .mount(&server);
    get(&server, "", json!({"default_branch": "trunk"}));
    Route::on(method("POST"))
        .answer(Response::status(502))
        .expect(1)
        .mount(&server);
    let github = github(&server.uri());

    assert_eq!(github.default_branch().await.unwrap(), "trunk");

    let error = github.add_comment(7, "text").await.unwrap_err();
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
                .with_header("x-accepted-github-permissions", "pull_requests=write"),
            "`PATCH /repos/o/r/pulls/7` answered 403: no",
            "give the token the permission `pull_requests=write` (in a workflow, under `permissions:`)",
        ),
        (
            json_answer(404, &json!({"message": "Not Found"}))
                .with_header("x-accepted-oauth-scopes", "repo")
                .with_header("x-oauth-scopes", "gist"),
            "`PATCH /repos/o/r/pulls/7` answered 404: Not Found",
            "check the name; a token without `repo` (a scope; the token has: gist) gets the same answer",
        ),
        (
            json_answer(403, &json!({"message": "API rate limit exceeded"}))
                .with_header("x-ratelimit-remaining", "0")
                .with_header("x-ratelimit-reset", "1700000000"),
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
        // A login page in between, for instance: nothing was written.
        (
            Response::bytes(200, "text/plain", "<html>"),
            "the answer to `PATCH /repos/o/r/pulls/7` cannot be read",
            "",
        ),
    ] {
        let server = Server::start();
        Route::on(method("PATCH")).answer(answer).mount(&server);
        let github = github(&server.uri());
        let outcome = github.describe_request(7, "t", "b").await;
        let printed = format!("{github:?} {outcome:?}");
        assert!(!printed.contains(TOKEN), "{printed}");
        match outcome {
            Err(error) => {
                assert_eq!(error.to_string(), text);
                assert_eq!(error.hint().unwrap_or_default(), hint);
            }
            Ok(()) => panic!("it is no success: {text}"),
        }
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_never_gets_the_token() {
    let (server, other) = (Server::start(), Server::start());
    Route::on(method("GET"))
        .answer(json_answer(200, &json!({"default_branch": "main"})))
        .mount(&other);
    Route::on(method("GET"))
        .answer(Response::status(301).with_header(
            "location",
            format!("{}/x", other.uri().replace("127.0.0.1", "localhost")),
        ))
        .mount(&server);

    // Whether it is followed or not: the token stays.
    let _ = github(&server.uri()).default_branch().await;
    for request in other.requests() {
        assert_eq!(request.header("authorization"), None);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_cut_is_an_error() {
    let server = Server::start();
    Route::on(method("GET"))
        .answer(Response::bytes(200, "text/plain", "{\"default_branch\": "))
        .mount(&server);
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
    let server = Server::start();
    Route::on(path("/repos/o/r/contents/.patchgate.yml"))
        .answer(json_answer(404, &json!({"message": "Not Found"})))
        .mount(&server);
    let missing = github(&server.uri())
        .file(".patchgate.yml", BASE, 1000)
        .await;

    assert!(matches!(missing, Err(ForgeError::NotFound { .. })));

    get(
        &server,
        &format!("/git/commits/{BASE}"),
        json!({"sha": BASE}),
    );
    let github = github(&server.uri());

    assert_eq!(
        github.file(".patchgate.yml", BASE, 1000).await.unwrap(),
        None
    );

    Route::on(path("/repos/o/r/contents/big"))
        .answer(Response::bytes(200, "text/plain", vec![b'x'; 1001]))
        .mount(&server);
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
        let server = Server::start();
        Route::on(method("PUT"))
            .and(path("/repos/o/r/pulls/7/merge"))
            .and(body_has(json!({"sha": HEAD, "merge_method": "squash",
                "commit_title": "Update vulnerable dependencies (#7)"})))
            .and(header("authorization", format!("Bearer {TOKEN}").as_str()))
            .answer(json_answer(status, &body))
            .expect(1)
            .mount(&server);
        let outcome = github(&server.uri())
            .merge(
                7,
                HEAD,
                MergeMethod::Squash,
                &MergeText::of(ForgeKind::GitHub, 7, HEAD, HEAD),
            )
            .await
            .unwrap();
        assert_eq!(outcome, expected);
    }

    let server = Server::start();
    Route::on(method("PUT"))
        .answer(Response::status(500))
        .expect(1)
        .mount(&server);

    assert!(
        github(&server.uri())
            .merge(
                7,
                HEAD,
                MergeMethod::Merge,
                &MergeText::of(ForgeKind::GitHub, 7, HEAD, HEAD)
            )
            .await
            .is_err()
    );
}

#[tokio::test]
async fn the_base_path_of_an_enterprise_server_stays() {
    let server = Server::start();
    Route::on(path("/api/v3/repos/o/r"))
        .answer(json_answer(200, &json!({"default_branch": "main"})))
        .expect(1)
        .mount(&server);
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
            "the forge's client cannot be built: the token is empty or contains invalid characters"
        );
    }
}
