//! The facts about a pull request that the gate decides on.
//!
//! Each piece that has to be fetched is a [`Fetched`], so that a rule sees when a piece could not be
//! read: missing evidence is never consent. Lists are complete or missing, never a first page.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EcosystemName, Safeguards, Scope};

/// A piece of evidence, or why it is missing.
pub type Fetched<T> = Result<T, Missing>;

/// Why a piece of evidence is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Missing {
    /// A lower-case fragment without a final period: `GET …/files answered 502`.
    pub reason: String,
    /// The next step, if there is one.
    pub hint: Option<String>,
}

impl Missing {
    /// A missing piece without a next step.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            hint: None,
        }
    }
}

/// The facts about one pull request at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The pull request itself.
    pub pull_request: Fetched<PullRequest>,
    /// Tip of the base branch when the gate started. The policy is read from this commit.
    pub base_tip: Fetched<String>,
    /// The commit from which head and base branch diverge. Equal to [`Evidence::base_tip`] when
    /// the pull request is up to date.
    pub merge_base: Fetched<String>,
    /// All commits of the pull request, oldest first.
    pub commits: Fetched<Vec<CommitEvidence>>,
    /// All files that differ between merge base and head.
    pub files: Fetched<Vec<ChangedFile>>,
    /// Content of the changed lockfiles and manifests, by path.
    pub contents: BTreeMap<String, FileContents>,
    /// All check runs of the head commit.
    pub check_runs: Fetched<Vec<CheckRun>>,
    /// The latest status for each context of the head commit.
    pub statuses: Fetched<Vec<CommitStatus>>,
    /// The checks that the protection of the base branch requires. Empty when it requires none.
    pub branch_checks: Fetched<Vec<BranchCheck>>,
    /// Accounts whose latest review requests changes.
    pub changes_requested: Fetched<Vec<String>>,
    /// The known vulnerabilities before and after the change, computed from [`Evidence::contents`].
    pub findings: Fetched<FindingComparison>,
    /// The head commit, read again after everything else.
    pub head_at_end: Fetched<String>,
    /// The check that runs this gate, which cannot be finished yet.
    pub own_job: Option<OwnJob>,
    /// The facts about the repository and the moment. Missing until they are read.
    pub safeguards: Safeguards,
}

/// The pull request itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Number on the forge.
    pub number: u64,
    /// Whether it is still open.
    pub state: PullRequestState,
    /// Whether it is a draft.
    pub draft: bool,
    /// The account that opened it; `None` for a deleted one.
    pub author: Option<Account>,
    /// Title as its author wrote it.
    pub title: String,
    /// Body; may be empty.
    pub body: String,
    /// The branch with the change.
    pub head: BranchEnd,
    /// The branch to merge into. Its [`BranchEnd::sha`] is the commit that the forge recorded, which
    /// may be older than the tip of the branch; see [`Evidence::base_tip`].
    pub base: BranchEnd,
    /// Whether it can be merged without conflicts; `None` while the forge computes this.
    pub mergeable: Option<bool>,
    /// The forge's own word for its state: `clean`, `dirty`, `blocked`, ….
    pub mergeable_state: Option<String>,
    /// Number of commits, as the forge counts them.
    pub commit_count: u64,
    /// Number of changed files, as the forge counts them.
    pub changed_file_count: u64,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// When it was opened, if the forge states it.
    pub opened: Option<Timestamp>,
    /// The default branch of the repository that it is for, where the same answer states it.
    pub default_branch: Option<String>,
}

/// The state of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PullRequestState {
    /// Neither closed nor merged.
    Open,
    /// Closed without a merge.
    Closed,
    /// Closed by a merge.
    Merged,
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchEnd {
    /// Branch name without `refs/heads/`.
    pub branch: String,
    /// Id of the commit at the tip.
    pub sha: String,
    /// `owner/name` of the repository; `None` when it was deleted.
    pub repository: Option<String>,
}

/// An account as the forge names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Login, such as `octocat` or `github-actions[bot]`. A login that is given up can be taken by
    /// another user, so only [`Account::id`] identifies an account.
    pub login: String,
    /// Numeric id, which is never given twice; `None` when the forge does not state it.
    pub id: Option<u64>,
    /// `User`, `Bot`, …, as the forge writes it.
    pub kind: String,
}

/// One commit of the pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitEvidence {
    /// Id of the commit.
    pub sha: String,
    /// Account that the forge derives from the author's address; `None` for an unknown address.
    pub author: Option<Account>,
    /// Account that the forge derives from the committer's address; `None` for an unknown address.
    pub committer: Option<Account>,
    /// Whether the forge verified the signature.
    pub verified: bool,
    /// The forge's reason for [`CommitEvidence::verified`]: `valid`, `unsigned`, ….
    pub verification: String,
    /// Commit ids of the parents.
    pub parents: Vec<String>,
}

/// A file that the pull request changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Path from the repository root.
    pub path: String,
    /// Path before a rename or copy.
    pub previous_path: Option<String>,
    /// The kind of change.
    pub status: FileStatus,
    /// Number of added lines.
    pub additions: u64,
    /// Number of removed lines.
    pub deletions: u64,
}

/// The kind of change to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileStatus {
    /// The file exists only on the head.
    Added,
    /// The content changed at the same path.
    Modified,
    /// The file exists only on the base.
    Removed,
    /// The path changed, and maybe the content.
    Renamed,
    /// Another kind, as the forge writes it.
    Other(String),
}

/// A file's content on both sides; `None` where it does not exist on that side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileContents {
    /// At the merge base.
    #[serde(with = "content")]
    pub base: Fetched<Option<Vec<u8>>>,
    /// At the head that the gate decides on.
    #[serde(with = "content")]
    pub head: Fetched<Option<Vec<u8>>>,
}

/// One run of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRun {
    /// Id on the forge; it rises with every run.
    pub id: u64,
    /// Name of the check.
    pub name: String,
    /// Slug of the app that created it, such as `github-actions`; `None` when the forge hides it.
    pub app: Option<String>,
    /// Numeric id of that app.
    pub app_id: Option<u64>,
    /// The suite that it belongs to.
    pub suite: Option<u64>,
    /// Commit that it ran on.
    pub head_sha: String,
    /// The result so far.
    pub outcome: CheckOutcome,
    /// Time of the start.
    pub started: Option<Timestamp>,
    /// Time of the end.
    pub completed: Option<Timestamp>,
    /// Address of its page.
    pub details_url: Option<String>,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckOutcome {
    /// The check has not finished; the forge's own word: `queued`, `in_progress`, ….
    Pending(String),
    /// The check succeeded: the forge's `success`.
    Success,
    /// The check did not run.
    Skipped,
    /// The check finished without a result.
    Neutral,
    /// The check failed; the forge's own word: `failure`, `timed_out`, `stale`, ….
    Failed(String),
    /// The check finished with a word that this version of Patchgate does not know.
    Unknown(String),
}

/// The latest status of one context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatus {
    /// Name of the status, which the forge calls its context.
    pub context: String,
    /// Account that set the status; `None` for a deleted account.
    pub creator: Option<Account>,
    /// The result so far.
    pub outcome: CheckOutcome,
}

/// A check that the protection of the base branch requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BranchCheck {
    /// Name of the check run or context of the status.
    pub name: String,
    /// Id of the app that must have created it, if the protection names one.
    pub app_id: Option<u64>,
}

/// The CI job that runs the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnJob {
    /// Id of the workflow run (`GITHUB_RUN_ID`).
    pub run_id: String,
    /// Name of the job, which is that of its check run.
    pub name: String,
}

/// The known vulnerabilities before and after a change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingComparison {
    /// Findings on the head that are not on the base.
    pub introduced: Vec<FindingKey>,
    /// Findings on the base that are not on the head.
    pub ended: Vec<FindingKey>,
    /// Findings on both the base and the head.
    pub remaining: Vec<FindingKey>,
    /// The part of [`FindingComparison::remaining`] that the change fixes: with the versions on the
    /// base that the head does not have any more.
    pub reduced: Vec<FindingKey>,
}

/// One vulnerability of one package in one lockfile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingKey {
    /// Id of the vulnerability.
    pub id: String,
    /// Ecosystem by its OSV name. It is not written, because the lockfile decides it.
    #[serde(skip)]
    pub ecosystem: EcosystemName,
    /// Name of the package.
    pub package: String,
    /// Affected versions in the lockfile, sorted.
    pub versions: Vec<String>,
    /// Path of the lockfile.
    pub lockfile: String,
    /// The strongest reason why the package is installed.
    pub scope: Scope,
    /// Priority, from 0.0 to 100.0.
    #[serde(with = "exact")]
    pub score: f64,
    /// Whether the release itself is malicious.
    pub malicious: bool,
}

/// The content of a file in JSON: a text, or the hexadecimal digits of bytes that are none.
mod content {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    use super::Fetched;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Content {
        Text(String),
        Hex(String),
    }

    pub(super) fn serialize<S: Serializer>(
        content: &Fetched<Option<Vec<u8>>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let written = content.as_ref().map(|content| {
            let bytes = content.as_ref()?;
            Some(match std::str::from_utf8(bytes) {
                Ok(text) => Content::Text(text.to_owned()),
                Err(_) => Content::Hex(hex::encode(bytes)),
            })
        });
        written.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Fetched<Option<Vec<u8>>>, D::Error> {
        let bytes = |content: Content| match content {
            Content::Text(text) => Ok(text.into_bytes()),
            Content::Hex(digits) => hex::decode(digits).map_err(de::Error::custom),
        };
        match Fetched::<Option<Content>>::deserialize(deserializer)? {
            Ok(content) => Ok(Ok(content.map(bytes).transpose()?)),
            Err(missing) => Ok(Err(missing)),
        }
    }
}

/// A number as a text, which a reader of JSON cannot round.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
