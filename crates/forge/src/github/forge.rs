//! GitHub as a [`Forge`].

use patchgate_model::{Account, Evidence, MergeMethod, OwnJob, PullRequest};
use serde_json::json;

use super::GitHub;
use super::issues::ISSUES;
use super::transport::{Call, Verb};
use super::wire;
use crate::forge::{Forge, ForgeKind, Wanted};
use crate::git::PatchgateBranch;
use crate::requests::{
    ClosedPullRequest, Comment, CreatedPullRequest, Issue, IssueText, MergeOutcome, MergeText,
    NewPullRequest, OpenPullRequest, TokenIdentity, VerdictReport,
};
use crate::{ForgeError, ProjectPath};

impl Forge for GitHub {
    fn kind(&self) -> ForgeKind {
        ForgeKind::GitHub
    }

    fn project(&self) -> &ProjectPath {
        &self.repository
    }

    async fn identity(&self) -> Result<Option<TokenIdentity>, ForgeError> {
        self.token_identity().await
    }

    async fn default_branch(&self) -> Result<String, ForgeError> {
        self.read_default_branch().await
    }

    async fn branch_tip(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        self.read_branch_tip(branch).await
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
        self.read_pull(number).await
    }

    async fn open_requests(&self, base: &str) -> Result<Vec<OpenPullRequest>, ForgeError> {
        self.patchgate_pull_requests(base).await
    }

    async fn closed_requests(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Vec<ClosedPullRequest>, ForgeError> {
        self.closed_pull_requests(branch, base).await
    }

    async fn request_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Option<CreatedPullRequest>, ForgeError> {
        self.open_pull_request_from(branch, base).await
    }

    async fn open_request(
        &self,
        request: &NewPullRequest<'_>,
    ) -> Result<CreatedPullRequest, ForgeError> {
        self.open_pull_request(request).await
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
        self.label_pull(number, labels).await
    }

    async fn remove_label(&self, number: u64, label: &str) -> Result<(), ForgeError> {
        self.unlabel_pull(number, label).await
    }

    async fn may_write(&self, account: &Account) -> Result<bool, ForgeError> {
        self.has_write_permission(account).await
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
        self.write_comment(Verb::Post, &format!("/issues/{number}/comments"), body)
            .await
    }

    async fn edit_comment(&self, _number: u64, comment: u64, body: &str) -> Result<(), ForgeError> {
        self.write_comment(Verb::Patch, &format!("/issues/comments/{comment}"), body)
            .await
    }

    async fn delete_comment(&self, _number: u64, comment: u64) -> Result<(), ForgeError> {
        self.remove_comment(comment).await
    }

    async fn issues(&self, author: Option<&str>) -> Result<Option<Vec<Issue>>, ForgeError> {
        self.list_issues(author).await
    }

    async fn open_issue(&self, text: &IssueText) -> Result<Issue, ForgeError> {
        let call = Call::new(Verb::Post, self.path("/issues"), ISSUES);
        let body = json!({ "title": text.title, "body": text.body });
        let created: wire::Issue = self.json_with(&call, &body).await?;
        Ok(created.into())
    }

    async fn change_issue(
        &self,
        number: u64,
        text: &IssueText,
        is_open: bool,
    ) -> Result<(), ForgeError> {
        let call = Call::new(Verb::Patch, self.path(&format!("/issues/{number}")), ISSUES);
        let state = if is_open { "open" } else { "closed" };
        let body = json!({ "title": text.title, "body": text.body, "state": state });
        self.send_with(&call, &body).await.map(|_| ())
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
        self.report_check_run(report).await.map(|_| ())
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
