//! One honest entry and its release, with one fact changed by each test.

use patchgate_ecosystems::{Input, Release, Siblings, Upgradable, fixable_format};
use serde_json::{Value, json};

use super::published_differences;
use crate::State;

const HASH: &str = "sha512-aGFzaA==";

/// The objections against the entry `node_modules/a`; certain ones with `!`.
fn npm(entry: Value, release: Value) -> Vec<String> {
    let lockfile = json!({
        "name": "app", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "app", "dependencies": { "a": "^1" } },
            "node_modules/a": entry,
            "node_modules/b": { "version": "1.2.0", "resolved": "https://r.invalid/b/-/b-1.2.0.tgz", "integrity": "sha512-Yg==" },
            "node_modules/evil": { "version": "1.0.0", "resolved": "https://r.invalid/evil/-/evil-1.0.0.tgz", "integrity": "sha512-ZQ==" },
        }
    });
    let document = json!({ "name": "a", "versions": { "1.0.1": release } });
    objections(
        "package-lock.json",
        &lockfile.to_string(),
        "a",
        &document.to_string(),
    )
}

fn objections(path: &str, lockfile: &str, name: &str, metadata: &str) -> Vec<String> {
    let (ecosystem, format) = fixable_format(path).unwrap();
    let siblings = Siblings::new();
    let bytes = lockfile.as_bytes();
    let read = (format.parse)(&Input {
        path,
        bytes,
        siblings: &siblings,
    })
    .unwrap();
    let package = read.packages.iter().find(|one| one.name == name).unwrap();
    let release = only(ecosystem, name, metadata);
    let state = State {
        bytes,
        lockfile: &read,
        siblings: &siblings,
    };

    published_differences(ecosystem, state, package, &release)
        .into_iter()
        .map(|one| format!("{}{}", if one.certain { "!" } else { "" }, one.text))
        .collect()
}

fn only(ecosystem: &dyn Upgradable, name: &str, metadata: &str) -> Release {
    let mut releases = ecosystem.parse_metadata(name, metadata.as_bytes()).unwrap();
    assert_eq!(releases.len(), 1);
    releases.remove(0)
}

/// An entry with a field changed; `null` removes it.
fn with(mut value: Value, field: &str, new: Value) -> Value {
    value[field] = new;
    if value[field].is_null() {
        value.as_object_mut().unwrap().remove(field);
    }
    value
}

fn entry() -> Value {
    json!({
        "version": "1.0.1", "resolved": "https://r.invalid/a/-/a-1.0.1.tgz", "integrity": HASH,
        "bin": { "a": "cli.js" }, "dependencies": { "b": "^1" }, "license": "MIT",
    })
}

fn release() -> Value {
    json!({
        "version": "1.0.1", "bin": "./cli.js", "dependencies": { "b": "^1" },
        "dist": { "integrity": HASH, "shasum": "00", "tarball": "https://mirror.invalid/a.tgz" },
    })
}

#[test]
fn an_entry_as_npm_writes_it_has_no_objection() {
    assert_eq!(npm(entry(), release()), Vec::<String>::new());
}

#[test]
fn each_made_up_field_of_an_npm_entry_is_found() {
    let evil = json!({ "b": "^1", "evil": "1" });
    let cases = [
        (
            with(entry(), "integrity", json!("sha512-b3RoZXI=")),
            release(),
        ),
        (
            with(entry(), "integrity", json!("sha1-b3RoZXI=")),
            with(release(), "dist", json!({})),
        ),
        (with(entry(), "bin", json!({ "tsc": "cli.js" })), release()),
        (with(entry(), "bin", Value::Null), release()),
        (with(entry(), "dependencies", evil), release()),
        (with(entry(), "dependencies", Value::Null), release()),
        (
            with(entry(), "dependencies", json!({ "b": "*" })),
            release(),
        ),
        (
            with(entry(), "peerDependencies", json!({ "b": "*" })),
            release(),
        ),
        (with(entry(), "hasInstallScript", json!(true)), release()),
        (
            with(
                with(entry(), "inBundle", json!(true)),
                "integrity",
                Value::Null,
            ),
            release(),
        ),
        (entry(), with(release(), "deprecated", json!("taken over"))),
    ];
    let found: Vec<Vec<String>> = cases
        .into_iter()
        .map(|(entry, release)| npm(entry, release))
        .collect();
    insta::assert_debug_snapshot!(found);
}

const CARGO: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.1\"\n\
    source = \"registry+https://r.invalid/index\"\nchecksum = \"HASH\"\n\
    dependencies = [\n \"b\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"1.2.0\"\n\
    source = \"registry+https://r.invalid/index\"\nchecksum = \"HASH\"\n";

#[test]
fn each_made_up_field_of_a_cargo_entry_is_found() {
    let hash = "ab".repeat(32);
    let lockfile = CARGO.replace("HASH", &hash);
    let dependency = |name: &str, requirement: &str, optional: bool| {
        json!({
            "name": name, "req": requirement, "features": [], "optional": optional,
            "default_features": true, "target": null, "kind": "normal",
        })
    };
    let index = |hash: &str, dependencies: Vec<Value>| {
        json!({
            "name": "a", "vers": "1.0.1", "deps": dependencies, "cksum": hash, "features": {},
            "yanked": false,
        })
        .to_string()
    };
    let found = |metadata: String| objections("Cargo.lock", &lockfile, "a", &metadata);
    let honest = || dependency("b", "^1", false);

    assert_eq!(found(index(&hash, vec![honest()])), Vec::<String>::new());
    assert_eq!(
        found(index(&hash, vec![honest(), dependency("c", "1", true)])),
        Vec::<String>::new()
    );
    assert_eq!(
        found(index(&"cd".repeat(32), vec![honest()])),
        ["!has another hash than its registry states"]
    );
    assert_eq!(
        found(index(&hash, vec![])),
        ["!depends on b, which its registry does not state"]
    );
    assert_eq!(
        found(index(&hash, vec![dependency("b", "^2", false)])),
        ["gets b 1.2.0, which its requirement does not admit"]
    );
    assert_eq!(
        found(index(&hash, vec![honest(), dependency("c", "1", false)])),
        ["does not depend on c, as its registry states"]
    );
}
