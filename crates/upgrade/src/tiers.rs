//! The tiers of changes, each more costly than the one before, and in each the findings that go
//! together.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use patchgate_model::Bump;
use pubgrub::External;

use crate::attempt::{Failed, Limits, Tree, Variable};
use crate::explain;
use crate::memory::{Kept, Left, Settled};
use crate::plan::{Planner, Wanted};
use crate::request::Request;
use crate::scope::{Scope, Widening};
use crate::slot::SlotId;

/// The findings that the same release of one slot would fix. They are fixed or left together.
type Group = Vec<Wanted>;

/// Most attempts of one tier that only look for missing facts.
const MAX_TRIES: usize = 12;

/// The result of a search.
enum Tried {
    Settled(Settled),
    /// Facts are missing. The finding is one that would be left out.
    Unknown(Option<Left>),
}

/// What a tier allows.
fn tiers(request: &Request<'_>) -> Vec<Limits> {
    let options = request.options;
    let limited = |bump: Bump| bump.min(options.max_bump);
    let steps = [
        (None, Bump::Minor, Bump::Minor),
        (Some(Bump::Minor), Bump::Minor, Bump::Minor),
        (Some(Bump::Minor), Bump::Minor, Bump::Major),
        (Some(Bump::Major), Bump::Major, Bump::Major),
    ];

    let mut tiers = Vec::new();
    for (raise, direct, indirect) in steps {
        for avoids_notices in [true, false] {
            tiers.push(Limits {
                raise: raise.map(limited).filter(|_| options.raises),
                direct: limited(direct),
                indirect: limited(indirect),
                avoids_notices,
                moves_parents: options.moves_parents,
            });
        }
    }

    tiers
}

impl Planner<'_, '_> {
    /// Fixes what can be fixed, the cheapest changes first. Missing facts are recorded.
    pub(crate) fn run_tiers(&mut self, open: &[(Wanted, bool)]) {
        let tiers = tiers(self.problem.request);
        for (tier, limits) in tiers.iter().enumerate() {
            // Where no release has a notice, a tier that avoids them is the same as one that does not.
            if !limits.avoids_notices && !self.problem.has_notices() {
                continue;
            }

            let groups = self.groups(tier, limits, open);
            if !self.needs.is_empty() {
                return;
            }
            self.try_groups(tier, limits, groups);
            if !self.needs.is_empty() {
                return;
            }
        }

        let Some(widest) = tiers.last() else { return };
        self.explain_out_of_reach(tiers.len(), widest, open);
        if self.needs.is_empty() && self.problem.request.options.overrides {
            self.try_overrides(tiers.len() + 1, widest, open);
        }
    }

    /// The findings that a tier may fix, the most urgent first.
    fn groups(&mut self, tier: usize, limits: &Limits, open: &[(Wanted, bool)]) -> Vec<Group> {
        if let Some(groups) = self.memory.groups(tier) {
            return groups;
        }

        let mut known = self.memory.take_reach(tier);
        let mut groups: Vec<Group> = Vec::new();
        for (wanted, is_notice) in open {
            // A notice is worth no change that may break something.
            let is_worth_it = tier == 0 || !is_notice;
            if self.fixed.contains(wanted)
                || !is_worth_it
                || !self.is_in_reach(limits, wanted, &mut known)
            {
                continue;
            }
            let is_same = |group: &&mut Group| {
                let first = group.first();
                first.is_some_and(|first| {
                    first.0 == wanted.0 && self.first_free(first) == self.first_free(wanted)
                })
            };
            match groups.iter_mut().find(is_same) {
                Some(group) => group.push(wanted.clone()),
                None => groups.push(vec![wanted.clone()]),
            }
        }

        self.memory.keep_reach(tier, known);

        // Of the findings of one slot, those that the smaller step fixes come first.
        let slot = |group: &Group| group.first().map(|(slot, _)| *slot);
        let order: Vec<_> = groups.iter().map(slot).collect();
        let findings = |group: &Group| {
            let same = groups.iter().filter(|other| slot(other) == slot(group));
            same.map(Vec::len).sum::<usize>()
        };
        let mut keyed: Vec<_> = groups
            .iter()
            .map(|group| {
                let fewest_last = match self.problem.request.options.most_fixed {
                    true => Reverse(findings(group)),
                    false => Reverse(0),
                };
                let place = order.iter().position(|other| *other == slot(group));
                let step = group.first().map(|first| self.first_free(first));
                ((fewest_last, place, step), group.clone())
            })
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        let groups: Vec<Group> = keyed.into_iter().map(|(_, group)| group).collect();

        if !self.is_lacking() {
            self.memory.keep_groups(tier, groups.clone());
        }
        groups
    }

    /// Fixes as many of these findings as go together.
    ///
    /// All are tried at once. In a conflict the least urgent are dropped, and tried alone afterwards. When
    /// facts are missing for some, the others are tried only to learn what else is missing.
    fn try_groups(&mut self, tier: usize, limits: &Limits, mut groups: Vec<Group>) {
        let kept = self.problem.scope.borrow().clone();
        self.widen(self.memory.opened(tier));

        let mut dropped = Vec::new();
        let mut tries = 0;
        let mut is_fixed = false;
        while !groups.is_empty() && tries < MAX_TRIES {
            let all: Vec<Wanted> = groups.concat();
            let left = match self.settle(tier, limits, &all, Widening::AsNeeded) {
                Tried::Settled(Settled::Fixed(_)) => {
                    self.fixed.extend(all);
                    is_fixed = true;
                    break;
                }
                Tried::Settled(Settled::Left(left)) => left,
                Tried::Unknown(Some(left)) => {
                    tries += 1;
                    left
                }
                Tried::Unknown(None) => break,
            };
            let is_left = |group: &Group| group.contains(&left.wanted);
            let Some(at) = groups.iter().position(is_left) else {
                break;
            };
            dropped.push((groups.remove(at), left));
        }
        if !self.needs.is_empty() {
            let opened = self.problem.scope.borrow().open().clone();
            self.memory.keep_opened(tier, opened);
            return;
        }
        if !is_fixed {
            self.narrow(&kept);
        }

        for (group, left) in dropped {
            for wanted in &group {
                self.reasons.insert(wanted.clone(), left.reason.clone());
            }
            if left.is_alone {
                continue;
            }
            let scope = self.problem.scope.borrow().clone();
            match self.settle(tier, limits, &group, Widening::AsNeeded) {
                Tried::Settled(Settled::Fixed(_)) => self.fixed.extend(group),
                Tried::Settled(Settled::Left(left)) => {
                    for wanted in group {
                        self.reasons.insert(wanted, left.reason.clone());
                    }
                    self.narrow(&scope);
                }
                Tried::Unknown(_) => return,
            }
        }
    }

    /// Opens more slots.
    fn widen(&self, mut more: BTreeSet<SlotId>) {
        more.extend(self.problem.scope.borrow().open());
        self.set_scope(Scope::new(self.problem, more));
    }

    /// Goes back to a scope after an attempt that failed.
    fn narrow(&self, kept: &Scope) {
        self.set_scope(kept.clone());
    }

    /// Looks for a solution without these findings, which then is the solution.
    fn settle(
        &mut self,
        tier: usize,
        limits: &Limits,
        trying: &[Wanted],
        widening: Widening,
    ) -> Tried {
        let is_lacking = !self.needs.is_empty();
        if let Some(settled) = self.memory.recall(tier, trying).filter(|_| !is_lacking) {
            if let Settled::Fixed(kept) = &settled {
                self.solution = kept.solution(self.problem);
                self.set_scope(Scope::new(self.problem, kept.changed.clone()));
                self.recalled = Some(limits.clone());
            }
            return Tried::Settled(settled);
        }

        let tried = self.search(limits, trying, widening);
        if let Tried::Settled(settled) = &tried {
            self.memory.keep(tier, trying, settled.clone());
        }
        tried
    }

    fn search(&mut self, limits: &Limits, trying: &[Wanted], widening: Widening) -> Tried {
        let result = self.attempt(limits, trying, widening);
        self.is_lacking();
        let is_lacking = !self.needs.is_empty();

        let left = match result {
            Ok(_) | Err(Failed::Facts) if is_lacking => return Tried::Unknown(None),
            Ok(solution) => {
                let kept = Kept::new(self.problem, &solution);
                self.solution = solution;
                self.recalled = None;
                self.set_scope(Scope::new(self.problem, kept.changed.clone()));
                return Tried::Settled(Settled::Fixed(kept));
            }
            Err(Failed::Conflict(tree)) => self.left_out(limits, &tree, trying),
            Err(Failed::Facts | Failed::Steps) => trying.last().map(|last| Left {
                wanted: last.clone(),
                reason: "the search for it took too many steps".to_owned(),
                is_alone: false,
            }),
        };
        match left {
            Some(left) if !is_lacking => Tried::Settled(Settled::Left(left)),
            left => Tried::Unknown(left),
        }
    }

    /// The finding that is left out for the others after a conflict: of the slots in the conflict, one
    /// of the slot of the least urgent (or with the fewest findings), and there the one that needs the
    /// greatest step.
    fn left_out(&self, limits: &Limits, tree: &Tree, trying: &[Wanted]) -> Option<Left> {
        let slots = unsolved_slots(tree);
        let in_conflict = (0..trying.len()).filter(|at| slots.contains(&trying[*at].0));
        let in_conflict: Vec<usize> = in_conflict.collect();
        let count = |slot: SlotId| trying.iter().filter(|(other, _)| *other == slot).count();
        let at = match self.problem.request.options.most_fixed {
            // Of several, the last: the least urgent.
            true => {
                let each = in_conflict.iter().copied();
                each.min_by_key(|at| (count(trying[*at].0), Reverse(*at)))
            }
            false => in_conflict.last().copied(),
        };

        let (slot, _) = trying.get(at.or(trying.len().checked_sub(1))?)?;
        let of_slot = trying.iter().filter(|wanted| wanted.0 == *slot);
        let wanted = of_slot.max_by_key(|wanted| self.first_free(wanted))?;
        Some(Left {
            wanted: wanted.clone(),
            reason: self.reason(limits, tree, wanted),
            is_alone: in_conflict.iter().all(|at| trying[*at].0 == *slot) && at.is_some(),
        })
    }

    /// Finds the reasons of the findings that no tier tried to fix, because what is near their packages
    /// rules it out. The nearest conflict is the reason.
    fn explain_out_of_reach(&mut self, tier: usize, widest: &Limits, open: &[(Wanted, bool)]) {
        for (wanted, is_notice) in open {
            if *is_notice || self.fixed.contains(wanted) || self.reasons.contains_key(wanted) {
                continue;
            }

            let kept = self.problem.scope.borrow().clone();
            let group = std::slice::from_ref(wanted);
            match self.settle(tier, widest, group, Widening::Nearest) {
                Tried::Settled(Settled::Fixed(_)) => self.fixed.push(wanted.clone()),
                Tried::Settled(Settled::Left(left)) => {
                    self.reasons.insert(wanted.clone(), left.reason);
                    self.narrow(&kept);
                }
                Tried::Unknown(_) => self.narrow(&kept),
            }
        }
    }

    /// Gives packages a version that their dependents do not admit, one at a time.
    fn try_overrides(&mut self, tier: usize, limits: &Limits, open: &[(Wanted, bool)]) {
        for (wanted, is_notice) in open {
            if *is_notice || self.fixed.contains(wanted) {
                continue;
            }

            let is_new = self.overridden.insert(wanted.0);
            self.shared.conditions.take();
            let kept = self.problem.scope.borrow().clone();
            let group = std::slice::from_ref(wanted);
            match self.settle(tier, limits, group, Widening::AsNeeded) {
                Tried::Settled(Settled::Fixed(_)) => self.fixed.push(wanted.clone()),
                Tried::Settled(Settled::Left(left)) => {
                    self.reasons.insert(wanted.clone(), left.reason);
                    self.narrow(&kept);
                    if is_new {
                        self.overridden.remove(&wanted.0);
                        self.shared.conditions.take();
                    }
                }
                Tried::Unknown(_) => return,
            }
        }
    }
}

/// The slots of a conflict for which no choice was left.
fn unsolved_slots(tree: &Tree) -> BTreeSet<SlotId> {
    let mut slots = BTreeSet::new();
    explain::externals(tree, &mut |external| {
        if let External::NoVersions(Variable::Slot(id), _) = external {
            slots.insert(*id);
        }
    });

    slots
}
