//! From a question to a plan.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::PackageIndex;

use crate::attempt::{Attempt, Failed, Limits, Shared, Solution, Tree, Variable};
use crate::explain;
use crate::features::{self, Asked};
use crate::graph;
use crate::memory::Memory;
use crate::outcome;
use crate::problem::Problem;
use crate::request::{Left, MissingFacts, Planned, Request};
use crate::scope::{Scope, Widening};
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
    pub(crate) needs: MissingFacts,
    /// The features that each slot is asked for in the lockfile.
    pub(crate) asked_before: OnceCell<Asked>,
    pub(crate) memory: Memory,
    /// What the solution was allowed to change, when it was found in an earlier round.
    pub(crate) recalled: Option<Limits>,
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
    let problem = Problem::new(request, memory.versions());
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
        match self.attempt(&limits, &[], Widening::AsNeeded) {
            Ok(solution) => self.solution = solution,
            Err(_) => {
                self.is_lacking();
            }
        }
    }
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
    pub(crate) fn is_lacking(&mut self) -> bool {
        let mut needs = self.problem.needs.borrow_mut();
        let is_lacking = !needs.is_empty();
        self.needs.packages.append(&mut needs.packages);
        self.needs.details.append(&mut needs.details);
        is_lacking
    }

    pub(crate) fn reason(&self, limits: &Limits, tree: &Tree, wanted: &Wanted) -> String {
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

    /// Searches for a solution without these findings and those that are fixed already. The scope is that
    /// of the solution, or on failure the last one.
    pub(crate) fn attempt(
        &self,
        limits: &Limits,
        trying: &[Wanted],
        widening: Widening,
    ) -> Result<Solution, Failed> {
        let problem = self.problem;
        let mut open = problem.scope.borrow().open().clone();
        open.extend(self.fixed.iter().chain(trying).map(|(slot, _)| *slot));
        self.set_scope(Scope::new(problem, open));

        // The features belong to the solution that is kept.
        let kept = (problem.asked.take(), problem.uncertain.take());
        let result = self.attempt_widening(limits, trying, widening);
        if result.is_err() {
            problem.asked.replace(kept.0);
            problem.uncertain.replace(kept.1);
        }

        result
    }

    pub(crate) fn set_scope(&self, scope: Scope) {
        let before = self.problem.scope.replace(scope);
        let differing = self.problem.scope.borrow().differing(&before);
        let names = differing.map(|id| self.problem.key(&self.problem.slot(id).name));
        self.shared.conditions.borrow_mut().forget(&names.collect());
    }

    /// Searches in the scope, and in a wider one while a closed slot stands in the way.
    fn attempt_widening(
        &self,
        limits: &Limits,
        trying: &[Wanted],
        widening: Widening,
    ) -> Result<Solution, Failed> {
        let problem = self.problem;
        for round in 0.. {
            let result = self.attempt_with_features(limits, trying);
            if !problem.needs.borrow().is_empty() {
                return result;
            }

            let mut more = problem.to_open.take();
            if let (Err(Failed::Conflict(tree)), Widening::AsNeeded) = (&result, widening) {
                // Without the releases of the packages in the conflict nothing is certain.
                self.need_releases_of(tree);
                if !problem.needs.borrow().is_empty() {
                    return result;
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
            let has_learned = self.learn_used(&solution);
            if !self.learn_features(&solution, round) && !has_learned {
                break;
            }
            if !self.problem.needs.borrow().is_empty() {
                return Err(Failed::Facts);
            }
            solution = solve(&solution)?;
        }

        Ok(solution)
    }

    /// Records the packages that come in with a solution and that bounds are about. Those count from now
    /// on. True when that is new.
    fn learn_used(&self, solution: &Solution) -> bool {
        let unbounded = self.problem.unbounded.borrow();
        if unbounded.is_empty() {
            return false;
        }

        let mut used = self.problem.used.borrow_mut();
        let before = used.len();
        for variable in solution.keys() {
            if let Variable::Slot(id) = variable {
                let slot = self.problem.slot(*id);
                let key = self.problem.key(&slot.name);
                if slot.package.is_none() && unbounded.contains(&key) {
                    used.insert(key);
                }
            }
        }

        let is_new = used.len() > before;
        if is_new {
            self.shared.conditions.take();
        }
        is_new
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

    /// The first choice of a slot that does not have a finding.
    pub(crate) fn first_free(&self, (slot, id): &Wanted) -> Choice {
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
