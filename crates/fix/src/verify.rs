//! Verification of a new lockfile against the one before: no new findings, no downgrade, no
//! requirement that is not met.

use std::collections::BTreeSet;

use patchgate_ecosystems::Upgradable;
use patchgate_lockfile_diff::downgrades;
use patchgate_model::{Finding, Lockfile, Package, PackageVersion};

use crate::lock_state::ids;
use crate::violation::Violation;

/// The violations of a new lockfile. Empty when it keeps the promises of a fix.
pub(super) fn violations(
    ecosystem: &dyn Upgradable,
    before: (&Lockfile, &[Finding]),
    after: (&Lockfile, &[Finding]),
) -> Vec<Violation> {
    let mut violations = introduced(before.1, after.1);
    let downgrades = downgrades(ecosystem, before, after).into_iter();
    violations.extend(downgrades.map(|downgrade| {
        Violation {
            text: downgrade.text,
            packages: downgrade
                .packages
                .into_iter()
                .map(|(name, version)| PackageVersion::new(name, version))
                .collect(),
        }
    }));
    let known: BTreeSet<String> = unmet(ecosystem, before.0)
        .into_iter()
        .map(|violation| violation.text)
        .collect();
    let unmet = unmet(ecosystem, after.0).into_iter();
    violations.extend(unmet.filter(|violation| !known.contains(&violation.text)));

    violations
}

/// Findings of packages that did not have them before, in any version. A notice, such as that a
/// package is no longer maintained, is no reason to keep a vulnerability.
fn introduced(before: &[Finding], after: &[Finding]) -> Vec<Violation> {
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
            let package = finding.package.package_version();
            Violation {
                text: format!("it brings {} in `{package}`", finding.id),
                packages: vec![package],
            }
        })
        .collect()
}

/// Requirements that the locked version does not meet.
fn unmet(ecosystem: &dyn Upgradable, lockfile: &Lockfile) -> Vec<Violation> {
    let named = |package: &Package| PackageVersion::new(&*package.name, &*package.version);
    let mut unmet = Vec::new();
    for package in &lockfile.packages {
        for edge in &package.edges {
            let (Some(to), Some(requirement)) = (lockfile.package(edge.to), &edge.requirement)
            else {
                continue;
            };

            if ecosystem.admits(requirement, &to.version) == Ok(false) {
                let (dependent, to) = (named(package), named(to));
                unmet.push(Violation {
                    text: format!(
                        "`{dependent}` gets `{to}` but requires {requirement}, which is not met"
                    ),
                    packages: vec![to, dependent],
                });
            }
        }
    }

    unmet
}
