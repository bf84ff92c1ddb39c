//! An OSV server that does not do its work: never "clean", and never for ever.

use std::time::Duration;

use patchgate_testkit::{OsvFault, OsvServer};

use crate::support::sandbox::{Run, Sandbox, root};

fn scan_with(prepare: impl FnOnce(&OsvServer)) -> (OsvServer, Run) {
    let advisories = root().join("examples/advisories");
    let server = OsvServer::start(&[&advisories]);
    prepare(&server);
    let mut sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.set("PATCHGATE_OSV_URL", server.url());
    let run = sandbox.run(&["scan", "--format", "json", "repo"]);
    (server, run)
}

#[test]
fn a_correct_server_gives_the_same_findings_as_the_store() {
    let (server, run) = scan_with(|server| server.set_page_size(1));
    let report = run.expect(1).json();

    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        3,
        "{report:#}"
    );

    let batches = server
        .requests()
        .into_iter()
        .filter(|request| request.path == "/v1/querybatch");
    assert!(batches.count() >= 2, "the second page was not asked for");
}

#[test]
fn too_many_requests_are_retried_after_the_given_time() {
    let fault = OsvFault::TooManyRequests {
        retry_after_seconds: 1,
    };
    let (_server, run) = scan_with(|server| server.fail("/v1/", fault, 1));
    run.expect(1);
}

#[test]
fn a_server_that_misbehaves_is_named_and_makes_the_scan_incomplete() {
    for fault in [
        OsvFault::ServerError,
        OsvFault::TooManyRequests {
            retry_after_seconds: 86_400,
        },
        OsvFault::HalfBody,
        OsvFault::LoopingPageToken,
        OsvFault::NotJson,
        OsvFault::ErrorBody,
        OsvFault::MissingResults,
    ] {
        let name = format!("{fault:?}");
        let (server, run) = scan_with(|server| server.fail("/v1/querybatch", fault, u32::MAX));
        assert_eq!(run.code, 3, "{name}: {run:?}");
        let report = run.json();
        let host = server.url().replace("http://", "");
        assert!(
            report["incomplete"].to_string().contains(&host),
            "{name}: {report:#}"
        );
        let asked = server.requests().len();
        assert!(asked <= 200, "{name}: asked {asked} times");
    }
}

#[test]
fn a_record_that_cannot_be_fetched_makes_the_scan_incomplete() {
    for fault in [
        OsvFault::ServerError,
        OsvFault::HalfBody,
        OsvFault::ErrorBody,
    ] {
        let name = format!("{fault:?}");
        let (_server, run) = scan_with(|server| server.fail("/v1/vulns/", fault, u32::MAX));
        assert_eq!(run.code, 3, "{name}: {run:?}");
    }
}

#[test]
fn a_slow_server_gives_the_same_findings() {
    let fault = OsvFault::Slow(Duration::from_secs(1));
    let (_server, run) = scan_with(|server| server.fail("/v1/querybatch", fault, 1));
    run.expect(1);
}
