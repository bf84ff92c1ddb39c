//! Slots: the places of a graph that can hold one version of a package.
//!
//! All copies of a lockfile that have the same name and version share a slot and change together. A
//! package that comes in has a slot of its own.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use patchgate_ecosystems::{Release, Upgradable};
use patchgate_model::{Bump, Origin, Package, PackageIndex};

use crate::request::{Judged, Request};

/// Index of a slot.
pub(crate) type SlotId = usize;

/// The choice of a slot: 0 for the locked version, and `i + 1` for candidate `i`.
pub(crate) type Choice = u32;

/// The locked version of a slot.
pub(crate) const LOCKED: Choice = 0;

/// One slot.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    pub(crate) name: String,
    /// The copies of the lockfile; empty for a package that is new.
    pub(crate) copies: Vec<PackageIndex>,
    /// The first of them.
    pub(crate) package: Option<&'a Package>,
    /// Distance from the projects, in edges.
    pub(crate) depth: usize,
    /// Why its version cannot change.
    pub(crate) frozen: Option<String>,
    /// Ids of the findings that its candidates may have as well.
    pub(crate) own: BTreeSet<String>,
    /// The line of compatible versions to which it is bound, in ecosystems with one slot for each.
    pub(crate) line: Option<usize>,
    /// The releases that it may take, the preferred one first. Empty until the releases are known.
    pub(crate) candidates: Vec<Candidate<'a>>,
}

/// A release that a slot may take.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) release: &'a Release,
    /// Size of the step from the locked version.
    pub(crate) bump: Bump,
    pub(crate) findings: Judged,
    /// Why it cannot be used.
    pub(crate) refusal: Option<String>,
}

impl<'a> Slot<'a> {
    /// Whether it has releases to choose from.
    pub(crate) fn has_candidates(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// The release of a choice. `None` for the locked version.
    pub(crate) fn release(&self, choice: Choice) -> Option<&'a Release> {
        let index = (choice as usize).checked_sub(1)?;
        self.candidates
            .get(index)
            .map(|candidate| candidate.release)
    }

    /// The version of a choice.
    pub(crate) fn version(&self, choice: Choice) -> &str {
        match self.release(choice) {
            Some(release) => &release.version,
            None => self.locked_version().unwrap_or_default(),
        }
    }

    pub(crate) fn locked_version(&self) -> Option<&'a str> {
        self.package.map(|package| package.version.as_str())
    }

    /// Every choice that it has.
    pub(crate) fn choices(&self) -> impl Iterator<Item = Choice> + use<> {
        let first = if self.package.is_some() { LOCKED } else { 1 };
        let last = Choice::try_from(self.candidates.len()).unwrap_or(Choice::MAX);
        first..=last
    }
}

/// Why the version of a copy cannot change, when it cannot.
pub(crate) fn frozen(
    package: &Package,
    is_shipped: bool,
    stated: Option<&String>,
) -> Option<String> {
    let name = &package.name;
    if let Some(reason) = stated {
        return Some(reason.clone());
    }

    match &package.origin {
        Origin::Registry(_) if is_shipped => {
            Some(format!("`{name}` is shipped inside its parent's archive"))
        }
        Origin::Registry(_) => None,
        Origin::Git { .. } => Some(format!(
            "`{name}` comes from a git repository, not from a registry"
        )),
        Origin::Path(_) => Some(format!("`{name}` is a directory of this repository")),
        Origin::Url(_) => Some(format!(
            "`{name}` comes from an address outside any registry"
        )),
    }
}

/// The lines of compatible versions of a package: for each release, in ascending order, the index of
/// the first release of its line.
pub(crate) fn lines(ecosystem: &dyn Upgradable, releases: &[Release]) -> Vec<usize> {
    let mut lines = Vec::with_capacity(releases.len());
    let mut first = 0;
    for (index, release) in releases.iter().enumerate() {
        let start = releases.get(first).map(|start| start.version.as_str());
        let is_compatible = start.is_some_and(|start| {
            // A pre-release belongs to the line of its release.
            let of_start = ecosystem.release_of(start);
            let start = of_start.as_deref().unwrap_or(start);
            let of_own = ecosystem.release_of(&release.version);
            let own = of_own.as_deref().unwrap_or(&release.version);
            ecosystem
                .bump(start, own)
                .is_ok_and(|bump| bump != Bump::Major)
        });
        if !is_compatible {
            first = index;
        }
        lines.push(first);
    }

    lines
}

/// The line of a version that may not be among the releases.
pub(crate) fn line_of(
    ecosystem: &dyn Upgradable,
    releases: &[Release],
    lines: &[usize],
    version: &str,
) -> Option<usize> {
    if let Some(index) = releases
        .iter()
        .position(|release| release.version == version)
    {
        return lines.get(index).copied();
    }

    lines.iter().copied().find(|first| {
        releases.get(*first).is_some_and(|start| {
            let (low, high) = match ecosystem.compare_versions(&start.version, version) {
                Ok(Ordering::Greater) => (version, start.version.as_str()),
                _ => (start.version.as_str(), version),
            };
            ecosystem
                .bump(low, high)
                .is_ok_and(|bump| bump != Bump::Major)
        })
    })
}

/// The candidates of a locked slot: releases above its version, in the order of preference.
/// Pre-releases come last and only where the locked version is one; yanked releases only where no
/// others exist and the manager installs them.
pub(crate) fn above<'a>(
    request: &Request<'a>,
    releases: &'a [Release],
    installed: &str,
    in_reach: &dyn Fn(usize) -> bool,
) -> Vec<&'a Release> {
    let ecosystem = request.ecosystem;
    let is_prerelease = |version: &str| ecosystem.is_prerelease(version).unwrap_or(true);
    let keeps_prereleases = is_prerelease(installed);
    let mut above: Vec<&Release> = releases
        .iter()
        .enumerate()
        .filter(|(index, release)| {
            in_reach(*index)
                && ecosystem.compare_versions(&release.version, installed) == Ok(Ordering::Greater)
                && (keeps_prereleases || !is_prerelease(&release.version))
        })
        .map(|(_, release)| release)
        .collect();

    let installed_yanked = releases
        .iter()
        .any(|release| release.version == installed && release.yanked);
    let with_yanked = request.yanked_installable
        && (installed_yanked || above.iter().all(|release| release.yanked));
    above.retain(|release| with_yanked || !release.yanked);

    // A stable release above is preferred to a pre-release. The sort keeps the order otherwise.
    above.sort_by_key(|release| is_prerelease(&release.version));
    if request.options.newest {
        let stable = above
            .iter()
            .take_while(|release| !is_prerelease(&release.version))
            .count();
        above[..stable].reverse();
        above[stable..].reverse();
    }

    above
}

/// The candidates of a slot for a new package: the newest release first, or the oldest, as the package
/// manager chooses.
pub(crate) fn for_new<'a>(
    request: &Request<'a>,
    releases: &'a [Release],
    in_reach: &dyn Fn(usize) -> bool,
) -> Vec<&'a Release> {
    let ecosystem = request.ecosystem;
    let mut newest: Vec<&Release> = releases
        .iter()
        .enumerate()
        .rev()
        .filter(|(index, release)| in_reach(*index) && !release.yanked)
        .map(|(_, release)| release)
        .collect();
    if !ecosystem.prefers_newest() {
        newest.reverse();
    }
    newest.sort_by_key(|release| ecosystem.is_prerelease(&release.version).unwrap_or(true));

    newest
}
