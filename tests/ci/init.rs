//! `patchgate init`: Patchgate reads the settings that it writes, and GitHub accepts the workflow.

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
        // The examples' store has no advisories for the actions of the new workflow.
        "--exclude",
        ".github/**",
        "repo",
    ];
    sandbox.run(&scan).expect(1);

    let settings = sandbox.path("repo").join(FILES[0]);
    std::fs::write(&settings, "version: 1\n").unwrap();
    let run = sandbox.run(&["init", "repo"]).expect(2);
    assert!(run.stderr.contains("`.patchgate.yml` exists already"));
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), "version: 1\n");
    sandbox.run(&["init", "--force", "repo"]).expect(0);
    assert_ne!(std::fs::read_to_string(&settings).unwrap(), "version: 1\n");
}

#[test]
fn a_directory_that_is_a_link_is_not_written_through() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("outside")).unwrap();
    std::os::unix::fs::symlink(sandbox.path("outside"), sandbox.path("repo/.github")).unwrap();

    let run = sandbox.run(&["init", "repo"]).expect(3);
    assert!(run.stderr.contains("is a link"), "{run:?}");
    assert_eq!(
        std::fs::read_dir(sandbox.path("outside")).unwrap().count(),
        0
    );
}

/// The commit to which these tests pin the action.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The workflow with its placeholders replaced, as a user does.
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
    // The project's own workflows use the same release of the checkout action.
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
