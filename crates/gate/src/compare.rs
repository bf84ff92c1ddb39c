//! The comparison of the vulnerabilities on the head with those on the base.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Finding, FindingComparison, FindingKey};

/// Compares the findings of two states of one repository.
///
/// A finding is the same on both sides when its id, package and lockfile are the same; the version
/// does not matter, because a fix changes it. A finding is introduced when the head has more
/// versions with it than the base, or reaches it in a stronger scope: a vulnerability that changes
/// from development to run time is a new one, which a comparison of counts would miss. Notices
/// that are not vulnerabilities (`unmaintained`) are left out on both sides.
///
/// ```
/// use patchgate_gate::compare_findings;
///
/// assert!(compare_findings(&[], &[]).introduced.is_empty());
/// ```
#[must_use]
pub fn compare_findings(base: &[Finding], head: &[Finding]) -> FindingComparison {
    let (base, head) = (by_key(base), by_key(head));
    let mut comparison = FindingComparison::default();
    for (key, now) in &head {
        match base.get(key) {
            Some(before)
                if now.versions.len() <= before.versions.len() && now.scope >= before.scope =>
            {
                let left = before
                    .versions
                    .iter()
                    .filter(|version| !now.versions.contains(version));
                let versions: Vec<String> = left.cloned().collect();
                if !versions.is_empty() {
                    comparison.reduced.push(FindingKey {
                        versions,
                        ..(*before).clone()
                    });
                }
                comparison.remaining.push(now.clone());
            }
            _ => comparison.introduced.push(now.clone()),
        }
    }

    comparison.ended = base
        .iter()
        .filter(|(key, _)| !head.contains_key(*key))
        .map(|(_, before)| before.clone())
        .collect();
    comparison
}

type Key<'a> = (&'a str, &'a str, &'a str, &'a str);

fn by_key(findings: &[Finding]) -> BTreeMap<Key<'_>, FindingKey> {
    let mut keys: BTreeMap<Key<'_>, FindingKey> = BTreeMap::new();
    for finding in findings
        .iter()
        .filter(|finding| finding.informational.is_none())
    {
        let files: BTreeSet<&str> = finding
            .locations
            .iter()
            .map(|location| location.file.as_str())
            .collect();
        for file in files {
            let package = &finding.package;
            let entry = keys
                .entry((&finding.id, package.ecosystem.as_str(), &package.name, file))
                .or_insert_with(|| FindingKey {
                    id: finding.id.clone(),
                    ecosystem: package.ecosystem,
                    package: package.name.clone(),
                    versions: Vec::new(),
                    lockfile: file.to_owned(),
                    scope: finding.scope,
                    score: finding.score.value,
                    malicious: false,
                });
            if let Err(index) = entry.versions.binary_search(&package.version) {
                entry.versions.insert(index, package.version.clone());
            }

            entry.scope = entry.scope.min(finding.scope);
            entry.score = entry.score.max(finding.score.value);
            entry.malicious |= finding.malicious;
        }
    }

    keys
}
