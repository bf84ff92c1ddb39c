//! The evidence of the gate about a pull request. Each piece is complete or missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use patchgate_model::{
    Account, Approval, BranchCheck, BranchEnd, ChangedFile, CheckOutcome, CommitEvidence,
    CommitStatus, Evidence, Fetched, Missing, OwnJob, PullRequest, PullRequestState, Safeguards,
};

use super::pulls::names;
use super::{Gitea, READ, wire};
use crate::ForgeError;
use crate::evidence::{
    OWN_STATUS, changed_paths, computed_tree, contents, fetched, merge_base_of, nothing,
};
use crate::forge::Wanted;
use crate::rest::encode;

/// Limit on the commits of a pull request.
const MAX_COMMITS: usize = 1_000;

/// Limit on statuses, and on reviews.
const MAX_ENTRIES: usize = 5_000;

/// Number of times that a pull request is read until the server knows whether it can be merged.
const READS: u32 = 10;

/// Wait before each of them.
const WAIT: Duration = Duration::from_millis(500);

impl Gitea {
    pub(super) async fn gather(
        &self,
        number: u64,
        is_wanted: Wanted<'_>,
        own_job: Option<OwnJob>,
    ) -> Evidence {
        let pull = fetched(self.settled_pull(number).await);
        let mut evidence = match &pull {
            Ok(pull) => self.about(number, pull, is_wanted, own_job.as_ref()).await,
            Err(_) => nothing(),
        };
        evidence.head_at_end = fetched(self.read_pull(number).await.map(|pull| pull.head.sha));
        evidence.pull_request = pull.map(|mut pull| {
            // The server counts neither, and the lists are read at fixed commits: whole or missing.
            pull.commit_count = count(&evidence.commits);
            pull.changed_file_count = count(&evidence.files);
            pull
        });
        evidence.own_job = own_job;

        evidence
    }

    /// The pull request, once the server knows whether it can be merged.
    async fn settled_pull(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let mut pull = pull_request(self.read_pull(number).await?);
        for _ in 0..READS {
            if pull.state != PullRequestState::Open || pull.mergeable == Some(true) {
                break;
            }
            tokio::time::sleep(WAIT).await;
            pull = pull_request(self.read_pull(number).await?);
        }

        Ok(pull)
    }

    async fn about(
        &self,
        number: u64,
        pull: &PullRequest,
        is_wanted: Wanted<'_>,
        own_job: Option<&OwnJob>,
    ) -> Evidence {
        let head = &pull.head.sha;
        let (branch, statuses, reviews) = tokio::join!(
            self.branch(&pull.base.branch),
            self.statuses(head, own_job),
            self.reviews(number),
        );
        let branch = fetched(branch);
        let base_tip = branch.as_ref().map(|branch| branch.commit.id.clone());
        let base_tip: Fetched<String> = base_tip.map_err(Clone::clone);
        let commits = match &base_tip {
            Ok(tip) => fetched(self.commits(tip, head).await),
            Err(missing) => Err(missing.clone()),
        };
        let merge_base = match &commits {
            Ok(commits) => merge_base_of(commits, head),
            Err(missing) => Err(missing.clone()),
        };
        let files: Fetched<Vec<ChangedFile>> = match &merge_base {
            Ok(base) => fetched(self.changed_files(base, head).await),
            Err(missing) => Err(missing.clone()),
        };
        let base_changes = match (&base_tip, &merge_base) {
            (Ok(tip), Ok(base)) if tip == base => Ok(Vec::new()),
            (Ok(tip), Ok(base)) => fetched(self.changed_files(base, tip).await)
                .map(|files| files.iter().flat_map(changed_paths).collect()),
            (Err(missing), _) | (_, Err(missing)) => Err(missing.clone()),
        };
        let (changes_requested, approvals) = match fetched(reviews).map(opinions) {
            Ok((asks, approvals)) => (Ok(asks), Ok(approvals)),
            Err(missing) => (Err(missing.clone()), Err(missing)),
        };
        let safeguards = Safeguards {
            base_is_protected: branch.as_ref().map_err(Clone::clone).and_then(is_protected),
            base_changes,
            // Gitea's answers have the id of the commit in the place of the id of its tree.
            head_tree: computed_tree(self.directory(head.clone()).await),
            approvals,
            // Its workflows report statuses, which name no workflow.
            jobs: Ok(Vec::new()),
            ..Safeguards::default()
        };
        let contents = match &files {
            Ok(files) => contents(self, files, &merge_base, head, is_wanted).await,
            Err(_) => BTreeMap::new(),
        };

        Evidence {
            base_tip,
            merge_base,
            commits,
            files,
            contents,
            // Gitea's own workflows report statuses, and there is nothing else.
            check_runs: Ok(Vec::new()),
            statuses: fetched(statuses),
            branch_checks: branch.map(branch_checks),
            changes_requested,
            safeguards,
            ..nothing()
        }
    }

    /// The commits of the head that the base does not have, oldest first.
    async fn commits(&self, base: &str, head: &str) -> Result<Vec<CommitEvidence>, ForgeError> {
        let path = self.path(&format!(
            "/commits?sha={}&not={}&stat=false&files=false&verification=true",
            encode(head),
            encode(base)
        ));
        let commits: Vec<wire::Commit> = self.rest.list(&path, READ, MAX_COMMITS).await?;
        let mut commits: Vec<CommitEvidence> = commits.into_iter().map(commit).collect();
        commits.reverse();
        Ok(commits)
    }

    async fn statuses(
        &self,
        head: &str,
        own_job: Option<&OwnJob>,
    ) -> Result<Vec<CommitStatus>, ForgeError> {
        let path = self.path(&format!("/commits/{}/statuses", encode(head)));
        let mut statuses: Vec<wire::Status> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
        statuses.sort_by_key(|status| std::cmp::Reverse(status.id));

        // The newest status comes first now. Older ones of the same context are obsolete.
        let mut latest: Vec<CommitStatus> = Vec::new();
        for wire in statuses {
            if wire.context != OWN_STATUS
                && !own_job.is_some_and(|own| is_status_of(&wire, own))
                && !latest.iter().any(|known| known.context == wire.context)
            {
                latest.push(CommitStatus {
                    outcome: outcome(wire.status),
                    context: wire.context,
                    creator: wire.creator.map(Account::from),
                });
            }
        }

        Ok(latest)
    }

    pub(super) async fn reviews(&self, number: u64) -> Result<Vec<wire::Review>, ForgeError> {
        let path = self.path(&format!("/pulls/{number}/reviews"));
        self.rest.list(&path, READ, MAX_ENTRIES).await
    }
}

/// The accounts that ask for changes, and the approvals, by the latest review of each account.
fn opinions(reviews: Vec<wire::Review>) -> (Vec<String>, Vec<Approval>) {
    let mut asks = BTreeSet::new();
    let mut approvals: Vec<Approval> = Vec::new();
    // The oldest review comes first. A later comment does not withdraw anything.
    for review in reviews {
        if !matches!(review.state.as_str(), "REQUEST_CHANGES" | "APPROVED") {
            continue;
        }
        let login = review
            .user
            .as_ref()
            .map_or_else(|| "ghost".to_owned(), |user| user.login.clone());
        asks.remove(&login);
        approvals.retain(|approval| approval.account.login != login);

        match (review.state.as_str(), review.user) {
            _ if review.dismissed => {}
            ("REQUEST_CHANGES", _) => {
                asks.insert(login);
            }
            (_, Some(user)) => approvals.push(Approval {
                account: Account::from(user),
                commit: review.commit_id.unwrap_or_default(),
                may_write: review.official,
            }),
            _ => {}
        }
    }

    (asks.into_iter().collect(), approvals)
}

/// Whether the branch is protected against direct pushes. Only administrators see the rule itself, so
/// the forge's word about this token is taken: where its account may push, others may as well.
fn is_protected(branch: &wire::Branch) -> Fetched<bool> {
    match (branch.protected, branch.user_can_push) {
        (Some(protected), Some(can_push)) => Ok(protected && !can_push),
        _ => Err(Missing::new(
            "the forge does not state whether the branch is protected",
        )),
    }
}

/// The length of a list that is whole; no length equals that of a list that is missing.
fn count<T>(list: &Fetched<Vec<T>>) -> u64 {
    list.as_ref().map_or(u64::MAX, |list| list.len() as u64)
}

pub(super) fn pull_request(wire: wire::PullRequest) -> PullRequest {
    PullRequest {
        number: wire.number,
        state: if wire.merged {
            PullRequestState::Merged
        } else if wire.state == "open" {
            PullRequestState::Open
        } else {
            PullRequestState::Closed
        },
        draft: wire.draft,
        labels: names(wire.labels),
        opened: wire.created_at,
        default_branch: None,
        author: wire.user.map(Account::from),
        title: wire.title,
        body: wire.body.unwrap_or_default(),
        head: end(wire.head),
        base: end(wire.base),
        // `false` also means that the server has not worked it out yet.
        mergeable: wire.mergeable.then_some(true),
        mergeable_state: None,
        commit_count: u64::MAX,
        changed_file_count: u64::MAX,
    }
}

fn end(wire: wire::End) -> BranchEnd {
    BranchEnd {
        branch: wire.branch,
        sha: wire.sha,
        repository: wire.repo.map(|repo| repo.full_name),
    }
}

fn commit(wire: wire::Commit) -> CommitEvidence {
    let verification = wire.commit.verification;
    CommitEvidence {
        sha: wire.sha,
        author: wire.author.map(Account::from),
        committer: wire.committer.map(Account::from),
        verified: verification.as_ref().is_some_and(|it| it.verified),
        verification: verification.map_or_else(|| "not stated".to_owned(), |it| it.reason),
        parents: wire
            .parents
            .unwrap_or_default()
            .into_iter()
            .map(|parent| parent.sha)
            .collect(),
    }
}

/// Whether a status is that of the job that runs this gate, which cannot be finished while it judges.
fn is_status_of(status: &wire::Status, own: &OwnJob) -> bool {
    let run = format!("/actions/runs/{}/", own.run_id);
    status.context.contains(&format!(" / {} (", own.name))
        && status
            .target_url
            .as_deref()
            .is_some_and(|url| url.contains(&run))
}

fn outcome(status: String) -> CheckOutcome {
    match status.as_str() {
        "success" => CheckOutcome::Success,
        "skipped" => CheckOutcome::Skipped,
        "warning" => CheckOutcome::Neutral,
        "failure" | "error" => CheckOutcome::Failed(status),
        "pending" => CheckOutcome::Pending(status),
        _ => CheckOutcome::Unknown(status),
    }
}

/// The checks that the protection of the branch requires. A pattern requires what it matches, which
/// the gate cannot list, so it is named as it is and found missing.
fn branch_checks(branch: wire::Branch) -> Vec<BranchCheck> {
    if !branch.enable_status_check {
        return Vec::new();
    }

    branch
        .status_check_contexts
        .unwrap_or_default()
        .into_iter()
        .filter(|name| name != OWN_STATUS)
        .map(|name| BranchCheck { name, app_id: None })
        .collect()
}
