//! Packages from git repositories: judged by their commit, online and from a store.

use patchgate_testkit::OsvServer;
use serde_json::{Value, json};

use crate::support::sandbox::{OFFLINE, Run, Sandbox, texts};

const FIXED: &str = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2";
const BROKEN: &str = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
const BETWEEN: &str = "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3";

/// A record of a repository without any package, and one of a package with both kinds of ranges.
fn records() -> [Value; 2] {
    let git = |repo: &str| {
        json!({"type": "GIT", "repo": repo,
            "events": [{"introduced": "0"}, {"introduced": BROKEN}, {"fixed": FIXED}]})
    };
    [
        json!({"id": "CVE-2026-1", "modified": "2026-11-01T00:00:00Z",
            "affected": [{"ranges": [git("https://host.invalid/Owner/lib.git")]}],
            "database_specific": {"commits": [BROKEN, BETWEEN]}}),
        json!({"id": "RUSTSEC-2026-0001", "modified": "2026-11-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "crates.io", "name": "parser"}, "ranges": [
                {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]},
                git("https://host.invalid/owner/parser")]}]}),
    ]
}

/// A repository whose lockfile takes two packages from git, at a commit each.
fn sandbox(lib: &str, parser: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let package = |name: &str, commit: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n\
             source = \"git+https://host.invalid/owner/{name}?branch=main#{commit}\"\n\n"
        )
    };
    let own = "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\
               dependencies = [\n \"lib\",\n \"parser\",\n]\n\n";
    let lock = format!(
        "version = 4\n\n{}{own}{}",
        package("lib", lib),
        package("parser", parser)
    );
    sandbox.write("Cargo.lock", lock);

    for (directory, record) in ["records/GIT", "records/crates.io"].iter().zip(records()) {
        let directory = sandbox.path(directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("record.json"), record.to_string()).unwrap();
    }

    sandbox.build_store_of_records();
    sandbox
}

fn offline(sandbox: &Sandbox) -> Run {
    sandbox.offline("scan", &["--format", "json", "repo"])
}

#[test]
fn a_store_matches_the_commits_that_a_record_lists() {
    let report = offline(&sandbox(BROKEN, FIXED)).expect(1).json();
    assert_eq!(texts(&report["findings"], "id"), ["CVE-2026-1"]);
    assert_eq!(report["findings"][0]["package"]["name"], "lib");
    let reason = report["findings"][0]["no_fix_reason"].as_str().unwrap();
    assert!(reason.contains(FIXED), "{reason}");
    // At the fixed commit the version, which is not released yet, says nothing.
    let report = offline(&sandbox(FIXED, FIXED)).expect(0).json();
    assert_eq!(report["findings"], json!([]));
}

#[test]
fn a_commit_between_two_listed_ones_is_unknown_to_a_store_and_known_online() {
    // A version speaks where there is one.
    let mut sandbox = sandbox(BETWEEN, &"d4".repeat(20));
    let report = offline(&sandbox).expect(3).json();

    assert_eq!(texts(&report["findings"], "id"), ["RUSTSEC-2026-0001"]);

    let reason = report["incomplete"][0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("CVE-2026-1") && reason.contains("history"),
        "{reason}"
    );

    let server = OsvServer::start(&[
        &sandbox.path("records/GIT"),
        &sandbox.path("records/crates.io"),
    ]);
    sandbox.set("PATCHGATE_OSV_URL", server.url());
    sandbox.set("PATCHGATE_KEV_URL", "none");
    sandbox.set("PATCHGATE_EPSS_URL", "none");
    let report = sandbox
        .run(&["scan", "--format", "json", "repo"])
        .expect(1)
        .json();
    let mut found = texts(&report["findings"], "id");
    found.sort();

    assert_eq!(found, ["CVE-2026-1", "RUSTSEC-2026-0001"]);
}

#[test]
fn a_query_about_a_commit_is_answered_online_and_never_clean_from_a_store() {
    let mut sandbox = sandbox(FIXED, FIXED);
    let lines = format!(
        "{{\"commit\": \"{BETWEEN}\"}}\n{{\"commit\": \"{FIXED}\"}}\n{{\"commit\": \"main\"}}\n"
    );
    let query = [&["query"][..], &OFFLINE].concat();
    let (code, answers, _) = crate::query::with_input(&sandbox, &query, &lines);

    assert_eq!((code, answers.len()), (3, 3));
    assert!(answers[0].contains("ask without a store"), "{}", answers[0]);

    let server = OsvServer::start(&[&sandbox.path("records/GIT")]);
    sandbox.set("PATCHGATE_OSV_URL", server.url());
    let url = server.url();
    let online = [
        "query",
        "--osv-url",
        &url,
        "--kev-url",
        "none",
        "--epss-url",
        "none",
    ];
    let (code, answers, _) = crate::query::with_input(&sandbox, &online, &lines);

    assert_eq!(code, 3);

    let answers: Vec<Value> = answers
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(texts(&answers[0]["findings"], "id"), ["CVE-2026-1"]);
    assert_eq!(answers[1]["findings"], json!([]));
    assert!(answers[1].get("error").is_none());

    let error = answers[2]["error"].as_str().unwrap();
    assert!(error.contains("full hash"), "{error}");
}

#[test]
fn a_commit_of_a_fork_hides_no_finding_of_the_repository() {
    let sandbox = sandbox(BROKEN, FIXED);
    let lock = std::fs::read_to_string(sandbox.path("repo/Cargo.lock")).unwrap();
    let fork = lock.replace("host.invalid/owner/lib", "host.invalid/fork/lib");
    sandbox.write("a/Cargo.lock", fork);
    let report = offline(&sandbox).expect(1).json();

    assert_eq!(texts(&report["findings"], "id"), ["CVE-2026-1"]);
    assert_eq!(
        texts(&report["findings"][0]["locations"], "file"),
        ["Cargo.lock"]
    );

    // The same source in another spelling is another copy of one finding.
    let same = lock.replace("host.invalid/owner/lib", "host.invalid/owner/lib.git");
    sandbox.write("b/Cargo.lock", same);
    let report = offline(&sandbox).expect(1).json();

    assert_eq!(texts(&report["findings"], "id"), ["CVE-2026-1"]);

    let files = texts(&report["findings"][0]["locations"], "file");
    assert_eq!(files, ["Cargo.lock", "b/Cargo.lock"]);
}

#[test]
fn a_record_of_commits_adds_nothing_when_an_alias_covers_the_version() {
    let sandbox = sandbox(FIXED, FIXED);
    let by_version = json!({"id": "RUSTSEC-2026-0002", "aliases": ["CVE-2026-1"],
        "modified": "2026-11-01T00:00:00Z", "affected": [{
            "package": {"ecosystem": "crates.io", "name": "lib"}, "ranges": [
                {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.9.0"}]}]}]});
    let lock = std::fs::read_to_string(sandbox.path("repo/Cargo.lock")).unwrap();
    sandbox.write("Cargo.lock", lock.replacen(FIXED, BETWEEN, 1));
    let reason = |run: Run| run.json()["incomplete"][0]["reason"].to_string();

    assert!(reason(offline(&sandbox).expect(3)).contains("CVE-2026-1"));

    let directory = sandbox.path("records/crates.io/other.json");
    std::fs::write(directory, by_version.to_string()).unwrap();
    sandbox.build_store_of_records();
    offline(&sandbox).expect(0);
}
