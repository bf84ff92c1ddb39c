//! The versions that a requirement of npm admits, as a set.

use std::ops::Bound;

use patchgate_model::SmolStr;

use super::range::{Alternative, Comparator, Operator};
use super::{is_tag, read};
use crate::npm::Npm;
use crate::{Interval, Prereleases, RequirementError, VersionSet};

/// The versions that a requirement admits. A tag can point to any version.
pub(in crate::npm) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    let range = match read(requirement) {
        Ok(range) => range,
        Err(_) if is_tag(requirement.trim()) => return Ok(VersionSet::all()),
        Err(error) => return Err(error),
    };

    // npm ignores the other alternatives beside `*`.
    let any = |alternative: &&Alternative<'_>| alternative.comparators().is_empty();
    if let Some(any) = range.alternatives.iter().find(any) {
        return interval(any, requirement).map(VersionSet::from);
    }
    range
        .alternatives
        .iter()
        .map(|alternative| interval(alternative, requirement))
        .collect()
}

/// The interval of an alternative: the intersection of its comparators.
fn interval(
    alternative: &Alternative<'_>,
    requirement: &str,
) -> Result<Interval, RequirementError> {
    let all = VersionSet::all();
    let mut admitted = all;
    let mut releases = Vec::new();
    for comparator in alternative.comparators() {
        if !comparator.prerelease.is_empty() {
            let [major, minor, patch] = comparator.numbers;
            releases.push(SmolStr::from(format!("{major}.{minor}.{patch}")));
        }
        admitted = admitted
            .intersection(&Npm, &VersionSet::from(bounds(&comparator)))
            .map_err(|error| RequirementError::new(requirement, error.to_string()))?;
    }

    // Comparators that exclude each other admit nothing.
    let interval = admitted.intervals.pop();
    Ok(interval
        .unwrap_or_else(|| Interval::between("0.0.0-0", "0.0.0-0"))
        .with_prereleases(Prereleases::Of(releases)))
}

fn bounds(comparator: &Comparator<'_>) -> Interval {
    let [major, minor, patch] = comparator.numbers;
    let version = match comparator.prerelease {
        "" => format!("{major}.{minor}.{patch}"),
        prerelease => format!("{major}.{minor}.{patch}-{prerelease}"),
    };
    let version = SmolStr::from(version);

    match comparator.operator {
        Operator::Greater => Interval::new(Bound::Excluded(version), Bound::Unbounded),
        Operator::GreaterEqual => Interval::new(Bound::Included(version), Bound::Unbounded),
        Operator::Less => Interval::new(Bound::Unbounded, Bound::Excluded(version)),
        Operator::LessEqual => Interval::new(Bound::Unbounded, Bound::Included(version)),
        // Comparators have no tilde and no caret: they were reduced to bounds.
        Operator::Equal | Operator::Tilde | Operator::Caret => Interval::exactly(&version),
    }
}
