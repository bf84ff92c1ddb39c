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
    /// the dependents admit or may come to admit, or the dependents may come to do without it. What is
    /// not known counts as possible.
    pub(crate) fn is_in_reach(&self, limits: &Limits, (id, finding): &Wanted) -> bool {
        let slot = self.problem.slot(*id);
        let mut leaving = Known::new();
        if self.may_leave(limits, *id, &mut leaving) {
            return true;
        }
        if slot.candidates.is_empty() {
            return self.is_unknown(*id);
        }

        slot.choices()
            .filter(|choice| *choice != LOCKED)
            .any(|choice| {
                let Some(candidate) = slot.candidates.get(choice as usize - 1) else {
                    return false;
                };
                let findings = &candidate.findings;
                !findings.vulnerabilities.contains(finding)
                    && !findings.notices.contains(finding)
                    && self.may_take(limits, *id, choice)
                    && self.dependents_of(*id).all(|dependent| {
                        self.may_admit(limits, *id, choice, &dependent, &mut leaving)
                    })
            })
    }

    fn is_unknown(&self, id: SlotId) -> bool {
        let slot = self.problem.slot(id);
        let request = self.problem.request;
        slot.frozen.is_none()
            && request
                .releases
                .releases(request.ecosystem, &slot.name)
                .is_none()
    }

    /// Whether a tier allows a choice, whatever the rest of the graph is.
    fn may_take(&self, limits: &Limits, id: SlotId, choice: Choice) -> bool {
        let slot = self.problem.slot(id);
        let greatest = match self.direct.contains(&id) {
            true => limits.direct,
            false => limits.indirect,
        };
        slot.candidates
            .get(choice as usize - 1)
            .is_some_and(|candidate| candidate.refusal.is_none() && candidate.bump <= greatest)
    }

    fn dependents_of(&self, id: SlotId) -> impl Iterator<Item = Dependent> + use<> {
        let slot = self.problem.slot(id);
        let all: Vec<Dependent> = slot
            .copies
            .iter()
            .filter_map(|copy| self.problem.dependents.get(copy.0 as usize))
            .flatten()
            .cloned()
            .collect();
        all.into_iter()
    }

    /// Whether a dependent admits a choice, or may change so that it does.
    fn may_admit(
        &self,
        limits: &Limits,
        id: SlotId,
        choice: Choice,
        dependent: &Dependent,
        leaving: &mut Known,
    ) -> bool {
        let slot = self.problem.slot(id);
        let version = slot.version(choice);
        let ecosystem = self.problem.request.ecosystem;
        // What is no requirement on versions is judged by the search.
        let admits = |requirement: &str| ecosystem.admits(requirement, version).unwrap_or(true);
        let Parent::Package(parent) = dependent.parent else {
            let requirement = dependent.requirement.as_deref();
            return limits.raise.is_some() || requirement.is_none_or(admits);
        };

        let lockfile = self.problem.request.lockfile;
        let (Some(package), Some(parent)) = (
            lockfile.package(parent),
            self.problem.slot_of.get(parent.0 as usize).copied(),
        ) else {
            return true;
        };
        let mut edges = package
            .edges
            .iter()
            .filter(|edge| slot.copies.contains(&edge.to));
        let stays = edges.all(|edge| {
            let requirement = self.problem.locked_requirement(package, edge);
            requirement.is_none_or(|requirement| admits(&requirement))
        });

        stays || self.may_move(limits, parent) || self.may_leave(limits, parent, leaving)
    }

    fn may_move(&self, limits: &Limits, id: SlotId) -> bool {
        let slot = self.problem.slot(id);
        limits.moves_parents
            && (self.is_unknown(id)
                || slot
                    .choices()
                    .any(|choice| choice != LOCKED && self.may_take(limits, id, choice)))
    }

    /// Whether all dependents of a slot may come to do without it.
    fn may_leave(&self, limits: &Limits, id: SlotId, known: &mut Known) -> bool {
        if let Some(answer) = known.get(&id) {
            return *answer;
        }
        known.insert(id, true);

        let mut dependents = self.dependents_of(id).peekable();
        let answer = dependents.peek().is_some()
            && dependents.all(|dependent| match dependent.parent {
                // A raised requirement may admit another copy of the package.
                Parent::Root(_) => {
                    limits.raise.is_some()
                        && self.problem.request.ecosystem.copies()
                            != patchgate_ecosystems::Copies::One
                }
                Parent::Package(parent) => {
                    let parent = self.problem.slot_of.get(parent.0 as usize).copied();
                    parent.is_none_or(|parent| {
                        self.may_let_go(limits, parent, id) || self.may_leave(limits, parent, known)
                    })
                }
            });
        known.insert(id, answer);

        answer
    }

    /// Whether a release of a dependent may do without the locked version of a slot.
    fn may_let_go(&self, limits: &Limits, parent: SlotId, id: SlotId) -> bool {
        if !limits.moves_parents {
            return false;
        }
        if self.is_unknown(parent) {
            return true;
        }

        let slot = self.problem.slot(id);
        let Some(package) = slot.package else {
            return true;
        };
        let ecosystem = self.problem.request.ecosystem;
        let dependent = self.problem.slot(parent);
        let lets_go = |choice: Choice| {
            let Some(release) = dependent.release(choice) else {
                return false;
            };
            release.details.is_some()
                || requirements_on(release, package).all(|requirement| {
                    let text = &requirement.requirement;
                    requirement.optional
                        || !ecosystem.admits(text, &package.version).unwrap_or(false)
                })
        };
        dependent.choices().any(|choice| {
            choice != LOCKED && self.may_take(limits, parent, choice) && lets_go(choice)
        })
    }
}
