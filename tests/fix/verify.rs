//! `patchgate fix --verify`: only the steps with which the project's own tests pass are kept.

use crate::fix::output::two_steps;
use crate::support::fixture_registry::files;
use crate::support::sandbox::{Run, Sandbox, texts};

/// Fails as a test does where `ring` is at its new release.
const NO_NEW_RING: &str =
    "if grep -q 'ring-2.0.0' package-lock.json; then echo 'test result: FAILED'; exit 1; fi";

fn verify(sandbox: &Sandbox, command: &str, flags: &[&str]) -> Run {
    let own = ["fix", "--format=json", "--verify", command];
    let store = ["--store=store", "--max-age-days=36500", "repo"];
    sandbox.run(&[&own[..], flags, &store].concat())
}

#[test]
fn a_plan_that_passes_stays_as_it_is() {
    let (sandbox, _registry) = two_steps();
    let json = verify(&sandbox, "grep -q ring-2.0.0 package-lock.json", &[])
        .expect(0)
        .json();
    assert_eq!(json["verification"]["runs"], 1);
    assert_eq!(json["verification"]["passed"], 2);
    assert!(texts(&json["verification"]["left"], "class").is_empty());
    assert_eq!(json["summary"]["fixed"], 2);
}

#[test]
fn a_step_that_fails_is_left_and_the_others_are_applied() {
    let (sandbox, _registry) = two_steps();
    let json = verify(&sandbox, NO_NEW_RING, &["--apply"]).expect(1).json();

    assert_eq!(json["summary"]["fixed"], 1);
    assert_eq!(json["summary"]["remaining_by_class"]["not_chosen"], 1);
    let left = &json["verification"]["left"];
    assert_eq!(texts(left, "class"), ["test"]);
    assert_eq!(texts(left, "log"), ["test result: FAILED"]);
    assert_eq!(left[0]["upgrades"][0], "ring 1.0.0 -> 2.0.0");
    let reason = texts(&json["unfixed"], "reason").join(" ");
    assert!(reason.contains("fails with it"), "{reason}");

    let lock = sandbox.text("package-lock.json");
    assert!(
        lock.contains("leaf-1.0.1") && lock.contains("ring-1.0.0"),
        "{lock}"
    );
}

#[test]
fn a_command_that_fails_without_a_change_verifies_nothing() {
    let (sandbox, _registry) = two_steps();
    let before = files(&sandbox);
    let run = verify(&sandbox, "echo broken; exit 1", &["--apply"]).expect(3);
    assert!(
        run.stderr.contains("fails without any change") && run.stderr.contains("broken"),
        "{}",
        run.stderr
    );
    assert!(before == files(&sandbox), "a file changed");
}

#[test]
fn the_command_runs_in_a_copy_without_tokens() {
    let (mut sandbox, _registry) = two_steps();
    sandbox.set("GITHUB_TOKEN", "ghs_0123456789abcdefghij");
    sandbox.set("GITHUB_ENV", "/dev/null");
    sandbox.set("WANTED", "yes");
    let before = files(&sandbox);
    let command = "test -z \"$GITHUB_TOKEN$GITHUB_ENV\" && test \"$WANTED\" = yes && touch made && rm package.json";
    let json = verify(&sandbox, command, &["--verify-env=WANTED"])
        .expect(0)
        .json();
    assert_eq!(json["verification"]["passed"], 2);
    assert!(before == files(&sandbox), "a file changed");
}

#[test]
fn runs_are_bounded_in_number_and_time() {
    let (sandbox, _registry) = two_steps();
    let json = verify(&sandbox, NO_NEW_RING, &["--verify-runs=2"])
        .expect(1)
        .json();
    assert_eq!(json["verification"]["runs"], 2);
    assert_eq!(json["verification"]["passed"], 0);
    let classes = texts(&json["verification"]["left"], "class");
    assert_eq!(classes, ["not-tested", "not-tested"]);

    let hangs = "if grep -q ring-2.0.0 package-lock.json; then sleep 60; fi";
    let json = verify(&sandbox, hangs, &["--verify-timeout=1s"])
        .expect(1)
        .json();
    assert_eq!(json["verification"]["passed"], 1);
    assert_eq!(texts(&json["verification"]["left"], "class"), ["time-out"]);
}
