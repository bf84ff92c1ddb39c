//! The fields of GitHub's answers that Patchgate uses. Enumerations that GitHub may extend are strings
//! here, and are interpreted by the caller.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: String,
    #[serde(default)]
    pub(super) has_issues: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RepositoryRef {
    pub(super) full_name: String,
    pub(super) default_branch: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) login: String,
    #[serde(default)]
    pub(super) id: Option<u64>,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
}

impl From<User> for patchgate_model::Account {
    fn from(wire: User) -> Self {
        Self {
            login: wire.login,
            id: wire.id,
            kind: wire.kind,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Label {
    #[serde(default)]
    pub(super) name: String,
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
pub(super) struct End {
    #[serde(rename = "ref")]
    pub(super) branch: String,
    pub(super) sha: String,
    pub(super) repo: Option<RepositoryRef>,
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
    pub(super) merged_at: Option<String>,
    /// The commit of the merge; before it, one that GitHub tries out.
    pub(super) merge_commit_sha: Option<String>,
    pub(super) created_at: Option<jiff::Timestamp>,
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) labels: Vec<Label>,
    #[serde(default)]
    pub(super) assignees: Option<Vec<User>>,
    #[serde(default)]
    pub(super) requested_reviewers: Option<Vec<User>>,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) head: End,
    pub(super) base: End,
    pub(super) mergeable: Option<bool>,
    pub(super) mergeable_state: Option<String>,
    pub(super) commits: Option<u64>,
    pub(super) changed_files: Option<u64>,
}

/// A commit as git stores it.
#[derive(Debug, Deserialize)]
pub(super) struct GitCommit {
    pub(super) parents: Vec<Parent>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) sha: String,
    pub(super) author: Option<MaybeUser>,
    pub(super) committer: Option<MaybeUser>,
    pub(super) commit: CommitDetail,
    #[serde(default)]
    pub(super) parents: Vec<Parent>,
}

/// For some commits without an account, GitHub sends an empty object.
#[derive(Debug, Deserialize)]
pub(super) struct MaybeUser {
    pub(super) login: Option<String>,
    #[serde(default)]
    pub(super) id: Option<u64>,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CommitDetail {
    pub(super) tree: Option<Parent>,
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
pub(super) struct File {
    pub(super) filename: String,
    pub(super) previous_filename: Option<String>,
    pub(super) status: String,
    #[serde(default)]
    pub(super) additions: u64,
    #[serde(default)]
    pub(super) deletions: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRuns {
    pub(super) total_count: u64,
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    pub(super) head_sha: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) started_at: Option<jiff::Timestamp>,
    pub(super) completed_at: Option<jiff::Timestamp>,
    pub(super) details_url: Option<String>,
    pub(super) app: Option<App>,
    pub(super) check_suite: Option<CheckSuite>,
}

#[derive(Debug, Deserialize)]
pub(super) struct App {
    pub(super) id: u64,
    pub(super) slug: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckSuite {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) context: String,
    pub(super) state: String,
    pub(super) creator: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) commit: Parent,
    #[serde(default)]
    pub(super) protected: bool,
    pub(super) protection: Option<Protection>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Protection {
    pub(super) required_status_checks: Option<ProtectionChecks>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProtectionChecks {
    #[serde(default)]
    pub(super) enforcement_level: Option<String>,
    #[serde(default)]
    pub(super) contexts: Vec<String>,
    #[serde(default)]
    pub(super) checks: Vec<ProtectionCheck>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProtectionCheck {
    pub(super) context: String,
    /// `null` or -1 for any app.
    pub(super) app_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BranchRule {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) parameters: Option<RuleParameters>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RuleParameters {
    #[serde(default)]
    pub(super) required_status_checks: Vec<RuleCheck>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RuleCheck {
    pub(super) context: String,
    pub(super) integration_id: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    pub(super) merge_base_commit: Parent,
    pub(super) total_commits: Option<u64>,
    #[serde(default)]
    pub(super) commits: Vec<Commit>,
    #[serde(default)]
    pub(super) files: Vec<File>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tree {
    pub(super) truncated: bool,
    pub(super) tree: Vec<TreeEntry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    pub(super) path: String,
    pub(super) mode: String,
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct WorkflowRuns {
    #[serde(default)]
    pub(super) workflow_runs: Vec<WorkflowRun>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WorkflowRun {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) event: String,
    pub(super) head_sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Jobs {
    #[serde(default)]
    pub(super) jobs: Vec<Job>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Job {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) run_attempt: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permission {
    pub(super) permission: String,
    #[serde(default)]
    pub(super) user: Option<User>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Review {
    pub(super) user: Option<User>,
    pub(super) state: String,
    pub(super) commit_id: Option<String>,
    pub(super) author_association: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Merged {
    #[serde(default)]
    pub(super) merged: bool,
    #[serde(default)]
    pub(super) sha: Option<String>,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Created {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) html_url: String,
    pub(super) user: Option<User>,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) state: String,
    /// Only a pull request has it.
    #[serde(default)]
    pub(super) pull_request: Option<serde_json::Value>,
}

/// An issue, which every pull request is, after an assignment.
#[derive(Debug, Deserialize)]
pub(super) struct Assigned {
    #[serde(default)]
    pub(super) assignees: Option<Vec<User>>,
}
