//! Findings about requirements for which no file states a version: the set of versions that a
//! requirement admits against the sets that the records affect.
//!
//! If every admitted version is affected, the finding is as certain as one about a locked version.
//! If some are, it is a possible finding. If none is, the requirement is clean.

mod explain;
mod vulnerability;

use std::collections::BTreeSet;
use std::sync::Arc;

use patchgate_ecosystems::RequirementError;
use patchgate_model::{
    Advisory, EcosystemName, Finding, Inventory, Location, Problem, ProblemKind, Scope, SmolStr,
    Unresolved,
};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use self::vulnerability::Judge;
use super::aliases;
use crate::matching::Subject;
use crate::{AdvisoryLookup, SignalSource};

pub(super) use explain::explain;

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
    let requirements: Vec<&[Stated<'_>]> = stated.chunk_by(is_same).collect();
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

fn is_same(a: &Stated<'_>, b: &Stated<'_>) -> bool {
    (a.ecosystem, a.name, a.requirement) == (b.ecosystem, b.name, b.requirement)
}

fn locations(stated: &[Stated<'_>]) -> Vec<Location> {
    let locations: BTreeSet<Location> = stated.iter().map(|one| one.location.clone()).collect();
    locations.into_iter().collect()
}

/// The records in force about a package with a normalised name.
fn records<'a>(
    lookup: &'a AdvisoryLookup,
    ecosystem: EcosystemName,
    name: &str,
) -> Vec<&'a Arc<Advisory>> {
    lookup
        .advisories
        .get(&(ecosystem, SmolStr::new(name)))
        .into_iter()
        .flatten()
        .filter(|record| record.withdrawn.is_none())
        .collect()
}

/// Judges one requirement. `None` if it is clean.
fn judge_one(
    stated: &[Stated<'_>],
    lookup: &AdvisoryLookup,
    signals: &dyn SignalSource,
) -> Option<RequirementFindings> {
    let first = stated.first()?;
    let mut found = RequirementFindings::default();
    let Some(ecosystem) = patchgate_ecosystems::by_name(first.ecosystem) else {
        let reason = format!(
            "is of the ecosystem `{}`, which is not known",
            first.ecosystem
        );
        let error = RequirementError::new(first.requirement, reason);
        found.problems = undecided(stated, &error);
        return Some(found);
    };

    let name = ecosystem.normalize_name(first.name);
    let records = records(lookup, first.ecosystem, &name);
    if has_property(first.name) {
        let error = RequirementError::new(
            first.name,
            "is of a package whose name has an unset property",
        );
        found.problems = undecided(stated, &error);
        return Some(found);
    }
    // An address can name another package than the registry's, so its name proves nothing.
    if records.is_empty() && !is_address(first.requirement) {
        return None;
    }

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

/// Whether a requirement names an address or a path instead of versions, or an entry of a workspace
/// that was not found.
fn is_address(requirement: &str) -> bool {
    requirement.contains(['/', '\\'])
        || requirement.starts_with("workspace")
        || (requirement.contains(':') && !requirement.starts_with("npm:"))
}

/// Whether a name contains a property of Maven or MSBuild whose value is unknown.
fn has_property(name: &str) -> bool {
    ["${", "$(", "@(", "%("]
        .iter()
        .any(|start| name.contains(start))
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

#[cfg(test)]
mod tests;
