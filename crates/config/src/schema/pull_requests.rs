//! The format of the section about pull requests.

use schemars::JsonSchema;
use serde::Deserialize;

use super::DayWord;

/// How fixes are divided into pull requests, and when they are opened.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct PullRequests {
    /// What one pull request contains, of the steps that no group takes: `all` of them, or one `step`.
    pub(crate) per: PerWord,
    /// Steps that share a pull request. The first group that takes a step has it.
    pub(crate) groups: Vec<PullRequestGroup>,
    /// The lowest outcome that is urgent: such a pull request waits for no window and no limit. Known
    /// exploitation and malicious releases always are urgent.
    pub(crate) urgent: UrgentWord,
    /// Most open pull requests of Patchgate into one branch. One that replaces an open one is not
    /// counted.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_open: Option<u32>,
    /// Most pull requests that are opened within an hour. Those that are still open are counted.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) max_new_per_hour: Option<u32>,
    /// Times in which pull requests are opened. Without any, they always are.
    pub(crate) schedule: Vec<WindowEntry>,
    /// Labels of every pull request, besides those of `--label`.
    #[schemars(inner(length(min = 1)))]
    pub(crate) labels: Vec<String>,
    /// Logins of the accounts that every pull request is assigned to.
    #[schemars(inner(length(min = 1)))]
    pub(crate) assignees: Vec<String>,
    /// Logins of the accounts that are asked to review every pull request.
    #[schemars(inner(length(min = 1)))]
    pub(crate) reviewers: Vec<String>,
    /// Template of the body: a path from the repository's root. It is read at the base commit.
    #[schemars(length(min = 1))]
    pub(crate) template: Option<String>,
}

/// What one pull request contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum PerWord {
    #[default]
    All,
    Step,
}

/// Steps that share a pull request. A step belongs to the group when every condition that is given
/// holds for everything that the step fixes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PullRequestGroup {
    /// Name of the group, which is a part of the branch's name.
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    /// Ecosystems, such as `npm`.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub(crate) ecosystems: Vec<String>,
    /// Globs of the lockfiles' paths, from the repository's root.
    #[serde(default)]
    #[schemars(inner(length(min = 1)))]
    pub(crate) paths: Vec<String>,
    /// Scopes of the packages.
    #[serde(default)]
    pub(crate) scopes: Vec<ScopeWord>,
    /// Outcomes of the most urgent finding that the step fixes.
    #[serde(default)]
    pub(crate) urgency: Vec<OutcomeWord>,
}

/// The reason why a package is installed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum ScopeWord {
    Runtime,
    Peer,
    Optional,
    Build,
    Test,
    Development,
}

/// How urgent a finding is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum OutcomeWord {
    ActNow,
    OutOfCycle,
    Scheduled,
    Defer,
}

/// The lowest outcome that is urgent.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) enum UrgentWord {
    ActNow,
    #[default]
    OutOfCycle,
    Scheduled,
}

/// A time of the week in which pull requests are opened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct WindowEntry {
    /// Days of the week on which it starts.
    pub(crate) days: Vec<DayWord>,
    /// The time of the day when it starts, `hh:mm`.
    #[schemars(length(min = 1))]
    pub(crate) from: String,
    /// The first time of the day after it. When it is not after `from`, it is on the next day.
    #[schemars(length(min = 1))]
    pub(crate) to: String,
    /// Time zone by its name in the IANA database, such as `Europe/Berlin`.
    #[schemars(length(min = 1))]
    pub(crate) time_zone: String,
}
