//! `patchgate init`: what it writes is what it reads, and what GitHub takes.

use std::process::Command;

use patchgate_testkit::Tools;

use crate::stage::Stage;

const FILES: [&str; 2] = [".patchgate.yml", ".github/workflows/patchgate.yml"];

#[test]
fn writes_settings_that_it_reads_itself_and_replaces_nothing_unasked() {
    let stage = Stage::new();
    stage.example("cargo-service");
    stage.build_store();
    stage.run(&["init", "repo"]).expect(0);
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
    stage.run(&scan).expect(1);

    let settings = stage.path("repo").join(FILES[0]);
    std::fs::write(&settings, "version: 1\n").unwrap();
    let run = stage.run(&["init", "repo"]).expect(2);
    assert!(run.stderr.contains("`.patchgate.yml` is there already"));
    assert_eq!(std::fs::read_to_string(&settings).unwrap(), "version: 1\n");
    stage.run(&["init", "--force", "repo"]).expect(0);
    assert_ne!(std::fs::read_to_string(&settings).unwrap(), "version: 1\n");
}

#[test]
fn writes_a_workflow_that_github_takes() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let stage = Stage::new();
    stage.write("repo/README.md", "");
    stage.run(&["init", "repo"]).expect(0);
    let path = stage.path("repo").join(FILES[1]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("OWNER/patchgate@COMMIT"));
    // As a user completes it.
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let text = text
        .replace("OWNER/", "owner/")
        .replace("@COMMIT", &format!("@{commit}"));
    std::fs::write(&path, text).unwrap();
    let checks = [
        (
            tools.python_program("check-jsonschema"),
            vec!["--builtin-schema", "vendor.github-workflows", FILES[1]],
        ),
        (tools.actionlint(), vec![FILES[1]]),
    ];
    for (program, arguments) in checks {
        let output = Command::new(&program)
            .args(arguments)
            .current_dir(stage.path("repo"))
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
