//! Pull requests: finding, opening, changing and closing.

use patchgate_model::PlanBlock;
use serde_json::{Value, json};

use super::transport::{Call, Verb};
use super::{GitHub, encode, encode_path, wire};
use crate::ForgeError;
use crate::git::{BRANCH_PREFIX, PatchgateBranch};

/// Limit on the open pull requests that are read.
const MAX_OPEN: usize = 5_000;

/// Mark in the body of a pull request that Patchgate closed itself.
const CLOSED_MARK: &str = "<!-- patchgate:closed -->";

const READ: &str = "pull-requests: read";
const WRITE: &str = "pull-requests: write";

/// An open pull request that Patchgate made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// Title of the pull request.
    pub title: String,
    /// Description of the pull request, as Markdown.
    pub body: String,
    /// Head branch, without `refs/heads/`.
    pub branch: String,
    /// Commit at the head of the branch.
    pub head: String,
    /// Name of the base branch.
    pub base: String,
}

/// A closed pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedPullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Address of its page.
    pub url: String,
    /// Description of the pull request, as Markdown.
    pub body: String,
    /// Whether it was merged.
    pub is_merged: bool,
    /// Whether Patchgate closed it.
    pub by_patchgate: bool,
}

/// A pull request that was just opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedPullRequest {
    /// Number of the pull request.
    pub number: u64,
    /// Address of its page.
    pub url: String,
}

/// The account of the token, with the e-mail address that assigns commits to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenIdentity {
    /// Login of the account.
    pub login: String,
    /// The account's no-reply address.
    pub email: String,
}

impl GitHub {
    /// Name of the default branch.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub async fn default_branch(&self) -> Result<String, ForgeError> {
        let call = Call::get(self.path(""), "metadata: read");
        Ok(self.json::<wire::Repository>(&call).await?.default_branch)
    }

    /// Commit at the head of a branch; `None` if there is no such branch.
    ///
    /// # Errors
    /// When the branch cannot be read for any other reason.
    pub async fn branch_tip(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        let call = Call::get(
            self.path(&format!("/branches/{}", encode_path(branch))),
            "contents: read",
        );
        match self.json::<wire::Branch>(&call).await {
            Ok(branch) => Ok(Some(branch.commit.sha)),
            Err(ForgeError::NotFound { .. }) => {
                // The same answer comes for a repository that the token cannot see.
                self.default_branch().await?;
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
    pub async fn token_identity(&self) -> Result<Option<TokenIdentity>, ForgeError> {
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
    pub async fn patchgate_pull_requests(
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
                url: pull.html_url,
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
    pub async fn closed_pull_requests(
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
            .map(|pull| {
                let body = pull.body.unwrap_or_default();
                ClosedPullRequest {
                    number: pull.number,
                    url: pull.html_url,
                    is_merged: pull.merged || pull.merged_at.is_some(),
                    by_patchgate: body.contains(CLOSED_MARK),
                    body,
                }
            })
            .collect();
        closed.sort_by_key(|pull| std::cmp::Reverse(pull.number));

        Ok(closed)
    }

    /// Opens a pull request from a branch of the same repository.
    ///
    /// # Errors
    /// When the forge refuses.
    pub async fn open_pull_request(
        &self,
        title: &str,
        body: &str,
        branch: &str,
        base: &str,
    ) -> Result<CreatedPullRequest, ForgeError> {
        let call = Call::new(Verb::Post, self.path("/pulls"), WRITE);
        let created: wire::PullRequest = self
            .json_with(
                &call,
                &json!({
                    "title": title,
                    "body": body,
                    "head": branch,
                    "base": base,
                    "maintainer_can_modify": true,
                }),
            )
            .await?;

        Ok(CreatedPullRequest {
            number: created.number,
            url: created.html_url,
        })
    }

    /// Sets title and body.
    ///
    /// # Errors
    /// When the forge refuses.
    pub async fn update_pull_request(
        &self,
        number: u64,
        title: &str,
        body: &str,
    ) -> Result<(), ForgeError> {
        self.patch_pull(number, &json!({ "title": title, "body": body }))
            .await
    }

    /// Closes a pull request without a merge, and marks its body as closed by Patchgate. A pull request
    /// without the mark was closed by a person, and its plan is not proposed again.
    ///
    /// # Errors
    /// When the forge refuses.
    pub async fn close_pull_request(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        let body = format!("{}\n{CLOSED_MARK}\n", body.trim_end());
        self.patch_pull(number, &json!({ "state": "closed", "body": body }))
            .await
    }

    async fn patch_pull(&self, number: u64, body: &Value) -> Result<(), ForgeError> {
        let call = Call::new(Verb::Patch, self.path(&format!("/pulls/{number}")), WRITE);
        self.send_with(&call, body).await.map(|_| ())
    }

    /// Adds a comment to a pull request.
    ///
    /// # Errors
    /// When the forge refuses.
    pub async fn comment(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        let call = Call::new(
            Verb::Post,
            self.path(&format!("/issues/{number}/comments")),
            WRITE,
        );
        self.send_with(&call, &json!({ "body": body }))
            .await
            .map(|_| ())
    }

    /// Adds labels. The forge creates those that do not exist.
    ///
    /// # Errors
    /// When the forge refuses.
    pub async fn add_labels(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        if labels.is_empty() {
            return Ok(());
        }

        let call = Call::new(
            Verb::Post,
            self.path(&format!("/issues/{number}/labels")),
            WRITE,
        );
        self.send_with(&call, &json!({ "labels": labels }))
            .await
            .map(|_| ())
    }
}
