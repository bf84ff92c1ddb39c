//! From a question to a plan: tier by tier, and in each as many findings as go together.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Bump, PackageIndex};
use pubgrub::External;

use crate::attempt::{Attempt, Failed, Limits, Shared, Solution, Tree, Variable};
use crate::explain;
use crate::features::{self, Asked};
use crate::graph;
use crate::memory::{Kept, Memory, Settled};
use crate::outcome;
use crate::problem::Problem;
use crate::request::{Left, MissingFacts, Planned, Request};
use crate::scope::Scope;
use crate::slot::{Choice, LOCKED, SlotId};

/// One finding to fix, by the slot that has it.
pub(crate) type Wanted = (SlotId, String);

/// The work on one question.
pub(crate) struct Planner<'p, 'a> {
    pub(crate) problem: &'p Problem<'a>,
    pub(crate) shared: Shared,
    /// The findings that the solution is without.
    pub(crate) fixed: Vec<Wanted>,
    pub(crate) solution: Solution,
    pub(crate) overridden: BTreeSet<SlotId>,
    /// The copies that have each finding.
    copies: BTreeMap<Wanted, BTreeSet<PackageIndex>>,
    /// The reason of the last attempt on each finding that remains.
    pub(crate) reasons: BTreeMap<Wanted, String>,
    needs: MissingFacts,
    /// The features that each slot is asked for in the lockfile.
    pub(crate) asked_before: OnceCell<Asked>,
    memory: Memory,
    /// What the solution was allowed to change, when it was found in an earlier round.
    recalled: Option<Limits>,
}

/// Finds the smallest safe change for the findings to fix.
///
/// The crate's documentation has an example.
#[must_use]
pub fn plan(request: &Request<'_>) -> Planned {
    plan_on(request, &mut Memory::default())
}

/// The same, without searching again for what an earlier round has settled. The rounds differ in the
/// known releases and findings only.
#[must_use]
pub fn plan_on(request: &Request<'_>, memory: &mut Memory) -> Planned {
    let problem = Problem::new(request, memory.admitted());
    let direct = problem
        .request
        .lockfile
        .roots
        .iter()
        .flat_map(|root| &root.edges);
    let direct = direct.filter_map(|edge| problem.slot_of.get(edge.to.0 as usize).copied());
    let mut planner = Planner {
        shared: Shared {
            direct: direct.collect(),
            ..Shared::default()
        },
        problem: &problem,
        fixed: Vec::new(),
        solution: Solution::new(),
        overridden: BTreeSet::new(),
        copies: BTreeMap::new(),
        reasons: BTreeMap::new(),
        needs: MissingFacts::default(),
        asked_before: OnceCell::new(),
        memory: std::mem::take(memory),
        recalled: None,
    };
    planner.memory.rewind();
    let planned = planner.answer();
    *memory = planner.memory;

    planned
}

impl Planner<'_, '_> {
    fn answer(&mut self) -> Planned {
        let (open, mut left) = self.movable_targets();
        if self.is_lacking() {
            return Planned::Missing(std::mem::take(&mut self.needs));
        }

        self.run_tiers(&open);
        if self.needs.is_empty() {
            self.complete();
        }
        if self.needs.is_empty() {
            self.check_assumptions();
        }
        if !self.needs.is_empty() {
            return Planned::Missing(std::mem::take(&mut self.needs));
        }

        left.extend(self.left());
        left.sort_by_key(|left| left.copy);
        Planned::Ready(outcome::proposal(self, left))
    }

    /// Searches once more for a solution of an earlier round, which is known in its main parts only.
    fn complete(&mut self) {
        let Some(limits) = self.recalled.take() else {
            return;
        };
        match self.attempt(&limits, &[]) {
            Ok(solution) => self.solution = solution,
            Err(_) => {
                self.is_lacking();
            }
        }
    }
}

/// The tiers, each more costly than the one before.
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

impl<'a> Planner<'_, 'a> {
    /// The findings whose slots can change, and those that remain because they cannot.
    fn movable_targets(&mut self) -> (Vec<(Wanted, bool)>, Vec<Left>) {
        let mut open: Vec<(Wanted, bool)> = Vec::new();
        let mut left: BTreeMap<PackageIndex, Left> = BTreeMap::new();
        for target in self.problem.request.targets {
            let Some(id) = self.problem.slot_to_change(target.copy) else {
                continue;
            };
            let slot = self.problem.slot(id);
            let releases = match &slot.frozen {
                Some(_) => None,
                None => self.problem.releases(&slot.name),
            };
            let reason = match (&slot.frozen, releases) {
                (Some(reason), _) => reason.clone(),
                (None, Some(Err(reason))) => {
                    format!("the releases of `{}` are not known: {reason}", slot.name)
                }
                (None, _) => {
                    let wanted = (id, target.id.clone());
                    let copies = self.copies.entry(wanted.clone()).or_default();
                    copies.insert(target.copy);
                    if !open.iter().any(|(known, _)| *known == wanted) {
                        open.push((wanted, target.is_notice));
                    }
                    continue;
                }
            };

            let entry = left.entry(target.copy).or_insert_with(|| Left {
                copy: target.copy,
                ids: Vec::new(),
                reason,
            });
            entry.ids.push(target.id.clone());
            entry.ids.sort();
        }

        (open, left.into_values().collect())
    }

    /// Takes over what the problem found to be missing.
    fn is_lacking(&mut self) -> bool {
        let mut needs = self.problem.needs.borrow_mut();
        let is_lacking = !needs.is_empty();
        self.needs.packages.append(&mut needs.packages);
        self.needs.details.append(&mut needs.details);
        is_lacking
    }

    fn run_tiers(&mut self, open: &[(Wanted, bool)]) {
        let tiers = tiers(self.problem.request);
        for (index, limits) in tiers.iter().enumerate() {
            // Where no release has a notice, a tier that avoids them is the same as one that does not.
            if !limits.avoids_notices && !self.problem.has_notices() {
                continue;
            }

            // A notice is worth no change that may break something. The widest tier tries everything,
            // so that what remains has a reason.
            let is_widest = index + 2 >= tiers.len();
            let trying = self.trying(
                |planner, wanted, is_notice| {
                    let is_in_reach = planner.is_in_reach(limits, wanted);
                    (index == 0 || !is_notice) && (is_widest || is_in_reach)
                },
                open,
            );
            if !self.needs.is_empty() {
                return;
            }
            self.try_all(limits, trying);
            if !self.needs.is_empty() {
                return;
            }
        }

        if let Some(limits) = tiers
            .last()
            .filter(|_| self.problem.request.options.overrides)
        {
            self.try_overrides(limits, open);
        }
    }

    /// The findings that a tier tries to fix.
    fn trying(
        &mut self,
        is_tried: impl Fn(&Self, &Wanted, bool) -> bool,
        open: &[(Wanted, bool)],
    ) -> Vec<Wanted> {
        if let Some(Settled::Trying(trying)) = self.memory.recall() {
            return trying;
        }

        let trying: Vec<Wanted> = open
            .iter()
            .filter(|(wanted, is_notice)| {
                !self.fixed.contains(wanted) && is_tried(self, wanted, *is_notice)
            })
            .map(|(wanted, _)| wanted.clone())
            .collect();
        if !self.is_lacking() {
            self.memory.keep(Settled::Trying(trying.clone()));
        }

        trying
    }

    /// Fixes as many of these findings as go together, the most urgent first.
    fn try_all(&mut self, limits: &Limits, mut trying: Vec<Wanted>) {
        while !trying.is_empty() {
            let Some(settled) = self.settle(limits, &trying) else {
                return;
            };
            match settled {
                Settled::Fixed(_) => {
                    self.fixed.append(&mut trying);
                    return;
                }
                Settled::Left(left, reason) => {
                    let before = trying.len();
                    trying.retain(|wanted| !left.contains(wanted));
                    for wanted in left {
                        self.reasons.insert(wanted, reason.clone());
                    }
                    if trying.len() == before {
                        return;
                    }
                }
                Settled::Trying(_) => return,
            }
        }
    }

    /// Finds a solution without these findings, or which of them are left. `None` when facts are
    /// missing.
    fn settle(&mut self, limits: &Limits, trying: &[Wanted]) -> Option<Settled> {
        if let Some(settled) = self.memory.recall() {
            if let Settled::Fixed(kept) = &settled {
                self.solution = kept.solution(self.problem);
                self.set_scope(Scope::new(self.problem, kept.changed.clone()));
                self.recalled = Some(limits.clone());
            }
            return Some(settled);
        }

        let settled = match self.attempt(limits, trying) {
            Ok(solution) => {
                let kept = Kept::new(self.problem, &solution);
                self.solution = solution;
                self.recalled = None;
                Settled::Fixed(kept)
            }
            Err(Failed::Facts) => {
                self.is_lacking();
                return None;
            }
            Err(Failed::Steps) => {
                let last = trying.last().cloned();
                let reason = "the search for it took too many steps";
                Settled::Left(last.into_iter().collect(), reason.to_owned())
            }
            Err(Failed::Conflict(tree)) => self.left_out(limits, &tree, trying),
        };
        self.memory.keep(settled.clone());

        Some(settled)
    }

    /// The findings that are left out for the others after a conflict, with the reason: all of one
    /// package that the same release would fix.
    fn left_out(&self, limits: &Limits, tree: &Tree, trying: &[Wanted]) -> Settled {
        let Some(dropped) = self
            .least_worth(tree, trying)
            .and_then(|index| trying.get(index))
        else {
            return Settled::Left(Vec::new(), String::new());
        };
        let free = self.first_free(dropped);
        let is_same = |wanted: &&Wanted| wanted.0 == dropped.0 && self.first_free(wanted) == free;
        let left = trying.iter().filter(is_same).cloned().collect();

        Settled::Left(left, self.reason(limits, tree, dropped))
    }

    fn reason(&self, limits: &Limits, tree: &Tree, wanted: &Wanted) -> String {
        let reason = explain::conflict(self, limits, tree, wanted);
        let slot = self.problem.slot(wanted.0);
        let copies = self.copies.get(wanted).into_iter().flatten();
        let is_shipped = copies
            .clone()
            .any(|copy| graph::bundled_by(self.problem.request.lockfile, *copy).is_some());
        if !is_shipped {
            return reason;
        }

        let version = slot.locked_version().unwrap_or_default();
        format!(
            "it is shipped inside the archive of `{} {version}`: {reason}",
            slot.name
        )
    }

    /// Gives packages a version that their dependents do not admit, one at a time.
    fn try_overrides(&mut self, limits: &Limits, open: &[(Wanted, bool)]) {
        let remaining: Vec<Wanted> = open
            .iter()
            .filter(|(wanted, is_notice)| !is_notice && !self.fixed.contains(wanted))
            .map(|(wanted, _)| wanted.clone())
            .collect();
        for wanted in remaining {
            let is_new = self.overridden.insert(wanted.0);
            self.shared.conditions.take();
            match self.settle(limits, std::slice::from_ref(&wanted)) {
                Some(Settled::Fixed(_)) => self.fixed.push(wanted),
                Some(_) if is_new => {
                    self.overridden.remove(&wanted.0);
                    self.shared.conditions.take();
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Searches for a solution without these findings and those that are fixed already.
    fn attempt(&self, limits: &Limits, trying: &[Wanted]) -> Result<Solution, Failed> {
        // The features and the scope belong to the solution that is kept.
        let problem = self.problem;
        let kept_features = (problem.asked.take(), problem.uncertain.take());
        let kept_scope = problem.scope.borrow().clone();

        let mut open = kept_scope.changed(&self.solution);
        open.extend(self.fixed.iter().chain(trying).map(|(slot, _)| *slot));
        self.set_scope(Scope::new(problem, open));
        let result = self.attempt_widening(limits, trying);
        if result.is_err() {
            problem.asked.replace(kept_features.0);
            problem.uncertain.replace(kept_features.1);
            self.set_scope(kept_scope);
        }

        result
    }

    fn set_scope(&self, scope: Scope) {
        self.shared.conditions.take();
        self.problem.scope.replace(scope);
    }

    /// Searches in the scope, and in a wider one while a closed slot stands in the way.
    fn attempt_widening(&self, limits: &Limits, trying: &[Wanted]) -> Result<Solution, Failed> {
        let problem = self.problem;
        for round in 0.. {
            let result = self.attempt_with_features(limits, trying);
            if !problem.needs.borrow().is_empty() {
                return Err(Failed::Facts);
            }

            let mut more = problem.to_open.take();
            if let Err(Failed::Conflict(tree)) = &result {
                // Without the releases of the packages in the conflict nothing is certain.
                self.need_releases_of(tree);
                if !problem.needs.borrow().is_empty() {
                    return Err(Failed::Facts);
                }
                more.extend(problem.scope.borrow().closed_in(problem, tree));
            }
            let scope = problem.scope.borrow().clone();
            more.retain(|id| !scope.is_open(*id));
            if more.is_empty() {
                return result;
            }

            self.set_scope(scope.widened(problem, more, round));
        }

        Err(Failed::Steps)
    }

    fn attempt_with_features(
        &self,
        limits: &Limits,
        trying: &[Wanted],
    ) -> Result<Solution, Failed> {
        let mut active: BTreeMap<SlotId, BTreeSet<String>> = BTreeMap::new();
        for (slot, id) in self.fixed.iter().chain(trying) {
            active.entry(*slot).or_default().insert(id.clone());
        }
        let solve = |favored: &Solution| {
            let attempt = Attempt::new(
                self.problem,
                limits,
                &active,
                favored,
                &self.overridden,
                &self.shared,
            );
            attempt.solve()
        };

        let mut solution = solve(&self.solution)?;
        for round in 1..features::MAX_ROUNDS {
            if !self.learn_features(&solution, round) {
                break;
            }
            if !self.problem.needs.borrow().is_empty() {
                return Err(Failed::Facts);
            }
            solution = solve(&solution)?;
        }

        Ok(solution)
    }

    /// Records the packages of a conflict whose releases are not known.
    fn need_releases_of(&self, tree: &Tree) {
        for variable in tree.packages() {
            let Variable::Slot(id) = variable else {
                continue;
            };
            let slot = self.problem.slot(*id);
            if slot.frozen.is_none() {
                self.problem.releases(&slot.name);
            }
        }
    }

    /// The index of the finding that is left out for the others: among those of the conflict, one of
    /// the slot of the least urgent (or with the fewest findings), and there the one that needs the
    /// greatest step.
    fn least_worth(&self, tree: &Tree, trying: &[Wanted]) -> Option<usize> {
        let slots = unsolved_slots(tree);
        let mut in_conflict = (0..trying.len()).filter(|index| slots.contains(&trying[*index].0));
        let count = |slot: SlotId| trying.iter().filter(|(other, _)| *other == slot).count();
        let last = match self.problem.request.options.most_fixed {
            // Of several, the last: the least urgent.
            true => in_conflict.min_by_key(|index| (count(trying[*index].0), Reverse(*index))),
            false => in_conflict.next_back(),
        };
        let Some(last) = last else {
            return trying.len().checked_sub(1);
        };

        let (slot, _) = &trying[last];
        (0..trying.len())
            .filter(|index| trying[*index].0 == *slot)
            .max_by_key(|index| self.first_free(&trying[*index]))
    }

    /// The first choice of a slot that does not have a finding.
    fn first_free(&self, (slot, id): &Wanted) -> Choice {
        let slot = self.problem.slot(*slot);
        let free = slot.candidates.iter().position(|candidate| {
            !candidate.findings.vulnerabilities.contains(id)
                && !candidate.findings.notices.contains(id)
        });

        free.and_then(|index| Choice::try_from(index).ok())
            .unwrap_or(Choice::MAX)
    }

    /// Asks for the requirements that the lockfile does not state and that the solution may break.
    fn check_assumptions(&mut self) {
        for id in 0..self.problem.slots().len() {
            let slot = self.problem.slot(id);
            let choice = self.solution.get(&Variable::Slot(id)).copied();
            if slot.frozen.is_some() || choice.is_none_or(|choice| choice != LOCKED) {
                continue;
            }

            let edges = slot.package.into_iter().flat_map(|package| &package.edges);
            for edge in edges.filter(|edge| edge.requirement.is_none()) {
                let needed = self.problem.slot_of.get(edge.to.0 as usize).copied();
                let moved = needed.filter(|needed| {
                    self.problem.is_relevant(*needed)
                        && self.solution.get(&Variable::Slot(*needed)) != Some(&LOCKED)
                });
                if moved.is_some() {
                    self.problem.releases(&slot.name);
                }
            }
        }
        self.is_lacking();
    }

    /// The findings that remain.
    fn left(&self) -> Vec<Left> {
        let mut left: BTreeMap<(PackageIndex, &str), Vec<String>> = BTreeMap::new();
        for (wanted, reason) in &self.reasons {
            if self.fixed.contains(wanted) {
                continue;
            }
            for copy in self.copies.get(wanted).into_iter().flatten() {
                left.entry((*copy, reason))
                    .or_default()
                    .push(wanted.1.clone());
            }
        }

        let one = |((copy, reason), ids): ((PackageIndex, &str), Vec<String>)| Left {
            copy,
            ids,
            reason: reason.to_owned(),
        };
        left.into_iter().map(one).collect()
    }
}

/// The slots of a conflict for which no choice was left.
pub(crate) fn unsolved_slots(tree: &Tree) -> BTreeSet<SlotId> {
    let mut slots = BTreeSet::new();
    explain::externals(tree, &mut |external| {
        if let External::NoVersions(Variable::Slot(id), _) = external {
            slots.insert(*id);
        }
    });

    slots
}
