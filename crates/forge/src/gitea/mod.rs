//! The REST API of Gitea and Forgejo, version 1 (<https://docs.gitea.com/development/api-usage>).
//!
//! Both have the same paths and fields, as far as Patchgate uses them.

mod evidence;
mod files;
mod issues;
mod merge;
mod pulls;
mod wire;

use patchgate_http::{Client, Method, Secret};
use patchgate_model::{Account, Evidence, MergeMethod, OwnJob, PullRequest};
use serde_json::json;

use crate::error::absent_is_deleted;
use crate::forge::{Forge, ForgeKind, Wanted};
use crate::git::PatchgateBranch;
use crate::requests::{
    ClosedPullRequest, Comment, Conclusion, CreatedPullRequest, Issue, IssueText, MergeOutcome,
    MergeText, NewPullRequest, OpenPullRequest, TokenIdentity, VerdictReport, status_line,
};
use crate::rest::{Call, Pages, Rest, encode, encode_path};
use crate::{ForgeError, ProjectPath};

const READ: &str = "read:repository";
const WRITE: &str = "write:repository";
const ISSUES: &str = "write:issue";

/// Entries on a page: the default of `MAX_RESPONSE_ITEMS`.
const PAGES: Pages = Pages {
    parameter: "limit",
    entries: 50,
};

/// A client for one repository on Gitea or Forgejo, with one token.
#[derive(Debug, Clone)]
pub struct Gitea {
    rest: Rest,
    project: ProjectPath,
}

impl Gitea {
    /// A client for `project` at the API's base address (`https://HOST/api/v1`).
    ///
    /// # Errors
    /// When the address, the project or the token is invalid, or the network client is offline.
    pub fn new(
        http: &Client,
        api_url: &str,
        token: &Secret,
        project: ProjectPath,
    ) -> Result<Self, ForgeError> {
        if !project.is_flat() {
            return Err(ForgeError::Setup {
                reason: "a repository on Gitea has the form `owner/name`".to_owned(),
            });
        }
        Ok(Self {
            rest: Rest::new(http, api_url, token, PAGES)?,
            project,
        })
    }

    /// The API path of a path below the repository.
    fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.project)
    }

    async fn branch(&self, branch: &str) -> Result<wire::Branch, ForgeError> {
        let path = self.path(&format!("/branches/{}", encode_path(branch)));
        self.rest.json(&Call::get(path, READ), None).await
    }
}

impl Forge for Gitea {
    fn kind(&self) -> ForgeKind {
        ForgeKind::Gitea
    }

    fn project(&self) -> &ProjectPath {
        &self.project
    }

    async fn identity(&self) -> Result<Option<TokenIdentity>, ForgeError> {
        let call = Call::get("/user".to_owned(), "read:user");
        match self.rest.json::<wire::User>(&call, None).await {
            Ok(user) if user.email.is_empty() => Ok(None),
            Ok(user) => Ok(Some(TokenIdentity {
                id: user.id(),
                login: user.login,
                email: user.email,
            })),
            Err(ForgeError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn default_branch(&self) -> Result<String, ForgeError> {
        let call = Call::get(self.path(""), READ);
        let repository: wire::Repository = self.rest.json(&call, None).await?;
        Ok(repository.default_branch)
    }

    async fn branch_tip(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        match self.branch(branch).await {
            Ok(branch) => Ok(Some(branch.commit.id)),
            Err(ForgeError::NotFound { .. }) => {
                // The same answer comes for a repository that the token cannot see.
                self.default_branch().await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn file(
        &self,
        path: &str,
        commit: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, ForgeError> {
        self.read_file(path, commit, max_bytes).await
    }

    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let pull = self.read_pull(number).await?;
        Ok(evidence::pull_request(pull))
    }

    async fn open_requests(&self, base: &str) -> Result<Vec<OpenPullRequest>, ForgeError> {
        self.list_open(base).await
    }

    async fn closed_requests(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Vec<ClosedPullRequest>, ForgeError> {
        self.list_closed(branch, base).await
    }

    async fn request_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Option<CreatedPullRequest>, ForgeError> {
        self.list_open_from(branch, base).await
    }

    async fn open_request(
        &self,
        request: &NewPullRequest<'_>,
    ) -> Result<CreatedPullRequest, ForgeError> {
        let call = Call::new(Method::Post, self.path("/pulls"), WRITE);
        let body = json!({
            "title": request.title,
            "body": request.body,
            "head": request.branch,
            "base": request.base,
        });
        let created: wire::PullRequest = self.rest.json(&call, Some(&body)).await?;

        Ok(CreatedPullRequest {
            number: created.number,
            url: created.html_url,
        })
    }

    async fn describe_request(
        &self,
        number: u64,
        title: &str,
        body: &str,
    ) -> Result<(), ForgeError> {
        self.patch_pull(number, &json!({ "title": title, "body": body }))
            .await
    }

    async fn add_labels(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let ids = self.label_ids(labels).await?;
        let path = self.path(&format!("/issues/{number}/labels"));
        let call = Call::new(Method::Post, path, ISSUES);
        let body = json!({ "labels": ids });
        self.rest.send(&call, Some(&body)).await.map(|_| ())
    }

    async fn remove_label(&self, number: u64, label: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}/labels"));
        let own: Vec<wire::Label> = self.rest.json(&Call::get(path.clone(), READ), None).await?;
        for own in own
            .iter()
            .filter(|own| own.name.eq_ignore_ascii_case(label))
        {
            let call = Call::new(Method::Delete, format!("{path}/{}", own.id), ISSUES);
            self.rest.send(&call, None).await?;
        }
        Ok(())
    }

    async fn may_write(&self, account: &Account) -> Result<bool, ForgeError> {
        let path = self.path(&format!(
            "/collaborators/{}/permission",
            encode(&account.login)
        ));
        // Only an administrator of the repository is told the permission of another account.
        let call = Call::get(path, "read:repository, and the role Administrator");
        let found: wire::Permission = match self.rest.json(&call, None).await {
            // There is no such account.
            Err(ForgeError::NotFound { .. }) => return Ok(false),
            found => found?,
        };
        let is_same = account.id.is_some() && found.user.and_then(|user| user.id()) == account.id;

        Ok(is_same && matches!(found.permission.as_str(), "owner" | "admin" | "write"))
    }

    async fn assign(&self, number: u64, logins: &[String]) -> Result<(), ForgeError> {
        self.assign_pull(number, logins).await
    }

    async fn ask_to_review(&self, number: u64, logins: &[String]) -> Result<(), ForgeError> {
        self.ask_reviewers(number, logins).await
    }

    async fn close_request(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        self.patch_pull(number, &json!({ "state": "closed", "body": body }))
            .await
    }

    async fn comments(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        self.list_comments(number).await
    }

    async fn add_comment(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}/comments"));
        let call = Call::new(Method::Post, path, ISSUES);
        let body = json!({ "body": body });
        self.rest.send(&call, Some(&body)).await.map(|_| ())
    }

    async fn edit_comment(&self, _number: u64, comment: u64, body: &str) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/comments/{comment}"));
        let call = Call::new(Method::Patch, path, ISSUES);
        let body = json!({ "body": body });
        self.rest.send(&call, Some(&body)).await.map(|_| ())
    }

    async fn delete_comment(&self, _number: u64, comment: u64) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/comments/{comment}"));
        let call = Call::new(Method::Delete, path, ISSUES);
        absent_is_deleted(self.rest.send(&call, None).await)
    }

    async fn issues(&self, author: Option<&str>) -> Result<Option<Vec<Issue>>, ForgeError> {
        self.list_issues(author).await
    }

    async fn open_issue(&self, text: &IssueText) -> Result<Issue, ForgeError> {
        let call = Call::new(Method::Post, self.path("/issues"), ISSUES);
        let body = json!({ "title": text.title, "body": text.body });
        let created: wire::Issue = self.rest.json(&call, Some(&body)).await?;
        Ok(created.into())
    }

    async fn change_issue(
        &self,
        number: u64,
        text: &IssueText,
        is_open: bool,
    ) -> Result<(), ForgeError> {
        let path = self.path(&format!("/issues/{number}"));
        let call = Call::new(Method::Patch, path, ISSUES);
        let state = if is_open { "open" } else { "closed" };
        let body = json!({ "title": text.title, "body": text.body, "state": state });
        self.rest.send(&call, Some(&body)).await.map(|_| ())
    }

    async fn evidence(
        &self,
        number: u64,
        is_wanted: Wanted<'_>,
        own_job: Option<OwnJob>,
    ) -> Evidence {
        self.gather(number, is_wanted, own_job).await
    }

    async fn report_verdict(&self, report: &VerdictReport) -> Result<(), ForgeError> {
        let path = self.path(&format!("/statuses/{}", encode(&report.head_sha)));
        let call = Call::new(Method::Post, path, WRITE);
        let state = match report.conclusion {
            Conclusion::Success => "success",
            Conclusion::ActionRequired => "pending",
            Conclusion::Failure => "failure",
        };
        let body = json!({
            "context": report.name,
            "state": state,
            "description": status_line(&report.title),
        });
        self.rest.send(&call, Some(&body)).await.map(|_| ())
    }

    async fn merge(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> Result<MergeOutcome, ForgeError> {
        self.merge_pull(number, sha, method, text).await
    }

    async fn merged_onto(&self, number: u64) -> Result<Option<String>, ForgeError> {
        self.base_of_merge(number).await
    }
}
