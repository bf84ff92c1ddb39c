//! Types that the parts of the engine share: a session on one lockfile, its states and its results.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};

use patchgate_ecosystems::{Format, LockfileWriter, Siblings, Upgradable};
use patchgate_model::{Finding, PackageVersion, Problem, UpgradeEvidence};
use patchgate_package_managers::{
    ConfigurationFile, PackageManager, RegistryLocator, Relocked, locator_of, manager_of,
};
use patchgate_upgrade::{PlanOptions, PlannedUpgrade, Proposal};

use crate::context::{Engine, Failure, FixContext};
use crate::exclusions::Exclusions;
use crate::lock_state::LockState;
use crate::release_index::ReleaseIndex;

/// The result of a session on one lockfile.
pub(super) struct LockfileResult {
    pub(super) ecosystem: &'static dyn Upgradable,
    pub(super) start: LockState,
    pub(super) end: LockState,
    /// Findings at the start and at the end.
    pub(super) before: Vec<Finding>,
    pub(super) after: Vec<Finding>,
    /// Version changes in the order in which they were made.
    pub(super) moves: Vec<PlannedUpgrade>,
    /// Reasons why findings remain.
    pub(super) reasons: Vec<Reason>,
    /// The reason for findings that remain without a reason of their own.
    pub(super) otherwise: String,
    /// Whether the work ended before everything was tried.
    pub(super) stopped: bool,
    pub(super) notes: Vec<String>,
    /// Lookups that failed, and work that was cut short.
    pub(super) problems: BTreeSet<Problem>,
    /// The manifests that were edited, by path.
    pub(super) manifests: Siblings,
    /// What is known about the changed entries.
    pub(super) evidence: Vec<UpgradeEvidence>,
}

/// The reason why findings of a package version remain.
#[derive(Debug, Clone)]
pub(super) struct Reason {
    pub(super) package: PackageVersion,
    pub(super) ids: BTreeSet<String>,
    pub(super) text: String,
}

/// The reason why a session ends before everything was tried.
pub(super) enum Stop {
    /// The time limit of the whole fix is used up.
    OutOfTime,
    /// No further attempt can succeed: the manager is missing, the sources do not answer.
    Failed(Failure),
}

/// The outcome of changing several packages together.
pub(super) enum GroupOutcome {
    /// The result has no violations. True when something changed.
    Holds(bool),
    /// It has violations, and the state is as it was before.
    Fails {
        /// Package versions that cause the failure, as far as that is known.
        blamed: BTreeSet<PackageVersion>,
        /// The package version that does not work.
        rejected: PackageVersion,
        reason: String,
    },
}

/// The parts of Patchgate that know one lockfile format.
#[derive(Clone, Copy)]
pub(super) struct FormatSupport {
    pub(super) ecosystem: &'static dyn Upgradable,
    pub(super) format: &'static Format,
    pub(super) locator: &'static dyn RegistryLocator,
    /// Writes the lockfile without a package manager.
    pub(super) writer: Option<&'static dyn LockfileWriter>,
    /// Locks the project again, or proves what was written.
    pub(super) manager: Option<&'static dyn PackageManager>,
}

impl FormatSupport {
    /// What `engine` uses of the format's parts. The error says why it cannot change the format.
    pub(super) fn new(
        ecosystem: &'static dyn Upgradable,
        format: &'static Format,
        engine: Engine,
    ) -> Result<Self, String> {
        let id = format.id;
        let locator = locator_of(id)
            .ok_or_else(|| format!("`patchgate fix` does not change `{id}` files"))?;
        let writer = format.writer.filter(|_| engine != Engine::Native);
        let manager = manager_of(id).filter(|_| engine != Engine::Direct);
        if writer.is_none() && manager.is_none() {
            return Err(match engine {
                Engine::Direct => format!(
                    "`{id}` files cannot be changed without their package manager: use \
                     `--engine auto`"
                ),
                Engine::Native | Engine::Auto => format!(
                    "`{id}` files have no package manager that can lock exact versions: use \
                     `--engine auto`"
                ),
            });
        }

        Ok(Self {
            ecosystem,
            format,
            locator,
            writer,
            manager,
        })
    }
}

pub(super) struct LockfileSession<'a> {
    pub(super) context: &'a FixContext<'a>,
    pub(super) support: FormatSupport,
    pub(super) ecosystem: &'static dyn Upgradable,
    /// What a plan may change.
    pub(super) options: PlanOptions,
    pub(super) releases: ReleaseIndex<'a>,
    pub(super) configuration: Vec<ConfigurationFile>,
    pub(super) start: LockState,
    pub(super) before: Vec<Finding>,
    /// The last state without violations.
    pub(super) tree: LockState,
    pub(super) findings: Vec<Finding>,
    pub(super) moves: Vec<PlannedUpgrade>,
    pub(super) reasons: Vec<Reason>,
    pub(super) notes: Vec<String>,
    pub(super) exclusions: Exclusions,
    pub(super) relock_cache: RelockCache,
    /// Why the manager could not check what was written directly.
    pub(super) unproven: Option<String>,
    /// The number of times the manager was run.
    pub(super) attempts: usize,
    /// The number of times a writer found requirements that the planner did not know.
    pub(super) lessons: usize,
    /// The reason why the manager does not use the lockfile at all, when it does not.
    pub(super) unused: Option<String>,
}

/// A state that the session can return to.
pub(super) struct Checkpoint {
    pub(super) tree: LockState,
    pub(super) findings: Vec<Finding>,
    pub(super) moves: usize,
    pub(super) reasons: usize,
    pub(super) notes: usize,
    pub(super) exclusions: Exclusions,
}

/// Most answers of package managers that are remembered.
const MAX_REMEMBERED: usize = 64;

/// A state that the package manager made, with the findings in it.
pub(super) struct NewState {
    pub(super) tree: LockState,
    pub(super) findings: Vec<Finding>,
    /// Side effects that a user should know about.
    pub(super) notes: Vec<String>,
}

/// The outcome of one attempt.
pub(super) enum Attempt {
    /// The manager locked the changes; whether the state is wanted is not decided yet.
    Locked(Box<NewState>),
    /// The changes do not work.
    Rejected(Rejection),
}

/// The reason why a set of version changes was rejected.
#[derive(Debug, Clone)]
pub(super) enum Rejection {
    /// The manager refuses one version.
    Version {
        rejected: PackageVersion,
        reason: String,
    },
    /// The set as a whole does not work.
    Whole(String),
    /// The set lacks what its releases require besides their metadata. The planner knows it now.
    Learned,
}

/// The answers of the package manager. The same changes in the same state have the same answer.
#[derive(Debug, Default)]
pub(super) struct RelockCache {
    state: RandomState,
    pub(super) answers: BTreeMap<u64, Result<Relocked, Rejection>>,
}

impl RelockCache {
    pub(super) fn key(&self, tree: &LockState, proposal: &Proposal) -> u64 {
        let moves: Vec<_> = proposal
            .moves
            .iter()
            .map(|step| {
                (
                    tree.describe(step.copy),
                    step.to(),
                    format!("{:?}", step.edits),
                )
            })
            .collect();
        let overrides = &proposal.overrides;
        self.state
            .hash_one((&tree.bytes, &tree.manifests, moves, overrides))
    }

    pub(super) fn keep(&mut self, key: u64, answer: Result<Relocked, Rejection>) {
        if self.answers.len() >= MAX_REMEMBERED {
            self.answers.clear();
        }
        self.answers.insert(key, answer);
    }
}
