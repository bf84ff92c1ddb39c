//! The policy of the gate: the conditions for merging a pull request without a person.

use crate::{Bump, Verdict};

/// The gate's part of the repository's settings. The default is the strictest: it merges nothing
/// until accounts and checks are named.
#[derive(Debug, Clone, PartialEq)]
pub struct GatePolicy {
    /// Logins that may author the pull request and its commits, such as `my-app[bot]`. Compared
    /// without regard to case, as the forge does. When empty, no account is trusted.
    pub accounts: Vec<String>,
    /// Whether every commit needs a signature that the forge verified.
    pub require_signed_commits: bool,
    /// The checks that must succeed.
    pub checks: RequiredChecks,
    /// The verdict for a failed check: [`Verdict::Block`] or [`Verdict::Review`].
    pub failed_checks: Verdict,
    /// Whether a skipped check counts as success.
    pub accept_skipped: bool,
    /// Whether a neutral check counts as success.
    pub accept_neutral: bool,
    /// The largest version change of a package.
    pub max_bump: Bump,
    /// Whether packages may be added that were not installed before.
    pub allow_new_packages: bool,
    /// Highest score, from 0.0 to 100.0, of a finding that may remain on the head; `None` for any.
    pub max_remaining_score: Option<f64>,
    /// Whether the pull request must contain the tip of its base branch, so that the merged state is
    /// exactly the one that was checked.
    pub require_up_to_date: bool,
    /// How it is merged.
    pub merge_method: MergeMethod,
}

/// The checks that must succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredChecks {
    /// These checks, each from its own app. With an empty list, no pull request is merged.
    Listed(Vec<RequiredCheck>),
    /// All checks that ran, and at least one.
    Any,
}

/// A check that must succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredCheck {
    /// Name of the check run or context of the status.
    pub name: String,
    /// Slug of the app that must have created it (`github-actions`), or the login of the account that
    /// set the status.
    pub app: String,
}

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MergeMethod {
    /// With a merge commit.
    Merge,
    /// As one commit with all changes.
    #[default]
    Squash,
    /// As copies of its commits on top of the base.
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
