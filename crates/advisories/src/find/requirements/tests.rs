use std::sync::Arc;

use patchgate_model::{
    Advisory, DependencyKind, EcosystemName, EventKind, Extent, FixedVersion, Inventory,
    ProblemKind, UnlockedManifest, Unresolved,
};
use serde_json::{Value, json};

use crate::{AdvisoryLookup, NoSignals, find, lookup_of, parse_record};

use EventKind::{Fixed, Introduced, LastAffected};

const NPM: EcosystemName = EcosystemName::new("npm");

fn record(id: &str, aliases: &[&str], events: &[(EventKind, &str)]) -> Arc<Advisory> {
    let events: Vec<Value> = events
        .iter()
        .map(|(kind, version)| match kind {
            Introduced => json!({ "introduced": version }),
            Fixed => json!({ "fixed": version }),
            _ => json!({ "last_affected": version }),
        })
        .collect();
    let record = json!({
        "id": id,
        "aliases": aliases,
        "modified": "2024-01-01T00:00:00Z",
        "affected": [{
            "package": { "ecosystem": "npm", "name": "a" },
            "ranges": [{ "type": "SEMVER", "events": events }],
        }],
    });
    Arc::new(parse_record(record.to_string().as_bytes()).unwrap())
}

fn inventory(requirements: &[&str]) -> Inventory {
    Inventory {
        unlocked: vec![UnlockedManifest {
            path: "package.json".to_owned(),
            ecosystem: NPM,
            unresolved: (1..)
                .zip(requirements)
                .map(|(line, requirement)| Unresolved {
                    ecosystem: NPM,
                    name: "a".to_owned(),
                    requirement: (*requirement).to_owned(),
                    kind: DependencyKind::Runtime,
                    line,
                })
                .collect(),
        }],
        ..Inventory::default()
    }
}

/// `clean`, or one line for each finding: its extent, id, affected part, whether the newest admitted
/// version is affected, the fixed version and the requirement that ends it.
fn judged(requirement: &str, lookup: &AdvisoryLookup) -> String {
    let found = find(&inventory(&[requirement]), lookup, &NoSignals);
    let mut lines: Vec<String> = found
        .findings
        .iter()
        .chain(&found.possible)
        .map(|finding| {
            let matched = finding.requirement.as_ref().unwrap();
            assert_eq!(finding.is_possible(), matched.extent == Extent::Some);
            assert_eq!(finding.package.version, "");
            assert_eq!(finding.locations[0].file, "package.json");
            format!(
                "{:?} {} {} newest={:?} fixed={} raised={}",
                matched.extent,
                finding.id,
                matched.affected.join("; "),
                matched.newest_affected,
                match &finding.fixed {
                    FixedVersion::At(version) => version,
                    FixedVersion::None(_) => "none",
                },
                matched.raised.as_deref().unwrap_or("none"),
            )
        })
        .collect();
    lines.extend(found.problems.iter().map(|problem| {
        assert_eq!(problem.kind, ProblemKind::Unresolved);
        problem.reason.clone()
    }));

    match lines.is_empty() {
        true => "clean".to_owned(),
        false => lines.join("\n"),
    }
}

#[test]
fn a_requirement_is_clean_certain_or_possible_by_its_versions() {
    let lookup = lookup_of(&[record(
        "X-1",
        &[],
        &[(Introduced, "1.2.0"), (Fixed, "1.4.0")],
    )]);

    for (requirement, expected) in [
        ("^1.4.0", "clean"),
        ("<1.2.0", "clean"),
        (">=2", "clean"),
        ("^1.2.0-rc.1 <1.2.0", "clean"),
        (
            "~1.3.0",
            "All X-1 >= 1.3.0, < 1.4.0-0 newest=Some(true) fixed=1.4.0 raised=~1.4.0",
        ),
        (
            ">=1.2.0 <1.4.0",
            "All X-1 >= 1.2.0, < 1.4.0 newest=Some(true) fixed=1.4.0 raised=>=1.4.0 <1.5.0",
        ),
        (
            "^1.0.0",
            "Some X-1 >= 1.2.0, < 1.4.0 newest=Some(false) fixed=1.4.0 raised=^1.4.0",
        ),
        (
            "*",
            "Some X-1 >= 1.2.0, < 1.4.0 newest=Some(false) fixed=1.4.0 raised=>=1.4.0",
        ),
        (
            "",
            "Some X-1 >= 1.2.0, < 1.4.0 newest=Some(false) fixed=1.4.0 raised=>=1.4.0",
        ),
        (
            "<=1.3.0",
            "Some X-1 >= 1.2.0, <= 1.3.0 newest=Some(true) fixed=1.4.0 raised=>=1.4.0",
        ),
    ] {
        assert_eq!(judged(requirement, &lookup), expected, "{requirement}");
    }
}

#[test]
fn a_requirement_of_a_package_without_records_is_clean_unless_it_is_an_address() {
    let lookup = AdvisoryLookup::default();
    assert_eq!(judged("^1.0.0", &lookup), "clean");
    assert_eq!(judged("not a requirement", &lookup), "clean");
    for address in [
        "git+https://h.invalid/a.git",
        "owner/repository#v1",
        "https://h.invalid/a.tgz",
    ] {
        assert_ne!(judged(address, &lookup), "clean", "{address}");
    }
}

#[test]
fn a_requirement_that_names_no_versions_stays_undecided() {
    let lookup = lookup_of(&[record("X-1", &[], &[(Introduced, "0")])]);
    assert_eq!(
        judged("not a requirement", &lookup),
        "requires `a`, and the requirement is not a requirement of npm"
    );
}

#[test]
fn the_records_of_one_vulnerability_are_judged_together() {
    // Each covers half of what the requirement admits.
    let lookup = lookup_of(&[
        record(
            "X-1",
            &["CVE-1"],
            &[(Introduced, "1.0.0"), (Fixed, "1.5.0")],
        ),
        record(
            "X-2",
            &["CVE-1"],
            &[(Introduced, "1.5.0"), (Fixed, "2.0.1")],
        ),
    ]);
    assert_eq!(
        judged("^1.0.0", &lookup),
        "All CVE-1 >= 1.0.0, < 2.0.0-0 newest=Some(true) fixed=2.0.1 raised=^2.0.1"
    );
}

#[test]
fn a_fixed_version_that_another_range_affects_is_not_offered() {
    let lookup = lookup_of(&[record(
        "X-1",
        &[],
        &[
            (Introduced, "0"),
            (Fixed, "1.2.0"),
            (Introduced, "1.4.0"),
            (LastAffected, "1.6.0"),
        ],
    )]);
    assert_eq!(
        judged("^1.0.0", &lookup),
        "Some X-1 >= 1.0.0, < 1.2.0; >= 1.4.0, <= 1.6.0 newest=None fixed=none raised=none"
    );
    assert_eq!(
        judged("~1.1.0", &lookup),
        "All X-1 >= 1.1.0, < 1.2.0-0 newest=Some(true) fixed=1.2.0 raised=~1.2.0"
    );
}

#[test]
fn a_withdrawn_record_affects_no_requirement() {
    let mut withdrawn = (*record("X-1", &[], &[(Introduced, "0")])).clone();
    withdrawn.withdrawn = Some("2024-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(judged("*", &lookup_of(&[Arc::new(withdrawn)])), "clean");
}

#[test]
fn one_requirement_on_several_lines_is_one_finding() {
    let lookup = lookup_of(&[record("X-1", &[], &[(Introduced, "0")])]);
    let found = find(
        &inventory(&["^1.0.0", "^2.0.0", "^1.0.0"]),
        &lookup,
        &NoSignals,
    );

    let lines: Vec<Vec<u32>> = found
        .findings
        .iter()
        .map(|finding| {
            finding
                .locations
                .iter()
                .map(|location| location.line)
                .collect()
        })
        .collect();
    assert_eq!(lines, [vec![1, 3], vec![2]]);
}

/// Whether it has advisories is unknown, and unknown is not clean.
#[test]
fn a_requirement_of_an_unknown_ecosystem_is_undecided() {
    let mut inventory = inventory(&["^1.0.0"]);
    inventory.unlocked[0].unresolved[0].ecosystem = EcosystemName::new("Acme");
    let found = find(&inventory, &AdvisoryLookup::default(), &NoSignals);

    let reasons: Vec<&str> = found
        .problems
        .iter()
        .map(|one| one.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        ["requires `a`, and the requirement is of the ecosystem `Acme`, which is not known"]
    );
}
