//! Malicious releases: an incident in every report, with an exit code of its own.

use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};

/// A repository that installs `evil` and `fine`, next to a store with these records.
fn sandbox(records: &[Value]) -> Sandbox {
    let sandbox = Sandbox::new();
    let package = |name: &str| json!({"version": "1.0.0", "resolved": format!("https://packages.invalid/{name}.tgz")});
    let lock = json!({"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
        "": {"name": "app", "version": "1.0.0", "dependencies": {"evil": "1.0.0", "fine": "1.0.0"}},
        "node_modules/evil": package("evil"), "node_modules/fine": package("fine")}});
    sandbox.write("package-lock.json", lock.to_string());
    let directory = sandbox.path("records/npm");
    std::fs::create_dir_all(&directory).unwrap();

    for record in records {
        let name = format!("{}.json", record["id"].as_str().unwrap());
        std::fs::write(directory.join(name), record.to_string()).unwrap();
    }

    sandbox.build_store_of_records();
    sandbox
}

fn record(id: &str, package: &str, versions: &[&str]) -> Value {
    json!({"id": id, "modified": "2026-11-01T00:00:00Z", "summary": format!("{id} in {package}"),
        "affected": [{"package": {"ecosystem": "npm", "name": package}, "versions": versions}]})
}

fn scan(sandbox: &Sandbox, more: &[&str]) -> Run {
    sandbox.offline("scan", &[more, &["repo"]].concat())
}

#[test]
fn the_exit_code_is_5_whatever_the_thresholds_and_the_problems_are() {
    let sandbox = sandbox(&[
        record("MAL-2026-1", "evil", &["1.0.0"]),
        record("GHSA-fine-fine-fine", "fine", &["1.0.0"]),
    ]);
    let run = scan(&sandbox, &["--format", "json", "--min-score", "100"]).expect(5);
    let report = run.json();

    assert_eq!(report["summary"]["exit_reason"], "malicious");
    assert_eq!(report["summary"]["malicious"], 1);
    assert_eq!(report["findings"][0]["id"], "MAL-2026-1");
    assert_eq!(report["findings"][0]["malicious"], true);

    // An unreadable file next to it changes nothing, and is reported as well.
    sandbox.write("Cargo.lock", "<<<<<<< HEAD\n");
    let report = scan(&sandbox, &["--format", "json"]).expect(5).json();

    assert_eq!(report["summary"]["complete"], false);
    for (format, begins) in [("table", "INCIDENT: "), ("markdown", "## Patchgate scan")] {
        let run = scan(&sandbox, &["--format", format]).expect(5);
        assert!(run.stdout.starts_with(begins), "{}", run.stdout);
    }

    scan(&sandbox, &["--format", "sarif"]).expect(5);
}

#[test]
fn only_installed_versions_count_and_an_ignore_entry_with_a_reason_suppresses_it() {
    let other = sandbox(&[record("MAL-2026-1", "evil", &["1.0.1"])]);
    scan(&other, &[]).expect(0);
    let sandbox = sandbox(&[record("MAL-2026-1", "evil", &["1.0.0"])]);
    sandbox.write(
        ".patchgate.yml",
        "ignore:\n  - id: MAL-2026-1\n    reason: our own test package\n    until: 2999-01-01\n",
    );
    scan(&sandbox, &[]).expect(0);
}

#[test]
fn a_database_is_malicious_when_the_settings_say_so() {
    let sandbox = sandbox(&[record("LWA-2026-1", "evil", &["1.0.0"])]);
    let report = scan(&sandbox, &["--format", "json"]).expect(1).json();

    assert_eq!(report["findings"][0]["malicious"], false);

    sandbox.write(
        ".patchgate.yml",
        "advisories:\n  malicious-prefixes: [\"LWA-\"]\n",
    );
    let report = scan(&sandbox, &["--format", "json"]).expect(5).json();

    assert_eq!(report["findings"][0]["malicious"], true);
    assert_eq!(report["findings"][0]["score"], 100.0);
}

#[test]
fn a_query_about_a_malicious_release_has_exit_code_5_too() {
    let sandbox = sandbox(&[record("MAL-2026-1", "evil", &["1.0.0"])]);
    let run = sandbox
        .offline("query", &["npm", "evil", "1.0.0"])
        .expect(5);
    assert!(run.stdout.starts_with("INCIDENT: "), "{}", run.stdout);
    sandbox
        .offline("query", &["npm", "evil", "1.0.1"])
        .expect(0);
}

#[test]
fn explaining_a_malicious_release_is_an_incident_where_it_is_installed() {
    let sandbox = sandbox(&[record("MAL-2026-1", "evil", &["1.0.0"])]);
    let run = sandbox
        .offline("explain", &["MAL-2026-1", "repo"])
        .expect(5);
    assert!(run.stdout.starts_with("INCIDENT: "), "{}", run.stdout);
    let other = ["MAL-2026-1", "--purl", "pkg:npm/evil@1.0.1"];
    let run = sandbox.offline("explain", &other).expect(0);
    assert!(!run.stdout.contains("INCIDENT"), "{}", run.stdout);
}

#[test]
fn a_malicious_record_of_other_releases_does_not_turn_a_vulnerability_into_an_incident() {
    let mut flaw = record("GHSA-evil-evil-evil", "evil", &["1.0.0"]);
    flaw["aliases"] = json!(["CVE-2026-9"]);
    let mut other = record("MAL-2026-9", "evil", &["1.5.0"]);
    other["aliases"] = json!(["CVE-2026-9"]);
    let sandbox = sandbox(&[flaw, other]);
    let report = scan(&sandbox, &["--format", "json"]).expect(1).json();

    assert_eq!(report["findings"][0]["id"], "GHSA-evil-evil-evil");
    assert_eq!(report["findings"][0]["severity"], "unknown");

    let report = sandbox.offline("explain", &["CVE-2026-9", "--format", "json", "repo"]);
    assert_eq!(report.expect(1).json()["malicious"], false);
}

#[test]
fn a_query_uses_the_settings_of_the_directory() {
    let sandbox = sandbox(&[record("LWA-2026-1", "evil", &["1.0.0"])]);
    sandbox
        .offline("query", &["npm", "evil", "1.0.0"])
        .expect(1);
    let settings = "advisories:\n  malicious-prefixes: [\"LWA-\"]\n";
    std::fs::write(sandbox.path(".patchgate.yml"), settings).unwrap();
    sandbox
        .offline("query", &["npm", "evil", "1.0.0"])
        .expect(5);
}

#[test]
fn a_fix_reports_it_first_and_has_exit_code_5_even_when_it_removes_it() {
    let sandbox = sandbox(&[record("MAL-2026-1", "evil", &["1.0.0"])]);
    sandbox.write(
        "package.json",
        r#"{"name": "app", "version": "1.0.0", "dependencies": {"evil": "1.0.0", "fine": "1.0.0"}}"#,
    );
    let run = sandbox.offline("fix", &["--dry-run", "repo"]).expect(5);

    assert!(run.stdout.starts_with("INCIDENT: "), "{}", run.stdout);

    let json = sandbox.offline("fix", &["--dry-run", "--format", "json", "repo"]);
    assert_eq!(json.expect(5).json()["incidents"][0]["id"], "MAL-2026-1");
}
