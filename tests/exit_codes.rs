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
    sandbox.example("npm-workspace");
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

#[test]
fn wrong_usage_is_2() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.lock", CLEAN_LOCK);
    sandbox.build_store();
    sandbox.run(&["scan", "--no-such-flag"]).expect(2);
    sandbox
        .run(&["scan", "--offline", "no-such-folder", "--store", "store"])
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
