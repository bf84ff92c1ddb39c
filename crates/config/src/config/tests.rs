use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn errors(text: &str) -> String {
    parse(".patchgate.yml", text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "\n", "# nothing\n", "version: 1\n", "---\n", "{}"] {
        assert_eq!(parse("f", text), Ok(Config::default()), "{text:?}");
    }
    assert_eq!(Config::default().store.max_age_days, 7);
    assert_eq!(Config::default().thresholds, Threshold::default());
}

#[test]
fn reads_every_setting() {
    let config = parse(
        "f",
        r#"
version: 1
thresholds: { severity: high, score: 12.5, possible: true, incomplete: { feed: warn, file: fail } }
ignore:
  - id: CVE-2024-1
    reason: not reached
    until: 2027-01-31
    package: "npm:@a/b"
    justification: component_not_present
  - { id: GHSA-x, reason: r, until: "2027-02-01", package: "org.example:thing" }
gate:
  accounts: ["app[bot]"]
  required-checks: [{ name: test, app: github-actions }]
  skipped-is-success: true
  neutral-is-success: true
  failed-checks: review
  max-bump: major
  allow-new-packages: true
  max-score: 40
  require-signed-commits: true
  require-up-to-date: false
  merge-method: rebase
advisories: { malicious-prefixes: ["LWA-"] }
store: { path: db, max-age-days: 3 }
scan: { exclude: ["a/**"], skip: [vendored, test] }
vex: { sources: [.vex], products: ["pkg:oci/a@1"], author: me, max-age-days: 1 }
csaf: ["https://vendor.invalid/provider-metadata.json"]
"#,
    )
    .unwrap();

    insta::assert_debug_snapshot!(config);
}

#[test]
fn every_error_is_named_with_its_line() {
    assert_snapshot!(errors(
        r#"
version: 2
treshold: {}
thresholds:
  severity: hihg
  score: 101
ignore:
  - id: CVE-2024-1
    until: 31.12.2026
  - reason: ""
    id: 12
    until: 2026-02-30
    colour: red
    justification: because
gate:
  accounts: me
  required_checks: []
  required-checks:
    - test
  any-check: "yes"
  max-score:
  max-bump: 3
store: [1]
scan:
  exclude: [1, "a"]
  skip: [tests]
vex:
  source: [a]
  sources: [""]
"#
    ));
}

#[test]
fn values_that_cannot_be_used_are_named() {
    assert_snapshot!(errors(
        "scan:\n  exclude:\n    - 'a/[b'\n    - ok/**\n    - ''\nstore: { path: '' }\ngate: { accounts: [' '] }\n"
    ));
}

#[test]
fn byte_order_marks_and_line_ends_do_not_move_places() {
    let error = parse("f", "\u{feff}version: 1\r\n\r\nscam: {}\r\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "f:3:1: unknown key `scam` (did you mean `scan`?)"
    );
    let error = parse("f", "\u{feff}scam: {}").unwrap_err();
    assert_eq!((error.errors[0].line, error.errors[0].column), (1, 1));
}

#[test]
fn contradicting_settings_are_named() {
    assert_snapshot!(errors(
        "gate:\n  any-check: true\n  required-checks: [{name: a, app: b}]\n"
    ));
}

#[test]
fn what_is_no_yaml_is_named_with_its_line() {
    let mut all = String::new();
    for text in [
        "a: [1\nb: 2\n",
        "version: 1\n\tgate: {}\n",
        "version: 1\nversion: 1\n",
        "version: 1\n---\nversion: 1\n",
        "- 1\n- 2\n",
        "\"unfinished",
        "? [a]\n: b\n",
        "just text",
        "a: &a [*a]",
        "a: *nowhere",
    ] {
        all.push_str(&format!("{text:?}\n    {}\n", errors(text)));
    }

    assert_snapshot!(all);
}

#[test]
fn bombs_are_refused() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }

    let deep = format!("gate: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("# {}\n", "x".repeat(1024 * 1024));

    for text in [aliases, deep, large] {
        assert_eq!(parse("f", &text).unwrap_err().errors.len(), 1);
    }
}

#[test]
fn aliases_and_merged_keys_work_as_in_yaml() {
    let config = parse(
        "f",
        "ignore:\n  - &a { id: A, reason: r, until: 2027-01-01 }\n  - { <<: *a, id: B }\n",
    )
    .unwrap();
    assert_eq!(config.ignore[1].id, "B");
    assert_eq!(config.ignore[1].reason, "r");
    assert_eq!(config.ignore[1].line, 3);
}

#[test]
fn the_checker_knows_every_word_of_the_schema() {
    fn walk(schema: &serde_json::Value, path: &str, unknown: &mut Vec<String>) {
        const KNOWN: &[&str] = &[
            "$schema",
            "title",
            "description",
            "default",
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "enum",
            "anyOf",
            "const",
            "minimum",
            "maximum",
            "minLength",
            "format",
        ];

        for (key, value) in schema.as_object().into_iter().flatten() {
            if !KNOWN.contains(&key.as_str()) {
                unknown.push(format!("{path}/{key}"));
            }
            match key.as_str() {
                "properties" => {
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        walk(schema, &format!("{path}/{name}"), unknown);
                    }
                }
                "anyOf" => {
                    for schema in value.as_array().into_iter().flatten() {
                        walk(schema, &format!("{path}|"), unknown);
                    }
                }
                "items" => walk(value, &format!("{path}[]"), unknown),
                _ => {}
            }
        }

        let closed = schema["additionalProperties"] == serde_json::json!(false);
        // An optional map has two types.
        let is_map = schema["type"].to_string().contains("\"object\"");
        assert_eq!(is_map, closed, "{path} is not closed");
    }

    let mut unknown = Vec::new();
    walk(&crate::config_schema(), "", &mut unknown);

    assert_eq!(unknown, Vec::<String>::new());
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "[a-z:\\-\\[\\]{}&*!|>'\"#%@ \n0-9?,]{0,120}") {
        let _ = parse("f", &text);
    }

    #[test]
    fn dates_are_read_in_one_form_only(text in "[0-9]{1,5}-[0-9]{1,3}-[0-9]{1,3}") {
        if let Some(date) = parse_date(&text) {
            prop_assert_eq!(date.to_string(), text);
        }
    }
}

#[test]
fn an_ignored_package_may_name_its_ecosystem() {
    for (text, ecosystem, package) in [
        ("npm:@a/b", Some("npm"), "@a/b"),
        ("NPM:a", Some("NPM"), "a"),
        (
            "Maven:org.example:thing",
            Some("Maven"),
            "org.example:thing",
        ),
        ("org.example:thing", None, "org.example:thing"),
        ("Debian:openssl", Some("Debian"), "openssl"),
        ("Azure Linux:openssl", Some("Azure Linux"), "openssl"),
        ("conda:numpy", None, "conda:numpy"),
        ("openssl", None, "openssl"),
    ] {
        let file =
            format!("ignore: [{{ id: X, reason: r, until: 2027-01-31, package: \"{text}\" }}]");
        let ignore = &parse("f", &file).unwrap().ignore[0];
        assert_eq!(ignore.ecosystem.as_deref(), ecosystem, "{text}");
        assert_eq!(ignore.package.as_deref(), Some(package), "{text}");
    }
}
