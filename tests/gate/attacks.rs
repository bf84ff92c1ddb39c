//! `patchgate gate` on pull requests that hide something in an honest upgrade. Author, commits,
//! plan block and checks are all as Patchgate makes them.

use patchgate_testkit::RegistryFault;

use crate::gate::verdict::{
    POLICY, Proposed, example_lock, propose, propose_change, propose_change_under, with_smallvec,
};
use crate::support::forge_sandbox::reasons_against;

#[track_caller]
fn is_blocked(path: &str, before: &str, attack: &str, code: &str) {
    is_refused(path, before, attack, (11, code));
}

/// The gate exits with a code, and names a rule.
#[track_caller]
fn is_refused(path: &str, before: &str, attack: &str, (exit, code): (i32, &str)) {
    let Some(proposed) = propose_change(path, before.to_owned(), attack.to_owned()) else {
        return;
    };
    proposed.report_test("success");
    let run = proposed.gate(&["--merge"]).expect(exit);

    assert!(reasons_against(&run).contains(&code.to_owned()), "{run:?}");
    assert_eq!(run.json()["merged"], false);
    assert!(proposed.is_open());
}

#[test]
fn another_commit_of_a_git_dependency() {
    let git = |commit: &str| {
        let source = format!("git+https://git.invalid/zgit#{}", commit.repeat(40));
        format!("\n[[package]]\nname = \"zgit\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n")
    };
    let before = example_lock();
    let after = with_smallvec(&before, "1.6.1");
    is_blocked(
        "Cargo.lock",
        &(before + &git("a")),
        &(after + &git("b")),
        "dependency-origin",
    );
}

#[test]
fn metadata_of_a_cargo_lock() {
    let before = example_lock();
    let after = with_smallvec(&before, "1.6.1");
    let more = "\n[[patch.unused]]\nname = \"evil\"\nversion = \"1.0.0\"\n";
    is_blocked("Cargo.lock", &before, &(after + more), "lockfile-entries");
}

#[test]
fn bin_of_an_unmoved_npm_package() {
    let lock = |qs: &str, bin: &str| {
        format!(
            r#"{{
  "name": "app",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {{
    "": {{ "name": "app", "dependencies": {{ "depd": "2.0.0", "qs": "^6.5.0" }} }},
    "node_modules/depd": {{
      "version": "2.0.0",
      "resolved": "https://registry.invalid/depd/-/depd-2.0.0.tgz",
      {bin}"integrity": "sha512-ZGVwZA=="
    }},
    "node_modules/qs": {{
      "version": "{qs}",
      "resolved": "https://registry.invalid/qs/-/qs-{qs}.tgz",
      "integrity": "sha512-{qs}"
    }}
  }}
}}
"#
        )
    };
    is_blocked(
        "package-lock.json",
        &lock("6.5.2", ""),
        &lock("6.5.3", "\"bin\": { \"tsc\": \"index.js\" },\n      "),
        "lockfile-entries",
    );
}

/// A lockfile of npm with `qs` in a version, and more entries.
fn with_qs(version: &str, hash: &str, more: &str) -> String {
    format!(
        r#"{{
  "name": "app",
  "lockfileVersion": 3,
  "requires": true,
  "packages": {{
    "": {{ "name": "app", "dependencies": {{ "mini": ">=1", "old": "1", "qs": "^6.5.0" }} }},
    "node_modules/mini": {{
      "version": "2.0.0",
      "resolved": "https://registry.invalid/mini/-/mini-2.0.0.tgz",
      "integrity": "sha512-bWluaQ=="
    }},
    "node_modules/old": {{
      "version": "1.0.0",
      "resolved": "https://registry.invalid/old/-/old-1.0.0.tgz",
      "integrity": "sha512-b2xk",
      "dependencies": {{ "mini": "^1" }}
    }},
    "node_modules/old/node_modules/mini": {{
      "version": "1.0.0",
      "resolved": "https://registry.invalid/mini/-/mini-1.0.0.tgz",
      "integrity": "sha512-bWluaTE="
    }},
    "node_modules/qs": {{
      "version": "{version}",
      "resolved": "https://registry.invalid/qs/-/qs-{version}.tgz",
      "integrity": "{hash}"
    }}{more}
  }}
}}
"#
    )
}

/// npm resolves both paths to one directory, and the last entry wins: `npm ci` installs 1.0.0.
#[test]
fn second_spelling_of_an_npm_path() {
    let shadow = r#",
    "./node_modules/mini": {
      "version": "1.0.0",
      "resolved": "https://registry.invalid/mini/-/mini-1.0.0.tgz",
      "integrity": "sha512-bWluaTE="
    }"#;
    is_blocked(
        "package-lock.json",
        &with_qs("6.5.2", "sha512-cXM=", ""),
        &with_qs("6.5.3", "sha512-cXMz", shadow),
        "lockfile-entries",
    );
}

/// npm ignores a hash that it cannot read, and installs whatever the server sends.
#[test]
fn unreadable_hash_of_the_new_npm_version() {
    is_refused(
        "package-lock.json",
        &with_qs("6.5.2", "sha512-cXM=", ""),
        &with_qs("6.5.3", "unreadable", ""),
        (10, "dependency-integrity"),
    );
}

/// A pull request that the gate must not merge, and the verdict of `dependency-registry`.
#[track_caller]
fn registry_refuses(proposed: &Proposed, exit: i32) -> String {
    proposed.report_test("success");
    let run = proposed.gate(&["--merge"]).expect(exit);

    assert!(proposed.is_open());
    let report = run.json();
    let reasons = report["reasons"].as_array().unwrap().iter();
    let against: Vec<&str> = reasons
        .filter(|reason| reason["code"] == "dependency-registry")
        .map(|reason| reason["text"].as_str().unwrap())
        .collect();
    against.join("; ")
}

/// Attack 6: a new package that nothing asks for, with made-up hash, where new packages are allowed.
#[test]
fn new_package_that_its_registry_does_not_have() {
    let before = example_lock();
    let after = with_smallvec(&before, "1.6.1");
    let source = "registry+https://github.com/rust-lang/crates.io-index";
    let more = format!(
        "\n[[package]]\nname = \"zevil\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n\
         checksum = \"{}\"\n",
        "cd".repeat(32)
    );
    let policy = format!("{POLICY}  allow-new-packages: true\n");
    let Some(proposed) = propose_change_under(&policy, "Cargo.lock", before, after + &more) else {
        return;
    };

    let text = registry_refuses(&proposed, 10);
    assert_eq!(
        text,
        "zevil 1.0.0 is not published in its registry (Cargo.lock)"
    );
}

#[test]
fn made_up_hash_of_the_new_version() {
    let before = example_lock();
    let after = with_smallvec(&before, "1.6.1").replace(&"ab".repeat(32), &"ba".repeat(32));
    let Some(proposed) = propose_change("Cargo.lock", before, after) else {
        return;
    };

    let text = registry_refuses(&proposed, 11);
    assert_eq!(
        text,
        "smallvec 1.6.1 has another hash than its registry states (Cargo.lock)"
    );
}

/// Attack 12: a release from an hour ago. The index of the test states no time, which is no age.
#[test]
fn release_of_unknown_age() {
    let policy = format!("{POLICY}fix:\n  cooldown-days: 3\n");
    let before = example_lock();
    let after = with_smallvec(&before, "1.6.1");
    let Some(proposed) = propose_change_under(&policy, "Cargo.lock", before, after) else {
        return;
    };

    let text = registry_refuses(&proposed, 10);
    assert!(text.contains("smallvec 1.6.1 is too young"), "{text}");
}

#[test]
fn registry_that_does_not_answer() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    for (fault, text) in [
        (RegistryFault::ServerError, "500"),
        (RegistryFault::NotMetadata, "index"),
        (RegistryFault::HalfBody, "answer"),
    ] {
        proposed.registry.fail("smallvec", fault, 20);
        let refused = registry_refuses(&proposed, 10);
        assert!(refused.contains("could not be read"), "{text}: {refused}");
    }
}

/// The branch of the pull request names a registry of its own; only the base's configuration counts.
#[test]
fn registry_of_the_pull_request() {
    let before = example_lock();
    let after = with_smallvec(&before, "1.6.1").replace(
        "name = \"smallvec\"\nversion = \"1.6.1\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"",
        "name = \"smallvec\"\nversion = \"1.6.1\"\nsource = \"sparse+http://127.0.0.1:1/evil/\"",
    );
    assert!(after.contains("evil"));
    let Some(proposed) = propose_change("Cargo.lock", before, after) else {
        return;
    };
    proposed.report_test("success");
    let run = proposed.gate(&["--merge"]).expect(11);

    assert!(
        reasons_against(&run).contains(&"dependency-origin".to_owned()),
        "{run:?}"
    );
    let asked = proposed.registry.requests();
    assert!(
        asked
            .iter()
            .any(|request| request.path.ends_with("smallvec"))
    );
}
