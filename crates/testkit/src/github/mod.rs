//! A fake GitHub: a stateful API over real git repositories, behind a contract proxy.
//!
//! ```text
//! client ──► listener ──► Prism with GitHub's own OpenAPI description ──► stateful API ──► git
//!          (records      (refuses what GitHub's contract does not know)              ▲
//!           violations)                                                              │
//! client ──────────────────────── git push over HTTP ───────────────────────────────┘
//! ```
//!
//! The `emulate` package is not used, because it lacks the parts that Patchgate's promises are about:
//! it has no git over HTTP, so a pushed commit would have to be written a second time through its API;
//! it invents the names of a pull request's files; it has no commit statuses; and it answers 422 where
//! GitHub answers 405 (blocked) and 409 (the head moved). Here git itself makes every hash, file and
//! merge, and GitHub's own description decides whether an answer is well-formed.

mod actions;
mod call;
mod checks;
mod client;
mod commits;
mod contract;
mod issues;
mod listener;
mod pulls;
mod reply;
mod routes;
mod state;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

pub use client::call_api;
pub use state::{Account, CheckRun, Comment, CommitStatus, Issue, Permission, PullRequest, Review};

use crate::process::{ChildGroup, free_port};
use crate::{GitServer, GitToken, HttpServer, Repository, Request, Response, Tools};
use contract::Contract;
pub(crate) use listener::Listener;
use routes::Api;
use state::{FaultInjector, GitHubState, Hosted};

/// Longest time for the contract proxy to start; about three seconds are usual.
const PROXY_PATIENCE: Duration = Duration::from_secs(90);

/// Number of ports on which the contract proxy is started before the test fails.
const PORTS_TRIED: usize = 5;

/// A running fake GitHub. Dropping it stops everything.
pub struct FakeGitHub {
    // Fields are dropped in this order: first the servers that ask, then those that answer.
    listener_server: HttpServer,
    _proxy: ChildGroup,
    _description: tempfile::NamedTempFile,
    api_server: HttpServer,
    listener: Arc<Listener>,
    api: Arc<Api>,
    git: GitServer,
}

impl FakeGitHub {
    /// Starts it with these accounts. Their tokens work for the API and for git; a push needs
    /// [`Permission::Contents`].
    ///
    /// # Panics
    /// When a server does not start.
    #[must_use]
    pub fn start(tools: &Tools, accounts: Vec<Account>) -> Self {
        let contract = Contract::load(&tools.github_openapi());
        let git = GitServer::start(accounts.iter().map(git_token).collect());
        let api = Arc::new(Api {
            contract,
            state: Mutex::new(GitHubState {
                accounts,
                hosted: BTreeMap::new(),
                public_url: String::new(),
                server_url: git.url(),
            }),
            faults: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&api);
        let api_server = HttpServer::start(move |request| shared.answer(request));
        let mut description = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        description.write_all(contract.text().as_bytes()).unwrap();
        let (proxy, port) = start_proxy(tools, description.path(), &api_server.url());
        let listener = Arc::new(Listener {
            proxy: ([127, 0, 0, 1], port).into(),
            violations: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&listener);
        let listener_server = HttpServer::start(move |request| shared.answer(request));
        api.state.lock().unwrap().public_url = listener_server.url();

        Self {
            listener_server,
            _proxy: proxy,
            _description: description,
            api_server,
            listener,
            api,
            git,
        }
    }

    /// The base address of the API, for `GITHUB_API_URL`.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.listener_server.url()
    }

    /// The base address of git and of the pages, for `GITHUB_SERVER_URL`.
    #[must_use]
    pub fn server_url(&self) -> String {
        self.git.url()
    }

    /// The git server that hosts the repositories.
    #[must_use]
    pub fn git(&self) -> &GitServer {
        &self.git
    }

    /// Creates an empty repository.
    #[must_use]
    pub fn create(&self, full_name: &str) -> Repository {
        let repository = self.git.create(full_name);
        let hosted = Hosted::new(repository.clone());
        let mut state = self.api.state.lock().unwrap();
        state.hosted.insert(full_name.to_owned(), hosted);
        repository
    }

    /// Violations of GitHub's contract: requests that GitHub's description does not have, and answers of
    /// this fake that GitHub would not give. A test ends by asserting that this is empty.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.listener.violations.lock().unwrap().clone()
    }

    /// Every request that reached the API behind the proxy.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.api_server.requests()
    }

    /// Runs `action` before the answer to the next request of this method whose path contains
    /// `path_part`, after `skip` such requests were answered as usual. A response that the action
    /// returns replaces the answer.
    pub fn before(
        &self,
        method: &str,
        path_part: &str,
        skip: u32,
        action: impl FnOnce() -> Option<Response> + Send + 'static,
    ) {
        self.intercept(method, path_part, skip, false, Box::new(action));
    }

    /// Replaces the answer to the next such request, after the request took effect: a lost answer.
    pub fn after(&self, method: &str, path_part: &str, skip: u32, answer: Response) {
        let action = move || Some(answer);
        self.intercept(method, path_part, skip, true, Box::new(action));
    }

    fn intercept(
        &self,
        method: &str,
        path_part: &str,
        skip: u32,
        is_after: bool,
        action: state::Intercept,
    ) {
        self.api.faults.lock().unwrap().push(FaultInjector {
            method: method.to_owned(),
            path_part: path_part.to_owned(),
            skip,
            action: Some(action),
            is_after,
        });
    }

    /// The pull requests of a repository, by number.
    #[must_use]
    pub fn pull_requests(&self, full_name: &str) -> Vec<PullRequest> {
        self.with(full_name, |hosted| {
            hosted.follow_branches();
            hosted.pulls.clone()
        })
    }

    /// The comments of a repository, oldest first.
    #[must_use]
    pub fn comments(&self, full_name: &str) -> Vec<Comment> {
        self.with(full_name, |hosted| hosted.comments.clone())
    }

    /// The issues of a repository, oldest first; `None` when it has none.
    #[must_use]
    pub fn issues(&self, full_name: &str) -> Option<Vec<Issue>> {
        self.with(full_name, |hosted| hosted.issues.clone())
    }

    /// Disables the issues of a repository.
    pub fn disable_issues(&self, full_name: &str) {
        self.with(full_name, |hosted| hosted.issues = None);
    }

    /// The check runs of a repository, oldest first.
    #[must_use]
    pub fn check_runs(&self, full_name: &str) -> Vec<CheckRun> {
        self.with(full_name, |hosted| hosted.checks.clone())
    }

    /// The commit statuses of a repository, oldest first.
    #[must_use]
    pub fn statuses(&self, full_name: &str) -> Vec<CommitStatus> {
        self.with(full_name, |hosted| hosted.statuses.clone())
    }

    /// Reports a check run as the app `app` would. Without a conclusion it is in progress.
    pub fn report_check(
        &self,
        full_name: &str,
        sha: &str,
        app: &str,
        name: &str,
        conclusion: Option<&str>,
    ) {
        self.with(full_name, |hosted| {
            let check = CheckRun {
                id: hosted.next_id(),
                head_sha: sha.to_owned(),
                name: name.to_owned(),
                app: app.to_owned(),
                status: conclusion.map_or("in_progress", |_| "completed").to_owned(),
                conclusion: conclusion.map(str::to_owned),
                output: Value::Null,
                annotations: Vec::new(),
            };
            hosted.checks.push(check);
        });
    }

    /// Sets a commit status as `login` would.
    pub fn report_status(
        &self,
        full_name: &str,
        sha: &str,
        login: &str,
        context: &str,
        state: &str,
    ) {
        self.with(full_name, |hosted| {
            let status = CommitStatus {
                id: hosted.next_id(),
                sha: sha.to_owned(),
                context: context.to_owned(),
                state: state.to_owned(),
                description: None,
                creator: login.to_owned(),
            };
            hosted.statuses.push(status);
        });
    }

    /// Adds a review of the current head of a pull request.
    pub fn review(&self, full_name: &str, number: u64, login: &str, state: &str) {
        self.with(full_name, |hosted| {
            let sha = hosted
                .pulls
                .iter()
                .find(|pull| pull.number == number)
                .map(|pull| pull.head_sha.clone())
                .unwrap_or_default();
            let review = Review {
                id: hosted.next_id(),
                number,
                author: login.to_owned(),
                state: state.to_owned(),
                sha,
            };
            hosted.reviews.push(review);
        });
    }

    /// Runs the job `name` of a workflow as GitHub Actions would. The next run of the same job on the
    /// same commit is its next attempt.
    pub fn run_job(
        &self,
        full_name: &str,
        sha: &str,
        (workflow, event): (&str, &str),
        name: &str,
        conclusion: &str,
    ) {
        self.report_check(full_name, sha, "github-actions", name, Some(conclusion));
        self.with(full_name, |hosted| {
            let id = hosted
                .checks
                .last()
                .map(|check| check.id)
                .unwrap_or_default();
            let mut job = state::Job {
                id,
                run: 1_000_000 + id,
                attempt: 1,
                head_sha: sha.to_owned(),
                name: name.to_owned(),
                workflow: workflow.to_owned(),
                event: event.to_owned(),
                conclusion: conclusion.to_owned(),
            };
            let of_run = |other: &&state::Job| {
                (&other.head_sha, &other.workflow, &other.event)
                    == (&job.head_sha, &job.workflow, &job.event)
            };
            let earlier: Vec<&state::Job> = hosted.jobs.iter().filter(of_run).collect();
            let attempts = earlier.iter().filter(|other| other.name == name).count();
            let run = earlier.first().map(|first| first.run);
            job.attempt += attempts as u64;
            job.run = run.unwrap_or(job.run);
            hosted.jobs.push(job);
        });
    }

    /// Lets a login write to a repository.
    pub fn let_write(&self, full_name: &str, login: &str) {
        self.with(full_name, |hosted| hosted.writers.insert(login.to_owned()));
    }

    /// Protects a branch: a merge into it needs these checks.
    pub fn require_checks(&self, full_name: &str, branch: &str, names: &[&str]) {
        self.with(full_name, |hosted| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            hosted.required.insert(branch.to_owned(), names);
        });
    }

    /// Lets GitHub report the signature of a commit as valid.
    pub fn verify(&self, full_name: &str, sha: &str) {
        self.with(full_name, |hosted| hosted.verified.insert(sha.to_owned()));
    }

    fn with<T>(&self, full_name: &str, action: impl FnOnce(&mut Hosted) -> T) -> T {
        let mut state = self.api.state.lock().unwrap();
        let hosted = state
            .hosted
            .get_mut(full_name)
            .unwrap_or_else(|| panic!("no repository `{full_name}`"));
        action(hosted)
    }
}

fn git_token(account: &Account) -> GitToken {
    GitToken {
        secret: account.token.clone(),
        may_push: account.may_write.contains(&Permission::Contents),
    }
}

/// Starts the contract proxy. It takes its port as a number and not as an open socket, so a connection
/// of another test may get the port between the check that it is free and the proxy's start. Then
/// another port is tried.
pub(crate) fn start_proxy(tools: &Tools, description: &Path, backend: &str) -> (ChildGroup, u16) {
    let mut printed = String::new();
    for _ in 0..PORTS_TRIED {
        let port = free_port();
        let mut command = Command::new(tools.node());
        command
            .arg(tools.prism())
            .args(["proxy", "--errors", "-h", "127.0.0.1"])
            .args(["-p", &port.to_string()])
            .arg(description)
            .arg(backend)
            .env("NO_COLOR", "1");
        let started = ChildGroup::start(command, PROXY_PATIENCE, |line| {
            line.contains("Prism is listening")
        });

        match started {
            Ok(proxy) => return (proxy, port),
            Err(why) => printed = why,
        }
    }

    panic!("the contract proxy did not start: {printed}");
}
