//! From findings to a plan that holds: the part that `fix` and `pr` share.
//!
//! For each lockfile: plan, let the package manager lock the result in a scratch copy, scan that
//! result with the same source of advisories, and take it only when the planned findings are gone,
//! none came, and nobody gets an older version of something. What fails is left out and reported with the
//! reason. Nothing here writes to the repository; [`apply`] does, once the plan stands.

pub(crate) mod apply;
mod attempt;
mod blame;
mod bundles;
mod downgrade;
mod engine;
mod knowledge;
mod outcome;
mod project;
mod registries;
pub(crate) mod time_limit;
mod tree;
mod verify;

use std::path::Path;

use patchgate_ecosystems::{Siblings, fixable_format, is_fixable_manifest};
use patchgate_http::Client;
use patchgate_model::{Finding, Plan, Problem, ProblemKind};
use patchgate_package_managers::RunOptions;

use crate::repository::Contents;
use crate::source::AdvisorySource;

pub(crate) use time_limit::TimeLimit;

/// What planning needs.
pub(crate) struct Workshop<'a> {
    /// The repository's files.
    pub(crate) contents: &'a Contents,
    /// Its folder, for the configuration of package managers.
    pub(crate) root: &'a Path,
    /// Advisories.
    pub(crate) source: &'a AdvisorySource,
    /// For metadata of registries.
    pub(crate) client: &'a Client,
    /// How package managers are run.
    pub(crate) run: RunOptions,
    /// How long all of it may take.
    pub(crate) time_limit: TimeLimit,
    /// Findings that need no fix, because the settings ignore them or a VEX statement suppresses
    /// them.
    pub(crate) is_ignored: &'a (dyn Fn(&Finding) -> bool + Sync),
    /// Told what is being done.
    pub(crate) tell: &'a (dyn Fn(&str) + Sync),
}

/// A plan with what a user should know about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fixed {
    /// The plan.
    pub(crate) plan: Plan,
    /// Sentences about side effects of the package managers.
    pub(crate) notes: Vec<String>,
    /// What could not be planned or checked. Not empty means that the plan may lack something.
    pub(crate) problems: Vec<Problem>,
}

/// Plans the fixes for every lockfile of a repository.
pub(crate) async fn plan(workshop: &Workshop<'_>) -> Fixed {
    let mut fixed = Fixed::default();
    let mut manifests: Siblings = workshop
        .contents
        .files
        .iter()
        .filter(|(path, _)| is_fixable_manifest(path))
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    for lockfile in &workshop.contents.inventory.lockfiles {
        let Some((ecosystem, _)) = fixable_format(&lockfile.path) else {
            let limit = workshop.time_limit;
            let looked_up = limit.hold(outcome::not_changed(workshop, lockfile)).await;
            match looked_up.unwrap_or_else(|| Err(limit.problem(&lockfile.path).into())) {
                Ok(unfixed) => fixed.plan.unfixed.extend(unfixed),
                Err(failure) => fixed.problems.push(failure.into_problem(&lockfile.path)),
            }
            continue;
        };

        match engine::fix(workshop, ecosystem, lockfile, &manifests).await {
            Ok(one) => {
                // Two lockfiles may share a manifest: the second one sees it as edited.
                manifests.extend(one.manifests.clone());
                fixed.problems.extend(one.problems.iter().cloned());
                outcome::add(&mut fixed, workshop, one);
            }
            Err(failure) => fixed.problems.push(failure.into_problem(&lockfile.path)),
        }
    }

    outcome::finish(&mut fixed.plan);
    fixed.notes.sort();
    fixed.notes.dedup();

    fixed
}

/// Why a lockfile could not be worked on at all.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ProblemKind,
    subject: Option<String>,
    reason: String,
    hint: Option<String>,
}

impl Failure {
    /// Something that stands in the way of the lockfile itself.
    fn new(reason: impl Into<String>) -> Self {
        Self {
            kind: ProblemKind::File,
            subject: None,
            reason: reason.into(),
            hint: None,
        }
    }

    fn into_problem(self, lockfile: &str) -> Problem {
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

impl From<patchgate_package_managers::RelockError> for Failure {
    fn from(error: patchgate_package_managers::RelockError) -> Self {
        Self {
            kind: ProblemKind::Registry,
            subject: None,
            hint: error.hint(),
            reason: crate::exit::chain(&error),
        }
    }
}
