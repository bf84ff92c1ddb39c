//! `patchgate fix` with the real cargo and npm.

use std::process::Command;

use patchgate_testkit::rust_toolchain;

use crate::support::sandbox::{Run, Sandbox, root};

fn sandbox_with(example: &str) -> Sandbox {
    let mut sandbox = Sandbox::new();
    sandbox.example(example);
    sandbox.build_store();
    sandbox.allow_managers();
    sandbox
}

/// Runs `patchgate fix` on `repo/` with the store at `store/`.
pub(crate) fn fix(sandbox: &Sandbox, mode: &str) -> Run {
    sandbox.run(&[
        "fix",
        mode,
        "--store",
        "store",
        "--max-age-days",
        "36500",
        "repo",
    ])
}

/// Runs a package manager in `repo/`, with the machine's own settings.
#[track_caller]
pub(crate) fn run_manager(sandbox: &Sandbox, program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(sandbox.path("repo"))
        .env("RUSTUP_TOOLCHAIN", rust_toolchain())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {printed}"
    );
}

/// Lets npm write the lockfile of `repo/`.
#[track_caller]
pub(crate) fn npm_locks(sandbox: &Sandbox) {
    let lock = ["install", "--package-lock-only", "--ignore-scripts"];
    run_manager(
        sandbox,
        "npm",
        &[&lock[..], &["--no-audit", "--no-fund"]].concat(),
    );
}

/// Whether the manager takes the lockfile as it is, and would write the same.
#[track_caller]
pub(crate) fn manager_agrees(
    sandbox: &Sandbox,
    program: &str,
    accepts: &[&str],
    locks: &[&str],
    lockfile: &str,
) {
    let path = sandbox.path("repo").join(lockfile);
    let before = std::fs::read_to_string(&path).unwrap();
    run_manager(sandbox, program, accepts);
    run_manager(sandbox, program, locks);
    assert_eq!(before, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn a_dry_run_shows_a_diff_and_changes_nothing() {
    for example in ["cargo-service", "npm-workspace"] {
        let sandbox = sandbox_with(example);
        let run = fix(&sandbox, "--diff").expect(0);
        assert!(run.stdout.contains("\n+++ "), "{}", run.stdout);

        let same = Command::new("diff")
            .arg("-r")
            .arg(root().join("examples").join(example))
            .arg(sandbox.path("repo"))
            .output()
            .unwrap();
        assert!(
            same.status.success(),
            "{}",
            String::from_utf8_lossy(&same.stdout)
        );
    }
}

#[test]
fn an_applied_cargo_fix_fixes_every_finding_and_cargo_agrees() {
    let sandbox = sandbox_with("cargo-service");
    let run = fix(&sandbox, "--apply").expect(0);
    let reported = run.stdout.matches("requirement ").count();

    assert!(
        run.stdout
            .contains("requirement Cargo.toml: =1.5.4 -> =1.5.5")
    );
    assert_eq!(reported, 1, "{}", run.stdout);

    sandbox.scan_offline().expect(0);
    let manifest = std::fs::read_to_string(sandbox.path("repo/Cargo.toml")).unwrap();

    assert!(manifest.contains("version = \"=1.5.5\""), "{manifest}");
    assert!(
        manifest.contains("# Pinned exactly"),
        "the comment is gone: {manifest}"
    );

    manager_agrees(
        &sandbox,
        "cargo",
        &["metadata", "--locked", "--format-version=1"],
        &["metadata", "--format-version=1"],
        "Cargo.lock",
    );
}

#[test]
fn an_applied_npm_fix_fixes_every_finding_and_npm_agrees() {
    let sandbox = sandbox_with("npm-workspace");
    fix(&sandbox, "--apply").expect(0);
    sandbox.scan_offline().expect(0);
    manager_agrees(
        &sandbox,
        "npm",
        &["ci", "--ignore-scripts"],
        &["install", "--package-lock-only", "--ignore-scripts"],
        "package-lock.json",
    );
}

#[test]
fn a_second_fix_has_nothing_to_do() {
    let sandbox = sandbox_with("cargo-service");
    fix(&sandbox, "--apply").expect(0);
    let lock = std::fs::read(sandbox.path("repo/Cargo.lock")).unwrap();
    fix(&sandbox, "--apply").expect(0);
    assert_eq!(
        lock,
        std::fs::read(sandbox.path("repo/Cargo.lock")).unwrap()
    );
}

#[cfg(unix)]
#[test]
fn a_manager_that_hangs_is_stopped_at_the_time_limit_and_the_rest_is_reported() {
    use std::os::unix::fs::PermissionsExt;

    let mut sandbox = sandbox_with("npm-workspace");
    let before = std::fs::read(sandbox.path("repo/package-lock.json")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let directory = sandbox.path("bin");
    std::fs::create_dir(&directory).unwrap();
    // It says where its registry is, and then never ends, nor does its child.
    let npm = format!(
        "#!/bin/sh\n[ \"$1\" = config ] && PATH='{path}' exec npm \"$@\"\nsleep 600 &\nwait\n"
    );
    std::fs::write(directory.join("npm"), npm).unwrap();
    std::fs::set_permissions(directory.join("npm"), PermissionsExt::from_mode(0o755)).unwrap();
    sandbox.set("PATH", format!("{}:{path}", directory.display()));
    let run = sandbox
        .run(&[
            "fix",
            "--apply",
            "--time-limit=5s",
            "--store=store",
            "--max-age-days=36500",
            "repo",
        ])
        .expect(3);
    for reported in [
        "the time limit of 5s was used up",
        "`--time-limit`",
        "not every upgrade was tried",
    ] {
        assert!(run.stdout.contains(reported), "{reported}: {run:?}");
    }
    let after = std::fs::read(sandbox.path("repo/package-lock.json")).unwrap();
    assert!(before == after, "the lockfile changed");
}

#[test]
fn an_invalid_time_limit_is_wrong_usage() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["fix", "--time-limit=10"]).expect(2);
    assert!(run.stderr.contains("such as 90s, 10m or 1h"), "{run:?}");
}

#[test]
fn a_lockfile_that_cargo_does_not_use_is_left_alone_and_reported() {
    let sandbox = sandbox_with("cargo-service");
    let lock = std::fs::read(sandbox.path("repo/Cargo.lock")).unwrap();
    sandbox.write("server/Cargo.lock", &lock);
    let run = fix(&sandbox, "--apply").expect(1);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let reported = "Cargo does not use `server/Cargo.lock`, because `server` belongs to the workspace \
                of `Cargo.toml`: delete the file, or put the directory under `exclude` there";

    assert!(words.join(" ").contains(reported), "{}", run.stdout);
    assert!(lock != std::fs::read(sandbox.path("repo/Cargo.lock")).unwrap());
    assert!(lock == std::fs::read(sandbox.path("repo/server/Cargo.lock")).unwrap());
}
