//! Findings about requirements for which no file states a version: the set of versions that a
//! requirement admits against the sets that the records affect.
//!
//! If every admitted version is affected, the finding is as certain as one about a locked version.
//! If some are, it is a possible finding. If none is, the requirement is clean.

use std::collections::BTreeSet;
use std::sync::Arc;

use patchgate_ecosystems::{Ecosystem, Interval, RequirementError, VersionSet};
use patchgate_model::{
    Advisory, EcosystemName, EventKind, Extent, Finding, FixedVersion, Inventory, Location,
    Problem, ProblemKind, RequirementMatch, Scope, SmolStr, Unresolved,
};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{Group, Occurrences, Version, aliases};
use crate::matching::{Subject, affected_versions, entries};
use crate::{AdvisoryLookup, SignalSource};

/// A requirement with its line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stated<'a> {
    pub(super) ecosystem: EcosystemName,
    pub(super) name: &'a str,
    pub(super) requirement: &'a str,
    location: Location,
    scope: Scope,
}

/// Findings about requirements.
#[derive(Default)]
pub(super) struct RequirementFindings {
    /// Findings that hold for every admitted version.
    pub(super) certain: Vec<Finding>,
    /// Findings that hold for some admitted versions.
    pub(super) possible: Vec<Finding>,
    /// Requirements that could not be judged.
    pub(super) problems: Vec<Problem>,
}

/// The requirements of an inventory for which no file states a version, sorted. Versions that name
/// no single release (the tag `v4` of a GitHub Action) are among them.
pub(super) fn stated(inventory: &Inventory) -> Vec<Stated<'_>> {
    let unlocked = inventory
        .unlocked
        .iter()
        .map(|manifest| (&manifest.path, &manifest.unresolved));
    let locked = inventory
        .lockfiles
        .iter()
        .map(|lockfile| (&lockfile.path, &lockfile.unresolved));
    let unresolved = locked.chain(unlocked).flat_map(|(path, unresolved)| {
        unresolved.iter().map(|one: &Unresolved| Stated {
            ecosystem: one.ecosystem,
            name: &one.name,
            requirement: &one.requirement,
            location: Location {
                file: path.clone(),
                line: one.line,
            },
            scope: one.kind.into(),
        })
    });
    let moving = inventory.lockfiles.iter().flat_map(|lockfile| {
        lockfile
            .packages
            .iter()
            .filter(|package| super::is_moving(package))
            .map(|package| Stated {
                ecosystem: package.ecosystem,
                name: &package.name,
                requirement: &package.version,
                location: Location {
                    file: lockfile.path.clone(),
                    line: package.line,
                },
                scope: package.scope,
            })
    });

    let mut stated: Vec<Stated<'_>> = unresolved
        .chain(moving)
        .filter(|one| super::has_advisories(one.ecosystem))
        .collect();
    stated.sort();
    stated
}

/// Judges every requirement of an inventory.
pub(super) fn judge(
    inventory: &Inventory,
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
) -> RequirementFindings {
    let stated = stated(inventory);
    let same = |a: &Stated<'_>, b: &Stated<'_>| {
        (a.ecosystem, a.name, a.requirement) == (b.ecosystem, b.name, b.requirement)
    };
    let requirements: Vec<&[Stated<'_>]> = stated.chunk_by(same).collect();
    let judged: Vec<RequirementFindings> = requirements
        .par_iter()
        .filter_map(|occurrences| judge_one(occurrences, lookup, signals))
        .collect();

    let mut all = RequirementFindings::default();
    for one in judged {
        all.certain.extend(one.certain);
        all.possible.extend(one.possible);
        all.problems.extend(one.problems);
    }
    all
}

/// Judges one requirement. `None` if it is clean.
fn judge_one(
    stated: &[Stated<'_>],
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
) -> Option<RequirementFindings> {
    let first = stated.first()?;
    let ecosystem = patchgate_ecosystems::by_name(first.ecosystem)?;
    let name = ecosystem.normalize_name(first.name);
    let key = (first.ecosystem, SmolStr::new(&name));
    let records: Vec<&Arc<Advisory>> = lookup
        .advisories
        .get(&key)
        .into_iter()
        .flatten()
        .filter(|record| record.withdrawn.is_none())
        .collect();
    // An address can name another package than the registry's, so its name proves nothing.
    if records.is_empty() && !is_address(first.requirement) {
        return None;
    }

    let mut found = RequirementFindings::default();
    let admitted = match ecosystem.admitted_versions(first.requirement) {
        Ok(admitted) => admitted,
        Err(error) => {
            found.problems = undecided(stated, &error);
            return Some(found);
        }
    };

    let subject = Subject {
        ecosystem,
        distribution: None,
        name: &name,
    };
    let judge = Judge {
        subject,
        stated,
        admitted: &admitted,
        signals,
        declared: &lookup.malicious_prefixes,
    };
    for members in aliases::join(&records) {
        let group: Vec<&Arc<Advisory>> = members
            .iter()
            .filter_map(|member| records.get(*member).copied())
            .collect();
        judge.vulnerability(&group, &mut found);
    }
    Some(found)
}

/// Whether a requirement names an address or a path instead of versions.
fn is_address(requirement: &str) -> bool {
    requirement.contains(['/', '\\'])
        || (requirement.contains(':') && !requirement.starts_with("npm:"))
}

/// One requirement with the versions that it admits.
struct Judge<'a> {
    subject: Subject<'a>,
    stated: &'a [Stated<'a>],
    admitted: &'a VersionSet,
    signals: &'a dyn SignalSource,
    declared: &'a [String],
}

impl Judge<'_> {
    /// Judges the requirement against the records of one vulnerability.
    fn vulnerability(&self, records: &[&Arc<Advisory>], found: &mut RequirementFindings) {
        let mut affected = VersionSet::default();
        let mut matching = Vec::new();
        let mut rest = Vec::new();
        for record in records {
            let set = affected_versions(self.subject, record).and_then(|set| {
                let common = self.admitted.intersection(self.order(), &set);
                common.map_err(|error| format!("cannot be compared: {error}"))
            });
            match set {
                Ok(common) if common.intervals.is_empty() => rest.push(Arc::clone(record)),
                Ok(common) => {
                    affected.intervals.extend(common.intervals);
                    matching.push(Arc::clone(record));
                }
                // A record that names only commits adds nothing to one that names versions.
                Err(reason) if entries(self.subject, record).next().is_some() => {
                    found
                        .problems
                        .extend(self.undetermined(&record.id, &reason));
                    rest.push(Arc::clone(record));
                }
                Err(_) => rest.push(Arc::clone(record)),
            }
        }
        if matching.is_empty() {
            return;
        }

        let Ok(outcome) = self.outcome(&affected, records) else {
            found.problems.extend(self.undetermined(
                matching.first().map_or("", |record| &record.id),
                "cannot be compared",
            ));
            return;
        };
        let group = Group {
            matching: matching.len(),
            records: matching.into_iter().chain(rest).collect(),
        };
        let finding = self.finding(group, outcome, &mut found.problems);
        match finding.requirement.as_ref().map(|known| known.extent) {
            Some(Extent::All) => found.certain.push(finding),
            _ => found.possible.push(finding),
        }
    }

    fn order(&self) -> &dyn Ecosystem {
        self.subject.ecosystem
    }

    /// The affected part of the admitted versions, and the version from which on none is affected.
    fn outcome(
        &self,
        affected: &VersionSet,
        records: &[&Arc<Advisory>],
    ) -> Result<(RequirementMatch, FixedVersion), patchgate_ecosystems::VersionError> {
        let order = self.order();
        let affected = affected.merged(order)?;
        let unaffected = self.admitted.difference(order, &affected)?;
        let extent = match unaffected.intervals.is_empty() {
            true => Extent::All,
            false => Extent::Some,
        };

        let fixed = self.fixed(&affected, records)?;
        let newest_affected = match (&extent, &fixed, affected.intervals.last()) {
            (Extent::All, ..) => Some(true),
            (_, Some(fixed), _) if self.admitted.contains(order, fixed)? => Some(false),
            (_, _, Some(last)) => {
                let above = VersionSet::from(Interval::new(
                    last.lower.clone(),
                    std::ops::Bound::Unbounded,
                ));
                let tail = self.admitted.intersection(order, &above)?;
                tail.is_subset(order, &affected)?.then_some(true)
            }
            _ => None,
        };

        let requirement = self.stated.first().map_or("", |first| first.requirement);
        let matched = RequirementMatch {
            requirement: requirement.to_owned(),
            extent,
            affected: affected.intervals.iter().map(ToString::to_string).collect(),
            newest_affected,
            raised: fixed
                .as_deref()
                .map(|fixed| raised(order, requirement, fixed)),
        };
        let fixed = fixed.map_or_else(
            || {
                FixedVersion::None(
                    "the advisory lists no fixed version above those that the requirement admits"
                        .to_owned(),
                )
            },
            FixedVersion::At,
        );
        Ok((matched, fixed))
    }

    /// The smallest fixed version of the records from which on no admitted version is affected.
    fn fixed(
        &self,
        affected: &VersionSet,
        records: &[&Arc<Advisory>],
    ) -> Result<Option<String>, patchgate_ecosystems::VersionError> {
        let order = self.order();
        let mut everything = VersionSet::default();
        for record in records {
            if let Ok(set) = affected_versions(self.subject, record) {
                everything.intervals.extend(set.intervals);
            }
        }

        let mut candidates: Vec<&SmolStr> = records
            .iter()
            .flat_map(|record| entries(self.subject, record))
            .flat_map(|entry| &entry.ranges)
            .flat_map(|range| &range.events)
            .filter(|event| event.kind == EventKind::Fixed)
            .map(|event| &event.version)
            .filter(|version| order.compare_versions(version, version).is_ok())
            .collect();
        candidates.sort_by(|a, b| {
            order
                .compare_versions(a, b)
                .unwrap_or(std::cmp::Ordering::Equal)
        });

        for version in candidates {
            let from = VersionSet::from(Interval::at_least(version));
            if !everything.contains(order, version)?
                && affected.intersection(order, &from)?.is_empty(order)?
            {
                return Ok(Some(version.to_string()));
            }
        }
        Ok(None)
    }

    fn finding(
        &self,
        group: Group,
        (matched, fixed): (RequirementMatch, FixedVersion),
        problems: &mut Vec<Problem>,
    ) -> Finding {
        let first = self.stated.first();
        let name = first.map_or("", |first| first.name);
        let version = Version {
            ecosystem: self.order().name(),
            distribution: None,
            name,
            version: "",
            source: None,
        };
        let step = match matched.requirement.as_str() {
            "" => name.to_owned(),
            requirement => format!("{name}@{requirement}"),
        };
        let locations: BTreeSet<Location> =
            self.stated.iter().map(|one| one.location.clone()).collect();
        let occurrences = Occurrences {
            locations: locations.into_iter().collect(),
            paths: vec![vec![step]],
            scope: self
                .stated
                .iter()
                .map(|one| one.scope)
                .min()
                .unwrap_or_default(),
            purl: self.order().purl(name, ""),
        };

        let finding = group.into_finding(
            self.order(),
            version,
            &occurrences,
            self.signals,
            self.declared,
            problems,
        );
        Finding {
            fixed,
            requirement: Some(matched),
            ..finding
        }
    }

    fn undetermined(&self, id: &str, reason: &str) -> Vec<Problem> {
        let of_one = |one: &Stated<'_>| Problem {
            kind: ProblemKind::Version,
            subject: one.location.file.clone(),
            line: Some(one.location.line),
            reason: format!(
                "it is unknown whether `{}` {} is affected: `{id}` {reason}",
                one.name, one.requirement
            ),
            hint: Some("read the advisory and decide by hand".to_owned()),
        };
        self.stated.iter().map(of_one).collect()
    }
}

/// The requirement that admits no version below a fixed one: in the style of the present one if that
/// is possible.
fn raised(ecosystem: &dyn Ecosystem, requirement: &str, fixed: &str) -> String {
    ecosystem
        .upgradable()
        .filter(|_| !requirement.is_empty())
        .and_then(|upgradable| upgradable.raise_requirement(requirement, fixed).ok())
        .unwrap_or_else(|| ecosystem.at_least(fixed))
}

/// The problems of a requirement whose versions are unknown.
fn undecided(stated: &[Stated<'_>], error: &RequirementError) -> Vec<Problem> {
    let of_one = |one: &Stated<'_>| Problem {
        kind: ProblemKind::Unresolved,
        subject: one.location.file.clone(),
        line: Some(one.location.line),
        reason: format!(
            "requires `{}`, and the requirement {}",
            one.name, error.reason
        ),
        hint: Some("lock the version, or leave the file out with `--exclude`".to_owned()),
    };
    stated.iter().map(of_one).collect()
}
