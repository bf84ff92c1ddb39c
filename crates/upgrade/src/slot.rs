//! Slots: the places of a graph that can hold one version of a package.
//!
//! All copies of a lockfile that have the same name and version share a slot and change together. A
//! package that comes in has a slot of its own.

use std::collections::BTreeSet;

use patchgate_ecosystems::Release;
use patchgate_model::{Bump, Origin, Package, PackageIndex};

use crate::request::{Judged, Request};
use crate::versions::{Above, Listed, Place};

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

/// The candidates of a locked slot: releases above its version, in the order of preference, each with
/// the size of the step to it. Pre-releases come last and only where the locked version is one; yanked
/// releases only where no others exist and the manager installs them.
pub(crate) fn above<'a>(
    request: &Request<'a>,
    releases: &'a [Release],
    (installed, place): (&str, &Place),
    in_reach: &dyn Fn(usize) -> bool,
) -> Vec<(&'a Release, Bump)> {
    let above = place.above.iter();
    let mut above: Vec<(&Release, Above)> = above
        .filter(|above| in_reach(above.index) && (place.is_prerelease || !above.is_prerelease))
        .filter_map(|above| Some((releases.get(above.index)?, *above)))
        .collect();

    let installed_yanked = releases
        .iter()
        .any(|release| release.yanked && release.version == installed);
    let with_yanked = request.yanked_installable
        && (installed_yanked || above.iter().all(|(release, _)| release.yanked));
    above.retain(|(release, _)| with_yanked || !release.yanked);

    // A stable release above is preferred to a pre-release. The sort keeps the order otherwise.
    above.sort_by_key(|(_, above)| above.is_prerelease);
    if request.options.newest {
        let is_stable = |(_, above): &&(&Release, Above)| !above.is_prerelease;
        let stable = above.iter().take_while(is_stable).count();
        above[..stable].reverse();
        above[stable..].reverse();
    }

    let with_step = |(release, above): (&'a Release, Above)| (release, above.bump);
    above.into_iter().map(with_step).collect()
}

/// The candidates of a slot for a new package: the newest release first, or the oldest, as the package
/// manager chooses.
pub(crate) fn for_new<'a>(
    request: &Request<'a>,
    releases: &'a [Release],
    listed: &[Listed],
    line: Option<usize>,
) -> Vec<&'a Release> {
    let of_line = |listed: &Listed| line.is_none_or(|line| listed.line == line);
    let mut newest: Vec<(&Release, &Listed)> = releases
        .iter()
        .zip(listed)
        .rev()
        .filter(|(release, listed)| of_line(listed) && !release.yanked)
        .collect();
    if !request.ecosystem.prefers_newest() {
        newest.reverse();
    }
    newest.sort_by_key(|(_, listed)| listed.is_prerelease);

    newest.into_iter().map(|(release, _)| release).collect()
}
