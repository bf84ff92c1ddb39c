//! Context of one fix: the inputs of planning, and its results.

use std::collections::BTreeSet;
use std::path::Path;

use patchgate_http::Client;
use patchgate_inventory::Contents;
use patchgate_model::{Finding, Outcome, Plan, Problem, ProblemKind, error_chain};
use patchgate_package_managers::{RelockError, RunOptions};
use patchgate_scan::{AdvisorySource, Suppressions};
use patchgate_upgrade::PlanOptions;

use crate::change_graph::ChangeGraph;
use crate::deadline::TimeLimit;
use crate::lock_state::ids;
use crate::policy::Policy;
use crate::run::Chosen;

/// The word for findings with the outcome "act now".
const ACT_NOW: &str = "act-now";

fn is_urgent(finding: &Finding) -> bool {
    finding.score.decision.outcome == Outcome::ActNow
}

/// The inputs of planning.
pub(crate) struct FixContext<'a> {
    /// The files of the repository, with their inventory.
    pub(crate) contents: &'a Contents,
    /// The scanned directory, which has the configuration of package managers.
    pub(crate) root: &'a Path,
    /// The source of advisories, for the scan and for the packages that a fix brings in.
    pub(crate) source: &'a AdvisorySource,
    /// For metadata of registries.
    pub(crate) client: &'a Client,
    /// How package managers are run.
    pub(crate) run: RunOptions,
    /// How lockfiles are written.
    pub(crate) engine: Engine,
    /// What a plan may change.
    pub(crate) options: PlanOptions,
    /// What the settings allow.
    pub(crate) policy: Policy<'a>,
    /// Whether workflows may change.
    pub(crate) workflows: bool,
    /// The findings to fix, by id, alias or name of the package. Empty for all.
    pub(crate) only: &'a [String],
    /// The findings to fix of those, by package and id. `None` for all.
    pub(crate) chosen: Option<&'a Chosen>,
    /// How long all of it may take.
    pub(crate) time_limit: TimeLimit,
    /// The rules about which findings need no fix.
    pub(crate) suppressions: &'a Suppressions<'a>,
    /// Called with a short text before each step of long work.
    pub(crate) progress: &'a (dyn Fn(&str) + Sync),
}

impl FixContext<'_> {
    /// Whether a finding is among those to fix.
    pub(crate) fn is_asked(&self, finding: &Finding) -> bool {
        let is_of_only = self.only.is_empty()
            || self.only.iter().any(|only| {
                (only == ACT_NOW && is_urgent(finding))
                    || finding.package.name == *only
                    || ids(finding).any(|id| id.eq_ignore_ascii_case(only))
            });
        let is_chosen = self.chosen.is_none_or(|chosen| {
            chosen.contains(&(finding.package.name.clone(), finding.id.clone()))
        });

        is_of_only && is_chosen
    }
}

/// The way in which lockfiles are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Directly where that is exact, proved by one run of the package manager where it is installed;
    /// else by the package manager.
    #[default]
    Auto,
    /// Directly, without running anything.
    Direct,
    /// By the package manager.
    Native,
}

/// A plan with its notes and problems.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fixed {
    /// The plan, which may be empty.
    pub(crate) plan: Plan,
    /// The lockfiles of which the plan fixes or names every finding.
    pub(crate) judged: BTreeSet<String>,
    /// The changed entries, and what connects them.
    pub(crate) changes: ChangeGraph,
    /// Sentences about side effects of the package managers.
    pub(crate) notes: Vec<String>,
    /// Lockfiles and packages that could not be planned or checked. Not empty means that the plan
    /// may be incomplete.
    pub(crate) problems: Vec<Problem>,
}

/// The reason why a lockfile could not be worked on at all.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ProblemKind,
    subject: Option<String>,
    pub(crate) reason: String,
    hint: Option<String>,
}

impl Failure {
    /// A problem with the lockfile itself.
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            kind: ProblemKind::File,
            subject: None,
            reason: reason.into(),
            hint: None,
        }
    }

    pub(crate) fn into_problem(self, lockfile: &str) -> Problem {
        Problem {
            kind: self.kind,
            subject: self.subject.unwrap_or_else(|| lockfile.to_owned()),
            line: None,
            reason: self.reason,
            hint: self.hint,
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            kind: problem.kind,
            subject: Some(problem.subject),
            reason: problem.reason,
            hint: problem.hint,
        }
    }
}

impl From<RelockError> for Failure {
    fn from(error: RelockError) -> Self {
        Self {
            kind: ProblemKind::Registry,
            subject: None,
            hint: error.hint(),
            reason: error_chain(&error),
        }
    }
}
