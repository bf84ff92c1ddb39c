//! The fields of GitLab's answers that Patchgate uses. Enumerations that GitLab may extend are strings
//! here, and are interpreted by the caller.

use jiff::Timestamp;
use patchgate_model::Account;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    #[serde(default)]
    pub(super) issues_access_level: Option<String>,
    pub(super) default_branch: Option<String>,
    /// `merge`, `rebase_merge` or `ff`.
    #[serde(default)]
    pub(super) merge_method: String,
    /// `never`, `always`, `default_on` or `default_off`.
    #[serde(default)]
    pub(super) squash_option: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CurrentUser {
    pub(super) username: String,
    pub(super) id: Option<u64>,
    pub(super) commit_email: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) username: String,
    pub(super) id: Option<u64>,
}

impl From<User> for Account {
    fn from(wire: User) -> Self {
        Self {
            login: wire.username,
            id: wire.id,
            // Lists do not tell people from bots.
            kind: "User".to_owned(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) commit: Commit,
    pub(super) protected: Option<bool>,
    pub(super) developers_can_push: Option<bool>,
    /// Whether the token's account may push to it.
    pub(super) can_push: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) id: String,
    #[serde(default)]
    pub(super) parent_ids: Vec<String>,
    pub(super) author_email: Option<String>,
    pub(super) committer_email: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct MergeRequest {
    pub(super) iid: u64,
    #[serde(default)]
    pub(super) web_url: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) draft: bool,
    pub(super) author: Option<User>,
    pub(super) title: String,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default)]
    pub(super) assignees: Option<Vec<User>>,
    #[serde(default)]
    pub(super) reviewers: Option<Vec<User>>,
    pub(super) source_branch: String,
    pub(super) target_branch: String,
    pub(super) source_project_id: Option<u64>,
    pub(super) target_project_id: Option<u64>,
    /// Commit at the head; `null` for a branch without commits.
    pub(super) sha: Option<String>,
    pub(super) diff_refs: Option<DiffRefs>,
    pub(super) has_conflicts: Option<bool>,
    pub(super) detailed_merge_status: Option<String>,
    pub(super) blocking_discussions_resolved: Option<bool>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) merge_commit_sha: Option<String>,
    pub(super) squash_commit_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DiffRefs {
    pub(super) start_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Note {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) created_at: Option<Timestamp>,
    #[serde(default)]
    pub(super) updated_at: Option<Timestamp>,
    pub(super) author: Option<User>,
    pub(super) body: Option<String>,
    /// Whether GitLab wrote it about an event.
    #[serde(default)]
    pub(super) system: bool,
    #[serde(default)]
    pub(super) resolvable: bool,
    #[serde(default)]
    pub(super) resolved: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Discussion {
    #[serde(default)]
    pub(super) notes: Vec<Note>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reviewer {
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) state: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    pub(super) commits: Vec<Commit>,
    pub(super) diffs: Vec<Diff>,
    #[serde(default)]
    pub(super) compare_timeout: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Diff {
    pub(super) old_path: String,
    pub(super) new_path: String,
    #[serde(default)]
    pub(super) a_mode: Option<String>,
    #[serde(default)]
    pub(super) b_mode: Option<String>,
    #[serde(default)]
    pub(super) new_file: bool,
    #[serde(default)]
    pub(super) renamed_file: bool,
    #[serde(default)]
    pub(super) deleted_file: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Signature {
    #[serde(default)]
    pub(super) verification_status: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) sha: String,
    #[serde(default)]
    pub(super) source: String,
}

/// A job, or a bridge to another pipeline.
#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) allow_failure: bool,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) web_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Variable {
    pub(super) key: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) allow_failure: bool,
    pub(super) author: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Merged {
    pub(super) state: String,
    pub(super) merge_commit_sha: Option<String>,
    pub(super) squash_commit_sha: Option<String>,
    pub(super) sha: Option<String>,
}

/// The access level of the role Developer, the lowest that may push
/// (<https://docs.gitlab.com/api/members/#roles>).
pub(super) const DEVELOPER: u64 = 30;

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub(super) id: u64,
    pub(super) state: String,
    pub(super) access_level: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Approvals {
    pub(super) approved_by: Vec<ApprovedBy>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ApprovedBy {
    pub(super) user: User,
    pub(super) approved_at: Option<Timestamp>,
}

/// What a merge request was after one push.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) id: u64,
    pub(super) head_commit_sha: String,
    pub(super) created_at: Timestamp,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) mode: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) iid: u64,
    pub(super) web_url: String,
    pub(super) author: Option<User>,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) state: String,
}
