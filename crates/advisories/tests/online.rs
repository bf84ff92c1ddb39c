//! The OSV client against a server on loopback that behaves and misbehaves.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use patchgate_model::EcosystemName;
use std::path::Path;
use std::time::Duration;

use patchgate_advisories::{AdvisoryLookup, CommitQuery, OsvClient, PackageQuery};
use patchgate_http::{Client, ClientOptions};
use patchgate_testkit::{OsvFault, OsvServer};

fn record(id: &str, name: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id, "modified": "2026-01-01T00:00:00Z",
        "affected": [
            {"package": {"ecosystem": "crates.io", "name": name},
             "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]},
            {"package": {"ecosystem": "npm", "name": "other"}, "versions": ["1.0.0"]},
        ],
    })
}

/// A server with three records of `a` and one of `b`.
fn server(folder: &Path) -> OsvServer {
    for (id, name) in [("X-1", "a"), ("X-2", "a"), ("X-3", "a"), ("X-4", "b")] {
        std::fs::write(
            folder.join(format!("{id}.json")),
            record(id, name).to_string(),
        )
        .unwrap();
    }
    OsvServer::start(&[folder])
}

fn http(cache: Option<&Path>) -> Client {
    Client::new(ClientOptions {
        retry_base_delay: Duration::from_millis(1),
        retries: 2,
        cache_dir: cache.map(Path::to_owned),
        ..ClientOptions::default()
    })
    .unwrap()
}

fn queries() -> Vec<PackageQuery> {
    ["a", "b", "c"]
        .into_iter()
        .map(|name| PackageQuery {
            ecosystem: EcosystemName::new("crates.io"),
            distribution: None,
            name: name.into(),
            version: Some("1.0.0".into()),
        })
        .collect()
}

fn ids(lookup: &AdvisoryLookup) -> Vec<(String, Vec<String>)> {
    lookup
        .advisories
        .iter()
        .map(|((_, name), records)| {
            (
                name.to_string(),
                records.iter().map(|record| record.id.to_string()).collect(),
            )
        })
        .collect()
}

fn all() -> Vec<(String, Vec<String>)> {
    let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    vec![
        ("a".to_owned(), own(&["X-1", "X-2", "X-3"])),
        ("b".to_owned(), own(&["X-4"])),
    ]
}

#[tokio::test]
async fn commits_are_asked_about_beside_packages() {
    let folder = tempfile::tempdir().unwrap();
    let commit = "a1".repeat(20);
    let record = serde_json::json!({"id": "CVE-1", "modified": "2026-01-01T00:00:00Z",
        "affected": [{"ranges": [{"type": "GIT", "repo": "https://host.invalid/a/b",
            "events": [{"introduced": "0"}]}]}], "database_specific": {"commits": [commit]}});
    std::fs::write(folder.path().join("CVE-1.json"), record.to_string()).unwrap();
    let server = server(folder.path());
    let of = |commit: &str| CommitQuery {
        repository: "host.invalid/a/b".to_owned(),
        commit: commit.to_owned(),
    };
    let lookup = OsvClient::new(http(None), &server.url())
        .lookup_all(&queries(), &[of(&commit), of(&"b2".repeat(20))])
        .await;

    assert_eq!(lookup.problems, []);
    assert_eq!(ids(&lookup), all());

    let commits: Vec<_> = lookup.commits.iter().collect();
    assert_eq!(commits.len(), 1);
    assert_eq!(
        (commits[0].0, commits[0].1[0].id.as_str()),
        (&commit, "CVE-1")
    );
}

#[tokio::test]
async fn an_ecosystem_that_no_server_knows_spoils_no_batch() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());

    let mut queries = queries();
    for name in ["x", "y"] {
        queries.push(PackageQuery {
            ecosystem: EcosystemName::new("Nowhere"),
            name: name.into(),
            ..queries[0].clone()
        });
    }

    let lookup = OsvClient::new(http(None), &server.url())
        .lookup(&queries)
        .await;
    assert_eq!(ids(&lookup), all());

    let subjects: Vec<_> = lookup
        .problems
        .iter()
        .map(|one| one.subject.as_str())
        .collect();
    assert_eq!(subjects, ["Nowhere"]);

    let asked = server
        .requests()
        .into_iter()
        .find(|one| one.path == "/v1/querybatch");
    assert!(!String::from_utf8_lossy(&asked.unwrap().body).contains("Nowhere"));
}

#[tokio::test]
async fn answers_with_the_records_of_each_package() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let lookup = OsvClient::new(http(None), &server.url())
        .lookup(&queries())
        .await;

    assert_eq!(lookup.problems, []);
    assert_eq!(ids(&lookup), all());

    // The entries of other packages are left out.
    assert!(
        lookup
            .advisories
            .values()
            .flatten()
            .all(|record| record.affected.len() == 1)
    );
    assert_eq!(lookup.sources[0].name, "osv-api");
    assert_eq!(lookup.sources[0].warning, None);
}

#[tokio::test]
async fn follows_pages_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    server.set_page_size(1);
    let lookup = OsvClient::new(http(None), &server.url())
        .lookup(&queries())
        .await;

    assert_eq!(lookup.problems, []);
    assert_eq!(ids(&lookup), all());

    // Only the package with more pages is asked for again.
    let sizes: Vec<usize> = server
        .requests()
        .iter()
        .filter(|request| request.path == "/v1/querybatch")
        .map(|request| request.json()["queries"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [3, 1, 1]);
}

#[tokio::test]
async fn a_failing_server_is_never_clean() {
    for (fault, times, expected) in [
        (
            OsvFault::ServerError,
            9,
            "3 packages could not be looked up: ",
        ),
        (
            OsvFault::TooManyRequests {
                retry_after_seconds: 0,
            },
            9,
            "answered 429",
        ),
        (OsvFault::HalfBody, 9, "answered only partially"),
        (
            OsvFault::NotJson,
            1,
            "the answer is not one of an OSV server",
        ),
        (
            OsvFault::ErrorBody,
            1,
            "the answer is not one of an OSV server: missing field `results`",
        ),
        (OsvFault::MissingResults, 1, "the server sent 0 answers"),
        (OsvFault::LoopingPageToken, 9, "repeat in a circle"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path());
        server.fail("/v1/querybatch", fault.clone(), times);
        let lookup = OsvClient::new(http(None), &server.url())
            .lookup(&queries())
            .await;
        let reasons: Vec<&str> = lookup
            .problems
            .iter()
            .map(|one| one.reason.as_str())
            .collect();
        assert!(
            reasons.iter().any(|one| one.contains(expected)),
            "{fault:?}: {reasons:?}"
        );
        assert!(
            lookup
                .problems
                .iter()
                .all(|one| one.subject.starts_with("http://127.0.0.1"))
        );
        assert!(lookup.sources[0].warning.is_some(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_fault_that_passes_leaves_no_trace() {
    for fault in [
        OsvFault::ServerError,
        OsvFault::TooManyRequests {
            retry_after_seconds: 0,
        },
        OsvFault::HalfBody,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path());
        server.fail("/v1/", fault, 2);
        let lookup = OsvClient::new(http(None), &server.url())
            .lookup(&queries())
            .await;
        assert_eq!(lookup.problems, []);
        assert_eq!(ids(&lookup), all());
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_fetched_is_a_problem_and_the_others_are_kept() {
    for fault in [
        OsvFault::ServerError,
        OsvFault::HalfBody,
        OsvFault::NotJson,
        OsvFault::ErrorBody,
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path());
        server.fail("/v1/vulns/X-2", fault.clone(), 9);
        let lookup = OsvClient::new(http(None), &server.url())
            .lookup(&queries())
            .await;
        let subjects: Vec<&str> = lookup
            .problems
            .iter()
            .map(|one| one.subject.as_str())
            .collect();
        assert_eq!(subjects, ["X-2"], "{fault:?}");
        assert_eq!(ids(&lookup)[0].1, ["X-1", "X-3"]);
    }
}

#[tokio::test]
async fn a_slow_server_is_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    server.fail("/v1/querybatch", OsvFault::Slow(Duration::from_secs(30)), 1);
    let client = OsvClient::new(http(None), &server.url()).with_budget(Duration::from_millis(100));
    let lookup = client.lookup(&queries()).await;

    assert_eq!(
        lookup.problems[0].reason,
        "3 queries were not answered within the time limit"
    );
}

#[tokio::test]
async fn known_records_come_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let client = OsvClient::new(http(Some(cache.path())), &server.url());
    let first = client.lookup(&queries()).await;
    let before = server.requests().len();
    let second = client.lookup(&queries()).await;

    assert_eq!(first.advisories, second.advisories);
    assert_eq!(server.requests().len(), before + 1);
}

#[tokio::test]
async fn many_packages_are_asked_for_in_several_requests() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let many: Vec<PackageQuery> = (0..2500)
        .map(|n| PackageQuery {
            ecosystem: EcosystemName::new("crates.io"),
            distribution: None,
            name: format!("p{n}").into(),
            version: None,
        })
        .chain(queries())
        .collect();
    let lookup = OsvClient::new(http(None), &server.url())
        .lookup(&many)
        .await;

    assert_eq!(lookup.problems, []);
    assert_eq!(ids(&lookup), all());

    let mut sizes: Vec<usize> = server
        .requests()
        .iter()
        .filter(|request| request.path == "/v1/querybatch")
        .map(|request| request.json()["queries"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();

    assert_eq!(sizes, [503, 1000, 1000]);
}
