//! The tiers of changes, each more costly than the one before, and in each the findings that go
//! together.

use std::cmp::Reverse;

use patchgate_model::Bump;

use crate::attempt::{Failed, Limits};
use crate::memory::{Kept, Settled};
use crate::plan::{Planner, Wanted};
use crate::reach::Known;
use crate::request::Request;
use crate::scope::{Scope, Widening};

/// The findings that the same release of one slot would fix. They are fixed or left together.
type Group = Vec<Wanted>;

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

        let mut known = Known::default();
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
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        let groups: Vec<Group> = keyed.into_iter().map(|(_, group)| group).collect();

        if !self.is_lacking() {
            self.memory.keep_groups(tier, groups.clone());
        }
        groups
    }

    /// Fixes as many of these findings as go together, the most urgent first.
    ///
    /// All at once is tried first, and again after each success: it is one search, and when packages
    /// move together one success is often the last. When facts are missing, the others are tried only
    /// to learn what else is missing.
    fn try_groups(&mut self, tier: usize, limits: &Limits, mut groups: Vec<Group>) {
        let mut tries_all = true;
        while !groups.is_empty() {
            if tries_all && groups.len() > 1 && self.needs.is_empty() {
                tries_all = false;
                let all: Vec<Wanted> = groups.concat();
                match self.settle(tier, limits, &all, Widening::Never) {
                    Some(true) => {
                        self.fixed.extend(all);
                        return;
                    }
                    Some(false) => {}
                    None => return,
                }
            }

            let group = groups.remove(0);
            let widening = match self.needs.is_empty() {
                true => Widening::AsNeeded,
                false => Widening::Narrow,
            };
            if self.settle(tier, limits, &group, widening) == Some(true) {
                self.fixed.extend(group);
                tries_all = true;
            }
        }
    }

    /// Whether these findings are fixed by a solution, which then is the solution. `None` when facts are
    /// missing now.
    ///
    /// Findings that are left stay left however many others are fixed later, so that is kept even while
    /// facts about others are missing.
    fn settle(
        &mut self,
        tier: usize,
        limits: &Limits,
        trying: &[Wanted],
        widening: Widening,
    ) -> Option<bool> {
        let settled = match self.memory.recall(tier, trying) {
            Some(settled) => {
                if let Settled::Fixed(kept) = &settled {
                    self.solution = kept.solution(self.problem);
                    self.set_scope(Scope::new(self.problem, kept.changed.clone()));
                    self.recalled = Some(limits.clone());
                }
                settled
            }
            None => {
                let settled = self.search(limits, trying, widening)?;
                self.memory.keep(tier, trying, settled.clone());
                settled
            }
        };

        let Settled::Left(reason) = settled else {
            return Some(true);
        };
        if widening != Widening::Never {
            for wanted in trying {
                self.reasons.insert(wanted.clone(), reason.clone());
            }
        }
        Some(false)
    }

    /// Searches for a solution without these findings. `None` when facts are missing.
    fn search(
        &mut self,
        limits: &Limits,
        trying: &[Wanted],
        widening: Widening,
    ) -> Option<Settled> {
        let kept_scope = self.problem.scope.borrow().clone();
        let result = self.attempt(limits, trying, widening);
        let is_lacking = self.is_lacking();
        match result {
            Ok(_) if is_lacking || !self.needs.is_empty() => {
                self.set_scope(kept_scope);
                None
            }
            Ok(solution) => {
                let kept = Kept::new(self.problem, &solution);
                self.solution = solution;
                self.recalled = None;
                Some(Settled::Fixed(kept))
            }
            Err(Failed::Facts) => None,
            Err(Failed::Steps) => {
                let reason = "the search for it took too many steps";
                Some(Settled::Left(reason.to_owned()))
            }
            Err(Failed::Conflict(tree)) => {
                let first = trying.first()?;
                Some(Settled::Left(self.reason(limits, &tree, first)))
            }
        }
    }

    /// Finds the reasons of the findings that no tier tried to fix, because what is near their packages
    /// rules it out. The nearest conflict is the reason.
    fn explain_out_of_reach(&mut self, tier: usize, widest: &Limits, open: &[(Wanted, bool)]) {
        for (wanted, is_notice) in open {
            if *is_notice || self.fixed.contains(wanted) || self.reasons.contains_key(wanted) {
                continue;
            }

            let group = std::slice::from_ref(wanted);
            if self.settle(tier, widest, group, Widening::Nearest) == Some(true) {
                self.fixed.push(wanted.clone());
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
            let group = std::slice::from_ref(wanted);
            match self.settle(tier, limits, group, Widening::AsNeeded) {
                Some(true) => self.fixed.push(wanted.clone()),
                Some(false) if is_new => {
                    self.overridden.remove(&wanted.0);
                    self.shared.conditions.take();
                }
                Some(false) => {}
                None => return,
            }
        }
    }
}
