//! The directions that ARCHITECTURE.md promises, held against what cargo resolves.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Run-time dependencies of each crate of the workspace, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let names = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            (package.name.to_string(), names)
        })
        .collect()
}

fn ours(names: &BTreeSet<String>) -> BTreeSet<&str> {
    names
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("patchgate"))
        .collect()
}

#[test]
fn model_and_syntax_depend_on_no_sibling() {
    assert!(ours(&dependencies()["patchgate-model"]).is_empty());
    assert!(ours(&dependencies()["patchgate-syntax"]).is_empty());
}

#[test]
fn advisories_and_forge_never_meet() {
    let all = dependencies();
    assert!(!all["patchgate-advisories"].contains("patchgate-forge"));
    assert!(!all["patchgate-forge"].contains("patchgate-advisories"));
}

/// A pure crate may use only pure crates of ours, and no library that opens a socket or a process.
#[test]
fn pure_crates_stay_pure() {
    const PURE: [&str; 10] = [
        "patchgate-model",
        "patchgate-syntax",
        "patchgate-ecosystems",
        "patchgate-risk",
        "patchgate-upgrade",
        "patchgate-gate",
        "patchgate-config",
        "patchgate-report",
        "patchgate-sbom",
        "patchgate-vex",
    ];

    let all = dependencies();
    for name in PURE {
        for dependency in &all[name] {
            assert!(
                !dependency.starts_with("patchgate") || PURE.contains(&dependency.as_str()),
                "{name} is pure and depends on {dependency}"
            );
            assert!(
                !["tokio", "reqwest", "octocrab", "tempfile", "redb"]
                    .contains(&dependency.as_str()),
                "{name} is pure and depends on {dependency}"
            );
        }
    }
}

/// Only the binary wires the rooms together, and nothing ships with test code in it.
#[test]
fn only_tests_use_the_testkit() {
    for (name, dependencies) in dependencies() {
        assert!(!dependencies.contains("patchgate-testkit"), "{name}");
        assert!(!dependencies.contains("patchgate"), "{name}");
    }
}

/// Every pure crate says so to clippy.
#[test]
fn pure_crates_have_their_bans() {
    for name in [
        "syntax",
        "ecosystems",
        "risk",
        "upgrade",
        "gate",
        "config",
        "report",
        "sbom",
        "vex",
        "model",
    ] {
        let path = format!("{}/../{name}/clippy.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for banned in [
            "std::fs::",
            "std::net::",
            "std::process::Command",
            "std::env::var",
        ] {
            assert!(text.contains(banned), "{name}/clippy.toml lacks {banned}");
        }
    }
}
