//! References to actions that can point to several releases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use patchgate_advisories::{AdvisoryLookup, Findings, NoSignals, find, parse_record};
use patchgate_model::{
    EcosystemName, Inventory, Lockfile, Origin, Package, ProblemKind, SmolStr, Unresolved,
};
use serde_json::json;

const ACTIONS: EcosystemName = EcosystemName::new("GitHub Actions");
const COMMIT: &str = "11bd71901bbe5b1630ceea73d27597364c9af683";

/// The findings about `owner/action` at a reference, against a record of the versions below 4.1.3.
fn judged(reference: &str, commit: Option<&str>) -> Findings {
    let origin = match commit {
        None => Origin::Registry(None),
        Some(commit) => Origin::Git {
            url: "https://github.com/owner/action".to_owned(),
            commit: Some(commit.into()),
        },
    };
    let package = Package {
        origin,
        line: 3,
        ..Package::new(ACTIONS, "owner/action".to_owned(), reference.to_owned())
    };
    let inventory = Inventory {
        lockfiles: vec![Lockfile {
            path: ".github/workflows/ci.yml".to_owned(),
            ecosystem: ACTIONS,
            packages: vec![package],
            ..Lockfile::default()
        }],
        ..Inventory::default()
    };
    find(&inventory, &lookup(), &NoSignals)
}

fn lookup() -> AdvisoryLookup {
    let record = json!({"id": "GHSA-a", "summary": "s", "affected": [{
        "package": {"ecosystem": "GitHub Actions", "name": "owner/action"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.1.3"}]}]}]});
    let record = parse_record(record.to_string().as_bytes()).unwrap();
    let mut lookup = AdvisoryLookup::default();
    lookup.advisories.insert(
        (ACTIONS, SmolStr::new("owner/action")),
        vec![Arc::new(record)],
    );
    lookup
}

#[test]
fn a_reference_is_judged_as_the_releases_that_it_can_point_to() {
    // Reference, commit, certain findings, possible findings, problems.
    for (reference, commit, certain, possible, problems) in [
        ("v3", None, 1, 0, 0),
        ("v4", None, 0, 1, 0),
        ("v4.1", None, 0, 1, 0),
        ("v4.0", None, 1, 0, 0),
        ("v5", None, 0, 0, 0),
        ("main", None, 0, 1, 0),
        ("v4.1.2", None, 1, 0, 0),
        ("v4.1.3", None, 0, 0, 0),
        ("v4", Some(COMMIT), 0, 1, 0),
        ("v5", Some(COMMIT), 0, 0, 0),
        ("v4.1.2", Some(COMMIT), 1, 0, 0),
        (COMMIT, Some(COMMIT), 0, 0, 1),
        ("11bd719", None, 0, 0, 1),
    ] {
        let found = judged(reference, commit);
        assert_eq!(
            (
                found.findings.len(),
                found.possible.len(),
                found.problems.len()
            ),
            (certain, possible, problems),
            "{reference} {commit:?}: {found:?}"
        );
    }
}

#[test]
fn a_name_with_an_unset_property_is_not_decided() {
    let maven = EcosystemName::new("Maven");
    let inventory = Inventory {
        lockfiles: vec![Lockfile {
            path: "pom.xml".to_owned(),
            ecosystem: maven,
            unresolved: vec![Unresolved {
                ecosystem: maven,
                name: "${group}:core".to_owned(),
                requirement: "1.0".to_owned(),
                kind: patchgate_model::DependencyKind::Runtime,
                line: 7,
            }],
            ..Lockfile::default()
        }],
        ..Inventory::default()
    };

    let found = find(&inventory, &AdvisoryLookup::default(), &NoSignals);
    let problem = found.problems.first().unwrap();
    assert_eq!(
        (problem.kind, problem.line),
        (ProblemKind::Unresolved, Some(7))
    );
    assert!(
        problem.reason.contains("unset property"),
        "{}",
        problem.reason
    );
}
