//! The client against servers on loopback that behave and misbehave.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use patchgate_http::{Auth, Caching, Client, ClientOptions, Error, Request, Secret};
use patchgate_testkit::{HttpServer, Response};

fn options() -> ClientOptions {
    ClientOptions {
        retry_base_delay: Duration::from_millis(1),
        total_timeout: Duration::from_secs(10),
        ..ClientOptions::default()
    }
}

fn client() -> Client {
    Client::new(options()).unwrap()
}

fn ok(body: &str) -> Response {
    Response::bytes(200, "text/plain", body)
}

/// A server that answers with `first` so many times and then honestly.
fn failing(first: Response, times: u32) -> HttpServer {
    let left = AtomicU32::new(times);
    HttpServer::start(move |_| {
        let fails = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if fails.is_ok() {
            first.clone()
        } else {
            ok("done")
        }
    })
}

#[tokio::test]
async fn repeats_an_idempotent_call_until_it_succeeds() {
    let limited = |value: &str| Response::status(429).with_header("Retry-After", value);
    for first in [
        limited("0"),
        limited("1"),
        limited("Sun, 06 Nov 1994 08:49:37 GMT"),
        Response::status(500),
        Response::status(503),
        ok("a body of which half is missing").cut_in_half(),
    ] {
        let server = failing(first, 1);
        let response = client().send(&Request::get(server.url())).await.unwrap();
        assert_eq!(response.body, b"done");
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn gives_up_after_the_last_repetition() {
    let server = failing(Response::bytes(502, "text/plain", "no backend"), 100);
    let error = client()
        .send(&Request::get(server.url()))
        .await
        .unwrap_err();

    assert_eq!(
        error.to_string(),
        format!("`{}/` answered 502: no backend", server.url())
    );
    assert_eq!(server.requests().len(), 4);
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn does_not_wait_longer_than_its_limit() {
    let server = failing(
        Response::status(429).with_header("Retry-After", "86400"),
        100,
    );
    let error = client()
        .send(&Request::get(server.url()))
        .await
        .unwrap_err();

    assert_eq!(error.status(), Some(429));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn sends_what_is_not_idempotent_once() {
    for first in [
        Response::status(500),
        Response::status(429),
        ok("half a body").cut_in_half(),
    ] {
        let server = failing(first, 1);
        let request = Request::post(server.url()).body("text/plain", b"hello".to_vec());
        client().send(&request).await.unwrap_err();
        assert_eq!(server.requests().len(), 1);
        assert_eq!(server.requests()[0].body, b"hello");
    }

    let server = failing(Response::status(500), 1);
    let request = Request::post(server.url()).json(&[1]).unwrap().idempotent();
    client().send(&request).await.unwrap();
    let bodies: Vec<_> = server
        .requests()
        .iter()
        .map(|request| request.body.clone())
        .collect();

    assert_eq!(bodies, [b"[1]", b"[1]"]);
}

#[tokio::test]
async fn does_not_repeat_what_will_not_pass() {
    let server = failing(Response::status(404), 100);
    let error = client()
        .send(&Request::get(server.url()))
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn reads_an_answer_up_to_the_limit_and_no_further() {
    let server = HttpServer::start(|_| ok("0123456789"));
    let at = Request::get(server.url()).max_bytes(10);
    assert_eq!(client().send(&at).await.unwrap().body.len(), 10);
    let above = Request::get(server.url()).max_bytes(9);
    let error = client().send(&above).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 9, .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_to_another_server_loses_the_secret() {
    let other = HttpServer::start(|_| ok("other"));
    let target = other.url();
    let server = HttpServer::start(move |request| match request.path.as_str() {
        "/away" => Response::status(302).with_header("Location", target.clone()),
        "/stay" => Response::status(302).with_header("Location", "/end"),
        "/round" => Response::status(302).with_header("Location", "/round"),
        _ => ok("end"),
    });
    let auth = Auth::Bearer(Secret::new("hunter2"));
    let get = |path: &str| Request::get(format!("{}{path}", server.url())).auth(Some(&auth));
    client().send(&get("/away")).await.unwrap();

    assert_eq!(
        server.requests()[0].header("authorization"),
        Some("Bearer hunter2")
    );
    assert_eq!(other.requests()[0].header("authorization"), None);

    client().send(&get("/stay")).await.unwrap();
    assert_eq!(
        server.requests()[2].header("authorization"),
        Some("Bearer hunter2")
    );

    server.clear_requests();
    let error = client().send(&get("/round")).await.unwrap_err();

    assert!(matches!(error, Error::Invalid { .. }), "{error}");
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn no_error_shows_a_secret() {
    let server = HttpServer::start(|_| Response::status(401));
    let address = server.url().replace("http://", "http://me:hunter2@");
    let auth = Auth::Basic {
        user: "me".to_owned(),
        password: Secret::new("hunter2"),
    };
    let refused = Request::get(format!("{address}/?token=hunter2")).auth(Some(&auth));

    // Nothing listens on port 1.
    let unreached = Request::get("http://me:hunter2@127.0.0.1:1/?token=hunter2").auth(Some(&auth));
    let unreadable = Request::get("http://me:hunter2@:/");
    let once = Client::new(ClientOptions {
        retries: 0,
        ..options()
    })
    .unwrap();

    for request in [refused, unreached, unreadable] {
        let error = once.send(&request).await.unwrap_err();
        let mut text = format!("{error} {error:?} {request:?}");
        let mut below = std::error::Error::source(&error);
        while let Some(source) = below {
            text = format!("{text} {source} {source:?}");
            below = source.source();
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn asks_again_with_what_it_knows() {
    let server = HttpServer::start(|request| {
        if request.header("if-none-match") == Some("\"one\"") {
            Response::status(304)
        } else {
            ok("body")
                .with_header("ETag", "\"one\"")
                .with_header("Last-Modified", "then")
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let cached = ClientOptions {
        cache_dir: Some(folder.path().to_owned()),
        ..options()
    };
    let client = Client::new(cached.clone()).unwrap();
    let request = Request::get(server.url());
    let first = client.get(&request, &Caching::Revalidate).await.unwrap();
    let second = client.get(&request, &Caching::Revalidate).await.unwrap();
    assert_eq!((first.body.as_slice(), first.cached), (&b"body"[..], false));
    assert_eq!(
        (second.body.as_slice(), second.cached),
        (&b"body"[..], true)
    );
    assert_eq!(
        server.requests()[1].header("if-modified-since"),
        Some("then")
    );

    server.clear_requests();
    let offline = Client::new(ClientOptions {
        offline: true,
        ..cached
    })
    .unwrap();
    assert!(offline.reqwest().is_none());
    assert_eq!(
        offline
            .get(&request, &Caching::Revalidate)
            .await
            .unwrap()
            .body,
        b"body"
    );
    let other = Request::get(format!("{}/other?token=hunter2", server.url()));
    let error = offline.get(&other, &Caching::Revalidate).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{}/other` is not in the cache, and offline no server is asked",
            server.url()
        )
    );
    assert!(matches!(
        offline.send(&request).await,
        Err(Error::Offline { .. })
    ));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_never_changes_is_asked_for_once() {
    let server = HttpServer::start(|_| ok("body"));
    let folder = tempfile::tempdir().unwrap();
    let cached = ClientOptions {
        cache_dir: Some(folder.path().to_owned()),
        ..options()
    };
    let client = Client::new(cached).unwrap();
    let request = Request::get(server.url());
    for revision in ["1", "1", "2", "1"] {
        let caching = Caching::Immutable(revision.to_owned());
        assert_eq!(client.get(&request, &caching).await.unwrap().body, b"body");
    }

    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_download_begins_anew_after_half_a_body() {
    let server = failing(
        ok("a first body that is longer than the second").cut_in_half(),
        1,
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("download");
    let mut file = std::fs::File::create(&path).unwrap();
    client()
        .download(&Request::get(server.url()), &mut file, &path)
        .await
        .unwrap();

    assert_eq!(std::fs::read(&path).unwrap(), b"done");
}

#[tokio::test]
async fn names_a_server_that_is_not_there() {
    let gone = {
        let server = HttpServer::start(|_| ok(""));
        server.url()
    };
    let error = Client::new(ClientOptions {
        retries: 1,
        ..options()
    })
    .unwrap()
    .send(&Request::get(&gone))
    .await
    .unwrap_err();

    assert_eq!(error.to_string(), format!("`{gone}/` could not be reached"));
    assert!(error.hint().unwrap().contains("HTTPS_PROXY"));
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let server = HttpServer::start(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Response {
            delay: Some(Duration::from_secs(30)),
            ..ok("late")
        }
    });

    let hasty = ClientOptions {
        total_timeout: Duration::from_millis(100),
        retries: 1,
        ..options()
    };
    let error = Client::new(hasty)
        .unwrap()
        .send(&Request::get(server.url()))
        .await
        .unwrap_err();

    assert!(
        error.to_string().ends_with("did not answer in time"),
        "{error}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}
