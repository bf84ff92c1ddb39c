//! What the search has settled before it needed more facts.
//!
//! A question is asked again and again, each time with the facts that were missing. What was decided
//! without missing facts stays decided, so it is kept here, and taken over instead of being searched
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::attempt::{Solution, Variable};
use crate::plan::Wanted;
use crate::problem::Problem;
use crate::reach::Known;
use crate::slot::{Choice, LOCKED, SlotId};
use crate::versions;

/// What earlier rounds of one question have settled, by the tier. All rounds must be about the same
/// lockfile, targets and options.
#[derive(Debug, Default)]
pub struct Memory {
    groups: BTreeMap<usize, Vec<Vec<Wanted>>>,
    settled: BTreeMap<(usize, Vec<Wanted>), Settled>,
    opened: BTreeMap<usize, BTreeSet<SlotId>>,
    reach: BTreeMap<usize, Known>,
    versions: Rc<versions::Known>,
}

/// The result for some findings.
#[derive(Debug, Clone)]
pub(crate) enum Settled {
    /// They are fixed, by this solution.
    Fixed(Kept),
    /// They are in a conflict in which this one is left out.
    Left(Left),
}

/// A finding that is left out.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) wanted: Wanted,
    pub(crate) reason: String,
    /// Whether no other finding is in the conflict.
    pub(crate) is_alone: bool,
}

/// A solution in words that are the same in every round. Bindings are not among them: they follow from
/// the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    slots: Vec<(SlotKey, String)>,
    /// The requirement of each raised site, by the project and the place of its edge there.
    raised: Vec<((usize, usize), String)>,
    /// The slots of the lockfile that it does not leave as they are.
    pub(crate) changed: BTreeSet<SlotId>,
}

/// A slot.
#[derive(Debug, Clone)]
enum SlotKey {
    Locked(SlotId),
    New { name: String, line: Option<usize> },
}

impl Memory {
    /// What is known of versions.
    pub(crate) fn versions(&self) -> Rc<versions::Known> {
        Rc::clone(&self.versions)
    }

    /// The findings that a tier tries to fix.
    pub(crate) fn groups(&self, tier: usize) -> Option<Vec<Vec<Wanted>>> {
        self.groups.get(&tier).cloned()
    }

    pub(crate) fn keep_groups(&mut self, tier: usize, groups: Vec<Vec<Wanted>>) {
        self.groups.insert(tier, groups);
    }

    /// What earlier rounds know of what a tier may fix.
    pub(crate) fn take_reach(&mut self, tier: usize) -> Known {
        let mut known = self.reach.remove(&tier).unwrap_or_default();
        known.start_round();
        known
    }

    pub(crate) fn keep_reach(&mut self, tier: usize, known: Known) {
        self.reach.insert(tier, known);
    }

    /// The slots of the lockfile that a tier had to open so far.
    pub(crate) fn opened(&self, tier: usize) -> BTreeSet<SlotId> {
        self.opened.get(&tier).cloned().unwrap_or_default()
    }

    pub(crate) fn keep_opened(&mut self, tier: usize, opened: BTreeSet<SlotId>) {
        self.opened.insert(tier, opened);
    }

    /// The result for some findings in a tier.
    pub(crate) fn recall(&self, tier: usize, trying: &[Wanted]) -> Option<Settled> {
        self.settled.get(&(tier, trying.to_vec())).cloned()
    }

    pub(crate) fn keep(&mut self, tier: usize, trying: &[Wanted], settled: Settled) {
        self.settled.insert((tier, trying.to_vec()), settled);
    }
}

impl Kept {
    pub(crate) fn new(problem: &Problem<'_>, solution: &Solution) -> Self {
        let mut kept = Self {
            changed: problem.scope.borrow().changed(solution),
            ..Self::default()
        };
        for (variable, choice) in solution.iter().filter(|(_, choice)| **choice != LOCKED) {
            match variable {
                Variable::Slot(id) => {
                    let slot = problem.slot(*id);
                    let key = match slot.package {
                        Some(_) => SlotKey::Locked(*id),
                        None => SlotKey::New {
                            name: slot.name.clone(),
                            line: slot.line,
                        },
                    };
                    kept.slots.push((key, slot.version(*choice).to_owned()));
                }
                Variable::Site(index) => {
                    let site = problem.sites.get(*index);
                    let raised = site.and_then(|site| {
                        let raised = site.raised.get(*choice as usize - 1)?;
                        Some(((site.root, site.place), raised.requirement.clone()))
                    });
                    kept.raised.extend(raised);
                }
                Variable::Repository | Variable::Binding(_) => {}
            }
        }

        kept
    }

    /// The solution in the numbers of a problem.
    pub(crate) fn solution(&self, problem: &Problem<'_>) -> Solution {
        let mut solution = Solution::new();
        for (key, version) in &self.slots {
            let id = match key {
                SlotKey::Locked(id) => Some(*id),
                SlotKey::New { name, line } => problem.slot_for_new(name, *line),
            };
            let Some(id) = id else { continue };
            let slot = problem.slot(id);
            let at = slot
                .candidates
                .iter()
                .position(|candidate| candidate.release.version == *version);
            if let Some(choice) = at.and_then(choice) {
                solution.insert(Variable::Slot(id), choice);
            }
        }

        for (key, requirement) in &self.raised {
            let at = |site: &crate::site::Site<'_>| (site.root, site.place) == *key;
            let Some(index) = problem.sites.iter().position(at) else {
                continue;
            };
            let mut raised = problem.sites[index].raised.iter();
            let at = raised.position(|raised| raised.requirement == *requirement);
            if let Some(choice) = at.and_then(choice) {
                solution.insert(Variable::Site(index), choice);
            }
        }

        solution
    }
}

/// The choice of a candidate.
fn choice(index: usize) -> Option<Choice> {
    Choice::try_from(index + 1).ok()
}
