//! Facts around a pull request that its author cannot change: how the base branch is protected, who
//! reviewed, which workflows made the checks, and the time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Account, Fetched, Missing, PlanDigest};

/// The facts about the repository and the moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Safeguards {
    /// Whether the forge refuses direct pushes to the base branch.
    pub base_is_protected: Fetched<bool>,
    /// Paths that changed on the base branch since the head left it. Empty when the head contains the
    /// tip of the base.
    pub base_changes: Fetched<Vec<String>>,
    /// Id of the tree of the head.
    pub head_tree: Fetched<String>,
    /// The plan that another job computed again from the base; `None` when none is given.
    pub recomputed: Fetched<Option<PlanDigest>>,
    /// The approvals that count, one for each account whose latest review approves.
    pub approvals: Fetched<Vec<Approval>>,
    /// The jobs of the workflows that ran on the head, in every attempt.
    pub jobs: Fetched<Vec<WorkflowJob>>,
    /// What the registries say about the entries of lockfiles that are new or have another version.
    pub registry: Fetched<Vec<RegistryEntry>>,
    /// Whether the default branch has the file that stops all merges, [`Safeguards::STOP_FILE`].
    pub is_stopped: Fetched<bool>,
    /// The time of the judgement.
    pub now: Fetched<Timestamp>,
}

impl Safeguards {
    /// The file on the default branch that stops all merges while it exists.
    pub const STOP_FILE: &str = ".patchgate.stop";
}

impl Default for Safeguards {
    /// Every fact is missing, so a forge that does not read one gets a review and no merge.
    fn default() -> Self {
        fn unread<T>() -> Fetched<T> {
            Err(Missing::new("it was not read"))
        }
        Self {
            base_is_protected: unread(),
            base_changes: unread(),
            head_tree: unread(),
            recomputed: unread(),
            approvals: unread(),
            jobs: unread(),
            registry: unread(),
            is_stopped: unread(),
            now: unread(),
        }
    }
}

/// An entry of a lockfile, compared with what its registry says about that release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryEntry {
    /// Path of the lockfile.
    pub lockfile: String,
    /// Name of the package in its registry.
    pub package: String,
    /// Version of the entry.
    pub version: String,
    /// Everything that speaks against the entry; empty when the registry confirms it. Missing when
    /// the registry could not be asked.
    pub objections: Fetched<Vec<RegistryObjection>>,
}

/// Something in the metadata of a registry that speaks against an entry of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegistryObjection {
    /// True when the entry is certainly not what the registry has, such as one with another hash.
    /// False when a person has to judge.
    pub certain: bool,
    /// The objection as a fragment that follows the name of the package: `has another hash`.
    pub text: String,
}

/// The approval of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The account that approved.
    pub account: Account,
    /// Id of the commit that was approved.
    pub commit: String,
    /// Whether the account may write to the repository.
    pub may_write: bool,
}

/// One job of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowJob {
    /// Id of the check run that shows it.
    pub check_run: u64,
    /// Id of the workflow's run.
    pub run: u64,
    /// The attempt of the run, from 1.
    pub attempt: u64,
    /// Path of the workflow file, such as `.github/workflows/test.yml`.
    pub workflow: String,
    /// The event that started the run: `push`, `pull_request`, ….
    pub event: String,
}
