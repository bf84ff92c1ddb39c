//! What the stand-in remembers beside the git repositories themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Repository, Response};

/// Something that a token may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Pushes, branches and merges.
    Contents,
    /// Pull requests.
    PullRequests,
    /// Issues, comments and labels; pull requests are issues too.
    Issues,
    /// Check runs. Only an app has it.
    Checks,
    /// Commit statuses.
    Statuses,
}

/// Who speaks to the API.
#[derive(Debug, Clone)]
pub struct Account {
    /// Login; an app's ends with `[bot]`.
    pub login: String,
    /// The secret.
    pub token: String,
    /// Slug of the app when the token is an installation's; only apps may write check runs.
    pub app: Option<String>,
    /// What it may write. Everything may be read.
    pub may_write: Vec<Permission>,
}

impl Account {
    /// The account of a workflow's own token, with everything that Patchgate asks for.
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
    pub(crate) fn id_of(login: &str) -> u64 {
        login
            .bytes()
            .fold(7, |id: u64, byte| (id * 31 + u64::from(byte)) % 1_000_000)
    }
}

/// A pull request.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// Number, shared with issues.
    pub number: u64,
    /// Title.
    pub title: String,
    /// Body.
    pub body: String,
    /// Login of the author.
    pub author: String,
    /// Branch that it brings.
    pub head: String,
    /// Branch that it goes into.
    pub base: String,
    /// Whether it is open.
    pub open: bool,
    /// Whether it is a draft.
    pub draft: bool,
    /// The commit that merged it.
    pub merge_commit: Option<String>,
    /// Tip of the head branch when it was last looked at.
    pub head_sha: String,
    /// Tip of the base branch at the last push to the head: GitHub does not keep it up to date.
    pub base_sha: String,
    /// Names of the labels.
    pub labels: BTreeSet<String>,
    /// Counts the changes; the time of the last one is made from it.
    pub(crate) updated: u64,
}

/// A comment on a pull request.
#[derive(Debug, Clone)]
pub struct Comment {
    /// Id.
    pub id: u64,
    /// Number of the pull request.
    pub number: u64,
    /// Login of the author.
    pub author: String,
    /// Text.
    pub body: String,
}

/// A check run.
#[derive(Debug, Clone)]
pub struct CheckRun {
    /// Id.
    pub id: u64,
    /// Commit.
    pub head_sha: String,
    /// Name.
    pub name: String,
    /// Slug of the app that reported it.
    pub app: String,
    /// `queued`, `in_progress` or `completed`.
    pub status: String,
    /// `success`, `failure`, …, for a completed run.
    pub conclusion: Option<String>,
    /// `title`, `summary` and `text` as reported.
    pub output: serde_json::Value,
}

/// A commit status.
#[derive(Debug, Clone)]
pub struct CommitStatus {
    /// Id.
    pub id: u64,
    /// Commit.
    pub sha: String,
    /// Context.
    pub context: String,
    /// `error`, `failure`, `pending` or `success`.
    pub state: String,
    /// Description.
    pub description: Option<String>,
    /// Login of who set it.
    pub creator: String,
}

/// A review.
#[derive(Debug, Clone)]
pub struct Review {
    /// Id.
    pub id: u64,
    /// Number of the pull request.
    pub number: u64,
    /// Login of the reviewer.
    pub author: String,
    /// `APPROVED`, `CHANGES_REQUESTED`, `COMMENTED` or `DISMISSED`.
    pub state: String,
    /// Commit that was reviewed.
    pub sha: String,
}

/// One repository with all that hangs on it.
pub(crate) struct Hosted {
    pub(crate) repository: Repository,
    pub(crate) pulls: Vec<PullRequest>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) checks: Vec<CheckRun>,
    pub(crate) statuses: Vec<CommitStatus>,
    pub(crate) reviews: Vec<Review>,
    pub(crate) labels: BTreeSet<String>,
    /// Checks that a branch demands.
    pub(crate) required: BTreeMap<String, Vec<String>>,
    /// Commits whose signature GitHub calls valid.
    pub(crate) verified: BTreeSet<String>,
    next_id: u64,
}

impl Hosted {
    pub(crate) fn new(repository: Repository) -> Self {
        Self {
            repository,
            pulls: Vec::new(),
            comments: Vec::new(),
            checks: Vec::new(),
            statuses: Vec::new(),
            reviews: Vec::new(),
            labels: BTreeSet::new(),
            required: BTreeMap::new(),
            verified: BTreeSet::new(),
            next_id: 1,
        }
    }

    /// A number that was not given before.
    pub(crate) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Brings the pull requests up to date with the branches, as GitHub does at a push: a new tip
    /// is the new head, and a deleted head branch closes.
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

/// What happens instead of, or before, an answer.
pub(crate) type Intercept = Box<dyn FnOnce() -> Option<Response> + Send>;

/// A wait for a request.
pub(crate) struct FaultInjector {
    pub(crate) method: String,
    pub(crate) path_part: String,
    pub(crate) skip: u32,
    pub(crate) action: Option<Intercept>,
}

/// Everything that is behind the lock.
pub(crate) struct GitHubState {
    pub(crate) accounts: Vec<Account>,
    pub(crate) hosted: BTreeMap<String, Hosted>,
    /// Base address that clients see, for links.
    pub(crate) public_url: String,
    /// Base address of the git server, for links.
    pub(crate) server_url: String,
}
