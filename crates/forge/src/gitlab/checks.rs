//! Jobs of pipelines, and statuses, of a commit.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Account, CheckOutcome, CheckRun, CommitStatus, OwnJob};

use super::{GitLab, READ, wire};
use crate::ForgeError;
use crate::evidence::OWN_STATUS;
use crate::rest::encode;

/// Limit on the pipelines of one commit whose jobs are read.
const MAX_PIPELINES: usize = 50;

/// Limit on the jobs of one pipeline, and on the statuses of a commit.
const MAX_ENTRIES: usize = 5_000;

/// The app of a job in a policy's `required-checks`.
const APP: &str = "gitlab-ci";

/// Events that start a pipeline which the project's own configuration determines.
const OWN_SOURCES: [&str; 3] = ["push", "merge_request_event", "parent_pipeline"];

impl GitLab {
    /// The jobs that ran on a commit, as checks. A job of a pipeline that somebody started by hand, or
    /// gave variables, has another app: it does not count as a required check.
    pub(super) async fn jobs(
        &self,
        head: &str,
        own_job: Option<&OwnJob>,
    ) -> Result<Vec<CheckRun>, ForgeError> {
        let path = self.path(&format!("/pipelines?sha={}", encode(head)));
        let pipelines: Vec<wire::Pipeline> = self.rest.list(&path, READ, MAX_PIPELINES).await?;
        let mut checks = Vec::new();
        for pipeline in pipelines.iter().filter(|pipeline| pipeline.sha == head) {
            // External statuses are a pipeline too; they are read as statuses.
            if pipeline.source == "external" {
                continue;
            }

            let at = format!("/pipelines/{}", pipeline.id);
            let variables: Vec<wire::Variable> = self
                .rest
                .list(&self.path(&format!("{at}/variables")), READ, MAX_ENTRIES)
                .await?;
            let app = if !OWN_SOURCES.contains(&pipeline.source.as_str()) {
                format!("{APP}/{}", pipeline.source)
            } else if let Some(variable) = variables.first() {
                format!("{APP}/variable {}", variable.key)
            } else {
                APP.to_owned()
            };

            for list in ["jobs", "bridges"] {
                let path = self.path(&format!("{at}/{list}"));
                let jobs: Vec<wire::Job> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
                checks.extend(
                    jobs.into_iter()
                        .filter(|job| own_job.is_none_or(|own| own.run_id != job.id.to_string()))
                        .map(|job| check(job, pipeline, &app)),
                );
            }
        }

        Ok(checks)
    }

    /// The latest status of each name, without those that are jobs of `checks`.
    pub(super) async fn statuses(
        &self,
        head: &str,
        checks: &[CheckRun],
        own_job: Option<&OwnJob>,
    ) -> Result<Vec<CommitStatus>, ForgeError> {
        let path = self.path(&format!("/repository/commits/{}/statuses", encode(head)));
        let statuses: Vec<wire::Status> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
        let jobs: BTreeSet<u64> = checks.iter().map(|check| check.id).collect();
        let mut latest: BTreeMap<String, wire::Status> = BTreeMap::new();
        for status in statuses {
            let is_job = jobs.contains(&status.id)
                || own_job.is_some_and(|own| own.run_id == status.id.to_string());
            if status.name == OWN_STATUS || is_job {
                continue;
            }
            match latest.get(&status.name) {
                Some(known) if known.id > status.id => {}
                _ => {
                    latest.insert(status.name.clone(), status);
                }
            }
        }

        Ok(latest
            .into_values()
            .map(|status| CommitStatus {
                outcome: outcome(status.status, status.allow_failure),
                context: status.name,
                creator: status.author.map(Account::from),
            })
            .collect())
    }
}

fn check(job: wire::Job, pipeline: &wire::Pipeline, app: &str) -> CheckRun {
    CheckRun {
        id: job.id,
        name: job.name,
        app: Some(app.to_owned()),
        app_id: None,
        suite: Some(pipeline.id),
        head_sha: pipeline.sha.clone(),
        outcome: outcome(job.status, job.allow_failure),
        started: job.started_at,
        completed: job.finished_at,
        details_url: job.web_url,
    }
}

/// The outcome of a job or a status. A job that may fail is no failure when it does, and no success.
fn outcome(status: String, may_fail: bool) -> CheckOutcome {
    match status.as_str() {
        "success" => CheckOutcome::Success,
        "skipped" => CheckOutcome::Skipped,
        "manual" if may_fail => CheckOutcome::Skipped,
        "failed" | "canceled" if may_fail => CheckOutcome::Neutral,
        "failed" | "canceled" => CheckOutcome::Failed(status),
        "created"
        | "waiting_for_resource"
        | "preparing"
        | "waiting_for_callback"
        | "pending"
        | "running"
        | "canceling"
        | "scheduled"
        | "manual" => CheckOutcome::Pending(status),
        _ => CheckOutcome::Unknown(status),
    }
}
