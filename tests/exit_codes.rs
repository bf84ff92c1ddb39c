//! The exit codes that scripts lean on, and that they do not depend on the format.

use crate::support::sandbox::Sandbox;

const CLEAN_LOCK: &str = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";

#[test]
fn nothing_found_is_0() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.lock", CLEAN_LOCK);
    sandbox.scan_offline().expect(0);
}

#[test]
fn findings_are_1_unless_all_are_below_the_threshold() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.scan_offline().expect(1);
    sandbox
        .run(&[
            "scan",
            "--offline",
            "--store",
            "store",
            "--min-score",
            "100",
            "repo",
        ])
        .expect(0);
}

/// Two findings of medium severity, one of which (CVE-2020-11023) is in the examples' KEV catalogue.
const JQUERY_LOCK: &str = r#"{
  "name": "app", "version": "1.0.0", "lockfileVersion": 3,
  "packages": {
    "": { "name": "app", "version": "1.0.0", "dependencies": { "jquery": "3.4.1" } },
    "node_modules/jquery": {
      "version": "3.4.1", "resolved": "https://packages.invalid/jquery-3.4.1.tgz"
    }
  }
}
"#;

/// Scans with these flags; the ids of the findings at or above the threshold.
#[track_caller]
fn failing(sandbox: &Sandbox, flags: &[&str], code: i32) -> Vec<String> {
    let arguments = [flags, &["--format", "json", "repo"]].concat();
    let report = sandbox.offline("scan", &arguments).expect(code).json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{report:#}");

    let failing: Vec<String> = findings
        .iter()
        .filter(|finding| finding["at_or_above_threshold"] == true)
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        report["summary"]["at_or_above_threshold"],
        failing.len(),
        "{report:#}"
    );
    failing
}

#[test]
fn a_known_exploited_finding_is_1_whatever_its_cvss_is() {
    let sandbox = Sandbox::new();
    sandbox.write("package-lock.json", JQUERY_LOCK);
    sandbox.build_store();

    for flags in [
        &["--severity", "high"][..],
        &["--min-score", "90"],
        &["--min-score", "100"],
        &["--severity", "critical", "--min-score", "100"],
    ] {
        let ids = failing(&sandbox, flags, 1);
        assert_eq!(ids, ["GHSA-jpcq-cgw6-v4j6"], "{flags:?}");
    }

    let run = sandbox.offline("scan", &["--severity", "high", "repo"]);
    let line = "1 at or above the threshold (severity high, or known to be exploited)";
    let run = run.expect(1);
    assert!(run.stdout.contains(line), "{}", run.stdout);
}

#[test]
fn any_threshold_that_is_set_is_enough() {
    let sandbox = Sandbox::new();
    sandbox.write("package-lock.json", JQUERY_LOCK);
    // Without the feeds: neither finding is known to be exploited.
    let npm = crate::support::sandbox::root().join("examples/advisories/npm");
    let build = ["db", "build", "--from", npm.to_str().unwrap()];
    sandbox
        .run(&[&build[..], &["--into", "store"]].concat())
        .expect(0);

    let none: [&str; 0] = [];
    assert_eq!(failing(&sandbox, &["--severity", "high"], 0), none);
    assert_eq!(failing(&sandbox, &["--min-score", "90"], 0), none);
    let neither = ["--severity", "high", "--min-score", "90"];
    assert_eq!(failing(&sandbox, &neither, 0), none);
    let by_severity = ["--severity", "medium", "--min-score", "90"];
    assert_eq!(failing(&sandbox, &by_severity, 1).len(), 2);
    let by_score = ["--severity", "high", "--min-score", "10"];
    assert_eq!(failing(&sandbox, &by_score, 1).len(), 2);
    // A score of 0 sets no threshold, so it does not undo the severity.
    let only_severity = ["--severity", "high", "--min-score", "0"];
    assert_eq!(failing(&sandbox, &only_severity, 0), none);
}

#[test]
fn wrong_usage_is_2() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.lock", CLEAN_LOCK);
    sandbox.build_store();
    sandbox.run(&["scan", "--no-such-flag"]).expect(2);
    sandbox
        .run(&["scan", "--offline", "no-such-directory", "--store", "store"])
        .expect(2);
    let run = sandbox
        .run(&["scan", "--offline", "--store", "no-such-store", "repo"])
        .expect(2);

    assert!(run.stderr.contains("no-such-store"), "{}", run.stderr);
}

#[test]
fn offline_without_a_store_is_2_and_never_clean() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.lock", CLEAN_LOCK);
    let run = sandbox.run(&["scan", "--offline", "repo"]).expect(2);
    assert!(run.stderr.contains("--store"), "{}", run.stderr);
}

#[test]
fn wrong_settings_are_2_and_named_with_their_line() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.lock", CLEAN_LOCK);
    sandbox.write(".patchgate.yml", "ignore: []\nthresholdd: high\n");
    let run = sandbox.scan_offline().expect(2);
    assert!(run.stderr.contains("thresholdd"), "{}", run.stderr);
    assert!(run.stderr.contains(".patchgate.yml:2"), "{}", run.stderr);
}

#[test]
fn an_ecosystem_that_the_store_lacks_is_3_and_the_rest_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    let npm = crate::support::sandbox::root().join("examples/npm-workspace/package-lock.json");
    sandbox.write("web/package-lock.json", std::fs::read(npm).unwrap());
    let crates = crate::support::sandbox::root().join("examples/advisories/crates.io");
    sandbox
        .run(&[
            "db",
            "build",
            "--from",
            crates.to_str().unwrap(),
            "--into",
            "store",
        ])
        .expect(0);
    let run = sandbox
        .run(&[
            "scan",
            "--offline",
            "--store",
            "store",
            "--format",
            "json",
            "repo",
        ])
        .expect(3);
    let report = run.json();

    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        3,
        "{report:#}"
    );
    assert!(
        report["incomplete"].to_string().contains("npm"),
        "{report:#}"
    );
}

#[test]
fn nothing_to_scan_is_4() {
    let sandbox = Sandbox::new();
    sandbox.write("README.md", "no lockfile here\n");
    sandbox.scan_offline().expect(4);
}

#[test]
fn help_lists_every_code() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(&["--help"]).expect(0).stdout;

    for line in [
        "0  nothing at or above",
        "3  incomplete",
        "10  gate: review",
        "11  gate: block",
    ] {
        assert!(help.contains(line), "{help}");
    }
}
