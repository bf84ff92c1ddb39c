//! `patchgate explain`: an advisory, and why packages are affected by it or not.

use patchgate_testkit::{OsvFault, OsvServer};
use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox, root, texts};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();
    sandbox
}

fn explain(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.offline("explain", arguments)
}

#[test]
fn an_alias_leads_to_its_record_and_each_range_gets_an_answer() {
    let sandbox = sandbox();
    let run = explain(&sandbox, &["CVE-2021-44906", "--format", "json", "repo"]).expect(1);
    let report = run.json();

    assert_eq!(report["records"][0]["id"], "GHSA-xvch-5gv4-984h");

    let affected = &report["records"][0]["affected"][0];
    assert_eq!(affected["name"], "minimist");

    let intervals = affected["ranges"][0]["intervals"].as_array().unwrap();
    assert!(
        intervals
            .iter()
            .any(|one| one.as_str().unwrap().contains("< 1.2.6")),
        "{affected}"
    );
    assert_eq!(report["packages"][0]["affected"], "yes");

    let evidence = report["packages"][0]["evidence"].as_array().unwrap();
    assert!(
        evidence.iter().any(|one| one["affects"] == true),
        "{evidence:?}"
    );

    let schema = sandbox.run(&["schema", "explain"]).expect(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|e| e.to_string())
        .collect();

    assert_eq!(errors, Vec::<String>::new());

    let text = explain(&sandbox, &["CVE-2021-44906", "repo"])
        .expect(1)
        .stdout;
    for part in [
        "GHSA-xvch-5gv4-984h",
        "< 1.2.6",
        "is affected",
        "package-lock.json:",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn an_unaffected_package_is_reported_with_the_reason() {
    let sandbox = sandbox();
    let purl = ["GHSA-xvch-5gv4-984h", "--purl", "pkg:npm/minimist@1.2.8"];
    let text = explain(&sandbox, &purl).expect(0).stdout;

    assert!(text.contains("minimist 1.2.8 is not affected"), "{text}");
    assert!(text.contains("1.2.8 is outside"), "{text}");

    let text = explain(
        &sandbox,
        &["GHSA-xvch-5gv4-984h", "--purl", "pkg:npm/other@1.0.0"],
    );
    assert!(text.expect(0).stdout.contains("none of these packages"));

    explain(&sandbox, &["GHSA-xvch-5gv4-984h", "--purl", "nonsense"]).expect(2);
    let unknown = explain(&sandbox, &["GHSA-none-none-none", "repo"]).expect(2);

    assert!(
        unknown.stderr.contains("GHSA-none-none-none"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn an_unreadable_file_or_a_missing_answer_is_incomplete() {
    let sandbox = sandbox();
    sandbox.write("broken/package-lock.json", "{");
    let report = explain(
        &sandbox,
        &["GHSA-xvch-5gv4-984h", "--format", "json", "repo"],
    );
    let report = report.expect(3).json();

    assert_eq!(
        texts(&report["incomplete"], "subject"),
        ["broken/package-lock.json"]
    );

    let server = OsvServer::start(&[&root().join("examples/advisories")]);
    let mut sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.set("PATCHGATE_OSV_URL", server.url());
    sandbox.set("PATCHGATE_KEV_URL", "none");
    sandbox.set("PATCHGATE_EPSS_URL", "none");
    let online = ["explain", "GHSA-xvch-5gv4-984h", "--format", "json", "repo"];
    let report = sandbox.run(&online).expect(1).json();

    assert_eq!(report["packages"][0]["affected"], "yes");
    assert_eq!(report["kev"], Value::Null);

    sandbox
        .run(&["explain", "GHSA-none-none-none", "repo"])
        .expect(2);
    server.fail("/v1/vulns", OsvFault::ServerError, u32::MAX);
    let report = sandbox.run(&["explain", "GHSA-xvch-5gv4-984x", "--format", "json", "repo"]);

    assert_eq!(report.expect(3).json()["records"], json!([]));
}

#[test]
fn a_case_that_scan_calls_incomplete_is_incomplete_here() {
    let sandbox = sandbox();
    let explain = |path: &str| explain(&sandbox, &["GHSA-xvch-5gv4-984h", path]);

    // The store has no crates.io.
    let npm = root().join("examples/advisories/npm");
    sandbox
        .run(&[
            "db",
            "build",
            "--from",
            npm.to_str().unwrap(),
            "--into",
            "store",
            "--replace",
        ])
        .expect(0);
    let lock = root().join("examples/cargo-service/Cargo.lock");
    sandbox.write("rust/Cargo.lock", std::fs::read(lock).unwrap());

    assert!(explain("repo/rust").expect(3).stdout.contains("crates.io"));

    // A requirement without a lockfile.
    let manifest = r#"{"name": "a", "version": "1.0.0", "dependencies": {"minimist": "^1.2.0"}}"#;
    sandbox.write("open/package.json", manifest);
    assert!(explain("repo/open").expect(0).stdout.contains("possibly"));
    sandbox.write(
        "open/package.json",
        manifest.replace("^1.2.0", "git+https://h.invalid/minimist"),
    );
    assert!(
        explain("repo/open")
            .expect(3)
            .stdout
            .contains("undetermined")
    );

    sandbox.write("empty/README.md", "nothing");
    explain("repo/empty").expect(4);
}
