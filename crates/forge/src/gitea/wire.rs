//! The fields of Gitea's answers that Patchgate uses. Enumerations that the server may extend are
//! strings here, and are interpreted by the caller.

use jiff::Timestamp;
use patchgate_model::Account;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    #[serde(default)]
    pub(super) has_issues: Option<bool>,
    pub(super) default_branch: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    /// Negative for an account that is not a real one, such as that of deleted people.
    #[serde(default)]
    id: i64,
    #[serde(default)]
    pub(super) email: String,
}

impl User {
    /// The numeric id of a real account.
    pub(super) fn id(&self) -> Option<u64> {
        u64::try_from(self.id).ok().filter(|id| *id > 0)
    }
}

impl From<User> for Account {
    fn from(wire: User) -> Self {
        Self {
            id: wire.id(),
            login: wire.login,
            // Gitea does not tell people from bots.
            kind: "User".to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct RepositoryRef {
    pub(super) full_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct End {
    /// The branch, also after it was deleted. `ref` names the pull request's own reference then.
    #[serde(rename = "label")]
    pub(super) branch: String,
    pub(super) sha: String,
    pub(super) repo: Option<RepositoryRef>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    #[serde(default)]
    pub(super) html_url: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) draft: bool,
    #[serde(default)]
    pub(super) merged: bool,
    pub(super) user: Option<User>,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) labels: Option<Vec<Label>>,
    pub(super) assignees: Option<Vec<User>>,
    pub(super) requested_reviewers: Option<Vec<User>>,
    pub(super) head: End,
    pub(super) base: End,
    #[serde(default)]
    pub(super) mergeable: bool,
    pub(super) created_at: Option<Timestamp>,
    pub(super) merge_commit_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) updated_at: Option<Timestamp>,
    pub(super) user: Option<User>,
    pub(super) body: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) commit: BranchCommit,
    pub(super) protected: Option<bool>,
    /// Whether the token's account may push to it.
    pub(super) user_can_push: Option<bool>,
    #[serde(default)]
    pub(super) enable_status_check: bool,
    pub(super) status_check_contexts: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BranchCommit {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) author: Option<User>,
    pub(super) committer: Option<User>,
    pub(super) commit: CommitDetail,
    pub(super) parents: Option<Vec<Parent>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitDetail {
    pub(super) verification: Option<Verification>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Verification {
    #[serde(default)]
    pub(super) verified: bool,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parent {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tree {
    pub(super) tree: Option<Vec<TreeEntry>>,
    #[serde(default)]
    pub(super) truncated: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    pub(super) path: String,
    pub(super) mode: String,
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Contents {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) size: u64,
    pub(super) encoding: Option<String>,
    pub(super) content: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) context: String,
    pub(super) status: String,
    pub(super) creator: Option<User>,
    #[serde(default)]
    pub(super) id: u64,
    pub(super) target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Review {
    pub(super) user: Option<User>,
    pub(super) state: String,
    #[serde(default)]
    pub(super) dismissed: bool,
    /// Whether the account may write, or the protection of the branch names it.
    #[serde(default)]
    pub(super) official: bool,
    pub(super) commit_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permission {
    pub(super) permission: String,
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) html_url: String,
    pub(super) user: Option<User>,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) state: String,
}
