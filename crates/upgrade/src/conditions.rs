//! The conditions that the choices of slots set, so that they are computed once.

use std::collections::{BTreeSet, HashMap};

use crate::attempt::Variable;
use crate::problem::Set;
use crate::slot::{Choice, SlotId};

/// What a choice sets as conditions, or why it cannot be made.
type OfChoice = Result<Vec<(Variable, Set)>, String>;

/// The conditions of the choices that were looked at.
///
/// They depend on which slots of the packages that the choice needs are in scope, and on nothing else
/// that differs between the attempts of one question that override the same slots.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    known: HashMap<(SlotId, Choice), OfChoice>,
    /// The choices whose conditions are about a package, by its normalized name.
    about: HashMap<String, Vec<(SlotId, Choice)>>,
}

impl Conditions {
    pub(crate) fn get(&self, id: SlotId, choice: Choice) -> Option<&OfChoice> {
        self.known.get(&(id, choice))
    }

    /// Keeps the conditions of a choice, which are about these packages.
    pub(crate) fn insert(
        &mut self,
        id: SlotId,
        choice: Choice,
        conditions: OfChoice,
        names: Vec<String>,
    ) {
        for name in names {
            self.about.entry(name).or_default().push((id, choice));
        }
        self.known.insert((id, choice), conditions);
    }

    /// Forgets the conditions about packages whose slots come into scope or leave it.
    pub(crate) fn forget(&mut self, names: &BTreeSet<String>) {
        for name in names {
            for key in self.about.remove(name).into_iter().flatten() {
                self.known.remove(&key);
            }
        }
    }
}
