//! The part of a graph that one attempt looks at.
//!
//! A lockfile has thousands of packages, and a fix changes a few of them. An attempt may therefore
//! change some slots only, at first those with the findings. Their dependents keep their versions, and
//! what they require is a condition; everything else is left out. When that leads to a conflict, or a
//! release needs another version of a package, the slots that stand in the way are opened as well. So a
//! conflict counts only when it is about open slots and projects alone.

use std::collections::BTreeSet;

use crate::attempt::{Solution, Tree, Variable};
use crate::graph::Parent;
use crate::problem::Problem;
use crate::slot::{LOCKED, SlotId};

/// The rounds of widening that open what is in the way, and no more.
const NARROW_ROUNDS: usize = 3;

/// The rounds of widening before everything is open. Those after the narrow ones open the dependents of
/// what is in the way too, direct or not.
const ROUNDS: usize = 6;

/// What an attempt does when a closed slot stands in the way of a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widening {
    /// It opens other versions that a release needs, and fails when dependents stand in the way.
    Nearest,
    /// It opens the slot.
    AsNeeded,
}

/// The slots of the lockfile that an attempt may change, and those that set conditions for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    open: BTreeSet<SlotId>,
    relevant: BTreeSet<SlotId>,
}

impl Scope {
    /// The scope in which these slots are open.
    pub(crate) fn new(problem: &Problem<'_>, open: BTreeSet<SlotId>) -> Self {
        let mut relevant = open.clone();
        for id in &open {
            relevant.extend(dependents(problem, *id));
        }

        Self { open, relevant }
    }

    pub(crate) fn is_open(&self, id: SlotId) -> bool {
        self.open.contains(&id)
    }

    /// Whether a slot is open, or a dependent of one that is.
    pub(crate) fn is_relevant(&self, id: SlotId) -> bool {
        self.relevant.contains(&id)
    }

    /// The slots that are in another state in one scope than in the other.
    pub(crate) fn differing(&self, other: &Self) -> impl Iterator<Item = SlotId> + use<> {
        let open = self.open.symmetric_difference(&other.open);
        let relevant = self.relevant.symmetric_difference(&other.relevant);
        let all: BTreeSet<SlotId> = open.chain(relevant).copied().collect();
        all.into_iter()
    }

    /// The open slots that a solution does not leave as they are.
    pub(crate) fn changed(&self, solution: &Solution) -> BTreeSet<SlotId> {
        let is_changed = |id: &SlotId| solution.get(&Variable::Slot(*id)) != Some(&LOCKED);
        self.open.iter().copied().filter(is_changed).collect()
    }

    /// The same scope with more open slots. `round` is the number of times that it was widened before.
    pub(crate) fn widened(
        &self,
        problem: &Problem<'_>,
        more: BTreeSet<SlotId>,
        round: usize,
    ) -> Self {
        let mut open = self.open.clone();
        if round < NARROW_ROUNDS {
            open.extend(more);
            return Self::new(problem, open);
        }
        if round >= ROUNDS {
            return Self::new(problem, problem.slot_of.iter().copied().collect());
        }

        let mut queue: Vec<SlotId> = more.into_iter().collect();
        while let Some(id) = queue.pop() {
            if open.insert(id) {
                queue.extend(dependents(problem, id));
            }
        }
        Self::new(problem, open)
    }

    /// The slots that are open.
    pub(crate) fn open(&self) -> &BTreeSet<SlotId> {
        &self.open
    }

    /// The slots of a conflict that would have to be open before it counts.
    pub(crate) fn closed_in(&self, problem: &Problem<'_>, tree: &Tree) -> BTreeSet<SlotId> {
        let packages = tree.packages();
        let slots = packages.iter().filter_map(|variable| match variable {
            Variable::Slot(id) => Some(*id),
            _ => None,
        });

        slots
            .filter(|id| !self.is_open(*id) && problem.slot(*id).package.is_some())
            .collect()
    }
}

/// The slots that need a slot now.
fn dependents(problem: &Problem<'_>, id: SlotId) -> Vec<SlotId> {
    let slot = problem.slot(id);
    let dependents = slot
        .copies
        .iter()
        .filter_map(|copy| problem.dependents.get(copy.0 as usize))
        .flatten();
    let parents = dependents.filter_map(|dependent| match dependent.parent {
        Parent::Package(parent) => problem.slot_of.get(parent.0 as usize).copied(),
        Parent::Root(_) => None,
    });

    parents.collect()
}
