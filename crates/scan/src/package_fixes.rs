//! The version of a package that fixes all its findings at once.

use std::collections::BTreeMap;

use patchgate_advisories::{Subject, fixed_version};
use patchgate_ecosystems::by_name;
use patchgate_model::{Advisory, Finding, FixedVersion, PackageRef};

/// For each package version, the smallest version that fixes every finding which has a fix. A package
/// version without such a version is absent.
///
/// The greatest [`Finding::fixed`] need not be that version: it may be affected by another
/// vulnerability of the package, whose own fix is smaller.
#[must_use]
pub fn package_fixes(findings: &[Finding]) -> BTreeMap<PackageRef, String> {
    let mut by_package: BTreeMap<&PackageRef, Vec<(&str, &Finding)>> = BTreeMap::new();
    // A requirement has a fix of its own: the raised requirement.
    for finding in findings.iter().filter(|one| one.requirement.is_none()) {
        if let FixedVersion::At(fixed) = &finding.fixed {
            let of_package = by_package.entry(&finding.package).or_default();
            of_package.push((fixed, finding));
        }
    }

    by_package
        .into_iter()
        .filter_map(|(package, fixable)| Some((package.clone(), common(package, &fixable)?)))
        .collect()
}

/// The smallest version that fixes all these findings of one package version.
fn common(package: &PackageRef, fixable: &[(&str, &Finding)]) -> Option<String> {
    let (first, rest) = fixable.split_first()?;
    if rest.iter().all(|(fixed, _)| *fixed == first.0) {
        return Some(first.0.to_owned());
    }

    let ecosystem = by_name(package.ecosystem)?;
    let name = ecosystem.normalize_name(&package.name);
    let subject = Subject {
        ecosystem,
        distribution: package.distribution.as_deref(),
        name: &name,
    };
    let records: Vec<&Advisory> = fixable
        .iter()
        .flat_map(|(_, finding)| &finding.advisories)
        .map(AsRef::as_ref)
        .collect();
    match fixed_version(subject, &records, &package.version) {
        FixedVersion::At(version) => Some(version),
        FixedVersion::None(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use patchgate_advisories::{AdvisoryLookup, NoSignals, find, parse_record};
    use patchgate_model::{EcosystemName, Inventory, Lockfile, Package};

    use super::*;

    /// The fixes of `a` 1.0.0 under records with these events.
    fn fixes(records: &[&[(&str, &str)]]) -> Vec<String> {
        let npm = EcosystemName::new("npm");
        let inventory = Inventory {
            lockfiles: vec![Lockfile {
                path: "package-lock.json".into(),
                ecosystem: npm,
                packages: vec![Package::new(npm, "a".into(), "1.0.0".into())],
                ..Lockfile::default()
            }],
            ..Inventory::default()
        };

        let mut lookup = AdvisoryLookup::default();
        for (index, events) in records.iter().enumerate() {
            let events: Vec<String> = events
                .iter()
                .map(|(kind, version)| format!(r#"{{"{kind}": "{version}"}}"#))
                .collect();
            let record = format!(
                r#"{{"id": "GHSA-{index}", "affected": [{{
                    "package": {{"ecosystem": "npm", "name": "a"}},
                    "ranges": [{{"type": "SEMVER", "events": [{}]}}]
                }}]}}"#,
                events.join(",")
            );
            let record = Arc::new(parse_record(record.as_bytes()).unwrap());
            let key = (npm, "a".into());
            lookup.advisories.entry(key).or_default().push(record);
        }
        let found = find(&inventory, &lookup, &NoSignals);
        assert_eq!(found.findings.len(), records.len());

        package_fixes(&found.findings).into_values().collect()
    }

    #[test]
    fn the_version_is_free_of_every_vulnerability() {
        let introduced = ("introduced", "0");
        assert_eq!(
            fixes(&[
                &[introduced, ("fixed", "1.2.0")],
                &[introduced, ("fixed", "1.1.0")]
            ]),
            ["1.2.0"]
        );
        // 2.1.0 fixes the first one, but the second one is back in it.
        assert_eq!(
            fixes(&[
                &[introduced, ("fixed", "2.1.0")],
                &[
                    introduced,
                    ("fixed", "1.1.0"),
                    ("introduced", "2.0.0"),
                    ("fixed", "2.2.0"),
                ],
            ]),
            ["2.2.0"]
        );
        // One that has no fix does not hide the fix of the other.
        assert_eq!(
            fixes(&[&[introduced], &[introduced, ("fixed", "1.1.0")]]),
            ["1.1.0"]
        );
        assert!(fixes(&[&[introduced]]).is_empty());
    }
}
