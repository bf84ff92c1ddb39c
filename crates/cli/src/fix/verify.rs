//! Whether a new lockfile holds what a fix promises, measured against the one before.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_model::{Finding, Lockfile, Origin};

use super::tree::ids;

/// What a new lockfile has that it must not have, as fragments for a person. Empty when it holds.
pub(super) fn violations(
    ecosystem: &dyn Upgradable,
    before: (&Lockfile, &[Finding]),
    after: (&Lockfile, &[Finding]),
) -> Vec<String> {
    let mut violations = introduced(before.1, after.1);
    violations.extend(downgrades(ecosystem, before.0, after.0));
    let old = unmet(ecosystem, before.0);
    violations.extend(
        unmet(ecosystem, after.0)
            .difference(&old)
            .map(|edge| format!("{edge}, which is not met")),
    );
    violations
}

/// Findings of packages that did not have them before, in any version. A notice, such as that a
/// package is no longer maintained, is no reason to keep a vulnerability.
fn introduced(before: &[Finding], after: &[Finding]) -> Vec<String> {
    let known: BTreeSet<(&str, &str)> = before
        .iter()
        .flat_map(|finding| ids(finding).map(|id| (finding.package.name.as_str(), id)))
        .collect();
    after
        .iter()
        .filter(|finding| {
            !finding.is_notice()
                && !ids(finding).any(|id| known.contains(&(finding.package.name.as_str(), id)))
        })
        .map(|finding| {
            format!(
                "it brings {} in `{} {}`",
                finding.id, finding.package.name, finding.package.version
            )
        })
        .collect()
}

/// Packages of which a version went away for smaller ones.
fn downgrades(ecosystem: &dyn Upgradable, before: &Lockfile, after: &Lockfile) -> Vec<String> {
    let (before, after) = (versions(before), versions(after));
    let none = BTreeSet::new();
    let mut found = Vec::new();
    for (name, old) in &before {
        let new = after.get(name).unwrap_or(&none);
        // A version that went away moved down when smaller ones came in its place and the package
        // has no version left that is as large.
        let smaller = |a: &str, b: &str| ecosystem.compare_versions(a, b) == Ok(Ordering::Less);
        let come: Vec<&&str> = new.difference(old).collect();
        for gone in old.difference(new) {
            if !come.is_empty() && new.iter().all(|version| smaller(version, gone)) {
                found.push(format!("it moves `{name} {gone}` down to {}", come[0]));
            }
        }
    }
    found
}

fn versions(lockfile: &Lockfile) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &lockfile.packages {
        if matches!(package.origin, Origin::Registry(_)) {
            versions
                .entry(&package.name)
                .or_default()
                .insert(&package.version);
        }
    }
    versions
}

/// Requirements that the locked version does not meet, in words.
fn unmet(ecosystem: &dyn Upgradable, lockfile: &Lockfile) -> BTreeSet<String> {
    let mut unmet = BTreeSet::new();
    for package in &lockfile.packages {
        for edge in &package.edges {
            let (Some(to), Some(requirement)) = (lockfile.package(edge.to), &edge.requirement)
            else {
                continue;
            };
            if ecosystem.admits(requirement, &to.version) == Ok(false) {
                unmet.insert(format!(
                    "`{} {}` gets `{} {}` but requires {requirement}",
                    package.name, package.version, to.name, to.version
                ));
            }
        }
    }
    unmet
}
