//! `patchgate query` and `patchgate compare-versions`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::sandbox::{OFFLINE, Sandbox, texts};

/// Runs the binary in the sandbox with lines on its standard input.
pub(crate) fn with_input(
    sandbox: &Sandbox,
    arguments: &[&str],
    input: &str,
) -> (i32, Vec<String>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_patchgate"))
        .args(arguments)
        .current_dir(sandbox.path("."))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();

    (
        output.status.code().unwrap(),
        lines.lines().map(str::to_owned).collect(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn queries_on_standard_input_are_answered_in_their_order() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let input = [
        r#"{"purl": "pkg:npm/minimist@1.2.5"}"#,
        r#"{"ecosystem": "crates.io", "name": "regex", "version": "1.5.4"}"#,
        r#"{"ecosystem": "npm", "name": "nothing-is-known", "version": "1.0.0"}"#,
        r#"{"ecosystem": "PyPI", "name": "django", "version": "3.0"}"#,
        r#"{"ecosystem": "Nowhere", "name": "a", "version": "1"}"#,
        "not json",
        r#"{"purl": "pkg:npm/minimist@1.2.5"}"#,
        r#"{"name": "a"}"#,
    ]
    .join("\n");

    let mut arguments = vec!["query"];
    arguments.extend(OFFLINE);
    let (code, lines, _) = with_input(&sandbox, &arguments, &input);

    assert_eq!(code, 3);

    let answers: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 8);
    assert_eq!(
        texts(&answers[0]["findings"], "id"),
        ["GHSA-xvch-5gv4-984h"]
    );
    assert!(answers[0].get("error").is_none());
    assert_eq!(answers[0]["query"]["purl"], "pkg:npm/minimist@1.2.5");
    assert_eq!(texts(&answers[1]["findings"], "id"), ["RUSTSEC-2022-0013"]);
    assert!(answers[2]["findings"].as_array().unwrap().is_empty());
    assert!(answers[2].get("error").is_none());

    for (place, part) in [(3, "PyPI"), (4, "Nowhere"), (5, "JSON"), (7, "needs")] {
        let error = answers[place]["error"].as_str().unwrap();
        assert!(error.contains(part), "{error}");
    }

    assert_eq!(answers[6]["findings"], answers[0]["findings"]);
}

#[test]
fn a_query_is_a_name_or_a_package_url() {
    let sandbox = Sandbox::new();
    sandbox.build_store();
    let ask = |question: &[&str]| sandbox.offline("query", question);
    let by_name = ask(&["npm", "minimist", "1.2.5"]).expect(1);

    assert!(
        by_name.stdout.contains("GHSA-xvch-5gv4-984h"),
        "{}",
        by_name.stdout
    );

    let by_purl = ask(&["--format", "json", "--purl", "pkg:npm/minimist@1.2.6"]).expect(0);
    assert_eq!(by_purl.json()["findings"], Value::Array(Vec::new()));

    ask(&["--purl", "nonsense"]).expect(2);
    ask(&["npm", "minimist"]).expect(2);
}

#[test]
fn versions_are_ordered_by_the_rules_of_their_ecosystem() {
    let sandbox = Sandbox::new();
    for (ecosystem, a, b, sign) in [
        ("npm", "1.2.10", "1.2.9", ">"),
        ("crates.io", "1.0.0-alpha", "1.0.0", "<"),
        ("Debian:12", "1.0~rc1", "1.0", "<"),
        ("Alpine", "1.2.3_p1", "1.2.3", ">"),
        ("Red Hat", "0:1.0-1", "1.0-1", "="),
        ("Maven", "1.0-alpha-1", "1.0", "<"),
    ] {
        let run = sandbox
            .run(&["compare-versions", ecosystem, a, b])
            .expect(0);
        assert_eq!(run.stdout.trim(), sign, "{ecosystem} {a} {b}");
    }

    let (code, lines, errors) = with_input(
        &sandbox,
        &["compare-versions", "npm"],
        "1.0.0\t2.0.0\n1.0.0\tlatest\n3.0.0\t2.0.0\nno tab\n",
    );
    assert_eq!(code, 3);
    assert_eq!(lines, ["<", "?", ">", "?"]);
    assert!(
        errors.contains("`latest` is not a version of npm"),
        "{errors}"
    );

    let unknown = sandbox
        .run(&["compare-versions", "Nowhere", "1", "2"])
        .expect(2);
    assert!(unknown.stderr.contains("crates.io"), "{}", unknown.stderr);
}
