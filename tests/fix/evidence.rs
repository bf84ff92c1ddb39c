//! The evidence of `patchgate fix` about whether a change will hold.

use patchgate_testkit::{NpmRegistry, Release};
use serde_json::{Value, json};

use crate::support::fixture_registry::{npm_lock, npm_project};
use crate::support::sandbox::Sandbox;

/// A project that imports a vulnerable package, whose fix changes its interface.
fn project() -> (Sandbox, NpmRegistry) {
    let old =
        "module.exports = { parse, gone: gone };\nfunction parse(text) {}\nfunction gone() {}\n";
    let new = "module.exports = { parse };\nfunction parse(text, options) {}\n";
    let notes =
        "# Changes\n\n## 2.0.0\n\n- BREAKING: `gone` is removed. @octocat\n\n## 1.0.0\n\n- first\n";
    let releases = vec![
        Release::new("leaf", "1.0.0", &[])
            .with_file("index.js", old)
            .with_fields(json!({"engines": {"node": ">=8"}, "_npmUser": {"name": "ann"}})),
        Release::new("leaf", "2.0.0", &[("twig", "^1.0.0")])
            .with_file("index.js", new)
            .with_file("CHANGELOG.md", notes)
            .with_install_script("exit 1")
            .with_fields(json!({"engines": {"node": ">=18"}, "_npmUser": {"name": "bob"}})),
        Release::new("twig", "1.0.0", &[]),
    ];
    let manifest = r#"{"name": "shop", "version": "1.0.0", "dependencies": {"leaf": "^1.0.0"}}"#;
    let (sandbox, registry) = npm_project(releases, manifest, ("leaf", "2.0.0"));
    npm_lock(&sandbox, &[]);
    sandbox.write(
        "index.js",
        "const leaf = require('leaf');\nleaf.parse('a'); leaf.gone();\n",
    );
    (sandbox, registry)
}

fn fix(sandbox: &Sandbox, flags: &[&str]) -> Value {
    let own = ["fix", "--format=json"];
    let store = ["--store=store", "--max-age-days=36500", "repo"];
    sandbox
        .run(&[&own[..], flags, &store].concat())
        .expect(0)
        .json()
}

#[track_caller]
fn evidence_of(json: &Value, package: &str) -> Value {
    let all = json["evidence"].as_array().unwrap();
    all.iter()
        .find(|one| one["package"] == package)
        .unwrap()
        .clone()
}

#[test]
fn what_the_registry_said_is_shown_without_a_further_request() {
    let (sandbox, registry) = project();
    let json = fix(&sandbox, &[]);
    let leaf = evidence_of(&json, "leaf");
    assert_eq!(leaf["distance"], "major");
    assert_eq!(leaf["step"], 1);
    let signals = &leaf["signals"];
    assert_eq!(
        signals["install_scripts"],
        json!({"before": false, "after": true})
    );
    assert_eq!(
        signals["publisher"],
        json!({"before": "ann", "after": "bob"})
    );
    assert_eq!(
        signals["runtime"],
        json!({"before": ">=8", "after": ">=18"})
    );
    assert_eq!(signals["new_dependencies"], json!(["twig"]));
    for field in ["history", "api", "notes"] {
        assert_eq!(leaf[field], Value::Null, "{field}");
    }
    assert_eq!(evidence_of(&json, "twig")["distance"], Value::Null);

    let archives = registry.requests();
    let archives = archives
        .iter()
        .filter(|request| request.path.contains(".tgz"));
    assert_eq!(archives.count(), 0, "a plain fix downloads no archive");
}

#[test]
fn names_in_use_and_release_notes_come_from_the_archives() {
    let (sandbox, _registry) = project();
    let leaf = evidence_of(&fix(&sandbox, &["--evidence"]), "leaf");
    assert_eq!(leaf["api"]["files"], 1);
    let symbols: Vec<(&str, &str)> = leaf["api"]["symbols"]
        .as_array()
        .unwrap()
        .iter()
        .map(|symbol| {
            (
                symbol["name"].as_str().unwrap(),
                symbol["change"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        symbols,
        [
            ("leaf.gone", "removed"),
            ("leaf.parse", "signature-changed")
        ]
    );
    assert_eq!(leaf["notes"]["file"], "CHANGELOG.md");
    assert_eq!(
        leaf["notes"]["breaking"],
        json!(["BREAKING: `gone` is removed. @octocat"])
    );
    assert_eq!(leaf["history"], Value::Null, "there is no clone");

    let text = sandbox.run(&[
        "fix",
        "--evidence",
        "--store=store",
        "--max-age-days=36500",
        "repo",
    ]);
    let text = text.expect(0).stdout;
    assert!(
        text.contains("Evidence\n") && text.contains("1 removed (leaf.gone)"),
        "{text}"
    );
}

#[test]
fn an_archive_with_another_hash_is_not_evidence() {
    let (sandbox, registry) = project();
    registry.fail(".tgz", patchgate_testkit::RegistryFault::NotMetadata, 100);
    let leaf = evidence_of(&fix(&sandbox, &["--evidence", "--engine=direct"]), "leaf");
    assert_eq!(leaf["api"], Value::Null);
    assert_eq!(leaf["notes"], Value::Null);
}

#[test]
fn the_history_of_the_repository_is_counted() {
    let (sandbox, _registry) = project();
    let now = sandbox.text("package-lock.json");
    sandbox.git(&["init", "-q"]);
    for version in ["0.8.0", "0.9.0", "0.8.0", "1.0.0"] {
        let text = now.replace("leaf-1.0.0.tgz", "x.tgz").replacen(
            "\"node_modules/leaf\": {\n      \"version\": \"1.0.0\"",
            &format!("\"node_modules/leaf\": {{\n      \"version\": \"{version}\""),
            1,
        );
        sandbox.write("package-lock.json", &text);
        sandbox.git(&["add", "."]);
        sandbox.git(&["commit", "-q", "--date=2024-01-01T00:00:00Z", "-m", "x"]);
    }
    sandbox.write("package-lock.json", &now);

    let leaf = evidence_of(&fix(&sandbox, &["--evidence"]), "leaf");
    let history = &leaf["history"]["package"];
    assert_eq!(
        (&history["n"], &history["reverted"]),
        (&json!(1), &json!(1))
    );
    assert!(history["mean"].as_f64().unwrap() < 0.654);
    let source = leaf["history"]["prior"]["source"].as_str().unwrap();
    assert!(source.starts_with("npm"), "{source}");
}
