//! Findings by package: a package is what a person upgrades, so a report for a person has one line
//! for each, with the versions that change and the vulnerabilities below.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, HashMap};

use patchgate_ecosystems::{Ecosystem, by_name};

use super::{FindingReport, OutcomeName};
use crate::clean::clean;

/// The findings of one package, in one group of files.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PackageFindings<'a> {
    /// Ecosystem by its OSV name, with the release of a distribution.
    pub(super) ecosystem: &'a str,
    pub(super) name: &'a str,
    /// The group of files that are not part of the product; `None` for the repository's own.
    pub(super) group: Option<&'a str>,
    /// The versions or requirements with findings, and their fixes, in ascending order.
    pub(super) changes: Vec<Change<'a>>,
    /// Every finding, worst first.
    pub(super) findings: Vec<&'a FindingReport>,
}

/// A version or requirement of a package, and its replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// The version or, if `is_requirement`, the requirement.
    pub(super) from: &'a str,
    pub(super) is_requirement: bool,
    /// The version that fixes all findings that have a fix, or the raised requirement. `None` without
    /// such a version, even if each finding has a fix of its own.
    pub(super) to: Option<&'a str>,
    /// Findings of this version.
    pub(super) findings: usize,
    /// Findings of it that have a fix; `to` fixes them all.
    pub(super) fixed: usize,
}

impl Change<'_> {
    /// The replacement in the notation of the version.
    pub(super) fn written_fix(&self) -> Option<String> {
        Some(written_fix(self.from, self.to?, self.is_requirement))
    }
}

/// A fixed version in the notation of the present one: Go and some other projects write `v1.2.3`, where
/// advisories have `1.2.3`.
pub(super) fn written_fix(from: &str, to: &str, is_requirement: bool) -> String {
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let to = clean(to);
    let has_prefix = from.strip_prefix('v').is_some_and(is_number);
    match has_prefix && !is_requirement && is_number(&to) {
        true => format!("v{to}"),
        false => to,
    }
}

impl<'a> PackageFindings<'a> {
    /// The findings by package and group of files: the repository's own first, then by group. Within a
    /// group the order of the findings decides, which is worst first.
    pub(super) fn all(findings: &'a [FindingReport]) -> Vec<Self> {
        let mut packages: Vec<Self> = Vec::new();
        let mut indexes: HashMap<(Option<&str>, &str, &str), usize> = HashMap::new();
        for finding in findings {
            let (ecosystem, name) = (
                finding.package.ecosystem.as_str(),
                finding.package.name.as_str(),
            );
            let group = finding.group.as_deref();
            let index = *indexes.entry((group, ecosystem, name)).or_insert_with(|| {
                packages.push(Self {
                    ecosystem,
                    name,
                    group,
                    changes: Vec::new(),
                    findings: Vec::new(),
                });
                packages.len() - 1
            });
            if let Some(package) = packages.get_mut(index) {
                package.findings.push(finding);
            }
        }

        for package in &mut packages {
            package.changes = changes(package.ecosystem, &package.findings);
        }
        packages.sort_by_key(|package| (package.group, Reverse(package.outcome())));

        packages
    }

    /// The outcome of the worst finding.
    pub(super) fn outcome(&self) -> Option<OutcomeName> {
        self.findings.iter().map(|one| one.decision.outcome).max()
    }

    /// Whether a finding of the package fails the run.
    pub(super) fn fails(&self) -> bool {
        self.findings.iter().any(|one| one.at_or_above_threshold)
    }

    /// Each vulnerability once, worst first: the first finding with its id.
    pub(super) fn vulnerabilities(&self) -> Vec<&'a FindingReport> {
        let mut seen = BTreeSet::new();
        let findings = self.findings.iter().copied();
        findings
            .filter(|finding| seen.insert(finding.id.as_str()))
            .collect()
    }

    /// The direct dependencies that need the package, each once, as `name@version`; the package itself
    /// is not among them.
    pub(super) fn dependents(&self) -> Vec<&'a str> {
        let mut seen = BTreeSet::new();
        self.findings
            .iter()
            .flat_map(|finding| &finding.paths)
            .filter(|path| path.len() > 1)
            .filter_map(|path| path.first())
            .map(String::as_str)
            .filter(|name| seen.insert(*name))
            .collect()
    }

    /// Whether the repository requires the package itself.
    pub(super) fn is_direct(&self) -> bool {
        let mut paths = self.findings.iter().flat_map(|finding| &finding.paths);
        paths.any(|path| path.len() == 1)
    }

    /// The locations of all findings, each file once with its first line, in the order of the findings.
    pub(super) fn files(&self) -> Vec<(&'a str, u32)> {
        let mut seen = BTreeSet::new();
        self.findings
            .iter()
            .flat_map(|finding| &finding.locations)
            .filter(|location| seen.insert(location.file.as_str()))
            .map(|location| (location.file.as_str(), location.line))
            .collect()
    }
}

/// The versions and requirements of a package's findings, each once.
pub(super) fn changes<'a>(ecosystem: &str, findings: &[&'a FindingReport]) -> Vec<Change<'a>> {
    let order = by_name(ecosystem.split(':').next().unwrap_or_default());
    let mut changes: Vec<Change<'a>> = Vec::new();
    let mut greatest: HashMap<&str, &str> = HashMap::new();
    for finding in findings {
        let (from, is_requirement) = match &finding.requirement {
            Some(matched) => (matched.requirement.as_str(), true),
            None => (finding.package.version.as_str(), false),
        };
        let index = changes
            .iter()
            .position(|one| one.from == from && one.is_requirement == is_requirement);
        let index = index.unwrap_or_else(|| {
            changes.push(Change {
                from,
                is_requirement,
                to: None,
                findings: 0,
                fixed: 0,
            });
            changes.len() - 1
        });
        let Some(change) = changes.get_mut(index) else {
            continue;
        };

        change.findings += 1;
        let Some(fixed) = finding.fixed_version.as_deref() else {
            continue;
        };
        change.fixed += 1;
        match &finding.requirement {
            None if change.fixed == 1 => change.to = finding.package_fix.as_deref().or(Some(fixed)),
            None => {
                let same = change.to.filter(|to| *to == fixed);
                change.to = finding.package_fix.as_deref().or(same);
            }
            // From each fixed version on, no admitted version is affected, so the greatest one counts.
            Some(matched) => {
                let known = greatest.entry(from).or_insert(fixed);
                if change.to.is_none() || compare(order, fixed, known).is_gt() {
                    *known = fixed;
                    change.to = matched.raised.as_deref();
                }
            }
        }
    }

    changes.sort_by(|a, b| {
        a.is_requirement
            .cmp(&b.is_requirement)
            .then_with(|| match a.is_requirement {
                true => a.from.cmp(b.from),
                false => compare(order, a.from, b.from),
            })
    });

    changes
}

/// The order of two versions in their ecosystem; that of their texts if it has none.
fn compare(order: Option<&'static dyn Ecosystem>, a: &str, b: &str) -> Ordering {
    let known = order.and_then(|order| order.compare_versions(a, b).ok());
    known.unwrap_or_else(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_has_the_prefix_of_the_version() {
        for (from, to, is_requirement, written) in [
            ("v1.2.3", "1.2.4", false, "v1.2.4"),
            ("v1.2.3", "v1.2.4", false, "v1.2.4"),
            ("1.2.3", "1.2.4", false, "1.2.4"),
            ("vendored", "1.2.4", false, "1.2.4"),
            ("v1", ">=1.2.4", true, ">=1.2.4"),
        ] {
            let change = Change {
                from,
                is_requirement,
                to: Some(to),
                findings: 1,
                fixed: 1,
            };
            assert_eq!(change.written_fix().as_deref(), Some(written), "{from}");
        }
    }
}
