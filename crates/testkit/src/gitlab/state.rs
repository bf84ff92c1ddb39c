//! What requests change.

use std::collections::BTreeMap;

use crate::{Repository, Response};

/// A second as a time of the API.
pub(super) fn time(second: u64) -> String {
    format!(
        "2026-01-02T{:02}:{:02}:{:02}.000Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// A user of the fake GitLab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitLabUser {
    /// Its login.
    pub login: String,
    /// Its token.
    pub token: String,
}

/// A merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequest {
    /// Number in the project.
    pub iid: u64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// The login of its author.
    pub author: String,
    /// Its branch.
    pub source: String,
    /// The branch that it is for.
    pub target: String,
    /// Commit at its head.
    pub sha: String,
    /// `opened`, `closed` or `merged`.
    pub state: String,
    /// The commit that merged it.
    pub merge_commit: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Logins of its assignees.
    pub assignees: Vec<String>,
    /// Logins of its reviewers.
    pub reviewers: Vec<String>,
    /// Its notes.
    pub notes: Vec<Note>,
}

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its number in the project.
    pub iid: u64,
    /// The login of its author.
    pub author: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
    /// Whether it is open.
    pub open: bool,
}

/// A note of a merge request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: u64,
    /// The login of its author.
    pub author: String,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created: jiff::Timestamp,
    /// When its text was changed for the last time.
    pub updated: jiff::Timestamp,
}

impl Note {
    pub(super) fn new(id: u64, author: &str, body: &str) -> Self {
        let now = jiff::Timestamp::now();
        Self {
            id,
            author: author.to_owned(),
            body: body.to_owned(),
            created: now,
            updated: now,
        }
    }

    pub(super) fn edit(&mut self, body: &str) {
        body.clone_into(&mut self.body);
        self.updated = jiff::Timestamp::now();
    }
}

pub(super) struct Status {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) author: String,
}

pub(super) struct Job {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) allow_failure: bool,
}

pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) source: String,
    pub(super) variables: Vec<String>,
    pub(super) jobs: Vec<Job>,
}

pub(super) struct Project {
    pub(super) id: u64,
    pub(super) path: String,
    pub(super) repository: Repository,
    pub(super) merge_method: String,
    /// Branches that nobody may push to.
    pub(super) protected: Vec<String>,
    /// Logins of those with the role Developer.
    pub(super) members: Vec<String>,
    pub(super) requests: Vec<MergeRequest>,
    /// `None` when the project has no issues.
    pub(super) issues: Option<Vec<Issue>>,
    pub(super) statuses: Vec<Status>,
    pub(super) pipelines: Vec<Pipeline>,
    /// Merge requests, and who asks for changes.
    pub(super) objections: Vec<(u64, String)>,
    /// Merge requests, and who opened a thread that is not resolved.
    pub(super) threads: Vec<(u64, String)>,
    /// Merge requests, who approved them, and the second of it.
    pub(super) approvals: Vec<(u64, String, u64)>,
    /// Merge requests, their heads, and the second of the push.
    pub(super) versions: Vec<(u64, String, u64)>,
    /// Logins of members that may only read.
    pub(super) guests: Vec<String>,
    /// Seconds since the start, of which each event takes one.
    pub(super) clock: u64,
}

/// A request that is answered with something else, and whether it takes effect before.
type Fault = (String, String, bool, Response);

pub(super) struct GitLabState {
    pub(super) users: Vec<GitLabUser>,
    pub(super) projects: BTreeMap<String, Project>,
    pub(super) faults: Vec<Fault>,
    pub(super) next_id: u64,
}

impl GitLabState {
    pub(super) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

impl Project {
    pub(super) fn new(id: u64, path: &str, repository: Repository) -> Self {
        Self {
            id,
            path: path.to_owned(),
            repository,
            merge_method: "merge".to_owned(),
            protected: Vec::new(),
            members: Vec::new(),
            requests: Vec::new(),
            issues: Some(Vec::new()),
            statuses: Vec::new(),
            pipelines: Vec::new(),
            objections: Vec::new(),
            threads: Vec::new(),
            approvals: Vec::new(),
            versions: Vec::new(),
            guests: Vec::new(),
            clock: 0,
        }
    }

    /// The second of the next event.
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Opens a merge request whose branch exists.
    pub(super) fn open(
        &mut self,
        author: &str,
        title: &str,
        description: &str,
        source: &str,
        target: &str,
    ) -> &mut MergeRequest {
        let iid = self.requests.len() as u64 + 1;
        let sha = self.repository.tip(source).unwrap();
        self.requests.push(MergeRequest {
            iid,
            title: title.to_owned(),
            description: description.to_owned(),
            author: author.to_owned(),
            source: source.to_owned(),
            target: target.to_owned(),
            sha,
            state: "opened".to_owned(),
            merge_commit: None,
            labels: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            notes: Vec::new(),
        });
        self.record_versions();
        self.run_quick_actions(iid, description);
        self.requests.last_mut().unwrap()
    }

    /// Open merge requests follow their branch. As on GitLab, one without its branch stays open.
    pub(super) fn follow_branches(&mut self) {
        for request in &mut self.requests {
            if request.state == "opened"
                && let Some(tip) = self.repository.tip(&request.source)
            {
                request.sha = tip;
            }
        }
        self.record_versions();
    }

    /// Records the heads that are new as versions of their merge requests.
    fn record_versions(&mut self) {
        for index in 0..self.requests.len() {
            let (iid, sha) = (self.requests[index].iid, self.requests[index].sha.clone());
            let mut known = self.versions.iter().rev();
            let newest = known.find(|(of, ..)| *of == iid);
            if newest.is_none_or(|(_, head, _)| *head != sha) {
                let now = self.tick();
                self.versions.push((iid, sha, now));
            }
        }
    }

    /// Executes the lines of a text that are quick actions.
    pub(super) fn run_quick_actions(&mut self, iid: u64, text: &str) {
        let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        let request = self.requests.iter_mut().find(|it| it.iid == iid).unwrap();
        if lines.iter().any(|line| line.starts_with("/close")) {
            request.state = "closed".to_owned();
        }
        if lines.iter().any(|line| line.starts_with("/merge")) {
            request.state = "merged".to_owned();
        }
    }
}
