//! A repository's own history of updates: whether it kept them or went back.
//!
//! The history is a sequence of states of one lockfile, each with the versions of its packages. An
//! update is a state in which a package has a higher version than before. It was *reverted* when a
//! later state takes the package back below that version before it gets a higher one, and *kept*
//! when it was replaced by a higher one, or is older than [`KEPT_AFTER_DAYS`]. An update that is
//! younger says nothing yet.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Ecosystem;
use patchgate_model::{EcosystemName, Share, UpdateHistory, UpdatePrior, UpdateRecord};

use crate::Beta;

/// Days after which an update that is still there counts as kept.
pub const KEPT_AFTER_DAYS: i64 = 7;

/// The weight of a published prior, in observations. It is small: a few updates of the repository
/// itself say more.
const PRIOR_WEIGHT: u32 = 2;

/// The ends of the interval with nine tenths of the distribution.
const INTERVAL: (f64, f64) = (0.05, 0.95);

/// A state of a lockfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedVersions {
    /// Time of the commit, in seconds since 1970.
    pub time: i64,
    /// The versions of each package.
    pub versions: BTreeMap<String, BTreeSet<String>>,
}

/// Updates that were kept or reverted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpdateCounts {
    /// Updates that stayed.
    pub kept: u32,
    /// Updates that were taken back.
    pub reverted: u32,
}

/// The updates in a history, by package. `states` are in the order of time, and `now` is the time
/// of the present, in seconds since 1970.
///
/// A package that has several versions in a state counts with its highest: which of them was
/// updated is not in the states.
#[must_use]
pub fn updates(
    ecosystem: &dyn Ecosystem,
    states: &[LockedVersions],
    now: i64,
) -> BTreeMap<String, UpdateCounts> {
    let mut series: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for state in states {
        for (name, versions) in &state.versions {
            let Some(highest) = highest(ecosystem, versions) else {
                continue;
            };
            let of_package = series.entry(name).or_default();
            if of_package.last().is_none_or(|(_, last)| *last != highest) {
                of_package.push((state.time, highest));
            }
        }
    }

    series
        .into_iter()
        .map(|(name, series)| (name.to_owned(), counts(ecosystem, &series, now)))
        .filter(|(_, counts)| *counts != UpdateCounts::default())
        .collect()
}

/// The highest version; `None` if one of them has no place in the order.
fn highest<'v>(ecosystem: &dyn Ecosystem, versions: &'v BTreeSet<String>) -> Option<&'v str> {
    let mut highest: Option<&str> = None;
    for version in versions {
        let is_higher = match highest {
            Some(known) => ecosystem.compare_versions(version, known).ok()?.is_gt(),
            None => true,
        };
        if is_higher {
            highest = Some(version);
        }
    }

    highest
}

fn counts(ecosystem: &dyn Ecosystem, series: &[(i64, &str)], now: i64) -> UpdateCounts {
    let order = |a: &str, b: &str| ecosystem.compare_versions(a, b).ok();
    let mut counts = UpdateCounts::default();
    for (index, pair) in series.windows(2).enumerate() {
        let [(_, from), (time, to)] = pair else {
            continue;
        };
        if order(to, from) != Some(Ordering::Greater) {
            continue;
        }

        match series.get(index + 2).and_then(|(_, next)| order(next, to)) {
            Some(Ordering::Less) => counts.reverted += 1,
            Some(_) => counts.kept += 1,
            None if now - time >= KEPT_AFTER_DAYS * 24 * 60 * 60 => counts.kept += 1,
            None => {}
        }
    }

    counts
}

/// The history of one package and of its lockfile, as estimates.
#[must_use]
pub fn history(
    ecosystem: EcosystemName,
    is_breaking: bool,
    package: UpdateCounts,
    all: UpdateCounts,
) -> UpdateHistory {
    let prior = prior(ecosystem, is_breaking);
    UpdateHistory {
        package: record(package, prior.as_ref()),
        lockfile: record(all, prior.as_ref()),
        prior,
    }
}

/// The posterior of the share of updates that are kept: Beta-Binomial, from the prior or, without
/// one, from the uniform distribution. Nothing is estimated from nothing.
fn record(counts: UpdateCounts, prior: Option<&UpdatePrior>) -> UpdateRecord {
    let UpdateCounts { kept, reverted } = counts;
    let start = match prior {
        Some(prior) => Beta::with_mean(prior.mean.value(), f64::from(PRIOR_WEIGHT)),
        None => Beta::new(1.0, 1.0),
    };
    let posterior = start.after(kept, reverted);
    let is_known = kept + reverted > 0;
    let known = |value: f64| is_known.then(|| Share::new(value));

    UpdateRecord {
        kept,
        reverted,
        mean: known(posterior.mean()),
        low: known(posterior.quantile(INTERVAL.0)),
        high: known(posterior.quantile(INTERVAL.1)),
    }
}

/// The published share of updates that hold. There is none for PyPI, RubyGems, Packagist and NuGet,
/// and none for updates that may break, but for npm's.
fn prior(ecosystem: EcosystemName, is_breaking: bool) -> Option<UpdatePrior> {
    let (mean, source) = match (ecosystem.as_str(), is_breaking) {
        ("crates.io", false) => (
            1.0 - 1.0 / 31.0,
            "crates.io: 1 in 31 minor or patch releases breaks semantic versioning",
        ),
        ("Go", false) => (
            1.0 - 0.286,
            "Go: 28.6 % of releases that are not major change the API",
        ),
        ("Maven", false) => (1.0 - 0.079, "Maven: 7.9 % of clients are affected"),
        ("npm", _) => (0.654, "npm: 65.4 % of security updates are accepted"),
        _ => return None,
    };

    Some(UpdatePrior {
        mean: Share::new(mean),
        weight: PRIOR_WEIGHT,
        source: source.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::by_name;

    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    fn states(versions: &[&str]) -> Vec<LockedVersions> {
        (0..)
            .zip(versions)
            .map(|(day, versions)| LockedVersions {
                time: day * DAY,
                versions: BTreeMap::from([(
                    "a".to_owned(),
                    versions.split(' ').map(str::to_owned).collect(),
                )]),
            })
            .collect()
    }

    fn counted(versions: &[&str], today: i64) -> (u32, u32) {
        let ecosystem = by_name(EcosystemName::new("npm")).unwrap();
        let updates = updates(ecosystem, &states(versions), today * DAY);
        let counts = updates.get("a").copied().unwrap_or_default();
        (counts.kept, counts.reverted)
    }

    #[test]
    fn an_update_is_kept_reverted_or_too_young() {
        assert_eq!(counted(&["1.0.0", "1.0.1", "1.0.2"], 3), (1, 0));
        assert_eq!(counted(&["1.0.0", "1.0.1", "1.0.2"], 30), (2, 0));
        assert_eq!(counted(&["1.0.0", "2.0.0", "1.0.0", "2.0.0"], 30), (1, 1));
        assert_eq!(counted(&["1.0.0"], 30), (0, 0));
        assert_eq!(counted(&["2.0.0", "1.0.0"], 30), (0, 0));
        assert_eq!(counted(&["1.0.0 3.0.0", "2.0.0 3.0.0"], 30), (0, 0));
        assert_eq!(counted(&["x", "y"], 30), (0, 0));
    }

    #[test]
    fn an_estimate_has_its_interval_and_its_prior() {
        let seen = UpdateCounts {
            kept: 9,
            reverted: 1,
        };
        let known = history(EcosystemName::new("PyPI"), false, seen, seen);
        assert_eq!(known.prior, None);
        let (mean, low, high) = (
            known.package.mean.unwrap(),
            known.package.low.unwrap(),
            known.package.high.unwrap(),
        );
        assert_eq!(mean, Share::new(10.0 / 12.0));
        assert!(low < mean && mean < high);

        let nothing = UpdateCounts::default();
        let unknown = history(EcosystemName::new("Go"), false, nothing, seen);
        assert_eq!(unknown.package.mean, None);
        assert!(unknown.lockfile.mean.is_some());
        assert!(unknown.prior.unwrap().source.starts_with("Go"));
        assert_eq!(
            history(EcosystemName::new("Go"), true, seen, seen).prior,
            None
        );
    }
}
