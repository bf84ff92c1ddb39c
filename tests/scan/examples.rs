//! `patchgate scan` on the examples.

use serde_json::{Value, json};

use crate::support::sandbox::{Sandbox, texts};

fn finding<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["id"] == id)
        .unwrap_or_else(|| panic!("no finding `{id}` in {report:#}"))
}

#[test]
fn a_cargo_workspace_has_a_pinned_and_a_transitive_finding() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    let report = sandbox.scan_offline().expect(1).json();
    let mut ids = texts(&report["findings"], "id");
    ids.sort();

    assert_eq!(ids.len(), 3, "{report:#}");

    let deque = finding(&report, "RUSTSEC-2021-0093");
    assert_eq!(deque["package"]["name"], "crossbeam-deque");
    assert_eq!(deque["package"]["purl"], "pkg:cargo/crossbeam-deque@0.8.0");
    assert_eq!(deque["fixed_version"], "0.8.1");
    assert_eq!(deque["locations"][0]["file"], "Cargo.lock");

    let line = deque["locations"][0]["line"].as_u64().unwrap();
    let lock = std::fs::read_to_string(sandbox.path("repo/Cargo.lock")).unwrap();
    let named = lock
        .lines()
        .skip(usize::try_from(line).unwrap() - 1)
        .take(2);

    assert!(
        named.collect::<String>().contains("crossbeam-deque"),
        "line {line} is not the line of the package"
    );

    // Two records of two databases are one vulnerability.
    let regex = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["package"]["name"] == "regex");
    assert_eq!(regex.count(), 1);
}

#[test]
fn an_npm_workspace_has_its_known_exploited_finding_first() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let report = sandbox.scan_offline().expect(1).json();

    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        10,
        "{report:#}"
    );

    let first = &report["findings"][0];
    assert_eq!(
        first["id"], "GHSA-jpcq-cgw6-v4j6",
        "exploited vulnerabilities come first"
    );
    assert_eq!(first["aliases"], json!(["CVE-2020-11023"]));
    assert!(!first["kev"].is_null());
    assert!(!first["epss"].is_null());

    let scores: Vec<f64> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let score = &finding["score"];
            score.as_f64().or_else(|| score["value"].as_f64()).unwrap()
        })
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");

    let minimist = finding(&report, "GHSA-xvch-5gv4-984h");
    let chain = minimist["paths"][0].to_string();

    assert!(
        chain.contains("mkdirp@0.5.5") && chain.contains("minimist@1.2.5"),
        "{chain}"
    );
    assert_eq!(report["incomplete"], json!([]));
    assert!(report["sources"].as_array().unwrap().len() >= 3);
}

#[test]
fn the_json_is_valid_by_its_published_schema() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let report = sandbox.scan_offline().expect(1).json();
    let schema = sandbox.run(&["schema", "scan"]).expect(0).json();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| error.to_string())
        .collect();

    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn every_format_has_the_same_exit_code_and_names_the_finding() {
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();

    for format in ["table", "json", "markdown", "sarif"] {
        let run = sandbox
            .run(&[
                "scan",
                "--offline",
                "--store",
                "store",
                "--format",
                format,
                "repo",
            ])
            .expect(1);
        assert!(
            run.stdout.contains("GHSA-xvch-5gv4-984h"),
            "{format}: {}",
            run.stdout
        );
        assert!(
            !run.stdout.contains('\u{1b}'),
            "{format}: colour into a pipe"
        );
    }
}

/// The errors of the SARIF validator with GitHub's rules. Its exit code is 0 even with errors.
#[cfg(target_os = "linux")]
fn sarif_errors(sandbox: &Sandbox, tools: &patchgate_testkit::Tools, file: &str) -> Vec<String> {
    let output = std::process::Command::new(tools.sarif_multitool().join("Sarif.Multitool"))
        .args(["validate", file, "--rule-kind", "Sarif;Ghas"])
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);

    assert!(
        printed.contains("1 files scanned"),
        "it did not run: {output:?}"
    );

    let errors = printed.lines().filter(|line| line.contains(": error "));
    errors.map(str::to_owned).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn the_sarif_report_passes_the_validator_with_githubs_rules() {
    let Some(tools) = patchgate_testkit::Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();
    sandbox
        .run(&[
            "scan",
            "--offline",
            "--store=store",
            "--max-age-days=36500",
            "--format=sarif",
            "--output=good.sarif",
            "repo",
        ])
        .expect(1);

    assert_eq!(
        sarif_errors(&sandbox, &tools, "good.sarif"),
        Vec::<String>::new()
    );

    // The validator does find errors.
    let report = std::fs::read(sandbox.path("good.sarif")).unwrap();
    let mut report: Value = serde_json::from_slice(&report).unwrap();
    report["runs"][0]["results"][0]["ruleIndex"] = 999.into();
    std::fs::write(sandbox.path("bad.sarif"), report.to_string()).unwrap();

    assert!(!sarif_errors(&sandbox, &tools, "bad.sarif").is_empty());
}

#[test]
fn an_output_file_is_complete_and_standard_output_is_empty() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.build_store();
    let run = sandbox
        .run(&[
            "scan",
            "--offline",
            "--store",
            "store",
            "--format",
            "json",
            "--output",
            "out.json",
            "repo",
        ])
        .expect(1);

    assert_eq!(run.stdout, "");

    let text = std::fs::read(sandbox.path("out.json")).unwrap();
    let report: Value = serde_json::from_slice(&text).unwrap();

    assert_eq!(report["findings"].as_array().unwrap().len(), 3);
}

#[test]
fn an_ignored_finding_does_not_count_until_the_entry_expires() {
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    let all = [
        "RUSTSEC-2021-0093",
        "RUSTSEC-2021-0003",
        "RUSTSEC-2022-0013",
    ];
    let ignore = |until: &str| {
        let entries: String = all
            .iter()
            .map(|id| format!("  - id: {id}\n    reason: not reached by us\n    until: {until}\n"))
            .collect();
        sandbox.write(".patchgate.yml", format!("ignore:\n{entries}"));
    };
    ignore("9999-12-31");
    sandbox.scan_offline().expect(0);
    ignore("2020-01-01");
    let run = sandbox.scan_offline().expect(1);
    let printed = format!("{}{}", run.stdout, run.stderr);

    assert!(
        printed.contains("2020-01-01") || printed.contains("expired"),
        "{printed}"
    );
}

#[test]
fn a_real_repository_has_findings() {
    let Some(shared) = patchgate_testkit::shared_dir() else {
        return;
    };
    let sandbox = Sandbox::new();
    let script = shared.join("corpus/materialize");
    let status = std::process::Command::new(script)
        .arg(sandbox.path("corpus"))
        .arg("astral-sh__uv@2023-12-29")
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();

    assert!(status.success());

    let advisories = shared.join("advisories/crates.io");
    sandbox
        .run(&[
            "db",
            "build",
            "--from",
            advisories.to_str().unwrap(),
            "--into",
            "store",
        ])
        .expect(0);
    let run = sandbox.run(&[
        "scan",
        "--offline",
        "--store",
        "store",
        "--format",
        "json",
        "corpus",
    ]);
    let report = run.json();

    assert!(
        texts(&report["findings"], "id")
            .iter()
            .any(|id| id.starts_with("RUSTSEC-")),
        "{report:#}"
    );
}
