//! The evidence of the gate about a pull request. Each piece is complete or missing.

use std::collections::BTreeMap;

use patchgate_model::{
    Account, BranchCheck, BranchEnd, CheckOutcome, CheckRun, CommitStatus, Evidence, Missing,
    OwnJob, PullRequest, PullRequestState, Safeguards,
};

use super::difference::Difference;
use super::safeguards::is_protected;
use super::transport::Call;
use super::{GitHub, encode, encode_path, wire};
use crate::ForgeError;
use crate::evidence::{changed_paths, contents, fetched, nothing};

/// Limit on check runs, and on statuses.
const MAX_CHECKS: usize = 5_000;
/// Limit on the reviews of one pull request.
const MAX_REVIEWS: usize = 5_000;

const PULLS: &str = "pull-requests: read";
const CONTENTS: &str = "contents: read";
const CHECKS: &str = "checks: read";
const STATUSES: &str = "statuses: read";

impl GitHub {
    /// Collects the evidence about a pull request.
    ///
    /// `is_wanted` selects the changed files whose content is needed. The head is read again at the
    /// end, to detect a push in between. [`Evidence::findings`] is left missing, because this crate
    /// does not know advisories.
    pub(super) async fn gather(
        &self,
        number: u64,
        is_wanted: &(dyn Fn(&str) -> bool + Sync),
        own_job: Option<OwnJob>,
    ) -> Evidence {
        let pull_request = fetched(self.read_pull(number).await);
        let mut evidence = match &pull_request {
            Ok(pull) => self.about(number, pull, is_wanted).await,
            Err(_) => nothing(),
        };
        evidence.head_at_end = fetched(self.read_pull(number).await.map(|pull| pull.head.sha));
        evidence.pull_request = pull_request;
        evidence.own_job = own_job;

        evidence
    }

    /// The current head of a pull request.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn read_pull(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let call = Call::get(self.path(&format!("/pulls/{number}")), PULLS);
        let wire: wire::PullRequest = self.json(&call).await?;
        Ok(pull_request(wire))
    }

    async fn about(
        &self,
        number: u64,
        pull: &PullRequest,
        is_wanted: &(dyn Fn(&str) -> bool + Sync),
    ) -> Evidence {
        let head = &pull.head.sha;
        let (branch, check_runs, statuses) = tokio::join!(
            self.base_branch(&pull.base.branch),
            self.check_runs(head),
            self.statuses(head),
        );
        let (rules, reviews) =
            tokio::join!(self.branch_rules(&pull.base.branch), self.reviews(number));
        let (branch, rules) = (fetched(branch), fetched(rules));
        let check_runs = fetched(check_runs);
        let base_tip = branch.as_ref().map(|branch| branch.commit.sha.clone());
        let difference = match &base_tip {
            Ok(tip) => self.difference(tip, head).await,
            Err(missing) => Difference::missing(missing),
        };
        let Difference {
            merge_base,
            head_tree,
            commits,
            mut files,
        } = difference;
        if let (Ok(files), Ok(base)) = (&mut files, &merge_base) {
            self.add_modes(files, base, head, is_wanted).await;
        }

        let protection = match (&branch, rules) {
            (Ok(branch), Ok(rules)) => {
                Ok((is_protected(branch, &rules), branch_checks(branch, rules)))
            }
            (Err(missing), _) => Err(missing.clone()),
            (_, Err(missing)) => Err(missing),
        };
        let (base_is_protected, branch_checks) = match protection {
            Ok((is_protected, checks)) => (Ok(is_protected), Ok(checks)),
            Err(missing) => (Err(missing.clone()), Err(missing)),
        };
        let base_changes = match (&base_tip, &merge_base) {
            (Ok(tip), Ok(base)) if **tip == *base => Ok(Vec::new()),
            (Ok(tip), Ok(base)) => {
                let newer = self.difference(base, tip).await.files;
                newer.map(|files| files.iter().flat_map(changed_paths).collect())
            }
            (Err(missing), _) => Err((*missing).clone()),
            (_, Err(missing)) => Err(missing.clone()),
        };
        let opinions = reviews.map(Self::opinions);
        let (changes_requested, approvals) = match opinions {
            Ok(opinions) => (
                Ok(opinions.asks.into_iter().collect()),
                fetched(self.with_permissions(opinions.approvals).await),
            ),
            Err(error) => (Err(Missing::from(&error)), Err(Missing::from(&error))),
        };
        let safeguards = Safeguards {
            base_is_protected,
            base_changes,
            head_tree,
            approvals,
            jobs: self.jobs(head, &check_runs).await,
            ..Safeguards::default()
        };
        let contents = match &files {
            Ok(files) => contents(self, files, &merge_base, head, is_wanted).await,
            Err(_) => BTreeMap::new(),
        };

        Evidence {
            base_tip: base_tip.map_err(Missing::clone),
            merge_base,
            commits,
            files,
            contents,
            check_runs,
            statuses: fetched(statuses),
            branch_checks,
            changes_requested,
            safeguards,
            ..nothing()
        }
    }

    async fn base_branch(&self, branch: &str) -> Result<wire::Branch, ForgeError> {
        let path = self.path(&format!("/branches/{}", encode_path(branch)));
        self.json(&Call::get(path, CONTENTS)).await
    }

    async fn branch_rules(&self, branch: &str) -> Result<Vec<wire::BranchRule>, ForgeError> {
        let path = self.path(&format!("/rules/branches/{}", encode_path(branch)));
        self.list(&path, "", "metadata: read", MAX_CHECKS, |page| page)
            .await
            .or_else(|error| match error {
                // GitHub's answer on plans without rulesets, where there can be no rules.
                ForgeError::Forbidden { message, .. } if message.starts_with("Upgrade to") => {
                    Ok(Vec::new())
                }
                error => Err(error),
            })
    }

    async fn check_runs(&self, head: &str) -> Result<Vec<CheckRun>, ForgeError> {
        let path = self.path(&format!("/commits/{}/check-runs", encode(head)));
        let total = std::cell::Cell::new(0);
        let runs: Vec<wire::CheckRun> = self
            .list(
                &path,
                "filter=all&",
                CHECKS,
                MAX_CHECKS,
                |page: wire::CheckRuns| {
                    total.set(page.total_count);
                    page.check_runs
                },
            )
            .await?;
        if (runs.len() as u64) < total.get() {
            return Err(ForgeError::TooLarge {
                call: format!("GET {path}"),
                what: format!("cut: {} of {} check runs", runs.len(), total.get()),
            });
        }

        Ok(runs.into_iter().map(check_run).collect())
    }

    async fn statuses(&self, head: &str) -> Result<Vec<CommitStatus>, ForgeError> {
        let path = self.path(&format!("/commits/{}/statuses", encode(head)));
        let statuses: Vec<wire::Status> = self
            .list(&path, "", STATUSES, MAX_CHECKS, |page| page)
            .await?;

        // The newest status comes first. Older ones of the same context are obsolete.
        let mut latest: Vec<CommitStatus> = Vec::new();
        for wire in statuses {
            if !latest.iter().any(|known| known.context == wire.context) {
                latest.push(CommitStatus {
                    outcome: status_outcome(wire.state),
                    context: wire.context,
                    creator: wire.creator.map(Account::from),
                });
            }
        }

        Ok(latest)
    }

    pub(super) async fn reviews(&self, number: u64) -> Result<Vec<wire::Review>, ForgeError> {
        let path = self.path(&format!("/pulls/{number}/reviews"));
        self.list(&path, "", PULLS, MAX_REVIEWS, |page| page).await
    }
}

fn pull_request(wire: wire::PullRequest) -> PullRequest {
    let state = if wire.merged || wire.merged_at.is_some() {
        PullRequestState::Merged
    } else if wire.state == "open" {
        PullRequestState::Open
    } else {
        PullRequestState::Closed
    };

    PullRequest {
        number: wire.number,
        state,
        draft: wire.draft,
        author: wire.user.map(Account::from),
        title: wire.title,
        body: wire.body.unwrap_or_default(),
        default_branch: wire
            .base
            .repo
            .as_ref()
            .and_then(|repo| repo.default_branch.clone()),
        head: end(wire.head),
        base: end(wire.base),
        mergeable: wire.mergeable,
        mergeable_state: wire.mergeable_state,
        // Without a count the gate sees the evidence as incomplete, because no length equals this.
        commit_count: wire.commits.unwrap_or(u64::MAX),
        changed_file_count: wire.changed_files.unwrap_or(u64::MAX),
        labels: wire.labels.into_iter().map(|label| label.name).collect(),
        opened: wire.created_at,
    }
}

fn end(wire: wire::End) -> BranchEnd {
    BranchEnd {
        branch: wire.branch,
        sha: wire.sha,
        repository: wire.repo.map(|repo| repo.full_name),
    }
}

fn check_run(wire: wire::CheckRun) -> CheckRun {
    let outcome = match (wire.status.as_str(), wire.conclusion) {
        ("completed", Some(word)) => match word.as_str() {
            "success" => CheckOutcome::Success,
            "skipped" => CheckOutcome::Skipped,
            "neutral" => CheckOutcome::Neutral,
            "failure" | "cancelled" | "timed_out" | "action_required" | "stale"
            | "startup_failure" => CheckOutcome::Failed(word),
            _ => CheckOutcome::Unknown(word),
        },
        ("completed", None) => CheckOutcome::Unknown("completed without a conclusion".to_owned()),
        (word, _) => CheckOutcome::Pending(word.to_owned()),
    };

    let (app, app_id) = match wire.app {
        Some(app) => (app.slug, Some(app.id)),
        None => (None, None),
    };
    CheckRun {
        id: wire.id,
        name: wire.name.unwrap_or_default(),
        app,
        app_id,
        suite: wire.check_suite.map(|suite| suite.id),
        head_sha: wire.head_sha,
        outcome,
        started: wire.started_at,
        completed: wire.completed_at,
        details_url: wire.details_url,
    }
}

fn status_outcome(state: String) -> CheckOutcome {
    match state.as_str() {
        "success" => CheckOutcome::Success,
        "failure" | "error" => CheckOutcome::Failed(state),
        "pending" => CheckOutcome::Pending(state),
        _ => CheckOutcome::Unknown(state),
    }
}

/// The checks that classic branch protection and rulesets require.
fn branch_checks(branch: &wire::Branch, rules: Vec<wire::BranchRule>) -> Vec<BranchCheck> {
    let mut wanted: Vec<BranchCheck> = Vec::new();
    let mut want = |name: &str, app_id: Option<u64>| {
        let check = BranchCheck {
            name: name.to_owned(),
            app_id,
        };
        if !wanted.contains(&check) {
            wanted.push(check);
        }
    };

    let classic = branch
        .protection
        .as_ref()
        .filter(|_| branch.protected)
        .and_then(|protection| protection.required_status_checks.as_ref())
        .filter(|checks| checks.enforcement_level.as_deref() != Some("off"));
    if let Some(checks) = classic {
        for check in &checks.checks {
            want(
                &check.context,
                check.app_id.and_then(|id| u64::try_from(id).ok()),
            );
        }

        for context in &checks.contexts {
            if !checks.checks.iter().any(|check| check.context == *context) {
                want(context, None);
            }
        }
    }

    for rule in rules {
        if rule.kind == "required_status_checks" {
            for check in rule.parameters.unwrap_or_default().required_status_checks {
                want(&check.context, check.integration_id);
            }
        }
    }

    wanted
}
