//! What a tier cannot fix for certain, so that it is not searched for.

use std::collections::BTreeMap;

use crate::attempt::Limits;
use crate::graph::{Dependent, Parent};
use crate::needs::requirements_on;
use crate::plan::{Planner, Wanted};
use crate::slot::{Choice, LOCKED, SlotId};

/// Answers about slots. A slot that is being looked at counts as one that can.
type Known = BTreeMap<SlotId, bool>;

impl Planner<'_, '_> {
    /// Whether a tier may fix a finding, by what is near its package: the package has a release that
    /// the dependents admit or may come to admit, or the dependents may come to do without it.
    ///
    /// What is not known counts as possible, and is recorded as missing: so the facts for all findings
    /// are asked for together, and not one conflict after the other.
    pub(crate) fn is_in_reach(&self, limits: &Limits, (id, finding): &Wanted) -> bool {
        if self.is_unknown(*id) {
            return true;
        }

        let slot = self.problem.slot(*id);
        let is_free = |choice: &Choice| {
            let candidate = slot.candidates.get(*choice as usize - 1);
            candidate.is_some_and(|candidate| {
                let findings = &candidate.findings;
                !findings.vulnerabilities.contains(finding) && !findings.notices.contains(finding)
            })
        };
        let free: Vec<Choice> = slot
            .choices()
            .filter(|choice| *choice != LOCKED && self.may_take(limits, *id, *choice))
            .filter(is_free)
            .collect();
        let dependents = self.dependents_of(*id);
        let is_admitted = |choice: &Choice| {
            let mut dependents = dependents.iter();
            dependents.all(|dependent| self.admits(limits, *id, *choice, dependent))
        };
        if free.iter().any(is_admitted) {
            return true;
        }

        let mut leaving = Known::new();
        let may_be_admitted = |choice: &Choice| {
            let mut dependents = dependents.iter();
            dependents.all(|dependent| {
                self.admits(limits, *id, *choice, dependent)
                    || self.may_come_to_admit(limits, *id, *choice, dependent, &mut leaving)
            })
        };
        free.iter().any(may_be_admitted) || self.may_leave(limits, *id, &mut Known::new())
    }

    /// Whether the releases of a slot are not known yet, which is recorded.
    fn is_unknown(&self, id: SlotId) -> bool {
        let slot = self.problem.slot(id);
        slot.frozen.is_none() && self.problem.releases(&slot.name).is_none()
    }

    /// Whether a tier allows a choice, whatever the rest of the graph is.
    fn may_take(&self, limits: &Limits, id: SlotId, choice: Choice) -> bool {
        let slot = self.problem.slot(id);
        let greatest = match self.shared.direct.contains(&id) {
            true => limits.direct,
            false => limits.indirect,
        };
        slot.candidates
            .get(choice as usize - 1)
            .is_some_and(|candidate| candidate.refusal.is_none() && candidate.bump <= greatest)
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

    /// Whether a dependent admits a choice as it is, or once a project's requirement is raised.
    fn admits(&self, limits: &Limits, id: SlotId, choice: Choice, dependent: &Dependent) -> bool {
        let slot = self.problem.slot(id);
        // What is no requirement on versions is judged by the search.
        let admits = |requirement: &str| {
            let admits = self
                .problem
                .admits_version(requirement, slot.version(choice));
            admits.unwrap_or(true)
        };
        let Parent::Package(parent) = dependent.parent else {
            let requirement = dependent.requirement.as_deref();
            return limits.raise.is_some() || requirement.is_none_or(admits);
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

    /// Whether a dependent has a release that admits a choice or does without the package, or may leave
    /// itself.
    fn may_come_to_admit(
        &self,
        limits: &Limits,
        id: SlotId,
        choice: Choice,
        dependent: &Dependent,
        leaving: &mut Known,
    ) -> bool {
        let Parent::Package(parent) = dependent.parent else {
            return false;
        };
        let Some(parent) = self.problem.slot_of.get(parent.0 as usize).copied() else {
            return true;
        };
        let slot = self.problem.slot(id);

        self.has_release_without(limits, parent, id, slot.version(choice), true)
            || self.may_leave(limits, parent, leaving)
    }

    /// Whether all dependents of a slot may come to do without it.
    fn may_leave(&self, limits: &Limits, id: SlotId, known: &mut Known) -> bool {
        if let Some(answer) = known.get(&id) {
            return *answer;
        }
        known.insert(id, true);

        let dependents = self.dependents_of(id);
        let answer = !dependents.is_empty()
            && dependents.iter().all(|dependent| match dependent.parent {
                // A raised requirement may admit another copy of the package.
                Parent::Root(_) => {
                    limits.raise.is_some()
                        && self.problem.request.ecosystem.copies()
                            != patchgate_ecosystems::Copies::One
                }
                Parent::Package(parent) => {
                    let parent = self.problem.slot_of.get(parent.0 as usize).copied();
                    parent.is_none_or(|parent| {
                        let locked = self.problem.slot(id).locked_version().unwrap_or_default();
                        self.has_release_without(limits, parent, id, locked, false)
                            || self.may_leave(limits, parent, known)
                    })
                }
            });
        known.insert(id, answer);

        answer
    }

    /// Whether a dependent has a release that does not require a package, or that admits a version of
    /// it or not, as wanted.
    fn has_release_without(
        &self,
        limits: &Limits,
        dependent: SlotId,
        id: SlotId,
        version: &str,
        wanted: bool,
    ) -> bool {
        if !limits.moves_parents {
            return false;
        }
        if self.is_unknown(dependent) {
            return true;
        }
        let Some(package) = self.problem.slot(id).package else {
            return true;
        };

        let slot = self.problem.slot(dependent);
        let is_one = |choice: &Choice| {
            let Some(release) = slot.release(*choice) else {
                return false;
            };
            release.details.is_some()
                || requirements_on(release, package).all(|requirement| {
                    let text = requirement.requirement.as_str();
                    let admits = self.problem.admits_version(text, version);
                    requirement.optional || admits.unwrap_or(wanted) == wanted
                })
        };
        let mut choices = slot.choices().filter(|choice| *choice != LOCKED);
        choices.any(|choice| self.may_take(limits, dependent, choice) && is_one(&choice))
    }
}
