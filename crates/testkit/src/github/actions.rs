//! Runs of workflows and their jobs.

use std::collections::BTreeMap;

use serde_json::json;

use super::call::{Call, time};
use super::reply::{Refusal, Reply};
use super::state::Job;

impl Call<'_> {
    /// The runs, each with the conclusion of its last job.
    pub(crate) fn workflow_runs(&self) -> Result<Reply, Refusal> {
        let head = self.request.parameter("head_sha");
        let jobs = self.hosted.jobs.iter();
        let runs: BTreeMap<u64, &Job> = jobs
            .filter(|job| head.as_ref().is_none_or(|head| *head == job.head_sha))
            .map(|job| (job.run, job))
            .collect();
        let values = runs
            .into_values()
            .map(|job| {
                json!({
                    "id": job.run, "name": job.workflow, "path": job.workflow,
                    "event": job.event, "head_sha": job.head_sha, "run_attempt": job.attempt,
                    "status": "completed", "conclusion": job.conclusion,
                    "created_at": time(job.id), "updated_at": time(job.id),
                    "head_branch": "main", "pull_requests": [],
                    "repository": self.repository_value(),
                    "head_repository": self.repository_value(),
                })
            })
            .collect();
        Reply::wrapped("/actions/runs", "workflow_runs", values, json!({}))
    }

    pub(crate) fn jobs(&self, run: &str) -> Result<Reply, Refusal> {
        let of_run = |job: &&Job| job.run.to_string() == run;
        let jobs = self.hosted.jobs.iter().filter(of_run);
        let values = jobs
            .map(|job| {
                json!({
                    "id": job.id, "run_id": job.run, "run_attempt": job.attempt, "name": job.name,
                    "head_sha": job.head_sha, "status": "completed",
                    "conclusion": job.conclusion, "started_at": time(job.id),
                    "completed_at": time(job.id), "created_at": time(job.id),
                })
            })
            .collect();
        Reply::wrapped("/actions/runs/{run_id}/jobs", "jobs", values, json!({}))
    }
}
