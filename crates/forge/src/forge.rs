//! The operations that Patchgate needs of a forge, and the forges that have them.
//!
//! Every operation that writes may be repeated after a lost answer: the caller looks first, and what
//! exists already is success. Evidence is read at commit ids, so that a branch that moves in between
//! changes nothing.

use std::future::Future;

use patchgate_model::{Account, Evidence, MergeMethod, OwnJob, PullRequest};

use crate::git::PatchgateBranch;
use crate::requests::{
    ClosedPullRequest, Comment, CreatedPullRequest, Issue, IssueText, MergeOutcome, MergeText,
    NewPullRequest, OpenPullRequest, TokenIdentity, VerdictReport,
};
use crate::{ForgeError, ProjectPath};

/// The kind of a forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com, GHE.com, GitHub Enterprise Server.
    GitHub,
    /// gitlab.com and self-managed GitLab.
    GitLab,
    /// Gitea and Forgejo, which have the same API.
    Gitea,
}

impl ForgeKind {
    /// The name of the kind, as in `--forge`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
        }
    }

    /// The forge's own way to name a pull request in a text, which becomes a link.
    #[must_use]
    pub fn reference(self, number: u64) -> String {
        match self {
            Self::GitHub | Self::Gitea => format!("#{number}"),
            Self::GitLab => format!("!{number}"),
        }
    }
}

/// Selects the changed files whose content is evidence.
pub type Wanted<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// One project on a forge, with one token.
///
/// A pull request is what GitLab calls a merge request.
pub trait Forge {
    /// The kind of the forge.
    fn kind(&self) -> ForgeKind;

    /// The project.
    fn project(&self) -> &ProjectPath;

    /// The account of the token; `None` for a token whose account the forge does not tell.
    ///
    /// # Errors
    /// When the forge does not answer.
    fn identity(&self) -> impl Future<Output = Result<Option<TokenIdentity>, ForgeError>>;

    /// Name of the default branch.
    ///
    /// # Errors
    /// When the project cannot be read.
    fn default_branch(&self) -> impl Future<Output = Result<String, ForgeError>>;

    /// Commit at the head of a branch; `None` if there is no such branch.
    ///
    /// # Errors
    /// When the branch cannot be read for any other reason.
    fn branch_tip(&self, branch: &str) -> impl Future<Output = Result<Option<String>, ForgeError>>;

    /// The bytes of a file at a commit; `None` if it does not exist there.
    ///
    /// # Errors
    /// When it cannot be read, is not a regular file, or is larger than `max_bytes`.
    fn file(
        &self,
        path: &str,
        commit: &str,
        max_bytes: usize,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, ForgeError>>;

    /// One pull request.
    ///
    /// # Errors
    /// When it cannot be read.
    fn pull_request(&self, number: u64) -> impl Future<Output = Result<PullRequest, ForgeError>>;

    /// Open pull requests into `base` from branches of this project below `patchgate/`, with a plan
    /// block in the body. Lowest number first.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    fn open_requests(
        &self,
        base: &str,
    ) -> impl Future<Output = Result<Vec<OpenPullRequest>, ForgeError>>;

    /// The closed pull requests into `base` from a branch of this project, newest first.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    fn closed_requests(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> impl Future<Output = Result<Vec<ClosedPullRequest>, ForgeError>>;

    /// The open pull request from a branch of this project into `base`, whoever opened it.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    fn request_from(
        &self,
        branch: &PatchgateBranch,
        base: &str,
    ) -> impl Future<Output = Result<Option<CreatedPullRequest>, ForgeError>>;

    /// Opens a pull request from a branch of this project.
    ///
    /// # Errors
    /// When the forge refuses, also because there is one already.
    fn open_request(
        &self,
        request: &NewPullRequest<'_>,
    ) -> impl Future<Output = Result<CreatedPullRequest, ForgeError>>;

    /// Sets title and body.
    ///
    /// # Errors
    /// When the forge refuses.
    fn describe_request(
        &self,
        number: u64,
        title: &str,
        body: &str,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Adds labels, and creates those that do not exist.
    ///
    /// # Errors
    /// When the forge refuses.
    fn add_labels(
        &self,
        number: u64,
        labels: &[String],
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Removes a label of a pull request. One that it does not have is no error.
    ///
    /// # Errors
    /// When the forge refuses.
    fn remove_label(
        &self,
        number: u64,
        label: &str,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Whether an account may push to the project. An account whose id is not the one that the forge
    /// states now may not: logins can be taken by others.
    ///
    /// # Errors
    /// When the forge does not say.
    fn may_write(&self, account: &Account) -> impl Future<Output = Result<bool, ForgeError>>;

    /// Assigns accounts to a pull request, besides those that are assigned.
    ///
    /// # Errors
    /// When the forge refuses, or does not assign one of them.
    fn assign(
        &self,
        number: u64,
        logins: &[String],
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Asks accounts to review a pull request, unless one of them is asked already or has reviewed it.
    /// The author of the pull request is left out: no forge lets it review.
    ///
    /// # Errors
    /// When the forge refuses, or one of them may not review.
    fn ask_to_review(
        &self,
        number: u64,
        logins: &[String],
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Closes a pull request without a merge, and sets its body.
    ///
    /// # Errors
    /// When the forge refuses.
    fn close_request(
        &self,
        number: u64,
        body: &str,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// The comments of a pull request, oldest first. Those on lines of the change are not among them.
    ///
    /// # Errors
    /// When the list cannot be read completely.
    fn comments(&self, number: u64) -> impl Future<Output = Result<Vec<Comment>, ForgeError>>;

    /// Adds a comment.
    ///
    /// # Errors
    /// When the forge refuses.
    fn add_comment(&self, number: u64, body: &str) -> impl Future<Output = Result<(), ForgeError>>;

    /// Replaces the text of a comment.
    ///
    /// # Errors
    /// When the forge refuses.
    fn edit_comment(
        &self,
        number: u64,
        comment: u64,
        body: &str,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Deletes a comment. One that does not exist is no error.
    ///
    /// # Errors
    /// When the forge refuses.
    fn delete_comment(
        &self,
        number: u64,
        comment: u64,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// The open issues of an account, or of all accounts, and at most 100 closed ones, the newest
    /// first. `None` when the project has no issues.
    ///
    /// # Errors
    /// When the list of open issues cannot be read completely.
    fn issues(
        &self,
        author: Option<&str>,
    ) -> impl Future<Output = Result<Option<Vec<Issue>>, ForgeError>>;

    /// Opens an issue.
    ///
    /// # Errors
    /// When the forge refuses.
    fn open_issue(&self, text: &IssueText) -> impl Future<Output = Result<Issue, ForgeError>>;

    /// Sets title and text of an issue, and opens or closes it.
    ///
    /// # Errors
    /// When the forge refuses.
    fn change_issue(
        &self,
        number: u64,
        text: &IssueText,
        is_open: bool,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Collects the evidence about a pull request. Each piece is complete or missing. The head is read
    /// again at the end, to detect a push in between. [`Evidence::findings`] is left missing, because
    /// this crate does not know advisories.
    fn evidence(
        &self,
        number: u64,
        is_wanted: Wanted<'_>,
        own_job: Option<OwnJob>,
    ) -> impl Future<Output = Evidence>;

    /// Writes a verdict as a check or a status of a commit.
    ///
    /// # Errors
    /// When the forge refuses.
    fn report_verdict(
        &self,
        report: &VerdictReport,
    ) -> impl Future<Output = Result<(), ForgeError>>;

    /// Merges a pull request if its head is still `sha`, with a text for the commit. The call is never
    /// repeated: after a lost answer the caller reads the pull request again.
    ///
    /// # Errors
    /// When the outcome is unknown: there is no answer, or one that states neither a merge nor a
    /// reason.
    fn merge(
        &self,
        number: u64,
        sha: &str,
        method: MergeMethod,
        text: &MergeText,
    ) -> impl Future<Output = Result<MergeOutcome, ForgeError>>;

    /// The commit of the base branch that a merged pull request was put on: the first parent of the
    /// commit that the merge made. `None` when the head itself became the tip, which every forge does
    /// only while the base is where the head left it.
    ///
    /// # Errors
    /// When it cannot be read, or the pull request is not merged.
    fn merged_onto(&self, number: u64) -> impl Future<Output = Result<Option<String>, ForgeError>>;
}
