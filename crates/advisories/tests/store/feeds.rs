//! Updates of feeds and of several ecosystems at once.

use patchgate_advisories::{SignalSource as _, Store, UpdateOptions};
use patchgate_http::{Client, ClientOptions};
use patchgate_model::EcosystemName;
use patchgate_testkit::{HttpServer, Response};

use crate::support::*;

#[tokio::test]
async fn an_update_keeps_what_it_could_not_fetch() {
    let npm = zip(&[("X-1.json", record("X-1", "npm", "a").as_bytes())]);
    let server = HttpServer::start(move |request| match request.path.as_str() {
        "/npm/all.zip" => Response::bytes(200, "application/zip", npm.clone()),
        "/kev.json" => Response::bytes(200, "application/json", CATALOGUE),
        "/epss.csv.gz" => Response::bytes(200, "application/gzip", gzip(SCORES)),
        "/login" => Response::bytes(200, "text/html", "<html>log in first</html>"),
        _ => Response::status(404),
    });
    let into = tempfile::tempdir().unwrap();
    let options = |ecosystems: &[&str], kev: &str| UpdateOptions {
        ecosystems: ecosystems.iter().map(|name| (*name).to_owned()).collect(),
        exports: server.url(),
        kev: Some(format!("{}{kev}", server.url())),
        epss: None,
        ..UpdateOptions::default()
    };
    let first = options(&["npm", "Go"], "/kev.json");
    let report = Store::update(into.path(), &http(), &first, &|_| {})
        .await
        .unwrap();
    let expected = [("kev", 1), ("osv:npm", 1)].map(|(a, b)| (a.to_owned(), b));
    assert_eq!(names(&report), expected);
    assert_eq!(report.problems.len(), 1);
    assert_eq!(
        report.problems[0].subject,
        format!("{}/Go/all.zip", server.url())
    );

    let second = options(&["PyPI"], "/login");
    let report = Store::update(into.path(), &http(), &second, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.problems.len(), 2);
    assert_eq!(
        report.problems[1].reason,
        "the answer is not a KEV catalogue"
    );
    assert_eq!(names(&report), expected);

    let mut third = options(&[], "/kev.json");
    third.epss = Some(format!("{}/epss.csv.gz", server.url()));
    let report = Store::update(into.path(), &http(), &third, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(names(&report).len(), 3);
    let store = Store::open(into.path()).unwrap();
    assert_eq!(
        ids(&store.lookup(&[query(EcosystemName::new("npm"), "a")])),
        ["X-1"]
    );
}

#[tokio::test]
async fn an_update_from_a_folder_asks_no_server() {
    let mirror = tempfile::tempdir().unwrap();
    let export = zip(&[("X-1.json", record("X-1", "npm", "a").as_bytes())]);
    put(&mirror.path().join("npm/all.zip"), &export);
    let into = tempfile::tempdir().unwrap();
    let options = UpdateOptions {
        ecosystems: vec!["npm".to_owned()],
        exports: mirror.path().display().to_string(),
        kev: None,
        epss: None,
        ..UpdateOptions::default()
    };

    let offline = Client::new(ClientOptions {
        offline: true,
        ..ClientOptions::default()
    })
    .unwrap();
    let report = Store::update(into.path(), &offline, &options, &|_| {})
        .await
        .unwrap();

    assert_eq!(report.problems, []);
    assert_eq!(names(&report), [("osv:npm".to_owned(), 1)]);
}

/// A feed that has not changed is not sent again, whichever validator its server knows, and one
/// whose table is damaged is.
#[tokio::test]
async fn an_unchanged_feed_costs_no_download() {
    for (validator, condition, value) in [
        ("ETag", "if-none-match", "\"v1\""),
        (
            "Last-Modified",
            "if-modified-since",
            "Fri, 02 Jan 2026 00:00:00 GMT",
        ),
    ] {
        let server = HttpServer::start(move |request| {
            let body = match request.path.as_str() {
                "/kev.json" => CATALOGUE.as_bytes().to_vec(),
                "/epss.csv.gz" => gzip(SCORES),
                _ => return Response::status(404),
            };
            if request.header(condition) == Some(value) {
                return Response::status(304);
            }
            Response::bytes(200, "application/octet-stream", body).with_header(validator, value)
        });
        let into = tempfile::tempdir().unwrap();
        let options = UpdateOptions {
            kev: Some(format!("{}/kev.json", server.url())),
            epss: Some(format!("{}/epss.csv.gz", server.url())),
            ..UpdateOptions::default()
        };
        let update = async || {
            let report = Store::update(into.path(), &http(), &options, &|_| {})
                .await
                .unwrap();
            assert_eq!(report.problems, []);
            assert_eq!(names(&report).len(), 2);

            let requests = server.requests();
            server.clear_requests();

            requests
                .iter()
                .filter(|one| one.header(condition).is_none())
                .count()
        };
        assert_eq!(update().await, 2, "{validator}");
        assert_eq!(update().await, 0, "{validator}");
        let table = std::fs::read_dir(into.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.display().to_string().contains("/kev-"))
            .unwrap();
        let mut bytes = std::fs::read(&table).unwrap();
        bytes[60] ^= 1;
        std::fs::write(&table, bytes).unwrap();
        assert_eq!(update().await, 1, "{validator}");
        let store = Store::open(into.path()).unwrap();
        assert!(store.kev("CVE-1-1").unwrap().entry().is_some());
    }
}
