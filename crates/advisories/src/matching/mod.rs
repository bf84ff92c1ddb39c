//! Matching of versions against records: the evaluation algorithm of the OSV schema
//! (<https://ossf.github.io/osv-schema/#evaluation>), with a third answer for undetermined cases.

mod affected_set;
mod commit;
mod distribution;
mod evidence;

use std::cmp::Ordering;

pub(crate) use affected_set::affected_versions;
pub(crate) use commit::affects_commit;
pub use evidence::evidence;
use patchgate_ecosystems::Ecosystem;
use patchgate_model::{Advisory, Affected, EventKind, FixedVersion, Range, RangeKind, SmolStr};

/// Whether a record affects a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affects {
    /// The version is affected.
    Yes,
    /// The version is not affected.
    No,
    /// Undetermined, with the reason: a lower-case fragment that follows the record's id.
    Unknown(String),
}

/// The package that is matched.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Ecosystem of the package.
    pub ecosystem: &'a dyn Ecosystem,
    /// Release of its distribution, for a package of an operating system; `None` matches entries
    /// of every release.
    pub distribution: Option<&'a str>,
    /// Name of the package, normalised by the ecosystem's rule.
    pub name: &'a str,
}

/// Whether `advisory` affects `version` of a package.
///
/// A withdrawn record affects nothing. Ranges of git commits say nothing about versions and are
/// skipped. A version that cannot be compared gives [`Affects::Unknown`], unless another entry of
/// the record gives [`Affects::Yes`].
#[must_use]
pub fn affects(subject: Subject<'_>, advisory: &Advisory, version: &str) -> Affects {
    if advisory.withdrawn.is_some() {
        return Affects::No;
    }

    let mut answer = Affects::No;
    for entry in entries(subject, advisory) {
        match entry_affects(subject.ecosystem, entry, version) {
            Affects::Yes => return Affects::Yes,
            Affects::Unknown(reason) => answer = Affects::Unknown(reason),
            Affects::No => {}
        }
    }

    answer
}

/// The entries of a record for a package.
pub(crate) fn entries<'a>(
    subject: Subject<'a>,
    advisory: &'a Advisory,
) -> impl Iterator<Item = &'a Affected> {
    advisory.affected.iter().filter(move |entry| {
        entry.ecosystem == subject.ecosystem.name()
            && subject.ecosystem.normalize_name(&entry.name) == subject.name
            && distribution::fits(
                subject.ecosystem,
                entry.distribution.as_deref(),
                subject.distribution,
            )
    })
}

fn entry_affects(ecosystem: &dyn Ecosystem, entry: &Affected, version: &str) -> Affects {
    if entry.versions.iter().any(|listed| listed == version) {
        return Affects::Yes;
    }
    // An invalid version equals only the same text, which was compared above.
    let equals = |listed: &SmolStr| {
        ecosystem
            .compare_versions(listed, version)
            .is_ok_and(|order| order == Ordering::Equal)
    };

    if entry.versions.iter().any(equals) {
        return Affects::Yes;
    }
    if entry.ranges.is_empty() && entry.versions.is_empty() {
        return Affects::Unknown("lists the package without any version".to_owned());
    }

    let mut answer = Affects::No;
    for range in &entry.ranges {
        match range.kind {
            RangeKind::Semver | RangeKind::Ecosystem => {}
            RangeKind::Git => continue,
            RangeKind::Other => {
                answer = Affects::Unknown("has a range of an unknown kind".to_owned());
                continue;
            }
        }

        match range_affects(ecosystem, range, version) {
            Ok(true) => return Affects::Yes,
            Ok(false) => {}
            Err(error) => answer = Affects::Unknown(error),
        }
    }

    answer
}

/// Whether a version lies in a range.
///
/// In the schema's algorithm the events are sorted, and each one at or below the version switches
/// the answer. The last switch decides, so it is enough to find the greatest event that applies.
fn range_affects(ecosystem: &dyn Ecosystem, range: &Range, version: &str) -> Result<bool, String> {
    let compare = |a: &str, b: &str| {
        ecosystem
            .compare_versions(a, b)
            .map_err(|error| format!("cannot be compared: {error}"))
    };
    let mut limits = 0;
    let mut before_a_limit = false;

    let mut last: Option<(&str, EventKind)> = None;
    for event in &range.events {
        if event.kind == EventKind::Limit {
            limits += 1;
            before_a_limit |=
                event.version == "*" || compare(version, &event.version)? == Ordering::Less;
            continue;
        }

        let starts_before_all = event.kind == EventKind::Introduced && event.version == "0";
        if !starts_before_all {
            let order = compare(version, &event.version)?;
            let applies = match event.kind {
                EventKind::LastAffected => order == Ordering::Greater,
                _ => order != Ordering::Less,
            };
            if !applies {
                continue;
            }
        }

        let is_later = match last {
            None => true,
            Some(_) if starts_before_all => false,
            Some(("0", EventKind::Introduced)) => true,
            Some((known, known_kind)) => match compare(&event.version, known)? {
                Ordering::Greater => true,
                Ordering::Less => false,
                // `last_affected` ends what begins at the same version. Otherwise the order in
                // which the record lists them decides.
                Ordering::Equal => {
                    event.kind == EventKind::LastAffected || known_kind != EventKind::LastAffected
                }
            },
        };

        if is_later {
            last = Some((&event.version, event.kind));
        }
    }

    let inside = last.is_some_and(|(_, kind)| kind == EventKind::Introduced);
    Ok(inside && (limits == 0 || before_a_limit))
}

/// The smallest version above `installed` that none of `advisories` affects.
///
/// `advisories` are all records of one vulnerability. The candidates are the fixed versions of their
/// ranges; only a registry knows other versions.
#[must_use]
pub fn fixed_version(
    subject: Subject<'_>,
    advisories: &[&Advisory],
    installed: &str,
) -> FixedVersion {
    let ecosystem = subject.ecosystem;
    let StatedVersions {
        mut fixed,
        last_affected,
        lists_versions,
    } = StatedVersions::of(subject, advisories);
    let has_fixed = !fixed.is_empty();
    let is_incomparable = |version: &&str| ecosystem.compare_versions(version, installed).is_err();
    let has_incomparable = fixed.iter().any(is_incomparable);

    fixed.retain(|version| {
        ecosystem
            .compare_versions(version, installed)
            .is_ok_and(|order| order == Ordering::Greater)
    });
    // All versions that are left can be compared, so the fallback is never used.
    fixed.sort_by(|a, b| ecosystem.compare_versions(a, b).unwrap_or(Ordering::Equal));
    let is_clean = |version: &&&str| {
        advisories
            .iter()
            .all(|advisory| affects(subject, advisory, version) == Affects::No)
    };
    if let Some(version) = fixed.iter().find(is_clean) {
        return FixedVersion::At((*version).to_owned());
    }

    FixedVersion::None(match (has_fixed, last_affected, lists_versions) {
        (true, _, _) if fixed.is_empty() && has_incomparable => {
            "whether a release fixes it is unknown: a fixed version that the advisory lists cannot \
             be compared with the installed one"
                .to_owned()
        }
        (true, _, _) if fixed.is_empty() => {
            "no release above the installed one fixes it: every fixed version that the advisory \
             lists is below it"
                .to_owned()
        }
        (true, _, _) => {
            "no release fixes it: every fixed version that the advisory lists is affected by \
             another range of it"
                .to_owned()
        }
        (false, Some(last), _) => format!(
            "the advisory lists no fixed version, only the last affected one: a version after {last}"
        ),
        (false, None, true) => {
            "the advisory lists affected versions one by one and no fixed version".to_owned()
        }
        (false, None, false) => match fixed_commit(advisories) {
            Some(commit) => {
                format!("the advisory lists no fixed version, only fixed commits: {commit}")
            }
            None => "no release fixes it: the advisory lists no fixed version".to_owned(),
        },
    })
}

/// The versions of a package at which the ranges of a vulnerability's records end.
#[derive(Default)]
struct StatedVersions<'a> {
    /// Fixed versions, in the order of the records.
    fixed: Vec<&'a str>,
    /// The last affected version of the last range that states one.
    last_affected: Option<&'a str>,
    /// Whether a record lists affected versions one by one.
    lists_versions: bool,
}

impl<'a> StatedVersions<'a> {
    fn of(subject: Subject<'a>, advisories: &[&'a Advisory]) -> Self {
        let mut stated = Self::default();
        for advisory in advisories {
            for entry in entries(subject, advisory) {
                stated.lists_versions |= !entry.versions.is_empty();
                let ranges = entry
                    .ranges
                    .iter()
                    .filter(|range| matches!(range.kind, RangeKind::Semver | RangeKind::Ecosystem));

                for event in ranges.flat_map(|range| &range.events) {
                    match event.kind {
                        EventKind::Fixed => stated.fixed.push(&event.version),
                        EventKind::LastAffected => stated.last_affected = Some(&event.version),
                        EventKind::Introduced | EventKind::Limit => {}
                    }
                }
            }
        }

        stated
    }
}

/// The first commit that a record lists as fixed.
fn fixed_commit<'a>(advisories: &[&'a Advisory]) -> Option<&'a str> {
    let entries = advisories.iter().flat_map(|record| &record.affected);
    entries
        .flat_map(|entry| &entry.ranges)
        .filter(|range| range.kind == RangeKind::Git)
        .flat_map(|range| &range.events)
        .find(|event| event.kind == EventKind::Fixed)
        .map(|event| event.version.as_str())
}

#[cfg(test)]
mod tests;
