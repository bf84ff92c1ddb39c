//! Everything that the gate looks at about a pull request.
//!
//! Each piece that has to be fetched is a [`Fetched`], so that a piece that could not be read is
//! visible as such: missing evidence is never consent. Lists are whole or missing; there is no
//! "first page" here.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::Scope;

/// A piece of evidence, or why it is missing.
pub type Fetched<T> = Result<T, Missing>;

/// Why a piece of evidence is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// A lower-case fragment without a final period: `GET …/files answered 502`.
    pub reason: String,
    /// What to do next, where there is something to do.
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

/// Everything that is known about one pull request at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The pull request itself.
    pub pull_request: Fetched<PullRequest>,
    /// Tip of the base branch when the judgement began: the commit that the policy is read from.
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
    /// The checks that the base branch's own protection asks for. Empty when it asks for none.
    pub branch_checks: Fetched<Vec<BranchCheck>>,
    /// Accounts whose latest review asks for changes.
    pub changes_requested: Fetched<Vec<String>>,
    /// What the change does to known vulnerabilities, computed from [`Evidence::contents`].
    pub findings: Fetched<FindingComparison>,
    /// The head commit when it was read again after everything else.
    pub head_at_end: Fetched<String>,
    /// The check that runs this very judgement, which cannot be finished yet.
    pub own_job: Option<OwnJob>,
}

/// The pull request itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Whether it is still open.
    pub state: PullRequestState,
    /// Whether its author calls it unfinished.
    pub draft: bool,
    /// Who opened it; `None` for a deleted account.
    pub author: Option<Account>,
    /// Title.
    pub title: String,
    /// Body; empty where there is none.
    pub body: String,
    /// Where the change comes from.
    pub head: BranchEnd,
    /// Where it goes. [`BranchEnd::sha`] is what the forge recorded, which may lag behind the
    /// branch; see [`Evidence::base_tip`].
    pub base: BranchEnd,
    /// Whether it can be merged without conflicts; `None` while the forge still works it out.
    pub mergeable: Option<bool>,
    /// The forge's own word for what stands in the way: `clean`, `dirty`, `blocked`, ….
    pub mergeable_state: Option<String>,
    /// How many commits the forge counts.
    pub commit_count: u64,
    /// How many changed files the forge counts.
    pub changed_file_count: u64,
}

/// Whether a pull request is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullRequestState {
    /// Open.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

/// One end of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchEnd {
    /// Branch name without `refs/heads/`.
    pub branch: String,
    /// Commit id.
    pub sha: String,
    /// `owner/name` of the repository; `None` when it was deleted.
    pub repository: Option<String>,
}

/// An account as the forge names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login, such as `octocat` or `github-actions[bot]`.
    pub login: String,
    /// `User`, `Bot`, …, as the forge writes it.
    pub kind: String,
}

/// One commit of the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitEvidence {
    /// Commit id.
    pub sha: String,
    /// Account that the forge sees as the author; `None` when it knows none.
    pub author: Option<Account>,
    /// Account that the forge sees as the committer; `None` when it knows none.
    pub committer: Option<Account>,
    /// Whether the forge verified the signature.
    pub verified: bool,
    /// The forge's reason for [`CommitEvidence::verified`]: `valid`, `unsigned`, ….
    pub verification: String,
    /// Commit ids of the parents.
    pub parents: Vec<String>,
}

/// One changed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Path from the repository root.
    pub path: String,
    /// Path before a rename or copy.
    pub previous_path: Option<String>,
    /// What happened to it.
    pub status: FileStatus,
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
}

/// What happened to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileStatus {
    /// New.
    Added,
    /// Changed in place.
    Modified,
    /// Gone.
    Removed,
    /// Moved, with or without a change.
    Renamed,
    /// Anything else, as the forge writes it.
    Other(String),
}

/// A file's content on both sides; `None` where it does not exist on that side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContents {
    /// At the merge base.
    pub base: Fetched<Option<Vec<u8>>>,
    /// At the judged head.
    pub head: Fetched<Option<Vec<u8>>>,
}

/// One run of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Rises with every run.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Slug of the app that made it, such as `github-actions`; `None` when the forge hides it.
    pub app: Option<String>,
    /// Numeric id of that app.
    pub app_id: Option<u64>,
    /// The suite that it belongs to.
    pub suite: Option<u64>,
    /// Commit that it ran on.
    pub head_sha: String,
    /// Where it stands.
    pub outcome: CheckOutcome,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Address with more about it.
    pub details_url: Option<String>,
}

/// Where a check stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckOutcome {
    /// Not finished; the forge's own word: `queued`, `in_progress`, ….
    Pending(String),
    /// It succeeded.
    Success,
    /// It did not run.
    Skipped,
    /// It has no opinion.
    Neutral,
    /// It did not succeed; the forge's own word: `failure`, `timed_out`, `stale`, ….
    Failed(String),
    /// Finished with a word that this version of Patchgate does not know.
    Unknown(String),
}

/// The latest status of one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// Context: the status's name.
    pub context: String,
    /// Who set it.
    pub creator: Option<Account>,
    /// Where it stands.
    pub outcome: CheckOutcome,
}

/// A check that the base branch's own protection asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchCheck {
    /// Name of the check run or context of the status.
    pub name: String,
    /// App that must have made it, where the protection names one.
    pub app_id: Option<u64>,
}

/// The job of the forge's own CI that runs the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnJob {
    /// Id of the workflow run (`GITHUB_RUN_ID`).
    pub run_id: String,
    /// Name of the job as its check run shows it.
    pub name: String,
}

/// What a change does to known vulnerabilities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FindingComparison {
    /// On the head, not on the base.
    pub introduced: Vec<FindingKey>,
    /// On the base, not on the head.
    pub ended: Vec<FindingKey>,
    /// On both.
    pub remaining: Vec<FindingKey>,
}

/// One vulnerability of one package in one lockfile.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingKey {
    /// Id of the vulnerability.
    pub id: String,
    /// Ecosystem by its OSV name.
    pub ecosystem: &'static str,
    /// Package name.
    pub package: String,
    /// Versions that carry it, sorted.
    pub versions: Vec<String>,
    /// Lockfile in which it stands.
    pub lockfile: String,
    /// The strongest reason for which the package is there.
    pub scope: Scope,
    /// Priority, from 0.0 to 100.0.
    pub score: f64,
    /// Whether the release itself is malicious.
    pub malicious: bool,
}
