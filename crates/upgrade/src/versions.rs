//! What the rules of an ecosystem say about versions, so that each question is put to them once.
//!
//! Reading versions takes most of the time of a question when it is done anew in each of its rounds. The
//! releases of a package stay the same once they are known, so the answers hold in all rounds.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use patchgate_ecosystems::{Release, Upgradable};
use patchgate_model::Bump;

/// The answers that are known.
pub(crate) struct Versions<'a> {
    ecosystem: &'a dyn Upgradable,
    known: Rc<Known>,
}

/// A raised requirement, or why there is none.
type Raised = Result<String, String>;

/// Answers about one ecosystem. Packages are known by their normalized names.
#[derive(Debug, Default)]
pub(crate) struct Known {
    listed: RefCell<HashMap<String, Rc<Vec<Listed>>>>,
    places: RefCell<HashMap<String, HashMap<String, Rc<Place>>>>,
    /// `None` where a requirement names no versions.
    admitted: RefCell<HashMap<String, HashMap<String, Option<bool>>>>,
    raised: RefCell<HashMap<String, HashMap<String, Raised>>>,
}

/// One release in the list of a package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed {
    /// Index of the first release of its line of compatible versions.
    pub(crate) line: usize,
    pub(crate) is_prerelease: bool,
}

/// A version, and where it stands among the releases of its package. It may not be one of them.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its line of compatible versions.
    pub(crate) line: Option<usize>,
    pub(crate) is_prerelease: bool,
    /// The releases above it, in ascending order.
    pub(crate) above: Vec<Above>,
    /// Number of releases for which this holds.
    count: usize,
}

/// A release above a version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Above {
    /// Its index in the list of releases.
    pub(crate) index: usize,
    /// Size of the step to it.
    pub(crate) bump: Bump,
    pub(crate) is_prerelease: bool,
}

impl Place {
    /// The size of the step to a release. `None` when it is not above the version.
    pub(crate) fn bump_to(&self, index: usize) -> Option<Bump> {
        let at = self.above.binary_search_by_key(&index, |above| above.index);
        Some(self.above.get(at.ok()?)?.bump)
    }
}

impl<'a> Versions<'a> {
    pub(crate) fn new(ecosystem: &'a dyn Upgradable, known: Rc<Known>) -> Self {
        Self { ecosystem, known }
    }

    /// The releases of a package, in their order.
    pub(crate) fn listed(&self, key: &str, releases: &[Release]) -> Rc<Vec<Listed>> {
        let known = self.known.listed.borrow().get(key).cloned();
        if let Some(listed) = known.filter(|listed| listed.len() == releases.len()) {
            return listed;
        }

        let listed = Rc::new(self.list(releases));
        let mut known = self.known.listed.borrow_mut();
        known.insert(key.to_owned(), Rc::clone(&listed));
        listed
    }

    fn list(&self, releases: &[Release]) -> Vec<Listed> {
        let mut listed = Vec::with_capacity(releases.len());
        let mut first = 0;
        let mut start = String::new();
        for (index, release) in releases.iter().enumerate() {
            // A pre-release belongs to the line of its release.
            let of_own = self.ecosystem.release_of(&release.version);
            let own = of_own.as_deref().unwrap_or(&release.version);
            let is_compatible = index > 0 && !self.is_breaking(&start, own);
            if !is_compatible {
                first = index;
                own.clone_into(&mut start);
            }

            listed.push(Listed {
                line: first,
                is_prerelease: self.is_prerelease(&release.version),
            });
        }

        listed
    }

    /// Where a version stands among the releases of its package.
    pub(crate) fn place(&self, key: &str, releases: &[Release], version: &str) -> Rc<Place> {
        let known = {
            let places = self.known.places.borrow();
            places.get(key).and_then(|of| of.get(version)).cloned()
        };
        if let Some(place) = known.filter(|place| place.count == releases.len()) {
            return place;
        }

        let listed = self.listed(key, releases);
        let is_above = |release: &Release| {
            let order = self.ecosystem.compare_versions(&release.version, version);
            order == Ok(Ordering::Greater)
        };
        let above = releases.iter().zip(&*listed).enumerate();
        let above = above.filter(|(_, (release, _))| is_above(release)).map(
            |(index, (release, listed))| {
                let bump = self.ecosystem.bump(version, &release.version);
                Above {
                    index,
                    bump: bump.unwrap_or(Bump::Major),
                    is_prerelease: listed.is_prerelease,
                }
            },
        );
        let place = Rc::new(Place {
            line: self.line_of(releases, &listed, version),
            is_prerelease: self.is_prerelease(version),
            above: above.collect(),
            count: releases.len(),
        });

        let mut known = self.known.places.borrow_mut();
        let known = known.entry(key.to_owned()).or_default();
        known.insert(version.to_owned(), Rc::clone(&place));
        place
    }

    fn line_of(&self, releases: &[Release], listed: &[Listed], version: &str) -> Option<usize> {
        if let Some(index) = releases.iter().position(|one| one.version == version) {
            return listed.get(index).map(|listed| listed.line);
        }

        listed.iter().map(|listed| listed.line).find(|first| {
            releases.get(*first).is_some_and(|start| {
                let (low, high) = match self.ecosystem.compare_versions(&start.version, version) {
                    Ok(Ordering::Greater) => (version, start.version.as_str()),
                    _ => (start.version.as_str(), version),
                };
                !self.is_breaking(low, high)
            })
        })
    }

    fn is_breaking(&self, low: &str, high: &str) -> bool {
        let bump = self.ecosystem.bump(low, high);
        !bump.is_ok_and(|bump| bump != Bump::Major)
    }

    fn is_prerelease(&self, version: &str) -> bool {
        self.ecosystem.is_prerelease(version).unwrap_or(true)
    }

    /// Whether a requirement admits a version. `None` if it names no versions.
    pub(crate) fn admits(&self, requirement: &str, version: &str) -> Option<bool> {
        let known = {
            let admitted = self.known.admitted.borrow();
            let versions = admitted.get(requirement);
            versions.and_then(|versions| versions.get(version).copied())
        };
        if let Some(answer) = known {
            return answer;
        }

        let answer = self.ecosystem.admits(requirement, version).ok();
        let mut known = self.known.admitted.borrow_mut();
        let known = known.entry(requirement.to_owned()).or_default();
        known.insert(version.to_owned(), answer);
        answer
    }

    /// The requirement that admits a version and changes as little as possible, or why there is none.
    pub(crate) fn raised(&self, requirement: &str, version: &str) -> Raised {
        let known = {
            let raised = self.known.raised.borrow();
            let versions = raised.get(requirement);
            versions.and_then(|versions| versions.get(version).cloned())
        };
        if let Some(answer) = known {
            return answer;
        }

        let raised = self.ecosystem.raise_requirement(requirement, version);
        let answer = raised.map_err(|error| error.to_string());
        let mut known = self.known.raised.borrow_mut();
        let known = known.entry(requirement.to_owned()).or_default();
        known.insert(version.to_owned(), answer.clone());
        answer
    }
}
