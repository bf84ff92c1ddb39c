//! The search for a consistent set of upgrades.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use patchgate_ecosystems::Release;
use patchgate_model::{PackageIndex, PackageVersion};

use crate::candidates::requirements_on;
use crate::graph::{self, Dependent, Parent};
use crate::outcome;
use crate::request::{Planned, Request};

/// Longest chain of packages that are upgraded for each other.
const MAX_CHAIN: usize = 8;

/// Most passes over the vulnerable copies. A pass changes something only when the upgrade of one copy
/// changed the candidates of another one, so few are ever needed.
const MAX_PASSES: usize = 10;

/// Ids of the findings that a package version has.
type FindingsByVersion = BTreeMap<PackageVersion, BTreeSet<String>>;

pub(crate) struct Search<'a> {
    pub(crate) request: &'a Request<'a>,
    dependents: Vec<Vec<Dependent>>,
    /// Distance of every copy from the projects.
    pub(crate) depths: Vec<usize>,
    missing: RefCell<BTreeSet<String>>,
    judged: RefCell<FindingsByVersion>,
    /// Cache of [`Search::admits`]: whether a requirement admits a version, by both.
    pub(crate) admitted: RefCell<BTreeMap<String, BTreeMap<String, Option<bool>>>>,
    /// The last result of [`Search::alive`], with the upgrades that it belongs to.
    alive: RefCell<Option<(Versions, Alive)>>,
}

/// Upgraded copies with their new versions.
type Versions = Vec<(PackageIndex, String)>;

/// Copies that are needed.
type Alive = Rc<BTreeSet<PackageIndex>>;

/// The decisions so far.
#[derive(Clone, Default)]
pub(crate) struct State<'a> {
    /// The release that each upgraded copy takes.
    pub(crate) targets: BTreeMap<PackageIndex, &'a Release>,
    /// For each copy that has to admit the upgrade of another one: that other copy, with the versions
    /// that would do.
    pub(crate) goals: BTreeMap<PackageIndex, BTreeMap<PackageIndex, BTreeSet<String>>>,
    /// Why a copy's findings remain.
    pub(crate) blocked: BTreeMap<PackageIndex, String>,
}

/// Why there is no decision on a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// Something must be looked up first; its name is recorded in the search.
    Missing,
    /// A fragment for a person.
    Because(String),
}

/// One active dependency on a copy.
pub(crate) struct Constraint<'s> {
    pub(crate) dependent: &'s Dependent,
    /// The requirements, all of which must be met. `None` is an unknown one.
    requirements: Vec<Option<String>>,
}

/// Finds the smallest safe change for the vulnerable copies.
///
/// The crate's documentation has an example.
#[must_use]
pub fn plan(request: &Request<'_>) -> Planned {
    let search = Search {
        request,
        dependents: graph::dependents(request.lockfile),
        depths: graph::depths(request.lockfile),
        missing: RefCell::default(),
        judged: RefCell::default(),
        admitted: RefCell::default(),
        alive: RefCell::default(),
    };
    let mut order: Vec<PackageIndex> = request.vulnerable.keys().copied().collect();
    order.sort_by_key(|copy| (search.depths.get(copy.0 as usize).copied(), *copy));

    let mut state = State::default();
    for _ in 0..MAX_PASSES {
        let before = state.targets.clone();
        for copy in &order {
            search.repair(*copy, &mut state);
        }
        if state.targets == before {
            break;
        }
    }
    let missing = search.missing.take();
    if missing.is_empty() {
        Planned::Ready(outcome::proposal(&search, &mut state))
    } else {
        Planned::Missing(missing)
    }
}

impl<'a> Search<'a> {
    /// Decides on one vulnerable copy, keeping the reason when nothing can be done.
    fn repair(&self, copy: PackageIndex, state: &mut State<'a>) {
        state.blocked.remove(&copy);
        if let Some(bundling) = graph::bundled_by(self.request.lockfile, copy) {
            self.move_bundling_package(copy, bundling, state);
            return;
        }

        let mut trial = state.clone();
        let Err(blocked) = self.select(copy, &mut trial, &mut Vec::new()) else {
            *state = trial;
            return;
        };
        let Blocked::Because(reason) = blocked else {
            return;
        };

        if let Some(release) = self.best_in_reach(copy, state) {
            state.targets.insert(copy, release);
        }

        state.blocked.insert(copy, reason);
    }

    /// Upgrades the copy whose archive ships a vulnerable one. No metadata says whether the new
    /// archive ships a better one, so the scan of the result decides.
    fn move_bundling_package(
        &self,
        copy: PackageIndex,
        bundling: PackageIndex,
        state: &mut State<'a>,
    ) {
        let mut trial = state.clone();
        trial
            .goals
            .entry(bundling)
            .or_default()
            .entry(copy)
            .or_default();

        match self.select(bundling, &mut trial, &mut Vec::new()) {
            Ok(()) => *state = trial,
            Err(Blocked::Missing) => {}
            Err(Blocked::Because(reason)) => {
                let parent = self.describe(bundling);
                state.blocked.insert(
                    copy,
                    format!(
                        "it is shipped inside the archive of {parent}, which cannot be upgraded: {reason}"
                    ),
                );
            }
        }
    }

    /// Chooses a release for a copy and upgrades every package that does not admit it.
    fn select(
        &self,
        copy: PackageIndex,
        state: &mut State<'a>,
        chain: &mut Vec<PackageIndex>,
    ) -> Result<(), Blocked> {
        if chain.contains(&copy) || chain.len() >= MAX_CHAIN {
            return Err(Blocked::Because(format!(
                "the upgrade of {} would require itself",
                self.describe(copy)
            )));
        }
        if !self.alive(state).contains(&copy) {
            // Nothing needs it any more, so it leaves the tree.
            state.targets.remove(&copy);
            return Ok(());
        }

        let constraints = self.constraints(copy, state)?;
        let candidates = self.candidates(copy, state, &|_| true)?;
        let fits_all = |release: &&&Release| {
            constraints
                .iter()
                .all(|constraint| self.fits(copy, constraint, release))
        };
        if let Some(release) = candidates.iter().find(fits_all) {
            state.targets.insert(copy, release);
            return Ok(());
        }

        chain.push(copy);
        let moved = self.move_blockers(copy, &constraints, &candidates, state, chain);
        chain.pop();
        moved?;
        let release = self.smallest_for_all(copy, &candidates, state)?;
        match release {
            Some(release) => state.targets.insert(copy, release),
            None => state.targets.remove(&copy),
        };

        Ok(())
    }

    /// Upgrades every package that admits none of the candidates.
    fn move_blockers(
        &self,
        copy: PackageIndex,
        constraints: &[Constraint<'_>],
        candidates: &[&'a Release],
        state: &mut State<'a>,
        chain: &mut Vec<PackageIndex>,
    ) -> Result<(), Blocked> {
        for constraint in constraints {
            let Parent::Package(dependent) = constraint.dependent.parent else {
                continue;
            };
            if candidates
                .iter()
                .any(|release| self.fits(copy, constraint, release))
            {
                continue;
            }

            let acceptable = candidates
                .iter()
                .map(|release| release.version.clone())
                .collect();
            state
                .goals
                .entry(dependent)
                .or_default()
                .insert(copy, acceptable);
            self.select(dependent, state, chain)
                .map_err(|blocked| match blocked {
                    Blocked::Missing => Blocked::Missing,
                    Blocked::Because(reason) => Blocked::Because(format!(
                        "{} requires `{}`: {reason}",
                        self.describe(dependent),
                        constraint.text()
                    )),
                })?;
        }

        Ok(())
    }

    /// The smallest candidate that every package that still depends on the copy admits. Projects have
    /// their requirements raised where necessary. `None` when nothing depends on the copy.
    fn smallest_for_all(
        &self,
        copy: PackageIndex,
        candidates: &[&'a Release],
        state: &State<'a>,
    ) -> Result<Option<&'a Release>, Blocked> {
        if !self.alive(state).contains(&copy) {
            return Ok(None);
        }

        let constraints = self.constraints(copy, state)?;
        let fits =
            |release: &Release, constraint: &Constraint<'_>| self.fits(copy, constraint, release);
        let of_projects =
            |constraint: &&Constraint<'_>| matches!(constraint.dependent.parent, Parent::Root(_));
        let (projects, packages): (Vec<&Constraint<'_>>, Vec<&Constraint<'_>>) =
            constraints.iter().partition(of_projects);
        let for_packages = |release: &&Release| packages.iter().all(|c| fits(release, c));
        let for_some = |release: &&Release| packages.iter().any(|c| fits(release, c));
        let fitting: Vec<&'a Release> = if candidates.iter().any(&for_packages) {
            candidates
                .iter()
                .copied()
                .filter(|r| for_packages(r))
                .collect()
        } else {
            // No release suits all packages, so the package manager will keep several copies.
            candidates.iter().copied().filter(|r| for_some(r)).collect()
        };
        let unraised = fitting
            .iter()
            .find(|release| projects.iter().all(|c| fits(release, c)));
        let chosen = unraised.or(fitting.first()).copied();
        let Some(release) = chosen.or(candidates.first().copied()) else {
            return Err(Blocked::Because(
                "no release is admitted by the packages that depend on it".to_owned(),
            ));
        };

        for project in projects {
            if !fits(release, project) {
                self.raisable(project.dependent, release)?;
            }
        }

        Ok(Some(release))
    }

    /// Whether a project's requirement can be raised to a release.
    fn raisable(&self, dependent: &Dependent, release: &Release) -> Result<(), Blocked> {
        let Parent::Root(index) = dependent.parent else {
            return Ok(());
        };
        let root = self.request.lockfile.roots.get(index);
        let because = |reason: String| Err(Blocked::Because(reason));
        if root.is_none_or(|root| root.manifest.is_none()) {
            return because(format!(
                "the manifest that asks for `{}` was not found",
                dependent.name
            ));
        }

        let Some(requirement) = &dependent.requirement else {
            return because(format!(
                "the requirement for `{}` was not found in the manifest",
                dependent.name
            ));
        };

        match self
            .request
            .ecosystem
            .raise_requirement(requirement, &release.version)
        {
            Ok(_) => Ok(()),
            Err(error) => because(error.to_string()),
        }
    }

    /// The best release that all dependents admit unchanged.
    fn best_in_reach(&self, copy: PackageIndex, state: &State<'a>) -> Option<&'a Release> {
        let constraints = self.constraints(copy, state).ok()?;
        let reachable = |release: &Release| {
            constraints
                .iter()
                .all(|constraint| self.fits(copy, constraint, release))
        };

        self.candidates(copy, state, &reachable)
            .ok()?
            .first()
            .copied()
    }

    /// The dependencies on a copy that remain after the upgrades decided so far.
    ///
    /// A requirement that the installed version does not meet either (an override, a forced peer)
    /// does not restrict the choice.
    pub(crate) fn constraints(
        &self,
        copy: PackageIndex,
        state: &State<'a>,
    ) -> Result<Vec<Constraint<'_>>, Blocked> {
        let Some(package) = self.request.lockfile.package(copy) else {
            return Ok(Vec::new());
        };
        let alive = self.alive(state);

        let mut constraints = Vec::new();
        for dependent in self.dependents_of(copy) {
            if matches!(dependent.parent, Parent::Package(from) if !alive.contains(&from)) {
                continue;
            }

            let requirements = match self.requirements_of(dependent, copy, state)? {
                Some(requirements) => requirements,
                None => continue,
            };
            let moved = matches!(dependent.parent, Parent::Package(from) if state.targets.contains_key(&from));
            let overridden = requirements.iter().any(|requirement| {
                !self.admits(requirement.as_deref(), &package.version, &package.version)
            });
            constraints.push(Constraint {
                dependent,
                requirements: if overridden && !moved {
                    Vec::new()
                } else {
                    requirements
                },
            });
        }

        Ok(constraints)
    }

    /// The copies that are still needed after the upgrades decided so far. A copy that no project
    /// reached before counts as needed, because the reason for it is unknown.
    pub(crate) fn alive(&self, state: &State<'a>) -> Alive {
        // Cached, because it is called far more often than the targets change.
        let of = |(copy, release): (&PackageIndex, &&Release)| (*copy, release.version.clone());
        if let Some((targets, alive)) = &*self.alive.borrow()
            && targets.len() == state.targets.len()
            && targets
                .iter()
                .zip(&state.targets)
                .all(|(known, (copy, release))| known.0 == *copy && known.1 == release.version)
        {
            return Rc::clone(alive);
        }

        let alive = Rc::new(self.reached(state));
        let targets = state.targets.iter().map(of).collect();
        *self.alive.borrow_mut() = Some((targets, Rc::clone(&alive)));

        alive
    }

    fn reached(&self, state: &State<'a>) -> BTreeSet<PackageIndex> {
        let lockfile = self.request.lockfile;
        let direct = lockfile.roots.iter().flat_map(|root| &root.edges);
        let mut queue: Vec<PackageIndex> = direct.map(|edge| edge.to).collect();
        let unreached = |index: &usize| self.depths.get(*index) == Some(&usize::MAX);
        queue.extend(
            lockfile
                .indexed()
                .filter(|(copy, _)| unreached(&(copy.0 as usize)))
                .map(|(copy, _)| copy),
        );

        let mut alive = BTreeSet::new();
        while let Some(copy) = queue.pop() {
            if !alive.insert(copy) {
                continue;
            }
            let Some(package) = lockfile.package(copy) else {
                continue;
            };
            let target = state.targets.get(&copy);
            queue.extend(package.edges.iter().map(|edge| edge.to).filter(|to| {
                target.is_none_or(|release| {
                    lockfile
                        .package(*to)
                        .is_some_and(|needed| !requirements_on(release, needed).is_empty())
                })
            }));
        }

        alive
    }

    /// The requirements of one dependent on a copy; `None` when the dependent no longer needs it.
    fn requirements_of(
        &self,
        dependent: &Dependent,
        copy: PackageIndex,
        state: &State<'a>,
    ) -> Result<Option<Vec<Option<String>>>, Blocked> {
        let stated = || Ok(Some(vec![dependent.requirement.clone().map(Into::into)]));
        let Parent::Package(from) = dependent.parent else {
            return stated();
        };
        let (Some(needed), Some(package)) = (
            self.request.lockfile.package(copy),
            self.request.lockfile.package(from),
        ) else {
            return stated();
        };
        let release = match state.targets.get(&from) {
            Some(release) => *release,
            None if dependent.requirement.is_some() => return stated(),
            None => {
                // The lockfile has no requirements (Cargo.lock never does), but the registry has.
                let locked = match self.releases(&package.name) {
                    Ok(releases) => releases
                        .iter()
                        .find(|release| release.version == package.version),
                    Err(Blocked::Missing) if is_registry(package) => return Err(Blocked::Missing),
                    Err(_) => None,
                };

                match locked {
                    Some(release) => release,
                    None => return stated(),
                }
            }
        };
        let requirements: Vec<_> = requirements_on(release, needed)
            .into_iter()
            .map(|requirement| Some(requirement.to_owned()))
            .collect();
        if requirements.is_empty() && !state.targets.contains_key(&from) {
            return stated();
        }

        Ok((!requirements.is_empty()).then_some(requirements))
    }

    /// Whether a release meets a constraint.
    pub(crate) fn fits(
        &self,
        copy: PackageIndex,
        constraint: &Constraint<'_>,
        release: &Release,
    ) -> bool {
        let installed = self
            .request
            .lockfile
            .package(copy)
            .map_or("", |package| package.version.as_str());
        constraint
            .requirements
            .iter()
            .all(|requirement| self.admits(requirement.as_deref(), installed, &release.version))
    }

    pub(crate) fn dependents_of(&self, copy: PackageIndex) -> &[Dependent] {
        self.dependents
            .get(copy.0 as usize)
            .map_or(&[], Vec::as_slice)
    }

    /// The releases of a package. When they are unknown, the package is recorded as missing.
    pub(crate) fn releases(&self, name: &str) -> Result<&'a [Release], Blocked> {
        match self.request.releases.releases(self.request.ecosystem, name) {
            Some(Ok(releases)) => Ok(releases),
            Some(Err(reason)) => Err(Blocked::Because(format!(
                "the releases of `{name}` are not known: {reason}"
            ))),
            None => {
                self.missing.borrow_mut().insert(name.to_owned());
                Err(Blocked::Missing)
            }
        }
    }

    /// Ids of the findings that a version would have. When its advisories are unknown, the package is
    /// recorded as missing.
    pub(crate) fn judge(&self, name: &str, version: &str) -> Option<BTreeSet<String>> {
        let key = PackageVersion::new(name, version);
        if let Some(ids) = self.judged.borrow().get(&key) {
            return Some(ids.clone());
        }

        let ids = (self.request.judge)(name, version);
        match &ids {
            Some(ids) => {
                self.judged.borrow_mut().insert(key, ids.clone());
            }
            None => {
                self.missing.borrow_mut().insert(name.to_owned());
            }
        }

        ids
    }

    pub(crate) fn describe(&self, copy: PackageIndex) -> String {
        self.request
            .lockfile
            .package(copy)
            .map_or_else(String::new, |package| {
                format!("`{} {}`", package.name, package.version)
            })
    }
}

impl Constraint<'_> {
    fn text(&self) -> String {
        let known: Vec<&str> = self
            .requirements
            .iter()
            .flatten()
            .map(String::as_str)
            .collect();

        if known.is_empty() {
            self.dependent.name.to_string()
        } else {
            // A requirement that is an address may contain a token.
            let text = format!("{} {}", self.dependent.name, known.join(", "));
            patchgate_model::without_credentials(&text).into_owned()
        }
    }
}

fn is_registry(package: &patchgate_model::Package) -> bool {
    matches!(package.origin, patchgate_model::Origin::Registry(_))
}
