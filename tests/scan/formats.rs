//! Several reports of one run.

use crate::support::sandbox::Sandbox;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();
    sandbox
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap()
}

#[test]
fn one_run_writes_several_reports() {
    let sandbox = sandbox();
    let run = sandbox
        .offline(
            "scan",
            &[
                "--format=sarif=out.sarif",
                "--format=markdown=out.md",
                "--format=json",
                "repo",
            ],
        )
        .expect(1);

    assert_eq!(run.json()["summary"]["exit_code"], 1);
    assert!(read(&sandbox, "out.sarif").contains("\"version\": \"2.1.0\""));
    assert!(read(&sandbox, "out.md").starts_with("## Patchgate scan"));
}

#[test]
fn formats_with_files_leave_standard_output_empty() {
    let sandbox = sandbox();
    let run = sandbox
        .offline("scan", &["--format", "json=out.json", "repo"])
        .expect(1);
    assert_eq!(run.stdout, "");
    assert!(read(&sandbox, "out.json").contains("\"schema_version\": 1"));
}

#[test]
fn a_report_that_cannot_be_made_leaves_no_others() {
    let sandbox = sandbox();
    let run = sandbox
        .offline(
            "scan",
            &[
                "--format=json=out.json",
                "--format=cyclonedx-vex=out.cdx.json",
                "--vex-product=pkg:npm/a@1",
                "--vex-product=pkg:npm/b@1",
                "repo",
            ],
        )
        .expect(2);
    assert!(run.stderr.contains("several are named"), "{}", run.stderr);
    assert!(!sandbox.path("out.json").exists());
}

#[test]
fn formats_that_cannot_be_meant_are_refused() {
    let sandbox = sandbox();
    for (formats, message) in [
        (&["--format=json", "--format=sarif"][..], "have no file"),
        (&["--format=json=a", "--output=b"], "no format goes to"),
        (&["--format=json=a", "--format=sarif=a"], "two formats"),
        (&["--format=json="], "names no file"),
        (&["--format=sarfi=a"], "'sarif'"),
    ] {
        let run = sandbox.offline("scan", &[formats, &["repo"]].concat());
        let run = run.expect(2);
        assert!(run.stderr.contains(message), "{formats:?}: {}", run.stderr);
    }
}
