//! Facts that the author of a pull request cannot change: the protection of the base branch, who may
//! write, and which workflow ran a job.

use std::collections::BTreeSet;

use patchgate_model::{Account, Approval, CheckRun, Fetched, Missing, WorkflowJob};

use super::transport::Call;
use super::{GitHub, encode, wire};
use crate::ForgeError;

/// The app whose check runs are the jobs of workflows.
const WORKFLOW_APP: &str = "github-actions";
/// Limit on the workflow runs of one commit, and on the jobs of one run.
const MAX_RUNS: usize = 200;
const MAX_JOBS: usize = 2_000;
/// Limit on the accounts whose permission is asked for.
const MAX_REVIEWERS: usize = 50;

const ACTIONS: &str = "actions: read";

/// Rules that stop a direct push to a branch.
const PROTECTING_RULES: &[&str] = &["pull_request", "update", "merge_queue"];

/// Whether a branch is protected against direct pushes, by classic protection or by rules. GitHub
/// shows the details of classic protection only to administrators.
pub(super) fn is_protected(branch: &wire::Branch, rules: &[wire::BranchRule]) -> bool {
    branch.protected
        || rules
            .iter()
            .any(|rule| PROTECTING_RULES.contains(&rule.kind.as_str()))
}

impl GitHub {
    /// The jobs of the workflows that ran on a commit. Nothing is asked when no check is of one.
    pub(super) async fn jobs(
        &self,
        head: &str,
        checks: &Fetched<Vec<CheckRun>>,
    ) -> Fetched<Vec<WorkflowJob>> {
        let checks = checks.as_ref().map_err(Missing::clone)?;
        let is_job = |check: &CheckRun| check.app.as_deref() == Some(WORKFLOW_APP);
        if !checks.iter().any(is_job) {
            return Ok(Vec::new());
        }

        self.jobs_of(head)
            .await
            .map_err(|error| Missing::from(&error))
    }

    async fn jobs_of(&self, head: &str) -> Result<Vec<WorkflowJob>, ForgeError> {
        let path = self.path("/actions/runs");
        let query = format!("head_sha={}&", encode(head));
        let runs: Vec<wire::WorkflowRun> = self
            .list(
                &path,
                &query,
                ACTIONS,
                MAX_RUNS,
                |page: wire::WorkflowRuns| page.workflow_runs,
            )
            .await?;

        let mut jobs = Vec::new();
        for run in runs.into_iter().filter(|run| run.head_sha == head) {
            let path = self.path(&format!("/actions/runs/{}/jobs", run.id));
            let found: Vec<wire::Job> = self
                .list(
                    &path,
                    "filter=all&",
                    ACTIONS,
                    MAX_JOBS,
                    |page: wire::Jobs| page.jobs,
                )
                .await?;
            // A workflow of another repository has the reference after its path.
            let workflow = run.path.split('@').next().unwrap_or_default();
            jobs.extend(found.into_iter().map(|job| WorkflowJob {
                // The id of a job is that of its check run.
                check_run: job.id,
                run: run.id,
                attempt: job.run_attempt,
                workflow: workflow.to_owned(),
                event: run.event.clone(),
            }));
        }
        Ok(jobs)
    }

    /// The accounts that ask for changes, and the approvals, by the latest review of each account.
    pub(super) fn opinions(reviews: Vec<wire::Review>) -> Opinions {
        let mut opinions = Opinions::default();
        // The oldest review comes first. A later comment does not withdraw anything.
        for review in reviews {
            let state = review.state.to_ascii_uppercase();
            if !matches!(
                state.as_str(),
                "CHANGES_REQUESTED" | "APPROVED" | "DISMISSED"
            ) {
                continue;
            }
            let login = review
                .user
                .as_ref()
                .map_or_else(|| "ghost".to_owned(), |user| user.login.clone());
            opinions.asks.remove(&login);
            opinions
                .approvals
                .retain(|approval| approval.account.login != login);

            match (state.as_str(), review.user) {
                // An outsider's review shows the same, and stops nothing.
                ("CHANGES_REQUESTED", _) if !is_outsider(review.author_association.as_deref()) => {
                    opinions.asks.insert(login);
                }
                ("APPROVED", Some(user)) => opinions.approvals.push(Approval {
                    account: Account::from(user),
                    commit: review.commit_id.unwrap_or_default(),
                    may_write: false,
                }),
                _ => {}
            }
        }
        opinions
    }

    /// The approvals with what their accounts may do.
    pub(super) async fn with_permissions(
        &self,
        mut approvals: Vec<Approval>,
    ) -> Result<Vec<Approval>, ForgeError> {
        if approvals.len() > MAX_REVIEWERS {
            return Err(ForgeError::TooLarge {
                call: "the approvals".to_owned(),
                what: format!("longer than {MAX_REVIEWERS} accounts"),
            });
        }
        for approval in &mut approvals {
            let login = encode(&approval.account.login);
            let path = self.path(&format!("/collaborators/{login}/permission"));
            let found: wire::Permission = self.json(&Call::get(path, "metadata: read")).await?;
            // GitHub names `maintain` as `write` here, and `triage` as `read`.
            approval.may_write = matches!(found.permission.as_str(), "admin" | "write");
        }
        Ok(approvals)
    }
}

/// What the reviews of a pull request say.
#[derive(Default)]
pub(super) struct Opinions {
    /// Logins that ask for changes.
    pub(super) asks: BTreeSet<String>,
    /// Approvals; whether their accounts may write is not known yet.
    pub(super) approvals: Vec<Approval>,
}

/// Whether an account certainly has no right in the repository, by GitHub's word for its relation
/// to it. A word that is missing or not known is one of an insider.
fn is_outsider(association: Option<&str>) -> bool {
    matches!(
        association,
        Some("NONE" | "CONTRIBUTOR" | "FIRST_TIMER" | "FIRST_TIME_CONTRIBUTOR" | "MANNEQUIN")
    )
}
