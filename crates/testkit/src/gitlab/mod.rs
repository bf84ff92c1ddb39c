//! A fake GitLab: a stateful API over real git repositories, behind a contract proxy.
//!
//! It is built as [`FakeGitHub`](crate::FakeGitHub) is. Git makes every hash, file and merge, and the
//! description of GitLab's API in the shared data decides whether a request and an answer are
//! well-formed. Like GitLab, it executes quick actions: a line of a description or a note that
//! starts with `/close` or `/merge` takes effect.

mod api;
mod git;
mod issues;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::github::{Listener, start_proxy};
use crate::process::ChildGroup;
use crate::{GitServer, GitToken, HttpServer, Repository, Request, Response, Tools, shared_dir};
use api::Api;
use state::{GitLabState, Job, Pipeline, Project, Status};

pub use state::{GitLabUser, Issue as GitLabIssue, MergeRequest, Note};

/// A running fake GitLab. Dropping it stops everything.
pub struct FakeGitLab {
    // Fields are dropped in this order: first the servers that ask, then those that answer.
    listener_server: HttpServer,
    _proxy: ChildGroup,
    api_server: HttpServer,
    listener: Arc<Listener>,
    api: Arc<Api>,
    git: GitServer,
}

impl FakeGitLab {
    /// Starts it with these users, whose tokens work for the API and for git. `None` when the shared
    /// data is missing, after a skip.
    ///
    /// # Panics
    /// When a server does not start.
    #[must_use]
    #[track_caller]
    pub fn start(tools: &Tools, users: Vec<GitLabUser>) -> Option<Self> {
        let description = shared_dir()?.join("schemas/gitlab-openapi-subset.yaml");
        let tokens = users.iter().map(|user| GitToken {
            secret: user.token.clone(),
            may_push: true,
        });
        let git = GitServer::start(tokens.collect());
        let api = Arc::new(Api {
            state: Mutex::new(GitLabState {
                users,
                projects: BTreeMap::new(),
                faults: Vec::new(),
                next_id: 100,
            }),
        });
        let shared = Arc::clone(&api);
        let api_server = HttpServer::start(move |request| shared.answer(request));
        let (proxy, port) = start_proxy(tools, &description, &api_server.url());
        let listener = Arc::new(Listener {
            proxy: ([127, 0, 0, 1], port).into(),
            violations: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&listener);
        let listener_server = HttpServer::start(move |request| shared.answer(request));

        Some(Self {
            listener_server,
            _proxy: proxy,
            api_server,
            listener,
            api,
            git,
        })
    }

    /// The base address of the API, for `CI_API_V4_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api/v4", self.listener_server.url())
    }

    /// The base address of git, for `CI_SERVER_URL`.
    #[must_use]
    pub fn server_url(&self) -> String {
        self.git.url()
    }

    /// Creates an empty project, such as `group/subgroup/name`.
    #[must_use]
    pub fn create(&self, path: &str) -> Repository {
        let repository = self.git.create(path);
        let mut state = self.api.state.lock().unwrap();
        let id = state.id();
        let mut project = Project::new(id, path, repository.clone());
        project.members = state.users.iter().map(|user| user.login.clone()).collect();
        state.projects.insert(path.to_owned(), project);
        repository
    }

    /// Violations of GitLab's description, in requests and in answers. A test ends by asserting that
    /// this is empty.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.listener.violations.lock().unwrap().clone()
    }

    /// Every request that reached the API behind the proxy.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.api_server.requests()
    }

    /// Answers the next request of this method whose path contains `path_part` with `answer`, and lets
    /// it take effect before if `is_applied`.
    pub fn fail(&self, method: &str, path_part: &str, is_applied: bool, answer: Response) {
        let mut state = self.api.state.lock().unwrap();
        state
            .faults
            .push((method.to_owned(), path_part.to_owned(), is_applied, answer));
    }

    /// The merge requests of a project, by number.
    #[must_use]
    pub fn merge_requests(&self, path: &str) -> Vec<MergeRequest> {
        self.with(path, |project, _| project.requests.clone())
    }

    /// The issues of a project, oldest first; `None` when it has none.
    #[must_use]
    pub fn issues(&self, path: &str) -> Option<Vec<GitLabIssue>> {
        self.with(path, |project, _| project.issues.clone())
    }

    /// Closes an issue.
    pub fn close_issue(&self, path: &str, iid: u64) {
        self.with(path, |project, _| {
            let issues = project.issues.iter_mut().flatten();
            issues
                .filter(|issue| issue.iid == iid)
                .for_each(|issue| issue.open = false);
        });
    }

    /// Disables the issues of a project.
    pub fn disable_issues(&self, path: &str) {
        self.with(path, |project, _| project.issues = None);
    }

    /// Opens a merge request into `main` as a user.
    pub fn open(&self, path: &str, author: &str, branch: &str, description: &str) -> u64 {
        self.with(path, |project, _| {
            project
                .open(author, "mine", description, branch, "main")
                .iid
        })
    }

    /// Writes a note as `author`, or changes the text of the note `id`. Returns its id.
    ///
    /// # Panics
    /// When there is no such merge request or note.
    pub fn comment(&self, path: &str, iid: u64, author: &str, body: &str, id: Option<u64>) -> u64 {
        self.with(path, |project, next| {
            let request = project.requests.iter_mut().find(|it| it.iid == iid);
            let notes = &mut request.unwrap().notes;
            match id {
                Some(id) => {
                    notes
                        .iter_mut()
                        .find(|note| note.id == id)
                        .unwrap()
                        .edit(body);
                    id
                }
                None => {
                    notes.push(Note::new(next, author, body));
                    next
                }
            }
        })
    }

    /// Closes a merge request.
    pub fn close(&self, path: &str, iid: u64) {
        self.with(path, |project, _| {
            let request = project.requests.iter_mut().find(|it| it.iid == iid);
            request.unwrap().state = "closed".to_owned();
        });
    }

    /// Reports an external status as a user.
    pub fn report_status(&self, path: &str, sha: &str, author: &str, name: &str, status: &str) {
        self.with(path, |project, id| {
            project.statuses.push(Status {
                id,
                sha: sha.to_owned(),
                name: name.to_owned(),
                status: status.to_owned(),
                author: author.to_owned(),
            });
        });
    }

    /// Runs a pipeline of one job on a commit.
    pub fn run_pipeline(
        &self,
        path: &str,
        sha: &str,
        source: &str,
        variables: &[&str],
        (job, status): (&str, &str),
    ) {
        self.with(path, |project, id| {
            project.pipelines.push(Pipeline {
                id,
                sha: sha.to_owned(),
                source: source.to_owned(),
                variables: variables.iter().map(|&name| name.to_owned()).collect(),
                jobs: vec![Job {
                    id: id * 1000,
                    name: job.to_owned(),
                    status: status.to_owned(),
                    allow_failure: false,
                }],
            });
        });
    }

    /// Lets a reviewer ask for changes, and another person open a thread.
    pub fn object(&self, path: &str, iid: u64, reviewer: &str, thread: &str) {
        self.with(path, |project, _| {
            project.objections.push((iid, reviewer.to_owned()));
            project.threads.push((iid, thread.to_owned()));
        });
    }

    /// Lets a person approve a merge request at its present head.
    pub fn approve(&self, path: &str, iid: u64, login: &str) {
        self.with(path, |project, _| {
            let now = project.tick();
            project.approvals.push((iid, login.to_owned(), now));
        });
    }

    /// Makes a person a member that may only read.
    pub fn make_guest(&self, path: &str, login: &str) {
        self.with(path, |project, _| project.guests.push(login.to_owned()));
    }

    /// Protects a branch, so that nobody may push to it.
    pub fn protect(&self, path: &str, branch: &str) {
        self.with(path, |project, _| project.protected.push(branch.to_owned()));
    }

    /// Sets how the project merges: `merge`, `rebase_merge` or `ff`.
    pub fn set_merge_method(&self, path: &str, method: &str) {
        self.with(path, |project, _| {
            method.clone_into(&mut project.merge_method)
        });
    }

    fn with<T>(&self, path: &str, action: impl FnOnce(&mut Project, u64) -> T) -> T {
        let mut state = self.api.state.lock().unwrap();
        let id = state.id();
        let project = state
            .projects
            .get_mut(path)
            .unwrap_or_else(|| panic!("no project `{path}`"));
        project.follow_branches();
        action(project, id)
    }
}
