//! The dependency rules of ARCHITECTURE.md, checked against `cargo metadata`.
#![expect(
    clippy::unwrap_used,
    reason = "the lint's exception for tests does not reach their helper functions"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crates without any effect: bytes, time and answers come in as arguments.
const PURE: &[&str] = &[
    "patchgate-api-surface",
    "patchgate-config",
    "patchgate-cvss",
    "patchgate-ecosystems",
    "patchgate-estimate",
    "patchgate-evidence",
    "patchgate-gate",
    "patchgate-lockfile-diff",
    "patchgate-model",
    "patchgate-policy",
    "patchgate-proof",
    "patchgate-report",
    "patchgate-risk",
    "patchgate-sbom",
    "patchgate-syntax",
    "patchgate-upgrade",
    "patchgate-vex",
];

/// Crates that use files, the network, the clock, the environment or processes.
const EFFECTFUL: &[&str] = &[
    "patchgate-advisories",
    "patchgate-fix",
    "patchgate-forge",
    "patchgate-fs",
    "patchgate-http",
    "patchgate-inventory",
    "patchgate-ledger",
    "patchgate-package-managers",
    "patchgate-reachability",
    "patchgate-scan",
];

/// The binary: the only crate that may depend on every other.
const BINARY: &str = "patchgate";

/// Fakes for tests: no crate may depend on them at run time.
const TESTKIT: &str = "patchgate-testkit";

/// Crates that only the listed ones may depend on.
const RESTRICTED: &[(&str, &[&str])] = &[
    // A forge token is in reach of the binary alone.
    ("patchgate-forge", &[BINARY]),
    // Scans and the gate run no package manager.
    ("patchgate-package-managers", &[BINARY, "patchgate-fix"]),
];

/// Libraries that open a socket or start a process, which no pure crate uses.
const EFFECTS: &[&str] = &["tokio", "reqwest", "octocrab", "tempfile"];

struct Crate {
    directory: PathBuf,
    /// Names of the run-time dependencies.
    dependencies: BTreeSet<String>,
}

impl Crate {
    fn siblings(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .map(String::as_str)
            .filter(|name| name.starts_with("patchgate"))
    }
}

/// The crates of the workspace, by name.
fn workspace() -> BTreeMap<String, Crate> {
    let metadata = MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let dependencies = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            let directory = package.manifest_path.parent().unwrap().into();
            let value = Crate {
                directory,
                dependencies,
            };
            (package.name.to_string(), value)
        })
        .collect()
}

/// A new crate has to choose, so that none is left out of the rules below.
#[test]
fn every_crate_is_listed_as_pure_or_effectful() {
    let listed: Vec<&str> = [PURE, EFFECTFUL, &[BINARY, TESTKIT]].concat();
    let names: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(names.len(), listed.len(), "a crate is listed twice");

    let workspace = workspace();
    let members: BTreeSet<&str> = workspace.keys().map(String::as_str).collect();
    assert_eq!(names, members);
}

#[test]
fn model_syntax_and_fs_depend_on_no_sibling() {
    let workspace = workspace();
    for name in ["patchgate-fs", "patchgate-model", "patchgate-syntax"] {
        assert_eq!(workspace[name].siblings().collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn advisories_and_forge_never_meet() {
    let workspace = workspace();
    let depends = |name: &str, on: &str| workspace[name].dependencies.contains(on);
    assert!(!depends("patchgate-advisories", "patchgate-forge"));
    assert!(!depends("patchgate-forge", "patchgate-advisories"));
    for (name, value) in &workspace {
        let both = ["patchgate-advisories", "patchgate-forge"]
            .iter()
            .all(|one| value.dependencies.contains(*one));
        assert!(!both || name == BINARY, "{name}");
    }
}

#[test]
fn restricted_crates_are_used_only_where_they_may_be() {
    for (name, value) in workspace() {
        for (restricted, users) in RESTRICTED {
            assert!(
                !value.dependencies.contains(*restricted) || users.contains(&name.as_str()),
                "{name} depends on {restricted}"
            );
        }
    }
}

/// A pure crate uses only pure siblings, and no library that opens a socket or starts a process.
#[test]
fn pure_crates_depend_on_nothing_with_effects() {
    let workspace = workspace();
    for name in PURE {
        for dependency in &workspace[*name].dependencies {
            let dependency = dependency.as_str();
            assert!(
                !dependency.starts_with("patchgate") || PURE.contains(&dependency),
                "{name} is pure and depends on {dependency}"
            );
            assert!(
                !EFFECTS.contains(&dependency),
                "{name} is pure and depends on {dependency}"
            );
        }
    }
}

/// Nothing depends on the binary, and nothing ships with test code in it.
#[test]
fn no_crate_depends_on_the_binary_or_the_testkit() {
    for (name, value) in workspace() {
        assert!(!value.dependencies.contains(TESTKIT), "{name}");
        assert!(!value.dependencies.contains(BINARY), "{name}");
    }
}

/// Every pure crate has clippy ban files, the network, processes and the environment.
#[test]
fn pure_crates_ban_effects_in_their_clippy_settings() {
    let workspace = workspace();
    for name in PURE {
        let path = workspace[*name].directory.join("clippy.toml");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        for banned in [
            "std::fs::",
            "std::net::",
            "std::process::Command",
            "std::env::var",
        ] {
            assert!(text.contains(banned), "{} lacks {banned}", path.display());
        }
    }
}
