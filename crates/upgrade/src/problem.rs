//! The graph of a lockfile as slots with candidates and the requirements between them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use patchgate_ecosystems::{Copies, Release};
use patchgate_model::{Bump, DependencyKind, PackageIndex};
use pubgrub::Ranges;

use crate::graph;
use crate::needs::Needed;
use crate::request::{Judged, MissingFacts, Request};
use crate::scope::Scope;
use crate::site::Site;
use crate::slot::{self, Choice, LOCKED, Slot, SlotId};
use crate::versions::{Known, Versions};

/// A set of choices of a slot.
pub(crate) type Set = Ranges<Choice>;

/// One dependency, as the solver sees it.
#[derive(Debug, Clone)]
pub(crate) enum Dependency {
    /// The slot keeps its locked version, which satisfies the dependency.
    Settled(SlotId),
    /// One of these slots must be one of these choices. Never empty.
    OneOf(Vec<(SlotId, Set)>),
    /// Nothing satisfies it.
    Impossible(String),
    /// It need not be satisfied.
    Absent,
}

/// The tables of one question. Slots of new packages are added while it is solved.
pub(crate) struct Problem<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) slots: RefCell<Vec<Rc<Slot<'a>>>>,
    /// The slot of each copy.
    pub(crate) slot_of: Vec<SlotId>,
    pub(crate) by_name: RefCell<BTreeMap<String, Vec<SlotId>>>,
    /// What is known of versions.
    pub(crate) versions: Versions<'a>,
    sets: RefCell<BTreeMap<(SlotId, String, String), Set>>,
    pub(crate) sites: Vec<Site<'a>>,
    /// Slots with findings to fix.
    wanted: BTreeSet<SlotId>,
    /// What the last attempt could change.
    pub(crate) scope: RefCell<Scope>,
    /// Slots that must be open for a release that was chosen in the attempt.
    pub(crate) to_open: RefCell<BTreeSet<SlotId>>,
    /// The features that slots are asked for in the last solution, where they decide dependencies.
    pub(crate) asked: RefCell<BTreeMap<SlotId, BTreeSet<String>>>,
    /// Slots that a package whose metadata is not known may ask for more features.
    pub(crate) uncertain: RefCell<BTreeSet<SlotId>>,
    /// Normalized names of packages that came in with a solution and that bounds are about.
    pub(crate) used: RefCell<BTreeSet<String>>,
    /// Normalized names of packages that bounds are about and that are not in the lockfile.
    pub(crate) unbounded: RefCell<BTreeSet<String>>,
    /// What is missing.
    pub(crate) needs: RefCell<MissingFacts>,
    pub(crate) depths: Vec<usize>,
    /// The dependents of each copy.
    pub(crate) dependents: Vec<Vec<graph::Dependent>>,
}

impl<'a> Problem<'a> {
    pub(crate) fn new(request: &'a Request<'a>, known: Rc<Known>) -> Self {
        let lockfile = request.lockfile;
        let depths = graph::depths(lockfile);
        let mut problem = Self {
            request,
            slots: RefCell::default(),
            slot_of: Vec::with_capacity(lockfile.packages.len()),
            by_name: RefCell::default(),
            versions: Versions::new(request.ecosystem, known),
            sets: RefCell::default(),
            sites: Vec::new(),
            wanted: BTreeSet::new(),
            scope: RefCell::default(),
            to_open: RefCell::default(),
            asked: RefCell::default(),
            uncertain: RefCell::default(),
            used: RefCell::default(),
            unbounded: RefCell::default(),
            needs: RefCell::default(),
            depths,
            dependents: graph::dependents(lockfile),
        };
        problem.add_locked_slots();
        let targets = request.targets.iter();
        problem.wanted = targets
            .filter_map(|target| problem.slot_to_change(target.copy))
            .collect();
        problem.sites = problem.all_sites();

        problem
    }

    pub(crate) fn slot(&self, id: SlotId) -> Rc<Slot<'a>> {
        Rc::clone(&self.slots.borrow()[id])
    }

    pub(crate) fn slots(&self) -> Vec<Rc<Slot<'a>>> {
        self.slots.borrow().clone()
    }

    /// The slot that must change for a finding of a copy: that of the package in whose archive the copy
    /// is shipped, else its own.
    pub(crate) fn slot_to_change(&self, copy: PackageIndex) -> Option<SlotId> {
        let copy = graph::bundled_by(self.request.lockfile, copy).unwrap_or(copy);
        self.slot_of.get(copy.0 as usize).copied()
    }

    /// Whether a slot may change in the attempt: it has releases to choose from, or must not stay as
    /// it is.
    pub(crate) fn is_open(&self, id: SlotId) -> bool {
        let slot = self.slot(id);
        let is_in_scope = slot.package.is_none() || self.scope.borrow().is_open(id);
        is_in_scope && (self.wanted.contains(&id) || slot.has_candidates())
    }

    pub(crate) fn is_relevant(&self, slot: SlotId) -> bool {
        self.scope.borrow().is_relevant(slot)
            || self.slot(slot).package.is_none()
            || self.asked.borrow().contains_key(&slot)
    }

    /// Whether any release that a slot may take has a notice.
    pub(crate) fn has_notices(&self) -> bool {
        let slots = self.slots.borrow();
        let mut candidates = slots.iter().flat_map(|slot| &slot.candidates);
        candidates.any(|candidate| !candidate.findings.notices.is_empty())
    }

    pub(crate) fn key(&self, name: &str) -> String {
        self.request.ecosystem.normalize_name(name).into_owned()
    }

    /// The releases of a package, in ascending order. `None` when they are not known yet, which is
    /// recorded.
    pub(crate) fn releases(&self, name: &str) -> Option<Result<&'a [Release], &'a str>> {
        let known = self.request.releases.releases(self.request.ecosystem, name);
        if known.is_none() {
            self.needs.borrow_mut().packages.insert(name.to_owned());
        }
        known
    }

    fn add_locked_slots(&mut self) {
        let lockfile = self.request.lockfile;
        let mut known: BTreeMap<(String, &str, bool), SlotId> = BTreeMap::new();
        for (copy, package) in lockfile.indexed() {
            let is_shipped = graph::bundled_by(lockfile, copy).is_some();
            let frozen = slot::frozen(package, is_shipped, self.request.frozen.get(&copy));
            let key = (self.key(&package.name), &*package.version, frozen.is_some());
            let depth = self
                .depths
                .get(copy.0 as usize)
                .copied()
                .unwrap_or(usize::MAX);
            let own = self.request.findings.get(&copy);
            if let Some(id) = known.get(&key).copied().filter(|_| frozen.is_none()) {
                let mut slots = self.slots.borrow_mut();
                if let Some(slot) = Rc::get_mut(&mut slots[id]) {
                    slot.copies.push(copy);
                    slot.depth = slot.depth.min(depth);
                }
                self.slot_of.push(id);
                continue;
            }

            let id = self.slots.borrow().len();
            let slot = Slot {
                name: package.name.clone(),
                copies: vec![copy],
                package: Some(package),
                depth,
                frozen,
                own: own
                    .map(|own| own.vulnerabilities.clone())
                    .unwrap_or_default(),
                line: None,
                candidates: Vec::new(),
            };
            self.slots.borrow_mut().push(Rc::new(slot));
            self.by_name
                .borrow_mut()
                .entry(key.0.clone())
                .or_default()
                .push(id);
            known.insert(key, id);
            self.slot_of.push(id);
        }

        self.open_slots();
    }

    /// Gives candidates to the slots whose releases are known.
    fn open_slots(&self) {
        let count = self.slots.borrow().len();
        for id in 0..count {
            let slot = self.slot(id);
            let (None, Some(installed)) = (&slot.frozen, slot.locked_version()) else {
                continue;
            };
            let known = self
                .request
                .releases
                .releases(self.request.ecosystem, &slot.name);
            let Some(Ok(releases)) = known else {
                continue;
            };

            let key = self.key(&slot.name);
            let listed = self.versions.listed(&key, releases);
            let place = self.versions.place(&key, releases, installed);
            let is_bound = self.request.ecosystem.copies() == Copies::OnePerLine;
            let own_line = place.line.filter(|_| is_bound);
            let in_reach = |index: usize| {
                let line = listed.get(index).map(|listed| listed.line);
                own_line.is_none() || line == own_line
            };
            let above = slot::above(self.request, releases, (installed, &place), &in_reach);
            let candidates = self.candidates(&slot.name, Some(installed), above);

            drop(slot);
            if let Some(slot) = Rc::get_mut(&mut self.slots.borrow_mut()[id]) {
                slot.candidates = candidates;
                slot.line = own_line;
            }
        }
    }

    /// The findings of a version. A version that was not looked up yet is recorded as missing.
    pub(crate) fn judge(&self, name: &str, version: &str) -> Judged {
        (self.request.judge)(name, version).unwrap_or_else(|| {
            self.needs.borrow_mut().packages.insert(name.to_owned());
            Judged::default()
        })
    }

    /// The choices of a slot that a requirement admits. Without a requirement that names versions, every
    /// compatible one counts as admitted; the package manager checks the result anyway.
    pub(crate) fn set(&self, id: SlotId, needed: &Needed) -> Set {
        self.set_above(id, needed, None)
    }

    /// The same without versions below the one that the dependent has now: no dependent ever gets an
    /// older version. A slot for a new copy never takes that version either.
    fn set_above(&self, id: SlotId, needed: &Needed, now: Option<&str>) -> Set {
        let key = (id, needed.key(), now.unwrap_or_default().to_owned());
        if let Some(set) = self.sets.borrow().get(&key) {
            return set.clone();
        }

        let slot = self.slot(id);
        let mut runs: Vec<(Bound<Choice>, Bound<Choice>)> = Vec::new();
        for choice in slot.choices() {
            let requirement = needed.requirement.as_deref();
            let has_features = slot.release(choice).is_none_or(|release| {
                let ecosystem = self.request.ecosystem;
                ecosystem.has_features(release, &needed.features)
            });
            if !has_features
                || !self.admits(&slot, requirement, now, choice)
                || self.is_older(&slot, now, choice)
            {
                continue;
            }
            match runs.last_mut() {
                Some((_, end)) if *end == Bound::Included(choice.saturating_sub(1)) => {
                    *end = Bound::Included(choice);
                }
                _ => runs.push((Bound::Included(choice), Bound::Included(choice))),
            }
        }
        let set: Set = runs.into_iter().collect();
        self.sets.borrow_mut().insert(key, set.clone());

        set
    }

    fn admits(
        &self,
        slot: &Slot<'_>,
        requirement: Option<&str>,
        now: Option<&str>,
        choice: Choice,
    ) -> bool {
        let ecosystem = self.request.ecosystem;
        let version = slot.version(choice);
        requirement
            .and_then(|requirement| self.versions.admits(requirement, version))
            .unwrap_or_else(|| {
                let installed = slot.locked_version().or(now);
                choice == LOCKED
                    || installed.is_none_or(|installed| {
                        ecosystem
                            .bump(installed, version)
                            .is_ok_and(|bump| bump != Bump::Major)
                    })
            })
    }

    fn is_older(&self, slot: &Slot<'_>, now: Option<&str>, choice: Choice) -> bool {
        let version = slot.version(choice);
        if slot.package.is_none()
            && self
                .existing(&slot.name)
                .iter()
                .any(|id| self.slot(*id).locked_version() == Some(version))
        {
            return true;
        }

        now.is_some_and(|now| {
            let order = self.request.ecosystem.compare_versions(version, now);
            order.is_ok_and(std::cmp::Ordering::is_lt)
        })
    }

    /// A dependency on a package: on the slot that satisfies it now where that can go on, else on
    /// another slot of the package. `Err` when a fact is missing, which is recorded.
    pub(crate) fn dependency(
        &self,
        needed: &Needed,
        bound: Option<SlotId>,
    ) -> Result<Dependency, ()> {
        let (name, kind) = (needed.package.as_str(), needed.kind);
        let requirement = needed.requirement.as_deref();
        if let Some(bound) = bound {
            let slot = self.slot(bound);
            let is_met = self.admits(&slot, requirement, None, LOCKED);
            if is_met && !self.is_open(bound) {
                return Ok(Dependency::Settled(bound));
            }
            if let Some(reason) = slot.frozen.as_ref().filter(|_| !is_met) {
                return Ok(Dependency::Impossible(reason.clone()));
            }
        }

        let existing = self.existing(name);
        let settled = |id: &&SlotId| {
            let slot = self.slot(**id);
            !self.is_open(**id)
                && slot.package.is_some()
                && self.admits(&slot, requirement, None, LOCKED)
        };
        if bound.is_none()
            && let Some(id) = existing.iter().find(settled)
        {
            return Ok(Dependency::Settled(*id));
        }
        let releases = match self.releases(name) {
            None => return Err(()),
            Some(Err(_)) if kind == DependencyKind::Optional => return Ok(Dependency::Absent),
            Some(Err(reason)) => {
                return Ok(Dependency::Impossible(format!(
                    "the releases of `{name}` are not known: {reason}"
                )));
            }
            Some(Ok(releases)) => releases,
        };
        let is_peer = kind == DependencyKind::Peer;
        let options = match bound.filter(|_| is_peer) {
            Some(bound) => vec![(bound, self.set(bound, needed))],
            None => self.options(needed, releases, bound, &existing),
        };
        let options: Vec<(SlotId, Set)> = options
            .into_iter()
            .filter(|(_, set)| *set != Set::empty())
            .collect();

        Ok(if options.is_empty() && kind == DependencyKind::Optional {
            Dependency::Absent
        } else if options.is_empty() {
            let text = requirement.unwrap_or("any version");
            let features = match needed.features.as_slice() {
                [] => String::new(),
                features => format!(" with the features {}", features.join(", ")),
            };
            Dependency::Impossible(format!(
                "no usable release of `{name}` satisfies {text}{features}"
            ))
        } else {
            Dependency::OneOf(options)
        })
    }

    /// Whether the lockfile has a package.
    pub(crate) fn is_locked(&self, name: &str) -> bool {
        let slots = self.existing(name);
        slots.iter().any(|id| self.slot(*id).package.is_some())
    }

    /// The slots of a package in the lockfile, and those that were added for it.
    pub(crate) fn existing(&self, name: &str) -> Vec<SlotId> {
        self.by_name
            .borrow()
            .get(&self.key(name))
            .cloned()
            .unwrap_or_default()
    }

    fn options(
        &self,
        needed: &Needed,
        releases: &'a [Release],
        bound: Option<SlotId>,
        existing: &[SlotId],
    ) -> Vec<(SlotId, Set)> {
        let name = needed.package.as_str();
        let now = bound.and_then(|bound| self.slot(bound).locked_version());
        let with_set = |id: SlotId| (id, self.set_above(id, needed, now));
        // Slots of new packages come last, by their lines.
        let is_other = |id: &SlotId| Some(*id) != bound && self.slot(*id).package.is_some();
        let others = existing.iter().copied().filter(is_other);
        match self.request.ecosystem.copies() {
            Copies::One => {
                let mut others = others;
                let slot = bound.or_else(|| others.next());
                let slot = slot.unwrap_or_else(|| self.new_slot(name, releases, None));
                vec![with_set(slot)]
            }
            Copies::OnePerLine => {
                let mut options: Vec<(SlotId, Set)> =
                    bound.into_iter().chain(others).map(with_set).collect();
                options.extend(
                    self.new_lines(needed, releases, existing)
                        .into_iter()
                        .map(with_set),
                );
                options
            }
            Copies::Any => {
                let mut options: Vec<(SlotId, Set)> =
                    bound.into_iter().chain(others).map(with_set).collect();
                options.extend(
                    self.new_lines(needed, releases, &[])
                        .into_iter()
                        .map(with_set),
                );
                options
            }
        }
    }
}
