//! Pull requests: finding, changing and labels.

use patchgate_http::Method;
use patchgate_model::{Account, PlanBlock};
use serde_json::{Value, json};

use super::{Gitea, ISSUES, READ, WRITE, wire};
use crate::ForgeError;
use crate::assign::to_ask;
use crate::error::all_assigned;
use crate::git::{BRANCH_PREFIX, PatchgateBranch};
use crate::requests::{ClosedPullRequest, Comment, CreatedPullRequest, OpenPullRequest};
use crate::rest::{Call, encode};

/// Limit on the open pull requests that are read.
const MAX_OPEN: usize = 5_000;

/// Number of closed pull requests that are searched, newest first. Gitea has no filter for a branch.
const MAX_CLOSED: usize = 2_000;

/// Limit on the comments of one pull request, and on labels.
const MAX_ENTRIES: usize = 5_000;

impl Gitea {
    pub(super) async fn read_pull(&self, number: u64) -> Result<wire::PullRequest, ForgeError> {
        let call = Call::get(self.path(&format!("/pulls/{number}")), READ);
        self.rest.json(&call, None).await
    }

    pub(super) async fn patch_pull(&self, number: u64, body: &Value) -> Result<(), ForgeError> {
        let path = self.path(&format!("/pulls/{number}"));
        let call = Call::new(Method::Patch, path, WRITE);
        self.rest.send(&call, Some(body)).await.map(|_| ())
    }

    pub(super) async fn list_open(&self, base: &str) -> Result<Vec<OpenPullRequest>, ForgeError> {
        let path = self.path(&format!("/pulls?state=open&base_branch={}", encode(base)));
        let pulls: Vec<wire::PullRequest> = self.rest.list(&path, READ, MAX_OPEN).await?;
        let mut open: Vec<OpenPullRequest> = pulls
            .into_iter()
            .filter(|pull| {
                pull.state == "open"
                    && pull.base.branch == base
                    && pull.head.branch.starts_with(BRANCH_PREFIX)
                    && self.is_own(pull)
                    && PlanBlock::is_marked(pull.body.as_deref().unwrap_or_default())
            })
            .map(|pull| OpenPullRequest {
                number: pull.number,
                created_at: pull.created_at,
                url: pull.html_url,
                author: pull.user.map(Account::from),
                labels: names(pull.labels),
                assignees: logins(pull.assignees),
                title: pull.title,
                body: pull.body.unwrap_or_default(),
                branch: pull.head.branch,
                head: pull.head.sha,
                base: pull.base.branch,
            })
            .collect();
        open.sort_by_key(|pull| pull.number);
        open.dedup_by_key(|pull| pull.number);

        Ok(open)
    }

    pub(super) async fn list_open_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Option<CreatedPullRequest>, ForgeError> {
        let path = self.path(&format!("/pulls?state=open&base_branch={}", encode(base)));
        let pulls: Vec<wire::PullRequest> = self.rest.list(&path, READ, MAX_OPEN).await?;

        Ok(pulls
            .into_iter()
            .find(|pull| {
                pull.state == "open"
                    && pull.base.branch == base
                    && pull.head.branch == branch.name()
                    && self.is_own(pull)
            })
            .map(|pull| CreatedPullRequest {
                number: pull.number,
                url: pull.html_url,
            }))
    }

    pub(super) async fn list_closed(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Vec<ClosedPullRequest>, ForgeError> {
        let path = self.path(&format!("/pulls?state=closed&base_branch={}", encode(base)));
        let is_wanted = |pull: &wire::PullRequest| {
            pull.state == "closed"
                && pull.head.branch == branch.name()
                && pull.base.branch == base
                && self.is_own(pull)
        };
        let (pulls, _) = self
            .rest
            .list_until(&path, READ, MAX_CLOSED, |found: &[wire::PullRequest]| {
                found.iter().any(is_wanted)
            })
            .await?;
        let mut closed: Vec<ClosedPullRequest> = pulls
            .into_iter()
            .filter(is_wanted)
            .map(|pull| ClosedPullRequest {
                number: pull.number,
                url: pull.html_url,
                author: pull.user.map(Account::from),
                is_merged: pull.merged,
                body: pull.body.unwrap_or_default(),
            })
            .collect();
        closed.sort_by_key(|pull| std::cmp::Reverse(pull.number));

        Ok(closed)
    }

    /// Whether the pull request comes from a branch of this repository. Anyone can open one from a
    /// fork, with any branch name.
    fn is_own(&self, pull: &wire::PullRequest) -> bool {
        pull.head
            .repo
            .as_ref()
            .is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(self.project.as_str()))
    }

    pub(super) async fn list_comments(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        // This list has no pages.
        let call = Call::get(self.path(&format!("/issues/{number}/comments")), READ);
        let comments: Vec<wire::Comment> = self.rest.json(&call, None).await?;

        Ok(comments
            .into_iter()
            .map(|comment| Comment {
                id: comment.id,
                author: comment.user.map(Account::from),
                body: comment.body.unwrap_or_default(),
                created: comment.created_at,
                is_edited: Comment::was_edited(comment.created_at, comment.updated_at),
            })
            .collect())
    }

    /// Gitea replaces the whole list, so those that are assigned are read before.
    pub(super) async fn assign_pull(
        &self,
        number: u64,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let mut all = logins(self.read_pull(number).await?.assignees);
        all.extend(wanted.iter().cloned());
        let call = Call::new(Method::Patch, self.path(&format!("/pulls/{number}")), WRITE);
        let body = json!({ "assignees": all });
        let pull: wire::PullRequest = self.rest.json(&call, Some(&body)).await?;
        all_assigned(call.name(), wanted, &logins(pull.assignees))
    }

    pub(super) async fn ask_reviewers(
        &self,
        number: u64,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let pull = self.read_pull(number).await?;
        let mut known = logins(pull.requested_reviewers);
        let reviews = self.reviews(number).await?.into_iter();
        known.extend(reviews.filter_map(|review| Some(review.user?.login)));
        let author = pull.user.map(|user| user.login);
        let asked = to_ask(wanted, author.as_deref(), &known);
        if asked.is_empty() {
            return Ok(());
        }

        let path = self.path(&format!("/pulls/{number}/requested_reviewers"));
        let call = Call::new(Method::Post, path, WRITE);
        let body = json!({ "reviewers": asked });
        self.rest.send(&call, Some(&body)).await.map(|_| ())
    }

    /// The ids of labels. Those that do not exist are created.
    pub(super) async fn label_ids(&self, labels: &[String]) -> Result<Vec<u64>, ForgeError> {
        let path = self.path("/labels");
        let known: Vec<wire::Label> = self.rest.list(&path, READ, MAX_ENTRIES).await?;
        let mut ids = Vec::new();
        for name in labels {
            let found = known
                .iter()
                .find(|label| label.name.eq_ignore_ascii_case(name))
                .map(|label| label.id);
            let id = match found {
                Some(id) => id,
                None => {
                    let call = Call::new(Method::Post, path.clone(), ISSUES);
                    let body = json!({ "name": name, "color": "#ededed" });
                    let created: wire::Label = self.rest.json(&call, Some(&body)).await?;
                    created.id
                }
            };
            ids.push(id);
        }

        Ok(ids)
    }
}

pub(super) fn names(labels: Option<Vec<wire::Label>>) -> Vec<String> {
    labels
        .unwrap_or_default()
        .into_iter()
        .map(|label| label.name)
        .collect()
}

fn logins(users: Option<Vec<wire::User>>) -> Vec<String> {
    let users = users.unwrap_or_default().into_iter();
    users.map(|user| user.login).collect()
}
