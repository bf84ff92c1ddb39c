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

#[test]
fn every_format_names_the_finding_in_one_run() {
    let mut sandbox = sandbox();
    sandbox.set("GITHUB_SHA", "a".repeat(40));
    sandbox.set("GITHUB_REF", "refs/heads/main");
    let formats = [
        "table",
        "json",
        "markdown",
        "html",
        "csv",
        "sarif",
        "gitlab-dependency-scanning",
        "gitlab-code-quality",
        "github-snapshot",
        "junit",
        "cyclonedx",
        "spdx",
        "openvex",
        "cyclonedx-vex",
    ];
    let values = formats.map(|format| format!("--format={format}={format}.out"));
    let mut arguments: Vec<&str> = values.iter().map(String::as_str).collect();
    arguments.push("repo");
    sandbox.offline("scan", &arguments).expect(1);

    for format in formats {
        let text = read(&sandbox, &format!("{format}.out"));
        // A snapshot has packages and no findings.
        let expected = match format {
            "github-snapshot" => "pkg:npm/minimist@",
            _ => "GHSA-xvch-5gv4-984h",
        };
        assert!(text.contains(expected), "{format}: {text}");
        assert!(!text.contains('\u{1b}'), "{format}");
    }
    assert!(read(&sandbox, "html.out").contains("<h1>repo</h1>"));
}

#[test]
fn a_snapshot_needs_a_commit() {
    let mut sandbox = sandbox();
    let run = sandbox.offline("scan", &["--format=github-snapshot", "repo"]);
    assert!(run.expect(2).stderr.contains("needs `GITHUB_SHA`"));
    sandbox.set("GITHUB_SHA", "a".repeat(40));
    sandbox.set("GITHUB_REF", "main");
    let run = sandbox.offline("scan", &["--format=github-snapshot", "repo"]);
    assert!(run.expect(2).stderr.contains("needs `GITHUB_REF`"));
}

#[test]
fn the_documents_of_an_incomplete_scan_say_so() {
    let mut sandbox = sandbox();
    sandbox.set("GITHUB_SHA", "a".repeat(40));
    sandbox.set("GITHUB_REF", "refs/heads/main");
    sandbox.write("other/package-lock.json", "{");
    let formats = ["cyclonedx=a", "spdx=b", "github-snapshot=c", "html=d"];
    let values = formats.map(|format| format!("--format={format}"));
    let mut arguments: Vec<&str> = values.iter().map(String::as_str).collect();
    arguments.push("repo");
    sandbox.offline("scan", &arguments).expect(3);

    assert!(read(&sandbox, "a").contains("\"aggregate\": \"incomplete\""));
    assert!(read(&sandbox, "b").contains("This document is incomplete"));
    assert!(read(&sandbox, "c").contains("\"incomplete\": true"));
    assert!(read(&sandbox, "d").contains("<h2 id=\"incomplete\">Incomplete</h2>"));
}
