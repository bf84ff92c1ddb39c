//! GitLab's REST API, version 4 (<https://docs.gitlab.com/api/rest/>), on gitlab.com and self-managed.
//!
//! A pull request is what GitLab calls a merge request.

mod approvals;
mod checks;
mod evidence;
mod issues;
mod merge;
mod requests;
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
use crate::rest::{Call, Pages, Rest, encode};
use crate::{ForgeError, ProjectPath};

/// The scopes of a token are coarse: everything that writes needs `api`.
const READ: &str = "read_api";
const WRITE: &str = "api";

/// Entries on a page: GitLab's own maximum.
const PAGES: Pages = Pages {
    parameter: "per_page",
    entries: 100,
};

/// A client for one project on GitLab, with one token.
#[derive(Debug, Clone)]
pub struct GitLab {
    rest: Rest,
    project: ProjectPath,
}

impl GitLab {
    /// A client for `project` at the API's base address (`https://HOST/api/v4`; `CI_API_V4_URL` in a
    /// pipeline).
    ///
    /// # Errors
    /// When the address or the token is invalid, or the network client is offline.
    pub fn new(
        http: &Client,
        api_url: &str,
        token: &Secret,
        project: ProjectPath,
    ) -> Result<Self, ForgeError> {
        Ok(Self {
            rest: Rest::new(http, api_url, token, PAGES)?,
            project,
        })
    }

    /// The API path of a path below the project.
    fn path(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", encode(self.project.as_str()))
    }

    async fn read_project(&self) -> Result<wire::Project, ForgeError> {
        let call = Call::get(self.path(""), READ);
        self.rest.json(&call, None).await
    }

    async fn read_branch(&self, branch: &str) -> Result<wire::Branch, ForgeError> {
        let path = self.path(&format!("/repository/branches/{}", encode(branch)));
        self.rest.json(&Call::get(path, READ), None).await
    }

    /// Sends a call that writes and whose answer is not needed.
    async fn write(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<(), ForgeError> {
        let call = Call::new(method, self.path(path), WRITE);
        self.rest.send(&call, Some(body)).await.map(|_| ())
    }
}

impl Forge for GitLab {
    fn kind(&self) -> ForgeKind {
        ForgeKind::GitLab
    }

    fn project(&self) -> &ProjectPath {
        &self.project
    }

    async fn identity(&self) -> Result<Option<TokenIdentity>, ForgeError> {
        let call = Call::get("/user".to_owned(), "read_user");
        match self.rest.json::<wire::CurrentUser>(&call, None).await {
            Ok(user) => Ok(user
                .commit_email
                .or(user.email)
                .filter(|email| !email.is_empty())
                .map(|email| TokenIdentity {
                    login: user.username,
                    id: user.id,
                    email,
                })),
            Err(ForgeError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn default_branch(&self) -> Result<String, ForgeError> {
        let project = self.read_project().await?;
        project.default_branch.ok_or_else(|| {
            Call::get(self.path(""), READ).cut("without a default branch: the project is empty")
        })
    }

    async fn branch_tip(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        match self.read_branch(branch).await {
            Ok(branch) => Ok(Some(branch.commit.id)),
            Err(ForgeError::NotFound { .. }) => {
                // The same answer comes for a project that the token cannot see.
                self.read_project().await?;
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
        let raw = self.path(&format!(
            "/repository/files/{}/raw?ref={}",
            encode(path),
            encode(commit)
        ));
        match self
            .rest
            .send(&Call::get(raw, READ).max_bytes(max_bytes), None)
            .await
        {
            Ok(answer) => Ok(Some(answer.body)),
            Err(ForgeError::NotFound { .. }) => {
                // A missing permission gives the same answer, but does not mean that the file is absent.
                let path = self.path(&format!("/repository/commits/{}", encode(commit)));
                self.rest.send(&Call::get(path, READ), None).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        let request = self.read_request(number).await?;
        Ok(evidence::pull_request(request, &self.project))
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
        let call = Call::new(Method::Post, self.path("/merge_requests"), WRITE);
        let body = json!({
            "title": request.title,
            "description": request.body,
            "source_branch": request.branch,
            "target_branch": request.base,
        });
        let created: wire::MergeRequest = self.rest.json(&call, Some(&body)).await?;

        Ok(CreatedPullRequest {
            number: created.iid,
            url: created.web_url,
        })
    }

    async fn describe_request(
        &self,
        number: u64,
        title: &str,
        body: &str,
    ) -> Result<(), ForgeError> {
        let body = json!({ "title": title, "description": body });
        self.write(Method::Put, &format!("/merge_requests/{number}"), &body)
            .await
    }

    async fn add_labels(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        let body = json!({ "add_labels": labels.join(",") });
        self.write(Method::Put, &format!("/merge_requests/{number}"), &body)
            .await
    }

    async fn remove_label(&self, number: u64, label: &str) -> Result<(), ForgeError> {
        let body = json!({ "remove_labels": label });
        self.write(Method::Put, &format!("/merge_requests/{number}"), &body)
            .await
    }

    async fn may_write(&self, account: &Account) -> Result<bool, ForgeError> {
        let Some(id) = account.id else {
            return Ok(false);
        };
        let path = self.path(&format!("/members/all/{id}"));
        match self
            .rest
            .json::<wire::Member>(&Call::get(path, READ), None)
            .await
        {
            Ok(member) => Ok(member.id == id
                && member.state == "active"
                && member.access_level >= wire::DEVELOPER),
            Err(ForgeError::NotFound { .. }) => {
                // The same answer comes for a project that the token cannot see.
                self.read_project().await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn assign(&self, number: u64, logins: &[String]) -> Result<(), ForgeError> {
        self.assign_request(number, logins).await
    }

    async fn ask_to_review(&self, number: u64, logins: &[String]) -> Result<(), ForgeError> {
        self.ask_reviewers(number, logins).await
    }

    async fn close_request(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        let body = json!({ "state_event": "close", "description": body });
        self.write(Method::Put, &format!("/merge_requests/{number}"), &body)
            .await
    }

    async fn comments(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        self.list_notes(number).await
    }

    async fn add_comment(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        let path = format!("/merge_requests/{number}/notes");
        self.write(Method::Post, &path, &json!({ "body": body }))
            .await
    }

    async fn edit_comment(&self, number: u64, comment: u64, body: &str) -> Result<(), ForgeError> {
        let path = format!("/merge_requests/{number}/notes/{comment}");
        self.write(Method::Put, &path, &json!({ "body": body }))
            .await
    }

    async fn delete_comment(&self, number: u64, comment: u64) -> Result<(), ForgeError> {
        let path = self.path(&format!("/merge_requests/{number}/notes/{comment}"));
        let call = Call::new(Method::Delete, path, WRITE);
        absent_is_deleted(self.rest.send(&call, None).await)
    }

    async fn issues(&self, author: Option<&str>) -> Result<Option<Vec<Issue>>, ForgeError> {
        self.list_issues(author).await
    }

    async fn open_issue(&self, text: &IssueText) -> Result<Issue, ForgeError> {
        let call = Call::new(Method::Post, self.path("/issues"), WRITE);
        let body = json!({ "title": text.title, "description": text.body });
        let created: wire::Issue = self.rest.json(&call, Some(&body)).await?;
        Ok(created.into())
    }

    async fn change_issue(
        &self,
        number: u64,
        text: &IssueText,
        is_open: bool,
    ) -> Result<(), ForgeError> {
        let event = if is_open { "reopen" } else { "close" };
        let body = json!({
            "title": text.title, "description": text.body, "state_event": event,
        });
        self.write(Method::Put, &format!("/issues/{number}"), &body)
            .await
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
        let state = match report.conclusion {
            Conclusion::Success => "success",
            Conclusion::ActionRequired => "pending",
            Conclusion::Failure => "failed",
        };
        let body = json!({
            "state": state,
            "name": report.name,
            "description": status_line(&report.title),
        });
        let path = format!("/statuses/{}", encode(&report.head_sha));
        match self.write(Method::Post, &path, &body).await {
            // The status is there already, in this state.
            Err(ForgeError::Refused {
                status: 400,
                message,
                ..
            }) if message.contains("Cannot transition status") => Ok(()),
            done => done,
        }
    }

    async fn merge(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> Result<MergeOutcome, ForgeError> {
        self.merge_request(number, sha, method, text).await
    }

    async fn merged_onto(&self, number: u64) -> Result<Option<String>, ForgeError> {
        self.base_of_merge(number).await
    }
}
