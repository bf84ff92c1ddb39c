//! One attempt to solve a problem: which findings must go, and what may change for it.
//!
//! The search is PubGrub's (<https://github.com/dart-lang/pub/blob/master/doc/solver.md>): a version
//! that leads to a conflict is never tried again in the same situation, and a conflict comes with
//! its causes. Its "packages" are slots here, requirements of projects that may be raised, and
//! dependencies that several slots can satisfy.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use patchgate_model::Bump;
use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree,
    PackageResolutionStatistics, PubGrubError,
};

use crate::conditions::Conditions;
use crate::needs::Needed;
use crate::problem::{Dependency, Problem, Set};
use crate::slot::{Choice, LOCKED, Slot, SlotId};

/// Most steps of one attempt. Real projects need a few thousand.
const MAX_STEPS: usize = 400_000;

/// A variable of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Variable {
    /// The repository itself.
    Repository,
    /// A requirement of a project: as it is, or raised.
    Site(usize),
    /// The version of a slot.
    Slot(SlotId),
    /// The slot that satisfies a dependency.
    Binding(usize),
}

impl fmt::Display for Variable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self:?}")
    }
}

/// Why an attempt failed.
pub(crate) enum Failed {
    /// Facts are missing; they are recorded in the problem.
    Facts,
    /// The search took too many steps.
    Steps,
    /// There is no solution. When facts are missing, which are recorded in the problem, there may be one
    /// with them.
    Conflict(Box<Tree>),
}

/// The derivation of a conflict from its causes.
pub(crate) type Tree = DerivationTree<Variable, Set, String>;

/// What an attempt may change.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// The greatest step by which a requirement of a project may be raised. `None` if none may be.
    pub(crate) raise: Option<Bump>,
    /// The greatest step of a package that a project requires itself.
    pub(crate) direct: Bump,
    /// The greatest step of any other package.
    pub(crate) indirect: Bump,
    /// Whether releases with notices that the slot does not have are left out.
    pub(crate) avoids_notices: bool,
    /// Whether packages without targets may move.
    pub(crate) moves_parents: bool,
}

/// The result of the search.
pub(crate) type Solution = BTreeMap<Variable, Choice>;

/// One attempt.
pub(crate) struct Attempt<'p, 'a> {
    pub(crate) problem: &'p Problem<'a>,
    pub(crate) limits: &'p Limits,
    /// The findings that must go, by slot.
    pub(crate) active: &'p BTreeMap<SlotId, BTreeSet<String>>,
    /// The same by the name of the package.
    active_names: BTreeMap<String, BTreeSet<String>>,
    /// The choices of an earlier solution, which are preferred.
    pub(crate) favored: &'p Solution,
    /// Slots whose version an override decides.
    pub(crate) overridden: &'p BTreeSet<SlotId>,
    shared: &'p Shared,
    steps: Cell<usize>,
}

/// What all attempts of one question share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) bindings: RefCell<Bindings>,
    pub(crate) conditions: RefCell<Conditions>,
    /// Slots that projects require themselves.
    pub(crate) direct: BTreeSet<SlotId>,
}

/// The dependencies that several slots can satisfy.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    known: BTreeMap<(String, String, Option<SlotId>), usize>,
    all: Vec<Vec<(SlotId, Set)>>,
}

impl Bindings {
    /// The binding of a dependency.
    pub(crate) fn find(&self, needed: &Needed, bound: Option<SlotId>) -> Option<usize> {
        let key = (needed.package.clone(), needed.key(), bound);
        self.known.get(&key).copied()
    }

    /// The slot that a binding has in a solution.
    pub(crate) fn slot(&self, binding: usize, choice: Choice) -> Option<SlotId> {
        let options = self.all.get(binding)?;
        options.get(choice as usize).map(|(slot, _)| *slot)
    }
}

/// The error of an attempt that took too many steps.
#[derive(Debug, thiserror::Error)]
#[error("too many steps")]
pub(crate) struct TooManySteps;

impl<'p, 'a> Attempt<'p, 'a> {
    pub(crate) fn new(
        problem: &'p Problem<'a>,
        limits: &'p Limits,
        active: &'p BTreeMap<SlotId, BTreeSet<String>>,
        favored: &'p Solution,
        overridden: &'p BTreeSet<SlotId>,
        shared: &'p Shared,
    ) -> Self {
        let mut active_names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (slot, ids) in active {
            let name = problem.slot(*slot).name.clone();
            active_names
                .entry(name)
                .or_default()
                .extend(ids.iter().cloned());
        }

        Self {
            problem,
            limits,
            active,
            active_names,
            favored,
            overridden,
            shared,
            steps: Cell::new(0),
        }
    }

    /// Searches for a choice of every slot without the active findings.
    ///
    /// What is not known yet sets no condition, so that one search finds as many missing facts as it
    /// can; its result counts only when none is missing.
    pub(crate) fn solve(&self) -> Result<Solution, Failed> {
        match pubgrub::resolve(self, Variable::Repository, LOCKED) {
            Ok(_) if !self.problem.needs.borrow().is_empty() => Err(Failed::Facts),
            Ok(solution) => Ok(solution.into_iter().collect()),
            Err(PubGrubError::NoSolution(tree)) => Err(Failed::Conflict(Box::new(tree))),
            Err(
                PubGrubError::ErrorRetrievingDependencies { .. }
                | PubGrubError::ErrorChoosingVersion { .. }
                | PubGrubError::ErrorInShouldCancel(_),
            ) => Err(Failed::Steps),
        }
    }

    /// Whether a slot may have a choice.
    pub(crate) fn allows(&self, id: SlotId, slot: &Slot<'a>, choice: Choice) -> bool {
        let active = self.active.get(&id);
        if choice == LOCKED {
            return slot.package.is_some() && active.is_none_or(BTreeSet::is_empty);
        }
        let Some(candidate) = slot.candidates.get(choice as usize - 1) else {
            return false;
        };
        if slot.package.is_some() && !self.problem.is_open(id) {
            return false;
        }
        let greatest = match self.shared.direct.contains(&id) {
            true => self.limits.direct,
            false => self.limits.indirect,
        };
        let may_move = slot.package.is_none() || active.is_some() || self.limits.moves_parents || {
            // A dependency of a package that moves may have to follow.
            candidate.bump < Bump::Major
        };
        if candidate.refusal.is_some() || candidate.bump > greatest || !may_move {
            return false;
        }

        let vulnerabilities = &candidate.findings.vulnerabilities;
        let banned = match slot.package {
            Some(_) => active,
            None => self.active_names.get(&slot.name),
        };
        vulnerabilities.is_subset(&slot.own)
            && banned.is_none_or(|ids| {
                ids.is_disjoint(vulnerabilities) && ids.is_disjoint(&candidate.findings.notices)
            })
            && !(self.limits.avoids_notices && self.brings_notice(slot, choice))
    }

    /// Whether a choice of a slot has a notice that its locked version does not have.
    fn brings_notice(&self, slot: &Slot<'a>, choice: Choice) -> bool {
        let Some(candidate) = (choice as usize)
            .checked_sub(1)
            .and_then(|index| slot.candidates.get(index))
        else {
            return false;
        };
        let known = slot
            .copies
            .first()
            .and_then(|copy| self.problem.request.findings.get(copy))
            .map(|own| &own.notices);
        match known {
            Some(known) => !candidate.findings.notices.is_subset(known),
            None => !candidate.findings.notices.is_empty(),
        }
    }

    /// A dependency as the search sees it. `None` when it sets no condition.
    ///
    /// `own` is the dependent's slot with its choice, which satisfies a dependency on itself.
    fn condition(&self, needed: &Needed, own: Option<(SlotId, Choice)>) -> Option<Condition> {
        let bound = needed
            .now
            .and_then(|copy| self.problem.slot_of.get(copy.0 as usize).copied());
        if let Some(bound) = bound {
            if !self.problem.is_relevant(bound) {
                let slot = self.problem.slot(bound);
                if slot.frozen.is_some() {
                    return None;
                }
            } else if self.overridden.contains(&bound) {
                return Some(Condition::On(Variable::Slot(bound), Set::full()));
            }
        }

        let dependency = self.problem.dependency(needed, bound).ok()?;
        match dependency {
            Dependency::Absent => None,
            Dependency::Impossible(reason) => Some(Condition::Never(reason)),
            Dependency::Settled(slot) => self
                .problem
                .is_relevant(slot)
                .then_some(Condition::On(Variable::Slot(slot), Set::full())),
            Dependency::OneOf(options) if is_own(&options, own) => None,
            Dependency::OneOf(options) => {
                self.open_preferred(&options);
                Some(self.one_of(needed, bound, options))
            }
        }
    }

    /// Records that a dependency is best satisfied by another version of a slot that is not open.
    fn open_preferred(&self, options: &[(SlotId, Set)]) {
        let Some((id, set)) = options.first() else {
            return;
        };
        let is_closed = self.problem.slot(*id).package.is_some() && !self.problem.is_open(*id);
        if is_closed && !set.contains(&LOCKED) {
            self.problem.to_open.borrow_mut().insert(*id);
        }
    }

    fn one_of(
        &self,
        needed: &Needed,
        bound: Option<SlotId>,
        mut options: Vec<(SlotId, Set)>,
    ) -> Condition {
        if options.len() == 1
            && let Some((slot, set)) = options.pop()
        {
            return Condition::On(Variable::Slot(slot), set);
        }

        let key = (needed.package.clone(), needed.key(), bound);
        let mut bindings = self.shared.bindings.borrow_mut();
        let next = bindings.all.len();
        let binding = *bindings.known.entry(key).or_insert(next);
        if binding == next {
            bindings.all.push(options);
        }

        Condition::On(Variable::Binding(binding), Set::full())
    }

    /// The condition of a dependency of a locked package: one that its requirement does not admit (an
    /// override, a forced peer) restricts nothing.
    fn locked_condition(&self, needed: &Needed) -> Option<Condition> {
        let bound = needed
            .now
            .and_then(|copy| self.problem.slot_of.get(copy.0 as usize).copied());
        // It comes in, because dependents ask the package for more features.
        if needed.now.is_none() {
            return self.condition(needed, None);
        }
        let bound = bound.filter(|bound| self.problem.is_relevant(*bound))?;

        let is_met = self.problem.set(bound, needed).contains(&LOCKED);
        if !is_met || !self.problem.is_open(bound) {
            return Some(Condition::On(Variable::Slot(bound), Set::full()));
        }

        self.condition(needed, None)
    }

    fn conditions_of_repository(&self) -> Vec<(Variable, Set)> {
        let problem = self.problem;
        let mut conditions = Vec::new();
        for (index, site) in problem.sites.iter().enumerate() {
            if !problem.is_relevant(site.slot) {
                continue;
            }
            let can_change = problem.is_open(site.slot) || !site.raised.is_empty();
            if can_change && !self.overridden.contains(&site.slot) {
                conditions.push((Variable::Site(index), Set::full()));
            } else {
                conditions.push((Variable::Slot(site.slot), Set::full()));
            }
        }

        // The reason for a copy that no project reaches is unknown, so it stays, as do dependents that
        // are not open.
        for (copy, depth) in problem.depths.iter().enumerate() {
            let Some(slot) = problem.slot_of.get(copy).copied() else {
                continue;
            };
            let is_closed = !problem.scope.borrow().is_open(slot);
            if problem.is_relevant(slot) && (*depth == usize::MAX || is_closed) {
                conditions.push((Variable::Slot(slot), Set::full()));
            }
        }

        conditions
    }

    fn condition_of_site(&self, index: usize, choice: Choice) -> Option<Condition> {
        let site = self.problem.sites.get(index)?;
        let raised = (choice as usize)
            .checked_sub(1)
            .and_then(|at| site.raised.get(at));
        let needed = Needed {
            package: self.problem.slot(site.slot).name.clone(),
            name: site.edge.name.to_string(),
            requirement: match raised {
                Some(raised) => Some(raised.requirement.clone()),
                None => site.edge.requirement.as_deref().map(str::to_owned),
            },
            features: Vec::new(),
            kind: site.edge.kind,
            now: Some(site.edge.to),
        };

        match raised {
            None => self.locked_condition(&needed),
            Some(_) => self.condition(&needed, None),
        }
    }

    fn conditions_of_slot(
        &self,
        id: SlotId,
        choice: Choice,
    ) -> Result<Vec<(Variable, Set)>, String> {
        // What is asked for in this solution only is not kept.
        if self.problem.asked.borrow().contains_key(&id) {
            return self.new_conditions(id, choice, &mut Vec::new());
        }
        if let Some(known) = self.shared.conditions.borrow().get(id, choice) {
            return known.clone();
        }

        let mut needs = Vec::new();
        let conditions = self.new_conditions(id, choice, &mut needs);
        let mut known = self.shared.conditions.borrow_mut();
        known.insert(id, choice, conditions.clone(), needs);
        conditions
    }

    /// Finds the conditions of a choice, and adds the names of the packages that they are about.
    fn new_conditions(
        &self,
        id: SlotId,
        choice: Choice,
        names: &mut Vec<String>,
    ) -> Result<Vec<(Variable, Set)>, String> {
        let slot = self.problem.slot(id);
        let copies: Vec<_> = match slot.copies.as_slice() {
            [] => vec![None],
            copies => copies.iter().copied().map(Some).collect(),
        };

        let mut conditions: BTreeMap<Variable, Set> = BTreeMap::new();
        for copy in copies {
            let needs = self.problem.dependencies(id, copy, choice);
            names.extend(needs.iter().map(|needed| self.problem.key(&needed.package)));
            for needed in needs {
                let condition = match choice {
                    LOCKED => self.locked_condition(&needed),
                    _ => self.condition(&needed, Some((id, choice))),
                };
                match condition {
                    None => {}
                    // A package that needs itself has what it needs, or never will.
                    Some(Condition::On(Variable::Slot(own), set))
                        if own == id && set.contains(&choice) => {}
                    Some(Condition::On(Variable::Slot(own), _)) if own == id => {
                        return Err("it requires another version of itself".to_owned());
                    }
                    Some(Condition::Never(reason)) => {
                        let text = needed.requirement.as_deref().unwrap_or_default();
                        return Err(format!("it requires `{} {text}`: {reason}", needed.name));
                    }
                    Some(Condition::On(variable, set)) => {
                        let known = conditions.entry(variable).or_insert_with(Set::full);
                        *known = known.intersection(&set);
                    }
                }
            }
        }

        Ok(conditions.into_iter().collect())
    }
}

/// Whether the dependent itself satisfies its dependency.
pub(crate) fn is_own(options: &[(SlotId, Set)], own: Option<(SlotId, Choice)>) -> bool {
    own.is_some_and(|(id, choice)| {
        options
            .iter()
            .any(|(option, set)| *option == id && set.contains(&choice))
    })
}

/// The condition that a dependency sets.
enum Condition {
    On(Variable, Set),
    Never(String),
}

impl DependencyProvider for Attempt<'_, '_> {
    type P = Variable;
    type V = Choice;
    type VS = Set;
    /// Dependents before their dependencies, so that a dependent stays where it can.
    type Priority = (Reverse<usize>, Reverse<Variable>);
    type M = String;
    type Err = TooManySteps;

    fn prioritize(
        &self,
        variable: &Variable,
        _range: &Set,
        _statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let depth = match variable {
            Variable::Repository | Variable::Site(_) => 0,
            Variable::Slot(id) => self
                .problem
                .slot(*id)
                .depth
                .saturating_add(1)
                .saturating_mul(2),
            Variable::Binding(binding) => {
                let bindings = self.shared.bindings.borrow();
                let first = bindings.slot(*binding, 0);
                first.map_or(usize::MAX, |slot| {
                    self.problem
                        .slot(slot)
                        .depth
                        .saturating_add(1)
                        .saturating_mul(2)
                        .saturating_sub(1)
                })
            }
        };

        (Reverse(depth), Reverse(*variable))
    }

    fn choose_version(
        &self,
        variable: &Variable,
        range: &Set,
    ) -> Result<Option<Choice>, TooManySteps> {
        let allowed = |choice: &Choice| range.contains(choice);
        let favored = self.favored.get(variable).copied().filter(allowed);
        Ok(match variable {
            Variable::Repository => Some(LOCKED),
            Variable::Binding(binding) => {
                let bindings = self.shared.bindings.borrow();
                let options = bindings.all.get(*binding).map_or(0, Vec::len);
                let last = Choice::try_from(options).unwrap_or(Choice::MAX);
                favored.or_else(|| (0..last).find(allowed))
            }
            Variable::Site(index) => favored.or_else(|| {
                let site = self.problem.sites.get(*index)?;
                let raised = (1..).zip(&site.raised).filter(|(_, raised)| {
                    self.limits
                        .raise
                        .is_some_and(|greatest| raised.bump <= greatest)
                });
                std::iter::once(LOCKED)
                    .chain(raised.map(|(choice, _)| choice))
                    .find(allowed)
            }),
            Variable::Slot(id) => {
                let slot = self.problem.slot(*id);
                let usable = |choice: &Choice| allowed(choice) && self.allows(*id, &slot, *choice);
                favored
                    .filter(|choice| self.allows(*id, &slot, *choice))
                    .or_else(|| slot.choices().find(usable))
            }
        })
    }

    fn get_dependencies(
        &self,
        variable: &Variable,
        choice: &Choice,
    ) -> Result<Dependencies<Variable, Set, String>, TooManySteps> {
        let one = |condition: Option<Condition>| match condition {
            None => Ok(Vec::new()),
            Some(Condition::On(variable, set)) => Ok(vec![(variable, set)]),
            Some(Condition::Never(reason)) => Err(reason),
        };
        let conditions = match variable {
            Variable::Repository => Ok(self.conditions_of_repository()),
            Variable::Site(index) => one(self.condition_of_site(*index, *choice)),
            Variable::Slot(id) => self.conditions_of_slot(*id, *choice),
            Variable::Binding(binding) => {
                let bindings = self.shared.bindings.borrow();
                let option = bindings.all.get(*binding);
                let option = option.and_then(|options| options.get(*choice as usize));
                Ok(option
                    .map(|(slot, set)| (Variable::Slot(*slot), set.clone()))
                    .into_iter()
                    .collect())
            }
        };

        Ok(match conditions {
            Ok(conditions) => {
                let constraints: DependencyConstraints<Variable, Set> =
                    conditions.into_iter().collect();
                Dependencies::Available(constraints)
            }
            Err(reason) => Dependencies::Unavailable(reason),
        })
    }

    fn should_cancel(&self) -> Result<(), TooManySteps> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        match steps > MAX_STEPS {
            true => Err(TooManySteps),
            false => Ok(()),
        }
    }
}
