//! Skipped tests are visible: on standard error, in the log, and in the summary of `tests/run`.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

use std::path::Path;
use std::process::{Command, Output};

use patchgate_testkit::{Tools, files_below, shared_dir, snapshots};

const WITH_TOOLS: &str = "installed_tools_have_their_programs";
const WITH_DATA: &str = "shared_data_contains_a_corpus";

/// Runs tests of this binary again, where neither the tools nor the shared data are there.
fn run_without_requirements(
    tests: &[&str],
    more: &[&str],
    log: &Path,
    environment: &[(&str, &str)],
) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .arg("--exact")
        .args(tests)
        .args(more)
        .env_remove("CI")
        .env_remove("PATCHGATE_ALLOW_SKIPPED")
        .env("PATCHGATE_TEST_TOOLS", "no/such/directory")
        .env("PATCHGATE_SHARED", "no/such/directory")
        .env("PATCHGATE_SKIP_LOG", log)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// The requirement, binary and test of each line of the log, sorted.
fn logged(log: &Path) -> Vec<[String; 3]> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<[String; 3]> = text
        .lines()
        .map(|line| {
            let mut columns = line.split('\t').map(str::to_owned);
            std::array::from_fn(|_| columns.next().unwrap())
        })
        .collect();
    lines.sort();
    lines
}

/// Runs the summary that `tests/run` ends with.
fn summary(log: &Path, environment: &[(&str, &str)]) -> Output {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/tools/summarize-skips"
    );
    Command::new(script)
        .arg(log)
        .env_remove("CI")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env_remove("PATCHGATE_ALLOW_SKIPPED")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn installed_tools_have_their_programs() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    for program in [tools.node(), tools.prism(), tools.act(), tools.actionlint()] {
        assert!(program.is_file(), "{}", program.display());
    }
}

#[test]
fn shared_data_contains_a_corpus() {
    let Some(shared) = shared_dir() else { return };
    assert!(!snapshots(&shared).is_empty());
}

#[test]
fn a_skipped_test_is_printed_and_logged() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("skips");
    let run = run_without_requirements(&[WITH_TOOLS, WITH_DATA], &[], &log, &[]);
    assert!(run.status.success(), "{run:?}");

    let printed = String::from_utf8(run.stderr).unwrap();
    for test in [WITH_TOOLS, WITH_DATA] {
        let note = format!("SKIPPED {test}: ");
        assert_eq!(printed.matches(&note).count(), 1, "{printed}");
    }

    let expected = [
        ["shared-data", "skips", WITH_DATA],
        ["tools", "skips", WITH_TOOLS],
    ];
    assert_eq!(logged(&log), expected.map(|line| line.map(str::to_owned)));
}

#[test]
fn a_skip_is_logged_by_its_test_with_one_test_thread_too() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("skips");
    let run = run_without_requirements(&[WITH_DATA], &["--test-threads=1"], &log, &[]);
    assert!(run.status.success(), "{run:?}");

    let expected = ["shared-data", "skips", WITH_DATA].map(str::to_owned);
    assert_eq!(logged(&log), [expected]);
}

#[test]
fn parallel_processes_lose_no_line_of_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("skips");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| run_without_requirements(&[WITH_TOOLS, WITH_DATA], &[], &log, &[]));
        }
    });

    assert_eq!(logged(&log).len(), 16);
}

#[test]
fn in_ci_a_missing_requirement_fails_the_test() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("skips");
    for test in [WITH_TOOLS, WITH_DATA] {
        let run = run_without_requirements(&[test], &[], &log, &[("CI", "true")]);
        assert!(!run.status.success(), "{run:?}");
    }
    assert_eq!(logged(&log).len(), 0);

    // A checkout without the shared data says so, and the tools are still required.
    let plain = [("CI", "true"), ("PATCHGATE_ALLOW_SKIPPED", "shared-data")];
    let run = run_without_requirements(&[WITH_DATA], &[], &log, &plain);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(logged(&log).len(), 1);
    let run = run_without_requirements(&[WITH_TOOLS], &[], &log, &plain);
    assert!(!run.status.success(), "{run:?}");
}

#[test]
fn a_log_that_cannot_be_written_fails_the_test() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("no/such/directory/skips");
    let run = run_without_requirements(&[WITH_DATA], &[], &log, &[]);
    assert!(!run.status.success(), "{run:?}");
}

#[test]
fn the_summary_counts_skipped_tests_by_reason() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("skips");

    std::fs::write(&log, "").unwrap();
    let run = summary(&log, &[("CI", "true")]);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(String::from_utf8(run.stdout).unwrap(), "0 skipped\n");

    // Two binaries have a test of the same name, and one test was run twice.
    let lines = "tools\tone\ta\tno tools\ntools\ttwo\ta\tno tools\nshared-data\tone\tb\tno data\n\
                 tools\tone\ta\tno tools\n";
    std::fs::write(&log, lines).unwrap();
    let run = summary(&log, &[]);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(
        String::from_utf8(run.stdout).unwrap(),
        "1 skipped: no data\n2 skipped: no tools\n"
    );
}

#[test]
fn in_ci_the_summary_fails_on_a_skip_that_is_not_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("skips");
    std::fs::write(&log, "shared-data\tone\tb\tno data\n").unwrap();

    let run = summary(&log, &[("CI", "true")]);
    assert!(!run.status.success(), "{run:?}");
    let allowed = ("PATCHGATE_ALLOW_SKIPPED", "spdx3-schema shared-data");
    let run = summary(&log, &[("CI", "true"), allowed]);
    assert!(run.status.success(), "{run:?}");

    // A test run that wrote no log at all proves nothing.
    let run = summary(&directory.path().join("absent"), &[]);
    assert!(!run.status.success(), "{run:?}");
}

/// A test that skips itself in another way would count as passed.
#[test]
fn every_skip_goes_through_the_testkit() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut own = Vec::new();
    for directory in ["crates", "tests", "benches"] {
        for file in files_below(&Path::new(root).join(directory)) {
            let is_rust = file.extension().is_some_and(|end| end == "rs");
            let is_testkit = file.to_string_lossy().contains("crates/testkit/");
            if is_rust && !is_testkit {
                let text = std::fs::read_to_string(&file).unwrap();
                // The word that a test would print, and the variables that it would look at.
                for sign in ["\"SKIPPED", "PATCHGATE_SHARED", "PATCHGATE_TEST_TOOLS"] {
                    if text.contains(sign) {
                        own.push(format!("{}: {sign}", file.display()));
                    }
                }
            }
        }
    }

    assert_eq!(own, Vec::<String>::new(), "call `patchgate_testkit::skip`");
}
