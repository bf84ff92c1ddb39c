//! `patchgate gate` on pull requests that a person opened, and with evidence that cannot be read.

use crate::support::forge_sandbox::{ForgeSandbox, REPO, TOKEN, writer};

const POLICY: &str = "version: 1\ngate:\n  accounts: [{ login: \"github-actions[bot]\", id: 41898282 }]\n  trust-any-workflow: true\n  any-check: true\n";

/// The Cargo example with a pull request that a person opened and that changes these files.
#[track_caller]
fn changed_by_hand(files: &[(&str, &[u8])]) -> Option<ForgeSandbox> {
    let mut forge = ForgeSandbox::new(vec![writer()])?;
    forge.sandbox.set("PATCHGATE_TOKEN", TOKEN);
    forge.commit_example("cargo-service", POLICY);

    let base = forge.repository.tip("main").unwrap();
    forge.repository.git(&["branch", "change", &base]);
    forge.repository.commit("change", "a change", files);
    forge.open_pull_request("change");
    Some(forge)
}

#[test]
fn a_change_without_a_plan_of_patchgate_is_not_merged() {
    let Some(forge) = changed_by_hand(&[("server/src/main.rs", b"fn main() {}\n")]) else {
        return;
    };
    let pull = forge.only_pull();
    forge.report_test("github-actions", &pull.head_sha, Some("success"));
    let run = forge.gate(pull.number, &["--merge"]).expect(10);

    let report = run.json();
    assert_ne!(report["verdict"], "merge");
    assert!(
        !report["reasons"].as_array().unwrap().is_empty(),
        "{report:#}"
    );
    assert!(forge.only_pull().open);
    forge.assert_contract_kept();
}

#[test]
fn the_verdict_is_a_check_run_on_the_judged_head() {
    let Some(forge) = changed_by_hand(&[("NOTES.md", b"a note\n")]) else {
        return;
    };
    let pull = forge.only_pull();
    forge.gate(pull.number, &[]);
    let checks = forge.github.check_runs(REPO);

    assert_eq!(checks.len(), 1, "{checks:#?}");
    assert_eq!(checks[0].head_sha, pull.head_sha);
    assert_ne!(checks[0].conclusion.as_deref(), Some("success"));
    forge.assert_contract_kept();
}

#[test]
fn a_change_of_a_workflow_is_reported_and_not_merged() {
    let files: &[(&str, &[u8])] = &[(".github/workflows/ci.yml", b"on: push\njobs: {}\n")];
    let Some(forge) = changed_by_hand(files) else {
        return;
    };
    let pull = forge.only_pull();
    forge.report_test("github-actions", &pull.head_sha, Some("success"));
    let run = forge.gate(pull.number, &["--merge"]).expect(10);
    assert!(
        run.stdout.contains(".github/workflows/ci.yml"),
        "{}",
        run.stdout
    );
    assert!(forge.only_pull().open);
}

#[test]
fn a_pull_request_that_does_not_exist_is_not_merged() {
    let Some(forge) = changed_by_hand(&[("NOTES.md", b"a note\n")]) else {
        return;
    };
    let run = forge.gate(99, &["--merge"]).expect(10);
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert!(printed.contains("99"), "{printed}");
}
