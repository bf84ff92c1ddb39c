//! `patchgate pr` and `patchgate gate` from end to end on a real Gitea, with the real npm and real
//! pushes.

use std::process::Command;

use patchgate_testkit::{GiteaRepository, GiteaServer, GiteaUser, Tools};
use serde_json::{Value, json};

use crate::support::forge_sandbox::reasons_against;
use crate::support::sandbox::{Run, Sandbox, root};

/// The policy with the ids of `patchgate-bot` and `jane`.
fn policy(bot: u64, person: u64) -> String {
    format!(
        "version: 1
gate:
  accounts: [{{ login: patchgate-bot, id: {bot} }}]
  allow-new-packages: true
  required-checks:
    - name: test
      account: {{ login: jane, id: {person} }}
"
    )
}

/// The npm example on `main` of a repository of `jane`, with its clone at `repo/`.
pub(super) struct OnGitea {
    pub(super) sandbox: Sandbox,
    pub(super) server: GiteaServer,
    pub(super) person: GiteaUser,
    pub(super) bot: GiteaUser,
    pub(super) repository: GiteaRepository,
}

impl OnGitea {
    #[track_caller]
    pub(super) fn new() -> Option<Self> {
        let server = GiteaServer::start(&Tools::installed()?)?;
        let person = server.user("jane", "all");
        let bot = server.user("patchgate-bot", "write:repository,write:issue,read:user");
        let repository = server.repository(&person, "storefront", &bot);
        let example = root().join("examples/npm-workspace");
        repository.commit_directory("main", "start", &example);
        let id = |login: &str| {
            let path = format!("/users/{login}");
            let user = server.expect(&person, "GET", &path, &Value::Null, 200);
            user["id"].as_u64().unwrap()
        };
        let policy = policy(id("patchgate-bot"), id("jane"));
        repository.commit("main", "policy", &[(".patchgate.yml", policy.as_bytes())]);
        server.wait_for_push(&person, "storefront");

        // The variables of a job of Gitea's own Actions, which sets GitHub's too.
        let mut sandbox = Sandbox::new();
        sandbox.build_store();
        sandbox.allow_managers();
        for (name, value) in [
            ("GITEA_ACTIONS", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "jane/storefront"),
            ("GITHUB_SERVER_URL", &server.url()),
            ("GITHUB_TOKEN", "a token that is for another forge"),
            ("GITEA_TOKEN", &bot.token),
        ] {
            sandbox.set(name, value);
        }

        let forge = Self {
            sandbox,
            server,
            person,
            bot,
            repository,
        };
        forge.check_out();
        Some(forge)
    }

    /// Makes `repo/` a fresh clone of the tip of `main`.
    #[track_caller]
    pub(super) fn check_out(&self) {
        self.repository.fetch();
        let clone = self.sandbox.path("repo");
        std::fs::remove_dir_all(&clone).unwrap();
        let output = Command::new("git")
            .args(["clone", "--quiet", "--branch=main"])
            .arg(self.repository.scratch().path())
            .arg(&clone)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    /// Runs a command with the store, and checks that the token is not printed.
    #[track_caller]
    pub(super) fn run(&self, command: &str, more: &[&str]) -> Run {
        let mut arguments = vec![command, "--store", "store", "--max-age-days", "36500"];
        arguments.extend(more);
        let run = self.sandbox.run(&arguments);
        assert!(!format!("{run:?}").contains(&self.bot.token), "{run:?}");
        run
    }

    #[track_caller]
    pub(super) fn pr(&self, more: &[&str], begins: &str) -> Run {
        let run = self.run("pr", &[more, &["repo"]].concat());
        assert!(run.stdout.starts_with(begins), "not `{begins}`: {run:?}");
        run
    }

    #[track_caller]
    pub(super) fn get(&self, path: &str) -> Value {
        let path = format!("/repos/jane/storefront{path}");
        self.server
            .expect(&self.person, "GET", &path, &Value::Null, 200)
    }

    /// Protects `main` against direct pushes.
    fn protect_main(&self) {
        let path = "/repos/jane/storefront/branch_protections";
        let body = json!({ "rule_name": "main", "enable_push": false });
        self.server.expect(&self.person, "POST", path, &body, 201);
    }

    pub(super) fn pull(&self, number: u64) -> Value {
        self.get(&format!("/pulls/{number}"))
    }

    fn report_test(&self, commit: &str, state: &str) {
        let path = format!("/repos/jane/storefront/statuses/{commit}");
        let body = json!({ "context": "test", "state": state });
        self.server.expect(&self.person, "POST", &path, &body, 201);
    }

    /// The newest status of the gate on a commit.
    fn gate_status(&self, commit: &str) -> Option<String> {
        let statuses = self.get(&format!("/commits/{commit}/statuses?sort=recentupdate"));
        let statuses = statuses.as_array().unwrap();
        let newest = statuses
            .iter()
            .filter(|status| status["context"] == "patchgate")
            .max_by_key(|status| status["id"].as_u64())?;
        Some(newest["status"].as_str().unwrap().to_owned())
    }
}

#[test]
fn a_pull_request_is_opened_kept_renewed_and_superseded() {
    let Some(forge) = OnGitea::new() else {
        return;
    };
    forge.pr(&["--label", "security", "--max-steps", "1"], "opened #1 ");
    let first = forge.pull(1);
    let head = first["head"]["sha"].as_str().unwrap();
    let branch = first["head"]["ref"].as_str().unwrap();
    assert_eq!(first["user"]["login"], "patchgate-bot");
    assert_eq!(first["labels"][0]["name"], "security");

    // The commit changes what `fix` changes.
    forge.run("fix", &["--apply", "--max-steps", "1", "repo"]);
    forge.repository.fetch();
    let lock = forge.repository.scratch().file(head, "package-lock.json");
    assert_eq!(
        lock.unwrap(),
        forge.sandbox.text("package-lock.json").into_bytes()
    );
    forge.check_out();

    // Nothing changes without a reason.
    let updated = first["updated_at"].clone();
    forge.pr(
        &["--label", "security", "--max-steps", "1"],
        "unchanged #1 ",
    );
    assert_eq!(forge.pull(1)["updated_at"], updated);
    assert_eq!(forge.repository.tip(branch).as_deref(), Some(head));

    // A moved base renews it.
    let base = forge
        .repository
        .commit("main", "a note", &[("NOTES.md", b"x\n")]);
    forge.check_out();
    forge.pr(&["--label", "security", "--max-steps", "1"], "updated #1 ");
    let renewed = forge.repository.tip(branch).unwrap();
    assert_ne!(renewed, head);
    let parent = format!("{renewed}^");
    assert_eq!(
        forge.repository.scratch().git(&["rev-parse", &parent]),
        base
    );

    // A larger plan supersedes it, with a link.
    let run = forge.pr(&[], "opened #2 ");
    assert!(run.stdout.contains("closed #1 "), "{run:?}");
    assert_eq!(forge.pull(1)["state"], "closed");
    let comments = forge.get("/issues/1/comments");
    assert_eq!(comments.as_array().unwrap().len(), 1, "{comments:#}");
    let text = comments[0]["body"].as_str().unwrap();
    assert!(text.ends_with("Superseded by #2."), "{text}");
    assert_eq!(forge.repository.tip(branch), None);
}

#[test]
fn the_gate_reports_a_status_and_merges_exactly_what_it_judged() {
    let Some(forge) = OnGitea::new() else {
        return;
    };
    forge.pr(&[], "opened #1 ");
    let head = forge.pull(1)["head"]["sha"].as_str().unwrap().to_owned();
    let gate = |more: &[&str]| {
        let common = ["--pull-request", "1", "--format", "json"];
        forge.run("gate", &[&common[..], more].concat())
    };

    // Whoever may push to the base may change the policy.
    let unprotected = gate(&["--merge"]).expect(10);
    assert!(
        reasons_against(&unprotected).contains(&"base-protected".to_owned()),
        "{unprotected:?}"
    );
    forge.protect_main();

    // Without the test it waits, also among all that are open, and a failed test is no reason to merge.
    let waiting = gate(&["--merge"]).expect(10).json();
    assert_eq!(waiting["merged"], false);
    assert_eq!(forge.gate_status(&head).as_deref(), Some("pending"));
    let run = forge.run("gate", &["--all"]).expect(10);
    assert!(run.stdout.starts_with("#1\nreview: "), "{run:?}");
    forge.report_test(&head, "failure");
    gate(&["--merge"]);
    assert_eq!(forge.pull(1)["merged"], false);

    // Gitea does not state trees, so that only a plan that is computed again is a proof.
    forge.report_test(&head, "success");
    let unproved = gate(&["--merge"]).expect(10);
    assert_eq!(reasons_against(&unproved), ["plan-proof"]);
    forge
        .run("fix", &["repo", "--plan-digest", "plan.json"])
        .expect(0);
    let merged = gate(&["--merge", "--plan-digest", "plan.json"])
        .expect(0)
        .json();
    assert_eq!(merged["merged"], true);
    assert_eq!(merged["head_sha"], head.as_str());
    assert_eq!(forge.gate_status(&head).as_deref(), Some("success"));
    assert_eq!(forge.pull(1)["merged"], true);
    let tree = |revision: &str| {
        let revision = format!("{revision}^{{tree}}");
        forge.repository.scratch().git(&["rev-parse", &revision])
    };
    let main = forge.repository.tip("main").unwrap();
    assert_eq!(tree(&main), tree(&head), "something else was merged");
    let arguments = ["show", "--no-patch", "--format=%s", &main];
    let title = forge.repository.scratch().git(&arguments);
    assert_eq!(title, "Update vulnerable dependencies (#1)");
}
