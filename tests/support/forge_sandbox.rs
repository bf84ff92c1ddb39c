//! A repository on a fake GitHub, and a sandbox whose `patchgate` works against it.

use std::process::Command;

use patchgate_testkit::{
    Account, FakeGitHub, Permission, PullRequest, Repository, Response, Tools, call_api,
};
use serde_json::Value;

use crate::support::sandbox::{Run, Sandbox, root};

/// Name of the repository on the forge.
pub(crate) const REPO: &str = "acme/storefront";

/// The token of [`writer`].
pub(crate) const TOKEN: &str = "ghs_tokenthatmustnotbeprinted01";

/// The token of [`reader`].
pub(crate) const READ_ONLY_TOKEN: &str = "ghs_readonlytokennottobeprinted2";

/// A workflow's account, with every permission that Patchgate asks for.
pub(crate) fn writer() -> Account {
    Account::workflow(TOKEN)
}

/// An account that may write only what `permissions` say.
pub(crate) fn reader(permissions: &[Permission]) -> Account {
    Account {
        token: READ_ONLY_TOKEN.to_owned(),
        may_write: permissions.to_vec(),
        ..Account::workflow(TOKEN)
    }
}

/// The key that signs plans, and its public half for a policy.
pub(crate) const PLAN_KEY: &str =
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
pub(crate) const PLAN_PUBLIC_KEY: &str =
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// The repository, the forge that hosts it, and the sandbox with the examples' advisories at
/// `store/`. `repo/` in the sandbox is a clone once [`ForgeSandbox::check_out`] has made one.
pub(crate) struct ForgeSandbox {
    pub(crate) sandbox: Sandbox,
    pub(crate) github: FakeGitHub,
    pub(crate) repository: Repository,
    tokens: Vec<String>,
}

impl ForgeSandbox {
    /// An empty repository. The test sets the token that `patchgate` uses; `None` when the test tools
    /// are not installed.
    #[track_caller]
    pub(crate) fn new(accounts: Vec<Account>) -> Option<Self> {
        let tools = Tools::installed()?;
        let tokens = accounts
            .iter()
            .map(|account| account.token.clone())
            .collect();
        let github = FakeGitHub::start(&tools, accounts);
        let repository = github.create(REPO);
        // The branch is protected, and no check is required yet.
        github.require_checks(REPO, "main", &[]);

        let mut sandbox = Sandbox::new();
        sandbox.build_store();
        sandbox.set("GITHUB_REPOSITORY", REPO);
        sandbox.set("GITHUB_API_URL", github.api_url());
        sandbox.set("GITHUB_SERVER_URL", github.server_url());
        sandbox.set("PATCHGATE_PLAN_KEY", PLAN_KEY);

        Some(Self {
            sandbox,
            github,
            repository,
            tokens,
        })
    }

    /// Commits an example and a policy to `main`.
    pub(crate) fn commit_example(&self, name: &str, policy: &str) {
        let policy = format!("{policy}  plan-keys: [\"{PLAN_PUBLIC_KEY}\"]\n");
        let example = root().join("examples").join(name);
        self.repository.commit_directory("main", "start", &example);
        let policy = (".patchgate.yml", policy.as_bytes());
        self.repository.commit("main", "policy", &[policy]);
    }

    /// Makes `repo/` a fresh clone of the tip of `main`.
    #[track_caller]
    pub(crate) fn check_out(&self) {
        let clone = self.sandbox.path("repo");
        std::fs::remove_dir_all(&clone).unwrap();
        let output = Command::new("git")
            .args(["clone", "--quiet", "--branch=main"])
            .arg(self.repository.path())
            .arg(&clone)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();

        assert!(output.status.success(), "{output:?}");
    }

    /// Runs a command with the store, and checks that no token is printed.
    #[track_caller]
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Run {
        let mut arguments = vec![command, "--store", "store", "--max-age-days", "36500"];
        arguments.extend(more);
        let run = self.sandbox.run(&arguments);

        let printed = format!("{run:?}");
        for token in &self.tokens {
            assert!(!printed.contains(token), "a token is printed: {printed}");
        }
        assert!(!printed.contains(PLAN_KEY), "the key is printed: {printed}");
        run
    }

    /// Runs `patchgate pr` on the clone.
    #[track_caller]
    pub(crate) fn pr(&self) -> Run {
        self.run("pr", &["repo"])
    }

    /// Runs `patchgate gate` on a pull request; prints JSON.
    #[track_caller]
    pub(crate) fn gate(&self, number: u64, more: &[&str]) -> Run {
        let number = number.to_string();
        let mut arguments = vec!["--format", "json", "--pull-request", &number];
        arguments.extend(more);
        self.run("gate", &arguments)
    }

    /// A pull request by its number.
    #[track_caller]
    pub(crate) fn pull(&self, number: u64) -> PullRequest {
        self.github
            .pull_requests(REPO)
            .into_iter()
            .find(|pull| pull.number == number)
            .unwrap()
    }

    /// The only pull request.
    #[track_caller]
    pub(crate) fn only_pull(&self) -> PullRequest {
        let mut pulls = self.github.pull_requests(REPO);
        assert_eq!(pulls.len(), 1, "{pulls:#?}");
        pulls.remove(0)
    }

    /// Reports the check `test` of the app `app` on a commit; without a conclusion it is running.
    pub(crate) fn report_test(&self, app: &str, sha: &str, conclusion: Option<&str>) {
        self.github.report_check(REPO, sha, app, "test", conclusion);
    }

    /// Answers the next `times` matching requests with a status and nothing else.
    pub(crate) fn refuse(&self, method: &str, path_part: &str, status: u16, times: usize) {
        for _ in 0..times {
            self.github
                .before(method, path_part, 0, move || Some(Response::status(status)));
        }
    }

    /// Number of writes so far, through the API or by a push.
    pub(crate) fn writes(&self) -> usize {
        let api = self
            .github
            .requests()
            .iter()
            .filter(|request| request.method != "GET")
            .count();
        api + self.github.git().pushes().len()
    }

    /// Opens a pull request of `branch` by hand.
    #[track_caller]
    pub(crate) fn open_pull_request(&self, branch: &str) -> PullRequest {
        let body = serde_json::json!({
            "title": "a change", "head": branch, "base": "main", "body": "by hand",
        });
        let path = format!("/repos/{REPO}/pulls");
        let (status, answer) = call_api(&self.github.api_url(), TOKEN, "POST", &path, &body);
        assert_eq!(status, 201, "{answer:#}");
        self.pull(answer["number"].as_u64().unwrap())
    }

    /// Checks that every request and answer was one that GitHub's own description allows.
    #[track_caller]
    pub(crate) fn assert_contract_kept(&self) {
        assert_eq!(self.github.violations(), Vec::<String>::new());
    }
}

/// Edits a pull request as another user would. It takes an address, because an action that runs
/// during a request cannot borrow the forge.
#[track_caller]
pub(crate) fn edit_pull_request(api_url: &str, number: u64, change: &Value) {
    let path = format!("/repos/{REPO}/pulls/{number}");
    let (status, answer) = call_api(api_url, TOKEN, "PATCH", &path, change);
    assert_eq!(status, 200, "{answer:#}");
}

/// The codes of the reasons against a merge, without repetitions.
pub(crate) fn reasons_against(run: &Run) -> Vec<String> {
    let mut codes: Vec<String> = run.json()["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|reason| reason["verdict"] != "merge")
        .map(|reason| reason["code"].as_str().unwrap().to_owned())
        .collect();
    codes.dedup();
    codes
}
