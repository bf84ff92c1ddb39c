//! Pull requests: finding, opening, changing and closing.

use patchgate_model::{Account, PlanBlock};
use serde_json::{Value, json};

use super::transport::{Call, Verb};
use super::{GitHub, encode, encode_path, wire};
use crate::ForgeError;
use crate::assign::to_ask;
use crate::error::{absent_is_deleted, all_assigned};
use crate::git::{BRANCH_PREFIX, PatchgateBranch};
use crate::requests::{
    ClosedPullRequest, Comment, CreatedPullRequest, NewPullRequest, OpenPullRequest, TokenIdentity,
};

/// Limit on the open pull requests that are read.
const MAX_OPEN: usize = 5_000;

/// Limit on the comments of one pull request that are read.
const MAX_COMMENTS: usize = 5_000;

const READ: &str = "pull-requests: read";
const WRITE: &str = "pull-requests: write";

impl GitHub {
    /// Name of the default branch.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub(super) async fn read_default_branch(&self) -> Result<String, ForgeError> {
        let call = Call::get(self.path(""), "metadata: read");
        Ok(self.json::<wire::Repository>(&call).await?.default_branch)
    }

    /// Commit at the head of a branch; `None` if there is no such branch.
    ///
    /// # Errors
    /// When the branch cannot be read for any other reason.
    pub(super) async fn read_branch_tip(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        let call = Call::get(
            self.path(&format!("/branches/{}", encode_path(branch))),
            "contents: read",
        );
        match self.json::<wire::Branch>(&call).await {
            Ok(branch) => Ok(Some(branch.commit.sha)),
            Err(ForgeError::NotFound { .. }) => {
                // The same answer comes for a repository that the token cannot see.
                self.read_default_branch().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The account of the token; `None` for the token of an app installation, for which the API has no
    /// such call.
    ///
    /// # Errors
    /// When the forge does not answer.
    pub(super) async fn token_identity(&self) -> Result<Option<TokenIdentity>, ForgeError> {
        let call = Call::get("/user".to_owned(), "metadata: read");
        match self.json::<wire::User>(&call).await {
            Ok(user) => {
                let host = self.api.host_str().unwrap_or_default();
                let host = if host == "api.github.com" {
                    "github.com"
                } else {
                    host
                };

                Ok(user.id.map(|id| TokenIdentity {
                    email: format!("{id}+{}@users.noreply.{host}", user.login),
                    login: user.login,
                    id: Some(id),
                }))
            }
            Err(ForgeError::Forbidden { .. } | ForgeError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Open pull requests into `base` that Patchgate made: from this repository, on a branch below
    /// `patchgate/`, with a plan block in the body. Lowest number first.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    pub(super) async fn patchgate_pull_requests(
        &self,
        base: &str,
    ) -> Result<Vec<OpenPullRequest>, ForgeError> {
        let pulls: Vec<wire::PullRequest> = self
            .list(
                &self.path("/pulls"),
                &format!("state=open&base={}&", encode(base)),
                READ,
                MAX_OPEN,
                |page: Vec<wire::PullRequest>| page,
            )
            .await?;
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
                labels: pull.labels.into_iter().map(|label| label.name).collect(),
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

    /// Whether the pull request comes from a branch of this repository. Anyone can open one from a
    /// fork, with any branch name.
    fn is_own(&self, pull: &wire::PullRequest) -> bool {
        let own = self.repository.to_string();
        pull.head
            .repo
            .as_ref()
            .is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(&own))
    }

    /// The closed pull requests into `base` that were on a branch of this repository, newest
    /// first.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    pub(super) async fn closed_pull_requests(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Vec<ClosedPullRequest>, ForgeError> {
        let head = format!("{}:{}", self.repository.owner(), branch.name());
        let pulls: Vec<wire::PullRequest> = self
            .list(
                &self.path("/pulls"),
                &format!("state=closed&head={}&base={}&", encode(&head), encode(base)),
                READ,
                MAX_OPEN,
                |page: Vec<wire::PullRequest>| page,
            )
            .await?;
        let mut closed: Vec<ClosedPullRequest> = pulls
            .into_iter()
            .filter(|pull| {
                pull.state == "closed"
                    && pull.head.branch == branch.name()
                    && pull.base.branch == base
                    && self.is_own(pull)
            })
            .map(|pull| ClosedPullRequest {
                number: pull.number,
                url: pull.html_url,
                author: pull.user.map(Account::from),
                is_merged: pull.merged || pull.merged_at.is_some(),
                body: pull.body.unwrap_or_default(),
            })
            .collect();
        closed.sort_by_key(|pull| std::cmp::Reverse(pull.number));

        Ok(closed)
    }

    /// The open pull request into `base` from a branch of this repository.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    pub(super) async fn open_pull_request_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Option<CreatedPullRequest>, ForgeError> {
        let head = format!("{}:{}", self.repository.owner(), branch.name());
        let pulls: Vec<wire::PullRequest> = self
            .list(
                &self.path("/pulls"),
                &format!("state=open&head={}&base={}&", encode(&head), encode(base)),
                READ,
                MAX_OPEN,
                |page: Vec<wire::PullRequest>| page,
            )
            .await?;

        Ok(pulls
            .into_iter()
            .find(|pull| {
                pull.state == "open"
                    && pull.head.branch == branch.name()
                    && pull.base.branch == base
                    && self.is_own(pull)
            })
            .map(|pull| CreatedPullRequest {
                number: pull.number,
                url: pull.html_url,
            }))
    }

    pub(super) async fn open_pull_request(
        &self,
        request: &NewPullRequest<'_>,
    ) -> Result<CreatedPullRequest, ForgeError> {
        let call = Call::new(Verb::Post, self.path("/pulls"), WRITE);
        let created: wire::PullRequest = self
            .json_with(
                &call,
                &json!({
                    "title": request.title,
                    "body": request.body,
                    "head": request.branch,
                    "base": request.base,
                    "maintainer_can_modify": true,
                }),
            )
            .await?;

        Ok(CreatedPullRequest {
            number: created.number,
            url: created.html_url,
        })
    }

    pub(super) async fn patch_pull(&self, number: u64, body: &Value) -> Result<(), ForgeError> {
        let call = Call::new(Verb::Patch, self.path(&format!("/pulls/{number}")), WRITE);
        self.send_with(&call, body).await.map(|_| ())
    }

    pub(super) async fn list_comments(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        let comments: Vec<wire::Comment> = self
            .list(
                &self.path(&format!("/issues/{number}/comments")),
                "",
                READ,
                MAX_COMMENTS,
                |page| page,
            )
            .await?;

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

    /// Sends the text of a comment: a new one, or that of an existing one.
    pub(super) async fn write_comment(
        &self,
        verb: Verb,
        path: &str,
        body: &str,
    ) -> Result<(), ForgeError> {
        let call = Call::new(verb, self.path(path), WRITE);
        self.send_with(&call, &json!({ "body": body }))
            .await
            .map(|_| ())
    }

    /// Adds labels. The forge creates those that do not exist.
    ///
    /// # Errors
    /// When the forge refuses.
    pub(super) async fn label_pull(
        &self,
        number: u64,
        labels: &[String],
    ) -> Result<(), ForgeError> {
        let call = Call::new(
            Verb::Post,
            self.path(&format!("/issues/{number}/labels")),
            WRITE,
        );
        self.send_with(&call, &json!({ "labels": labels }))
            .await
            .map(|_| ())
    }

    pub(super) async fn assign_pull(
        &self,
        number: u64,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}/assignees"));
        let call = Call::new(Verb::Post, path, WRITE);
        let body = json!({ "assignees": wanted });
        let issue: wire::Assigned = self.json_with(&call, &body).await?;
        all_assigned(call.name(), wanted, &logins(issue.assignees))
    }

    /// An account that reviewed is no longer among those that are asked, so the reviews are read too.
    pub(super) async fn ask_reviewers(
        &self,
        number: u64,
        wanted: &[String],
    ) -> Result<(), ForgeError> {
        let path = self.path(&format!("/pulls/{number}"));
        let pull: wire::PullRequest = self.json(&Call::get(path.clone(), READ)).await?;
        let mut known = logins(pull.requested_reviewers);
        let reviews = self.reviews(number).await?.into_iter();
        known.extend(reviews.filter_map(|review| Some(review.user?.login)));
        let author = pull.user.map(|user| user.login);
        let asked = to_ask(wanted, author.as_deref(), &known);
        if asked.is_empty() {
            return Ok(());
        }

        let path = format!("{path}/requested_reviewers");
        let body = json!({ "reviewers": asked });
        let call = Call::new(Verb::Post, path, WRITE);
        self.send_with(&call, &body).await.map(|_| ())
    }

    pub(super) async fn remove_comment(&self, comment: u64) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/comments/{comment}"));
        absent_is_deleted(self.send(&Call::new(Verb::Delete, path, WRITE), None).await)
    }

    pub(super) async fn unlabel_pull(&self, number: u64, label: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}/labels/{}", encode(label)));
        let done = self.send(&Call::new(Verb::Delete, path, WRITE), None).await;
        match done {
            Err(error @ ForgeError::NotFound { .. }) => {
                // The answer for a label that the pull request does not have, and for a missing
                // permission.
                let pull = self.read_pull(number).await?;
                match pull
                    .labels
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(label))
                {
                    true => Err(error),
                    false => Ok(()),
                }
            }
            done => done.map(|_| ()),
        }
    }

    pub(super) async fn has_write_permission(&self, account: &Account) -> Result<bool, ForgeError> {
        let path = self.path(&format!(
            "/collaborators/{}/permission",
            encode(&account.login)
        ));
        let found: wire::Permission = match self.json(&Call::get(path, "metadata: read")).await {
            // There is no such account.
            Err(ForgeError::NotFound { .. }) => return Ok(false),
            found => found?,
        };
        let is_same = account.id.is_some() && found.user.and_then(|user| user.id) == account.id;

        // `maintain` is `write` in this field, and `triage` is `read`.
        Ok(is_same && matches!(found.permission.as_str(), "admin" | "write"))
    }
}

fn logins(users: Option<Vec<wire::User>>) -> Vec<String> {
    let users = users.unwrap_or_default().into_iter();
    users.map(|user| user.login).collect()
}
