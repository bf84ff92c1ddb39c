//! The set of versions that a record affects.

use patchgate_ecosystems::{Interval, VersionSet};
use patchgate_model::{Advisory, Affected, RangeKind};

use super::{Subject, entries};

/// The versions of a package that a record affects: empty if it says nothing about the package or
/// is withdrawn.
///
/// For every version, [`super::affects`] gives the same answer.
///
/// # Errors
/// If the set cannot be determined: the reason is a lower-case fragment that follows the record's
/// id.
pub(crate) fn affected_versions(
    subject: Subject<'_>,
    advisory: &Advisory,
) -> Result<VersionSet, String> {
    let mut set = VersionSet::default();
    if advisory.withdrawn.is_some() {
        return Ok(set);
    }

    for entry in entries(subject, advisory) {
        if entry.ranges.is_empty() && entry.versions.is_empty() {
            return Err("lists the package without any version".to_owned());
        }
        set.intervals.extend(of_ranges(subject, entry)?.intervals);
        set.intervals.extend(listed(subject, entry, &set));
    }

    Ok(set)
}

fn of_ranges(subject: Subject<'_>, entry: &Affected) -> Result<VersionSet, String> {
    let mut set = VersionSet::default();
    for range in &entry.ranges {
        match range.kind {
            RangeKind::Semver | RangeKind::Ecosystem => {
                let of_range = VersionSet::of_range(subject.ecosystem, range)
                    .map_err(|error| format!("cannot be compared: {error}"))?;
                set.intervals.extend(of_range.intervals);
            }
            RangeKind::Git => {}
            RangeKind::Other => return Err("has a range of an unknown kind".to_owned()),
        }
    }

    Ok(set)
}

/// The versions that an entry lists one by one, without those in its ranges. A text that is no
/// version of the ecosystem equals only the same text, which no requirement admits.
fn listed<'a>(
    subject: Subject<'a>,
    entry: &'a Affected,
    ranges: &VersionSet,
) -> impl Iterator<Item = Interval> + use<'a> {
    let ranges = ranges.clone();
    entry
        .versions
        .iter()
        .filter(move |version| {
            ranges
                .contains(subject.ecosystem, version)
                .is_ok_and(|inside| !inside)
                && subject.ecosystem.compare_versions(version, version).is_ok()
        })
        .map(|version| Interval::exactly(version))
}

#[cfg(test)]
mod tests;
