//! One of the forges, chosen at run time.

use patchgate_model::{Account, Evidence, MergeMethod, OwnJob, PullRequest};

use crate::forge::{Forge, ForgeKind, Wanted};
use crate::git::PatchgateBranch;
use crate::requests::{
    ClosedPullRequest, Comment, CreatedPullRequest, Issue, IssueText, MergeOutcome, MergeText,
    NewPullRequest, OpenPullRequest, TokenIdentity, VerdictReport,
};
use crate::{ForgeError, GitHub, GitLab, Gitea, ProjectPath};

/// A project on one of the forges.
#[derive(Debug, Clone)]
pub enum AnyForge {
    /// A repository on GitHub.
    GitHub(Box<GitHub>),
    /// A project on GitLab.
    GitLab(GitLab),
    /// A repository on Gitea or Forgejo.
    Gitea(Gitea),
}

/// Calls the same operation of whichever forge it is.
macro_rules! each {
    ($any:expr, $forge:ident => $call:expr) => {
        match $any {
            AnyForge::GitHub($forge) => $call,
            AnyForge::GitLab($forge) => $call,
            AnyForge::Gitea($forge) => $call,
        }
    };
}

impl Forge for AnyForge {
    fn kind(&self) -> ForgeKind {
        each!(self, forge => forge.kind())
    }

    fn project(&self) -> &ProjectPath {
        each!(self, forge => forge.project())
    }

    async fn identity(&self) -> Result<Option<TokenIdentity>, ForgeError> {
        each!(self, forge => forge.identity().await)
    }

    async fn default_branch(&self) -> Result<String, ForgeError> {
        each!(self, forge => forge.default_branch().await)
    }

    async fn branch_tip(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        each!(self, forge => forge.branch_tip(branch).await)
    }

    async fn file(
        &self,
        path: &str,
        commit: &str,
        max_bytes: usize,
    ) -> Result<Option<Vec<u8>>, ForgeError> {
        each!(self, forge => forge.file(path, commit, max_bytes).await)
    }

    async fn pull_request(&self, number: u64) -> Result<PullRequest, ForgeError> {
        each!(self, forge => forge.pull_request(number).await)
    }

    async fn open_requests(&self, base: &str) -> Result<Vec<OpenPullRequest>, ForgeError> {
        each!(self, forge => forge.open_requests(base).await)
    }

    async fn closed_requests(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Vec<ClosedPullRequest>, ForgeError> {
        each!(self, forge => forge.closed_requests(branch, base).await)
    }

    async fn request_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> Result<Option<CreatedPullRequest>, ForgeError> {
        each!(self, forge => forge.request_from(branch, base).await)
    }

    async fn open_request(
        &self,
        request: &NewPullRequest<'_>,
    ) -> Result<CreatedPullRequest, ForgeError> {
        each!(self, forge => forge.open_request(request).await)
    }

    async fn describe_request(
        &self,
        number: u64,
        title: &str,
        body: &str,
    ) -> Result<(), ForgeError> {
        each!(self, forge => forge.describe_request(number, title, body).await)
    }

    async fn add_labels(&self, number: u64, labels: &[String]) -> Result<(), ForgeError> {
        each!(self, forge => forge.add_labels(number, labels).await)
    }

    async fn remove_label(&self, number: u64, label: &str) -> Result<(), ForgeError> {
        each!(self, forge => forge.remove_label(number, label).await)
    }

    async fn may_write(&self, account: &Account) -> Result<bool, ForgeError> {
        each!(self, forge => forge.may_write(account).await)
    }

    async fn assign(&self, number: u64, logins: &[String]) -> Result<(), ForgeError> {
        each!(self, forge => forge.assign(number, logins).await)
    }

    async fn ask_to_review(&self, number: u64, logins: &[String]) -> Result<(), ForgeError> {
        each!(self, forge => forge.ask_to_review(number, logins).await)
    }

    async fn close_request(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        each!(self, forge => forge.close_request(number, body).await)
    }

    async fn comments(&self, number: u64) -> Result<Vec<Comment>, ForgeError> {
        each!(self, forge => forge.comments(number).await)
    }

    async fn add_comment(&self, number: u64, body: &str) -> Result<(), ForgeError> {
        each!(self, forge => forge.add_comment(number, body).await)
    }

    async fn edit_comment(&self, number: u64, comment: u64, body: &str) -> Result<(), ForgeError> {
        each!(self, forge => forge.edit_comment(number, comment, body).await)
    }

    async fn delete_comment(&self, number: u64, comment: u64) -> Result<(), ForgeError> {
        each!(self, forge => forge.delete_comment(number, comment).await)
    }

    async fn issues(&self, author: Option<&str>) -> Result<Option<Vec<Issue>>, ForgeError> {
        each!(self, forge => forge.issues(author).await)
    }

    async fn open_issue(&self, text: &IssueText) -> Result<Issue, ForgeError> {
        each!(self, forge => forge.open_issue(text).await)
    }

    async fn change_issue(
        &self,
        number: u64,
        text: &IssueText,
        is_open: bool,
    ) -> Result<(), ForgeError> {
        each!(self, forge => forge.change_issue(number, text, is_open).await)
    }

    async fn evidence(
        &self,
        number: u64,
        is_wanted: Wanted<'_>,
        own_job: Option<OwnJob>,
    ) -> Evidence {
        each!(self, forge => forge.evidence(number, is_wanted, own_job).await)
    }

    async fn report_verdict(&self, report: &VerdictReport) -> Result<(), ForgeError> {
        each!(self, forge => forge.report_verdict(report).await)
    }

    async fn merge(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> Result<MergeOutcome, ForgeError> {
        each!(self, forge => forge.merge(number, sha, method, text).await)
    }

    async fn merged_onto(&self, number: u64) -> Result<Option<String>, ForgeError> {
        each!(self, forge => forge.merged_onto(number).await)
    }
}
