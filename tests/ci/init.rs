//! `patchgate init`: it writes settings that it reads, and a workflow that GitHub accepts.

use std::process::Command;

use patchgate_testkit::Tools;

use crate::ci::action_binary::run_released;
use crate::support::release_archive::{built, bytes_of, packed, release_of};
use crate::support::sandbox::{Sandbox, root};

const FILES: [&str; 2] = [".patchgate.yml", ".github/workflows/patchgate.yml"];

#[test]
fn writes_settings_that_patchgate_reads_and_overwrites_only_on_request() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.build_store();
    sandbox.run(&["init", "repo"]).expect(0);
    let scan = [
        "scan",
        "--store",
        "store",
        "--max-age-days",
        "36500",
        // The examples' store knows nothing of the actions that the new workflow uses.
        "--exclude",
        ".github/**",
        "repo",
    ];
    sandbox.run(&scan).expect(1);

    let settings = sandbox.path("repo").join(FILES[0]);
    std::fs::write(&settings, "version: 1\n").unwrap();
    let run = sandbox.run(&["init", "repo"]).expect(2);
    assert!(run.stderr.contains("`.patchgate.yml` is there already"));
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), "version: 1\n");
    sandbox.run(&["init", "--force", "repo"]).expect(0);
    assert_ne!(std::fs::read_to_string(&settings).unwrap(), "version: 1\n");
}

/// The commit to which the tests pin the action.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The workflow as a user completes it.
fn completed(workflow: &str) -> String {
    assert!(workflow.contains("OWNER/patchgate@COMMIT"));
    workflow.replace(
        "OWNER/patchgate@COMMIT",
        &format!("owner/patchgate@{COMMIT}"),
    )
}

#[test]
fn writes_a_workflow_that_runs_the_release_of_this_binary() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = built();
    sandbox.write("README.md", "");
    sandbox.run(&["init", "repo"]).expect(0);
    let workflow = std::fs::read_to_string(sandbox.path("repo").join(FILES[1])).unwrap();
    // What the project's own workflows check out with is no other release.
    let own = std::fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    let checkout = |text: &str| {
        let line = text.lines().find(|line| line.contains("actions/checkout@"));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(checkout(&workflow), checkout(&own));

    let (archive, checksum) = packed(&sandbox);
    let release = concat!("v", env!("CARGO_PKG_VERSION"));
    let server = release_of(release, bytes_of(archive), Some(checksum));
    std::fs::remove_file(sandbox.path("repo").join(FILES[1])).unwrap();
    let run = run_released(
        &tools,
        &sandbox,
        &server,
        COMMIT,
        &completed(&workflow),
        &["--job=scan", "--platform=ubuntu-24.04=-self-hosted"],
    );
    assert!(
        run.stdout.contains("patchgate was run with action"),
        "{run:?}"
    );
}

#[test]
fn writes_a_workflow_that_is_valid_on_github() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.write("repo/README.md", "");
    sandbox.run(&["init", "repo"]).expect(0);
    let path = sandbox.path("repo").join(FILES[1]);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, completed(&text)).unwrap();
    let checks = [
        (
            tools.python_program("check-jsonschema"),
            vec!["--builtin-schema", "vendor.github-workflows", FILES[1]],
        ),
        (tools.actionlint(), vec![FILES[1]]),
        (
            tools.python_program("zizmor"),
            vec!["--offline", "--quiet", FILES[1]],
        ),
    ];

    for (program, arguments) in checks {
        let output = Command::new(&program)
            .args(arguments)
            .current_dir(sandbox.path("repo"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}\n{}{}",
            program.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
