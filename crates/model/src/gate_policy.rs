//! What a repository asks of a pull request before it may be merged without a person.

use crate::{Bump, Verdict};

/// The gate's part of the repository's settings. The default is the strictest: it merges nothing
/// until accounts and checks are named.
#[derive(Debug, Clone, PartialEq)]
pub struct GatePolicy {
    /// Logins that may author the pull request and its commits, such as `my-app[bot]`. Compared
    /// without regard to case, as the forge does. Empty means that nobody is trusted.
    pub accounts: Vec<String>,
    /// Whether every commit needs a signature that the forge verified.
    pub require_signed_commits: bool,
    /// The checks that must succeed.
    pub checks: RequiredChecks,
    /// What a failed check calls for: [`Verdict::Block`] or [`Verdict::Review`].
    pub failed_checks: Verdict,
    /// Whether a skipped check counts as success.
    pub accept_skipped: bool,
    /// Whether a neutral check counts as success.
    pub accept_neutral: bool,
    /// The furthest that a package may move.
    pub max_bump: Bump,
    /// Whether packages may come into the tree that were not there before.
    pub allow_new_packages: bool,
    /// Highest score, from 0.0 to 100.0, of a finding that may stay on the head; `None` for any.
    pub max_remaining_score: Option<f64>,
    /// Whether the pull request must stand on the tip of its base branch, so that what is merged
    /// is exactly what was judged.
    pub require_up_to_date: bool,
    /// How it is merged.
    pub merge_method: MergeMethod,
}

/// The checks that must succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredChecks {
    /// These, each from its own app. An empty list is no consent.
    Listed(Vec<RequiredCheck>),
    /// Whatever ran: at least one, and all that ran succeeded.
    Any,
}

/// A check that must succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredCheck {
    /// Name of the check run or context of the status.
    pub name: String,
    /// Slug of the app that must have made it (`github-actions`), or the login of the account that
    /// set the status.
    pub app: String,
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One commit with all changes.
    #[default]
    Squash,
    /// The commits, put on top of the base.
    Rebase,
}

impl Default for GatePolicy {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            require_signed_commits: false,
            checks: RequiredChecks::Listed(Vec::new()),
            failed_checks: Verdict::Block,
            accept_skipped: false,
            accept_neutral: false,
            max_bump: Bump::Minor,
            allow_new_packages: false,
            max_remaining_score: None,
            require_up_to_date: true,
            merge_method: MergeMethod::default(),
        }
    }
}
