//! Types that the parts of the engine share: a session on one lockfile, its states and its results.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use patchgate_ecosystems::{Siblings, Upgradable};
use patchgate_model::{Finding, Problem};
use patchgate_package_managers::{ConfigurationFile, PackageManager, Relocked};
use patchgate_upgrade::Move;

use crate::context::{Failure, Workshop};
use crate::lock_state::Tree;
use crate::release_index::Knowledge;

/// What came of the work on one lockfile.
pub(super) struct Done {
    pub(super) ecosystem: &'static dyn Upgradable,
    pub(super) start: Tree,
    pub(super) end: Tree,
    /// Findings at the start and at the end.
    pub(super) before: Vec<Finding>,
    pub(super) after: Vec<Finding>,
    /// Moves in the order in which they were made.
    pub(super) moves: Vec<Move>,
    /// Why findings stay.
    pub(super) reasons: Vec<Reason>,
    /// Why findings stay for which there is no other reason.
    pub(super) otherwise: String,
    pub(super) notes: Vec<String>,
    /// What could not be looked up for it, or not be tried.
    pub(super) problems: BTreeSet<Problem>,
    /// Manifests that changed.
    pub(super) manifests: Siblings,
}

/// Name and version of a package.
pub(super) type PackageVersion = (String, String);

pub(super) fn key(finding: &Finding) -> PackageVersion {
    (
        finding.package.name.clone(),
        finding.package.version.clone(),
    )
}

/// Why findings of a package version stay.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    pub(super) package: String,
    pub(super) version: String,
    pub(super) ids: BTreeSet<String>,
    pub(super) text: String,
}

/// Why the work ends before everything was tried.
pub(super) enum Stop {
    /// The time limit of the whole fix is used up.
    OutOfTime,
    /// Nothing will work: the manager is missing, the sources do not answer.
    Failed(Failure),
}

/// What came of moving several packages together.
pub(super) enum Tried {
    /// The result holds. True when something moved.
    Holds(bool),
    /// It does not, and everything is as it was before.
    Fails {
        /// Package versions that stand in the way, as far as that can be told.
        blamed: BTreeSet<PackageVersion>,
        /// A move that does not work: package and version.
        step: PackageVersion,
        reason: String,
    },
}

pub(super) struct Work<'a> {
    pub(super) workshop: &'a Workshop<'a>,
    pub(super) ecosystem: &'static dyn Upgradable,
    pub(super) manager: &'static dyn PackageManager,
    pub(super) knowledge: Knowledge<'a>,
    pub(super) configuration: Vec<ConfigurationFile>,
    pub(super) start: Tree,
    pub(super) before: Vec<Finding>,
    /// The state that holds so far.
    pub(super) tree: Tree,
    pub(super) findings: Vec<Finding>,
    pub(super) moves: Vec<Move>,
    pub(super) reasons: Vec<Reason>,
    pub(super) notes: Vec<String>,
    pub(super) bans: Bans,
    pub(super) memory: Memory,
    /// How often the manager was asked.
    pub(super) attempts: usize,
    /// Why the manager does not use the lockfile at all.
    pub(super) unused: Option<String>,
}

/// A state to which the work can go back.
pub(super) struct Checkpoint {
    pub(super) tree: Tree,
    pub(super) findings: Vec<Finding>,
    pub(super) moves: usize,
    pub(super) reasons: usize,
    pub(super) notes: usize,
    pub(super) bans: Bans,
}

/// Most answers of package managers that are remembered.
const MAX_REMEMBERED: usize = 64;

/// A tree that the package manager made, with what is found in it.
pub(super) struct Locked {
    pub(super) tree: Tree,
    pub(super) findings: Vec<Finding>,
    /// Side effects that a user should know about.
    pub(super) notes: Vec<String>,
}

/// Why a set of moves was not taken.
#[derive(Debug, Clone)]
pub(super) enum Rejected {
    /// The manager refuses one version.
    Version {
        package: String,
        version: String,
        reason: String,
    },
    /// The set as a whole does not work.
    Whole(String),
}

/// What package managers answered: the same moves in the same tree have the same answer.
#[derive(Debug, Default)]
pub(super) struct Memory {
    state: RandomState,
    pub(super) answers: BTreeMap<u64, Result<Relocked, Rejected>>,
}

impl Memory {
    pub(super) fn key(&self, tree: &Tree, moves: &[Move]) -> u64 {
        let moves: Vec<_> = moves
            .iter()
            .map(|step| {
                (
                    tree.place(step.copy),
                    step.to(),
                    format!("{:?}", step.edits),
                )
            })
            .collect();
        self.state.hash_one((&tree.bytes, &tree.manifests, moves))
    }

    pub(super) fn keep(&mut self, key: u64, answer: Result<Relocked, Rejected>) {
        if self.answers.len() >= MAX_REMEMBERED {
            self.answers.clear();
        }
        self.answers.insert(key, answer);
    }
}

/// What must not be chosen or moved.
#[derive(Debug, Clone, Default)]
pub(super) struct Bans {
    /// Versions by package.
    pub(super) refused: BTreeMap<String, BTreeSet<String>>,
    /// Reasons by [`Tree::place`].
    pub(super) frozen: BTreeMap<String, String>,
}
