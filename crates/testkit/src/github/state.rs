//! The state of the fake GitHub that is not in the git repositories.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Repository, Response};

/// A permission to write. Everything may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// To push, to change branches, and to merge.
    Contents,
    /// To open and edit pull requests.
    PullRequests,
    /// To write issues, comments and labels; pull requests are issues too.
    Issues,
    /// To report check runs. Only an app has it.
    Checks,
    /// To set commit statuses.
    Statuses,
}

/// An account that uses the API.
#[derive(Debug, Clone)]
pub struct Account {
    /// The login; that of an app ends with `[bot]`.
    pub login: String,
    /// The secret token, for the API and for git.
    pub token: String,
    /// The slug of the app when the token is one of an app's installation.
    pub app: Option<String>,
    /// The permissions to write.
    pub may_write: Vec<Permission>,
}

impl Account {
    /// The account of a workflow's own token, with every permission that Patchgate asks for.
    #[must_use]
    pub fn workflow(token: &str) -> Self {
        Self {
            login: "github-actions[bot]".to_owned(),
            token: token.to_owned(),
            app: Some("github-actions".to_owned()),
            may_write: vec![
                Permission::Contents,
                Permission::PullRequests,
                Permission::Issues,
                Permission::Checks,
                Permission::Statuses,
            ],
        }
    }

    /// A number for the account that depends only on its login.
    /// That of the account of all workflows is the real one.
    pub(crate) fn id_of(login: &str) -> u64 {
        if login == "github-actions[bot]" {
            return 41_898_282;
        }
        login
            .bytes()
            .fold(7, |id: u64, byte| (id * 31 + u64::from(byte)) % 1_000_000)
    }
}

/// A pull request and its last known commits.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// The number, from the same sequence as those of issues.
    pub number: u64,
    /// The title, without Markdown.
    pub title: String,
    /// The body, in Markdown.
    pub body: String,
    /// The login of the author.
    pub author: String,
    /// The branch that is to be merged.
    pub head: String,
    /// The branch that it is merged into.
    pub base: String,
    /// Whether it is neither merged nor closed.
    pub open: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// The commit that merged it; `None` when it is not merged.
    pub merge_commit: Option<String>,
    /// The tip of the head branch when it was last looked at.
    pub head_sha: String,
    /// The tip of the base branch at the last push to the head: GitHub does not keep it up to date.
    pub base_sha: String,
    /// The names of the labels.
    pub labels: BTreeSet<String>,
    /// The logins of the assignees.
    pub assignees: BTreeSet<String>,
    /// The logins of those who are asked to review.
    pub reviewers: BTreeSet<String>,
    /// Number of changes so far, from which the time of the last one is made.
    pub(crate) updated: u64,
}

/// A comment on a pull request.
#[derive(Debug, Clone)]
pub struct Comment {
    /// The id, unique in the repository.
    pub id: u64,
    /// The number of the pull request.
    pub number: u64,
    /// The login of the author.
    pub author: String,
    /// The text, in Markdown.
    pub body: String,
    /// When it was written.
    pub created: String,
    /// When its text was changed for the last time.
    pub updated: String,
}

/// An issue, which is no pull request.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its number, among those of the pull requests.
    pub number: u64,
    /// The login of the author.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text, in Markdown.
    pub body: String,
    /// Whether it is open.
    pub open: bool,
}

/// A check run of an app on a commit.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// The id, unique in the repository.
    pub id: u64,
    /// The commit that it is about.
    pub head_sha: String,
    /// The name of the check.
    pub name: String,
    /// The slug of the app that reported it.
    pub app: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// The result of a completed run, such as `success` or `failure`.
    pub conclusion: Option<String>,
    /// The reported `title`, `summary` and `text`.
    pub output: serde_json::Value,
    /// The annotations of all calls.
    pub annotations: Vec<serde_json::Value>,
}

/// A job of a workflow, whose check run has its id.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) run: u64,
    pub(crate) attempt: u64,
    pub(crate) head_sha: String,
    pub(crate) name: String,
    /// Path of the workflow file.
    pub(crate) workflow: String,
    pub(crate) event: String,
    pub(crate) conclusion: String,
}

/// A commit status, the older kind of check.
#[derive(Debug, Clone)]
pub struct CommitStatus {
    /// The id, unique in the repository.
    pub id: u64,
    /// The commit that it is about.
    pub sha: String,
    /// The context, which is its name.
    pub context: String,
    /// `error`, `failure`, `pending` or `success`.
    pub state: String,
    /// The text next to the context.
    pub description: Option<String>,
    /// The login of the account that set it.
    pub creator: String,
}

/// A review of a pull request.
#[derive(Debug, Clone)]
pub struct Review {
    /// The id, unique in the repository.
    pub id: u64,
    /// The number of the pull request.
    pub number: u64,
    /// The login of the reviewer.
    pub author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED` or `DISMISSED`.
    pub state: String,
    /// The commit that was reviewed.
    pub sha: String,
}

/// One repository with its pull requests, checks and comments.
pub(crate) struct Hosted {
    pub(crate) repository: Repository,
    pub(crate) pulls: Vec<PullRequest>,
    pub(crate) comments: Vec<Comment>,
    /// `None` when the repository has no issues.
    pub(crate) issues: Option<Vec<Issue>>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) statuses: Vec<CommitStatus>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) labels: BTreeSet<String>,
    /// The checks that a merge into a branch needs.
    pub(crate) required: BTreeMap<String, Vec<String>>,
    /// Jobs of workflows.
    pub(crate) jobs: Vec<Job>,
    /// Logins that may write, besides the accounts with tokens.
    pub(crate) writers: BTreeSet<String>,
    /// Commits whose signature GitHub reports as valid.
    pub(crate) verified: BTreeSet<String>,
    next_id: u64,
}

impl Hosted {
    pub(crate) fn new(repository: Repository) -> Self {
        Self {
            repository,
            pulls: Vec::new(),
            comments: Vec::new(),
            issues: Some(Vec::new()),
            checks: Vec::new(),
            statuses: Vec::new(),
            reviews: Vec::new(),
            labels: BTreeSet::new(),
            required: BTreeMap::new(),
            jobs: Vec::new(),
            writers: BTreeSet::new(),
            verified: BTreeSet::new(),
            next_id: 1,
        }
    }

    /// A number that was not used before.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Brings the pull requests up to date with the branches, as GitHub does after a push: a new tip
    /// is the new head, and a deleted head branch closes the pull request.
    pub(crate) fn follow_branches(&mut self) {
        for pull in self.pulls.iter_mut().filter(|pull| pull.open) {
            match self.repository.tip(&pull.head) {
                Some(tip) if tip != pull.head_sha => {
                    pull.head_sha = tip;
                    if let Some(base) = self.repository.tip(&pull.base) {
                        pull.base_sha = base;
                    }
                    pull.updated += 1;
                }
                Some(_) => {}
                None => {
                    pull.open = false;
                    pull.updated += 1;
                }
            }
        }
    }
}

/// An action before an answer; a response that it returns replaces the answer.
pub(crate) type Intercept = Box<dyn FnOnce() -> Option<Response> + Send>;

/// An action that waits for the request that triggers it.
pub(crate) struct FaultInjector {
    pub(crate) method: String,
    pub(crate) path_part: String,
    pub(crate) skip: u32,
    pub(crate) action: Option<Intercept>,
    /// Whether the request takes effect before the action, whose response replaces the answer.
    pub(crate) is_after: bool,
}

/// Everything that requests change, behind one lock.
pub(crate) struct GitHubState {
    pub(crate) accounts: Vec<Account>,
    pub(crate) hosted: BTreeMap<String, Hosted>,
    /// The base address that clients see, for links.
    pub(crate) public_url: String,
    /// The base address of the git server, for links.
    pub(crate) server_url: String,
}
