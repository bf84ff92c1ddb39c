//! Verification of a new lockfile against the one before: no new findings, no downgrade, no
//! requirement that is not met.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_lockfile_diff::downgrades;
use patchgate_model::{Finding, Lockfile, Package, PackageVersion};

use crate::lock_state::{Override, ids};
use crate::violation::Violation;

/// The violations of a new lockfile. Empty when it keeps the promises of a fix. An override decides
/// the version of a package whatever its dependents require.
pub(super) fn violations(
    ecosystem: &dyn Upgradable,
    before: (&Lockfile, &[Finding]),
    after: (&Lockfile, &[Finding]),
    overrides: &BTreeMap<String, Override>,
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
    let known: BTreeSet<String> = unmet(ecosystem, before.0, &BTreeMap::new())
        .into_iter()
        .map(|violation| violation.text)
        .collect();
    let unmet = unmet(ecosystem, after.0, overrides).into_iter();
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

/// Requirements that the locked version does not meet, where no override decides it.
fn unmet(
    ecosystem: &dyn Upgradable,
    lockfile: &Lockfile,
    overrides: &BTreeMap<String, Override>,
) -> Vec<Violation> {
    let named = |package: &Package| PackageVersion::new(&*package.name, &*package.version);
    let mut unmet = Vec::new();
    for package in &lockfile.packages {
        for edge in &package.edges {
            let (Some(to), Some(requirement)) = (lockfile.package(edge.to), &edge.requirement)
            else {
                continue;
            };
            let given = overrides.get(&*to.name);
            if given.is_some_and(|given| *given.version == *to.version) {
                continue;
            }

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

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::{Siblings, fixable_format};

    use super::*;
    use crate::lock_state::LockState;

    /// `a` requires `b ~1.0.0`.
    fn locked(version: &str) -> Lockfile {
        let text = r#"{"lockfileVersion": 3, "packages": {
                "": {"dependencies": {"a": "1.0.0"}},
                "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "~1.0.0"}},
                "node_modules/b": {"version": "VERSION"}
            }}"#;
        let (_, format) = fixable_format("package-lock.json").unwrap();
        let bytes = text.replace("VERSION", version).into_bytes();
        let state = LockState::read(format, "package-lock.json", bytes, Siblings::new());
        state.unwrap().lockfile
    }

    fn violations_with(overrides: &[(&str, &str)]) -> Vec<String> {
        let (ecosystem, _) = fixable_format("package-lock.json").unwrap();
        let overrides = overrides
            .iter()
            .map(|(name, version)| {
                let given = Override {
                    manifest: "package.json".to_owned(),
                    version: (*version).to_owned(),
                };
                ((*name).to_owned(), given)
            })
            .collect();
        let (before, after) = (locked("1.0.0"), locked("2.0.0"));
        violations(ecosystem, (&before, &[]), (&after, &[]), &overrides)
            .into_iter()
            .map(|violation| violation.text)
            .collect()
    }

    #[test]
    fn a_requirement_that_is_not_met_is_a_violation_without_an_override() {
        let unmet = "`a 1.0.0` gets `b 2.0.0` but requires ~1.0.0, which is not met";

        assert_eq!(violations_with(&[]), [unmet]);
        assert_eq!(violations_with(&[("b", "2.0.0")]), [""; 0]);
        // Only the version of the override is the one that it gives.
        assert_eq!(violations_with(&[("b", "2.0.1")]), [unmet]);
        assert_eq!(violations_with(&[("a", "2.0.0")]), [unmet]);
    }
}
