//! The policy of the gate: the conditions for merging a pull request without a person.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use crate::{Account, Bump, Verdict};

/// The gate's part of the repository's settings. The default is the strictest: it merges nothing
/// until accounts and checks are named.
#[derive(Debug, Clone, PartialEq)]
pub struct GatePolicy {
    /// Accounts that may author the pull request and its commits. When empty, no account is trusted.
    pub accounts: Vec<TrustedAccount>,
    /// Whether everything that any workflow of the repository does is trusted. Each branch may have a
    /// workflow of its own, which makes commits, pull requests and checks in the name of
    /// `github-actions[bot]`.
    pub trust_any_workflow: bool,
    /// Number of approvals that the head needs, from accounts that may write.
    pub required_approvals: u32,
    /// Labels that stop a merge. Compared without regard to case.
    pub hold_labels: Vec<String>,
    /// Times without merges.
    pub freezes: Vec<Freeze>,
    /// Public ed25519 keys of plans, as base64 of their structure.
    pub plan_keys: Vec<String>,
    /// Which proof that the head is the plan is accepted.
    pub plan_proof: PlanProof,
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
    /// The team's own rules. The first one whose condition holds decides.
    pub rules: Vec<PolicyRule>,
    /// How far the gate may go, by path. The first entry that names a file applies to it.
    pub stages: Vec<StageRule>,
    /// Percentage of the pull requests that may be merged without a person.
    pub automatic_share: u32,
}

/// A rule of the team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// Its name.
    pub name: String,
    /// The condition in CEL.
    pub when: String,
    /// The verdict when the condition holds.
    pub then: Verdict,
    /// Hours since the pull request was opened before [`Verdict::Merge`] applies.
    pub wait_hours: u32,
    /// Accounts or teams that should review it.
    pub reviewers: Vec<String>,
    /// Labels that the pull request gets.
    pub labels: Vec<String>,
}

/// How far the gate may go for some paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRule {
    /// Globs of paths from the repository's root.
    pub paths: Vec<String>,
    /// How far it may go.
    pub stage: Stage,
}

/// How far the gate may go, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It says what it would have done.
    Observe,
    /// It also reports its check.
    Suggest,
    /// It merges.
    Auto,
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
    /// Who must have made it.
    pub source: CheckSource,
}

/// Who must have made a check. Check runs and statuses are different things: a status never counts
/// as the check run of an app, because every workflow may set one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckSource {
    /// A check run of an app.
    App {
        /// Slug of the app, such as `github-actions`.
        slug: String,
        /// Numeric id of the app, if the policy pins it.
        id: Option<u64>,
        /// The workflow that must have run the job, if the policy pins it.
        workflow: Option<WorkflowPin>,
    },
    /// A commit status of an account.
    Status(TrustedAccount),
}

/// A workflow and the event that starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowPin {
    /// Path of the workflow file from the repository's root.
    pub path: String,
    /// The event, such as `pull_request`.
    pub event: String,
}

/// An account that the policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedAccount {
    /// Login, such as `my-app[bot]`. Compared without regard to case, as the forge does.
    pub login: String,
    /// Numeric id. Without it, the account is not identified: a login can be given up and taken again.
    pub id: Option<u64>,
}

impl TrustedAccount {
    /// Whether the policy means this account by its login.
    #[must_use]
    pub fn has_login_of(&self, account: &Account) -> bool {
        self.login.eq_ignore_ascii_case(&account.login)
    }

    /// Whether the account is identified as the named one: by its login and its id.
    #[must_use]
    pub fn is(&self, account: &Account) -> bool {
        self.has_login_of(account) && self.id.is_some() && self.id == account.id
    }
}

/// A time without merges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// When it applies.
    pub period: FreezePeriod,
    /// Why; reports show it.
    pub reason: String,
}

/// When a freeze applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreezePeriod {
    /// Once.
    Once {
        /// The first moment.
        from: Timestamp,
        /// The first moment after it.
        to: Timestamp,
    },
    /// Every week.
    Weekly {
        /// The days on which it starts.
        days: Vec<Weekday>,
        /// The time of the day when it starts.
        from: Time,
        /// The first time of the day after it. When it is not after `from`, it is on the next day.
        to: Time,
        /// The time zone of the days and times.
        zone: TimeZone,
    },
}

impl FreezePeriod {
    /// Whether a moment is in it.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        match self {
            Self::Once { from, to } => *from <= now && now < *to,
            Self::Weekly {
                days,
                from,
                to,
                zone,
            } => {
                let local = zone.to_datetime(now);
                let (day, time) = (local.weekday(), local.time());
                let starts_on = |day: Weekday| days.contains(&day);
                if from < to {
                    starts_on(day) && *from <= time && time < *to
                } else {
                    (starts_on(day) && *from <= time) || (starts_on(day.previous()) && time < *to)
                }
            }
        }
    }
}

/// The accepted proof that the head contains exactly a plan of Patchgate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlanProof {
    /// One of the others.
    #[default]
    Either,
    /// A statement that is signed by a key of the policy.
    Signature,
    /// A plan that another job computed again from the base.
    Recomputed,
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
            trust_any_workflow: false,
            required_approvals: 0,
            hold_labels: vec!["hold".to_owned(), "do-not-merge".to_owned()],
            freezes: Vec::new(),
            plan_keys: Vec::new(),
            plan_proof: PlanProof::default(),
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
            rules: Vec::new(),
            stages: Vec::new(),
            automatic_share: 100,
        }
    }
}
