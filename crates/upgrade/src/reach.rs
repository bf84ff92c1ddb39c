//! What a tier cannot fix for certain, so that it is not searched for.
//!
//! From the package with the finding upwards: it has a release without the finding that its dependents
//! admit, or that dependents which can move come to admit, or all dependents come to do without it.
//! Other needs of the releases are left to the search, so a finding in reach may still remain.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use patchgate_ecosystems::{Copies, Release};
use patchgate_model::Bump;

use crate::attempt::Limits;
use crate::graph::{Dependent, Parent};
use crate::needs::requirements_on;
use crate::plan::{Planner, Wanted};
use crate::slot::SlotId;
use crate::versions::Place;

/// Most dependents above each other that are looked at. What is farther up counts as possible.
const MAX_DEPTH: usize = 100;

/// Indices of releases of one package.
type Wished = Vec<usize>;

/// Answers of one tier. A question that is being answered counts as answered with yes.
///
/// More facts can turn a yes into a no, and nothing else changes from round to round. So a no holds for
/// good, and a yes until the next round when it rests on something that is not known yet.
#[derive(Debug, Default)]
pub(crate) struct Known {
    wanted: BTreeMap<Wanted, Answer>,
    takes: BTreeMap<(SlotId, Wished), Answer>,
    leaves: BTreeMap<SlotId, Answer>,
    depth: usize,
    /// Whether the answer that is looked for rests on something unknown.
    is_uncertain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    No,
    Yes,
    /// Yes, as far as is known.
    Perhaps,
}

impl Known {
    /// Forgets what the facts of a new round may change.
    pub(crate) fn start_round(&mut self) {
        self.wanted.retain(|_, answer| *answer != Answer::Perhaps);
        self.takes.retain(|_, answer| *answer != Answer::Perhaps);
        self.leaves.retain(|_, answer| *answer != Answer::Perhaps);
        self.is_uncertain = false;
    }

    fn recall(&mut self, answer: Answer) -> bool {
        self.is_uncertain |= answer == Answer::Perhaps;
        answer != Answer::No
    }

    /// Takes a part of a question as true, since it is not known.
    fn assume(&mut self) -> bool {
        self.is_uncertain = true;
        true
    }

    /// The answer that was looked for. `outer` is whether what was looked at before is uncertain.
    fn finish(&mut self, is_yes: bool, outer: bool) -> Answer {
        let answer = match (is_yes, self.is_uncertain) {
            (false, _) => Answer::No,
            (true, false) => Answer::Yes,
            (true, true) => Answer::Perhaps,
        };
        self.is_uncertain = outer || answer == Answer::Perhaps;

        answer
    }
}

impl<'a> Planner<'_, 'a> {
    /// Whether a tier may fix a finding.
    ///
    /// What is not known counts as possible, and is recorded as missing: so the facts for all findings
    /// are asked for together, and not one conflict after the other.
    pub(crate) fn is_in_reach(
        &self,
        limits: &Limits,
        (id, finding): &Wanted,
        known: &mut Known,
    ) -> bool {
        let key = (*id, finding.clone());
        if let Some(answer) = known.wanted.get(&key).copied() {
            return known.recall(answer);
        }

        let outer = std::mem::take(&mut known.is_uncertain);
        let Some(releases) = self.releases_of(*id) else {
            return known.assume();
        };
        let name = &self.problem.slot(*id).name;
        let is_unknown = Cell::new(false);
        let is_free = |release: &Release| {
            let findings = (self.problem.request.judge)(name, &release.version);
            is_unknown.set(is_unknown.get() || findings.is_none());
            let findings = findings.unwrap_or_else(|| self.problem.judge(name, &release.version));
            !findings.vulnerabilities.contains(finding) && !findings.notices.contains(finding)
        };
        let free = self.above(*id, releases, is_free);
        known.is_uncertain |= is_unknown.get();
        let answer = self.may_take(limits, *id, free, known) || self.may_leave(limits, *id, known);

        let answer = known.finish(answer, outer);
        known.wanted.insert(key, answer);
        answer != Answer::No
    }

    /// The releases of a slot. `None` when they are not known yet, which is recorded. Empty when the
    /// slot cannot change.
    fn releases_of(&self, id: SlotId) -> Option<&'a [Release]> {
        let slot = self.problem.slot(id);
        match slot.frozen {
            Some(_) => Some(&[]),
            None => Some(self.problem.releases(&slot.name)?.unwrap_or_default()),
        }
    }

    /// The releases above the version of a slot for which something holds.
    fn above(&self, id: SlotId, releases: &[Release], holds: impl Fn(&Release) -> bool) -> Wished {
        let place = self.place(id, releases);
        let indices = place.above.iter().map(|above| above.index);
        indices
            .filter(|index| releases.get(*index).is_some_and(&holds))
            .collect()
    }

    /// Where the version of a slot stands among the releases.
    fn place(&self, id: SlotId, releases: &[Release]) -> Rc<Place> {
        let slot = self.problem.slot(id);
        let key = self.problem.key(&slot.name);
        let locked = slot.locked_version().unwrap_or_default();
        self.problem.versions.place(&key, releases, locked)
    }

    /// Whether a slot may take one of these releases: a tier allows the step, and all dependents admit
    /// it or may come to. Where a package can have several copies, each dependent may have another.
    fn may_take(&self, limits: &Limits, id: SlotId, mut wished: Wished, known: &mut Known) -> bool {
        let has_copies = self.problem.request.ecosystem.copies() != Copies::One;
        if !has_copies {
            self.retain_allowed(limits, id, &mut wished);
        }
        if wished.is_empty() {
            return false;
        }
        if known.depth > MAX_DEPTH {
            return known.assume();
        }
        let key = (id, wished.clone());
        if let Some(answer) = known.takes.get(&key).copied() {
            return known.recall(answer);
        }
        known.takes.insert(key.clone(), Answer::Perhaps);

        let outer = std::mem::take(&mut known.is_uncertain);
        known.depth += 1;
        let dependents = self.dependents_of(id);
        let admitted = |dependent: &Dependent| -> Wished {
            let admits = |at: &usize| self.admits(limits, id, *at, dependent);
            wished.iter().copied().filter(admits).collect()
        };
        let each: Vec<Wished> = dependents.iter().map(admitted).collect();
        known.is_uncertain |= dependents.iter().any(|one| self.lacks_requirement(id, one));
        let in_all = |at: &usize| each.iter().all(|admitted| admitted.contains(at));
        let is_admitted = !has_copies && wished.iter().any(in_all);
        let answer = is_admitted
            || dependents.iter().zip(&each).all(|(dependent, admitted)| {
                (has_copies && !admitted.is_empty())
                    || admitted.len() == wished.len()
                    || self.may_come_to_admit(limits, id, &wished, dependent, known)
            });
        known.depth -= 1;

        let answer = known.finish(answer, outer);
        known.takes.insert(key, answer);
        answer != Answer::No
    }

    /// Removes the releases to which a tier does not allow a step.
    fn retain_allowed(&self, limits: &Limits, id: SlotId, wished: &mut Wished) {
        let slot = self.problem.slot(id);
        let releases = self.releases_of(id).unwrap_or_default();
        let greatest = match self.shared.direct.contains(&id) {
            true => limits.direct,
            false => limits.indirect,
        };
        wished.retain(|at| {
            let version = releases.get(*at).map(|release| &release.version);
            slot.candidates.iter().any(|candidate| {
                Some(&candidate.release.version) == version
                    && candidate.refusal.is_none()
                    && candidate.bump <= greatest
            })
        });
    }

    fn dependents_of(&self, id: SlotId) -> Vec<Dependent> {
        let slot = self.problem.slot(id);
        slot.copies
            .iter()
            .filter_map(|copy| self.problem.dependents.get(copy.0 as usize))
            .flatten()
            .cloned()
            .collect()
    }

    /// Whether a dependent admits a release as it is, or once a project's requirement is raised.
    fn admits(&self, limits: &Limits, id: SlotId, release: usize, dependent: &Dependent) -> bool {
        let slot = self.problem.slot(id);
        let releases = self.releases_of(id).unwrap_or_default();
        let Some(version) = releases.get(release).map(|release| &release.version) else {
            return false;
        };
        // What is no requirement on versions is judged by the search.
        let admits = |requirement: &str| {
            let admits = self.problem.versions.admits(requirement, version);
            admits.unwrap_or(true)
        };
        let Parent::Package(parent) = dependent.parent else {
            let bump = self.place(id, releases).bump_to(release);
            let bump = bump.unwrap_or(Bump::Major);
            let requirement = dependent.requirement.as_deref();
            return limits.raise.is_some_and(|greatest| bump <= greatest)
                || requirement.is_none_or(admits);
        };

        let package = self.problem.request.lockfile.package(parent);
        let edges = package.into_iter().flat_map(|package| &package.edges);
        let mut edges = edges.filter(|edge| slot.copies.contains(&edge.to));
        edges.all(|edge| {
            let requirement =
                package.and_then(|package| self.problem.locked_requirement(package, edge));
            requirement.is_none_or(|requirement| admits(&requirement))
        })
    }

    /// Whether what a dependent requires of a slot is not known. It then counts as admitting everything.
    fn lacks_requirement(&self, id: SlotId, dependent: &Dependent) -> bool {
        let Parent::Package(parent) = dependent.parent else {
            return false;
        };

        let slot = self.problem.slot(id);
        let package = self.problem.request.lockfile.package(parent);
        let edges = package.into_iter().flat_map(|package| &package.edges);
        let mut edges = edges.filter(|edge| slot.copies.contains(&edge.to));
        edges.any(|edge| {
            let requirement =
                package.and_then(|package| self.problem.locked_requirement(package, edge));
            requirement.is_none()
        })
    }

    /// Whether a dependent may take a release that admits one of these or does without the package, or
    /// may leave itself.
    fn may_come_to_admit(
        &self,
        limits: &Limits,
        id: SlotId,
        wished: &Wished,
        dependent: &Dependent,
        known: &mut Known,
    ) -> bool {
        let Parent::Package(parent) = dependent.parent else {
            return false;
        };
        let Some(parent) = self.problem.slot_of.get(parent.0 as usize).copied() else {
            return known.assume();
        };
        let releases = self.releases_of(id).unwrap_or_default();
        let admits_one = |requirement: &str| {
            wished.iter().filter_map(|at| releases.get(*at)).any(|one| {
                let admits = self.problem.versions.admits(requirement, &one.version);
                admits.unwrap_or(true)
            })
        };

        self.may_change(limits, parent, id, admits_one, known)
            || self.may_leave(limits, parent, known)
    }

    /// Whether all dependents of a slot may come to do without it.
    fn may_leave(&self, limits: &Limits, id: SlotId, known: &mut Known) -> bool {
        if let Some(answer) = known.leaves.get(&id).copied() {
            return known.recall(answer);
        }
        if known.depth > MAX_DEPTH {
            return known.assume();
        }
        known.leaves.insert(id, Answer::Perhaps);

        let outer = std::mem::take(&mut known.is_uncertain);
        known.depth += 1;
        let locked = self.problem.slot(id).locked_version().unwrap_or_default();
        let dependents = self.dependents_of(id);
        let answer = !dependents.is_empty()
            && dependents.iter().all(|dependent| match dependent.parent {
                // A raised requirement is one that admits the release.
                Parent::Root(_) => false,
                Parent::Package(parent) => {
                    let parent = self.problem.slot_of.get(parent.0 as usize).copied();
                    let admits_another = |requirement: &str| {
                        let admits = self.problem.versions.admits(requirement, locked);
                        !admits.unwrap_or(false)
                    };
                    parent.is_none_or(|parent| {
                        self.may_change(limits, parent, id, admits_another, known)
                            || self.may_leave(limits, parent, known)
                    })
                }
            });
        known.depth -= 1;

        let answer = known.finish(answer, outer);
        known.leaves.insert(id, answer);
        answer != Answer::No
    }

    /// Whether a dependent may take a release that does without a package, or requires it in a way that
    /// is accepted.
    fn may_change(
        &self,
        limits: &Limits,
        dependent: SlotId,
        id: SlotId,
        is_accepted: impl Fn(&str) -> bool,
        known: &mut Known,
    ) -> bool {
        if !limits.moves_parents {
            return false;
        }
        let Some(package) = self.problem.slot(id).package else {
            return known.assume();
        };
        let Some(releases) = self.releases_of(dependent) else {
            return known.assume();
        };

        let lacks_details = Cell::new(false);
        let changed = self.above(dependent, releases, |release| {
            let is_lacking = release.details.is_some();
            lacks_details.set(lacks_details.get() || is_lacking);
            is_lacking
                || requirements_on(release, package)
                    .all(|one| one.optional || is_accepted(&one.requirement))
        });
        known.is_uncertain |= lacks_details.get();
        self.may_take(limits, dependent, changed, known)
    }
}
