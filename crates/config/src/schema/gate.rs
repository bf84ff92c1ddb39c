//! The format of the gate's section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::BumpWord;

/// Conditions under which the gate merges a pull request without a person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Gate {
    /// Accounts that may author the pull request and its commits: a login with its id. When empty, no
    /// account is trusted.
    pub(crate) accounts: Vec<AccountEntry>,
    /// Whether everything that any workflow of the repository does is trusted. Any branch may have a
    /// workflow that acts as `github-actions[bot]`.
    pub(crate) trust_any_workflow: bool,
    /// Public ed25519 keys with which `patchgate pr` may sign its plans: the base64 line of
    /// `openssl pkey -pubout`.
    #[schemars(inner(length(min = 1)))]
    pub(crate) plan_keys: Vec<String>,
    /// Which proof that the head is the plan is accepted: a signed statement, a plan that another job
    /// computed again from the base, or either.
    pub(crate) plan_proof: ProofWord,
    /// Number of approvals that the head needs, from accounts that may write.
    #[schemars(range(min = 0, max = 100))]
    pub(crate) required_approvals: u32,
    /// Labels that stop a merge.
    #[schemars(inner(length(min = 1)))]
    pub(crate) hold_labels: Vec<String>,
    /// Times without merges.
    pub(crate) freeze: Vec<FreezeEntry>,
    /// Checks that must succeed on the head, each from its own app.
    pub(crate) required_checks: Vec<Check>,
    /// Instead of required checks: at least one check ran, and all that ran succeeded.
    pub(crate) any_check: bool,
    /// Whether a skipped check counts as success.
    pub(crate) skipped_is_success: bool,
    /// Whether a neutral check counts as success.
    pub(crate) neutral_is_success: bool,
    /// Verdict for a failed check.
    pub(crate) failed_checks: FailedChecks,
    /// Largest version change of a package.
    pub(crate) max_bump: BumpWord,
    /// Whether packages may be added that were not installed before.
    pub(crate) allow_new_packages: bool,
    /// Highest score, from 0 to 100, of a finding that may remain. By default, any finding may.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub(crate) max_score: Option<f64>,
    /// Whether every commit needs a signature that the forge verified.
    pub(crate) require_signed_commits: bool,
    /// Whether the pull request must contain the tip of its base branch.
    pub(crate) require_up_to_date: bool,
    /// How the gate merges a pull request.
    pub(crate) merge_method: MergeWord,
    /// The team's own rules, in their order: the first one whose condition holds decides. They are asked
    /// besides the gate's own conditions, and loosen none of them. Without a rule that holds, a person
    /// decides.
    pub(crate) rules: Vec<RuleEntry>,
    /// How far the gate may go, by path. The first entry that names a file applies to it, and the
    /// lowest stage of all files to the pull request. Files that none names are at `auto`.
    pub(crate) stages: Vec<StageEntry>,
    /// Percentage of the pull requests that may be merged without a person. A hash of the change
    /// decides which, so it is the same in every run.
    #[schemars(range(min = 0, max = 100))]
    pub(crate) automatic_share: u32,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            trust_any_workflow: false,
            plan_keys: Vec::new(),
            plan_proof: ProofWord::default(),
            required_approvals: 0,
            hold_labels: vec!["hold".to_owned(), "do-not-merge".to_owned()],
            freeze: Vec::new(),
            required_checks: Vec::new(),
            any_check: false,
            skipped_is_success: false,
            neutral_is_success: false,
            failed_checks: FailedChecks::default(),
            max_bump: BumpWord::default(),
            allow_new_packages: false,
            max_score: None,
            require_signed_commits: false,
            require_up_to_date: true,
            merge_method: MergeWord::default(),
            rules: Vec::new(),
            stages: Vec::new(),
            automatic_share: 100,
        }
    }
}

/// An account: a login alone, which the gate asks to be completed, or a login with its id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(crate) enum AccountEntry {
    /// The login alone.
    Login(#[schemars(length(min = 1))] String),
    /// The login with its id.
    Identified(IdentifiedAccount),
}

/// An account by its login and its id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct IdentifiedAccount {
    /// Login, such as `my-app[bot]`.
    #[schemars(length(min = 1))]
    pub(crate) login: String,
    /// Numeric id, which is never given twice, unlike a login.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(crate) id: u64,
}

/// A check that must succeed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Check {
    /// Name of the check run, or context of the status.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// Slug of the app that must have created the check run, such as `github-actions`.
    #[schemars(length(min = 1))]
    pub(crate) app: Option<String>,
    /// Numeric id of that app.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    pub(crate) app_id: Option<u64>,
    /// Path of the workflow file whose job it must be, such as `.github/workflows/test.yml`.
    #[schemars(length(min = 1))]
    pub(crate) workflow: Option<String>,
    /// The event that must have started that workflow; `pull_request` when it is not given.
    #[schemars(length(min = 1))]
    pub(crate) event: Option<String>,
    /// Instead of an app: the account that must have set the commit status.
    pub(crate) account: Option<AccountEntry>,
}

/// A time without merges: once between two days and times, or every week.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FreezeEntry {
    /// The first moment, `YYYY-MM-DDThh:mm`; with `days`, the time of the day, `hh:mm`.
    #[schemars(length(min = 1))]
    pub(crate) from: String,
    /// The first moment after it, in the same form. A weekly one may end on the next day.
    #[schemars(length(min = 1))]
    pub(crate) to: String,
    /// Days of the week on which it starts. Without them, it applies once.
    #[serde(default)]
    pub(crate) days: Vec<DayWord>,
    /// Time zone by its name in the IANA database, such as `Europe/Berlin`.
    #[schemars(length(min = 1))]
    pub(crate) time_zone: String,
    /// Why; reports show it.
    #[schemars(length(min = 1))]
    pub(crate) reason: String,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum DayWord {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Verdict for a failed check.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum FailedChecks {
    #[default]
    Block,
    Review,
}

/// An accepted proof.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum ProofWord {
    #[default]
    Either,
    Signature,
    Recomputed,
}

/// How the gate merges a pull request.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum MergeWord {
    Merge,
    #[default]
    Squash,
    Rebase,
}

/// A rule of the team.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RuleEntry {
    /// Its name; the verdict shows it.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// The condition in CEL over the fields that `patchgate policy fields` lists.
    #[schemars(length(min = 1))]
    pub(crate) when: String,
    /// The verdict when the condition holds.
    pub(crate) then: ThenWord,
    /// Hours that must have passed since the pull request was opened before `merge` applies.
    #[serde(default)]
    #[schemars(range(min = 0, max = 8760))]
    pub(crate) wait_hours: u32,
    /// Accounts or teams that should review it. The verdict names them, and accounts are asked to review;
    /// a name with `/` is a team.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub(crate) reviewers: Vec<String>,
    /// Labels that the pull request gets.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub(crate) labels: Vec<String>,
}

/// The verdict of a rule.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum ThenWord {
    Merge,
    Review,
    Block,
}

/// How far the gate may go for some paths.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StageEntry {
    /// Globs of paths from the repository's root.
    #[schemars(inner(length(min = 1)))]
    pub(crate) paths: Vec<String>,
    /// `observe` only says what the gate would have done, `suggest` also reports its check, and `auto`
    /// merges.
    pub(crate) stage: StageWord,
}

/// How far the gate may go.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum StageWord {
    Observe,
    Suggest,
    Auto,
}
