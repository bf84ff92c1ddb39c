//! From a vulnerable repository to a judged and merged pull request: `patchgate pr` and `gate`
//! against a GitHub that keeps its contract, with real pushes.

use std::process::Command;

use patchgate_testkit::{Account, FakeGitHub, Permission, PullRequest, Repository, Tools};

use crate::support::sandbox::{Run, Sandbox};

const NAME: &str = "acme/orders";
const TOKEN: &str = "token-that-must-not-be-printed";
const POLICY: &str = "version: 1
gate:
  accounts: [\"github-actions[bot]\"]
  required-checks:
    - name: test
      app: github-actions
";

struct Story {
    sandbox: Sandbox,
    github: FakeGitHub,
    repository: Repository,
}

fn begin(account: Account) -> Option<Story> {
    let tools = Tools::installed()?;
    let github = FakeGitHub::start(&tools, vec![account]);
    let repository = github.create(NAME);
    let mut sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.write(".patchgate.yml", POLICY);
    sandbox.build_store();
    sandbox.allow_managers();
    sandbox.set("GITHUB_REPOSITORY", NAME);
    sandbox.set("GITHUB_API_URL", github.api_url());
    sandbox.set("GITHUB_SERVER_URL", github.server_url());
    sandbox.set("PATCHGATE_TOKEN", TOKEN);
    repository.commit_directory("main", "start", &sandbox.path("repo"));
    let story = Story {
        sandbox,
        github,
        repository,
    };
    story.check_out();

    Some(story)
}

impl Story {
    /// Makes `repo/` a fresh clone of the base branch.
    fn check_out(&self) {
        let directory = self.sandbox.path("repo");
        std::fs::remove_dir_all(&directory).unwrap();
        let status = Command::new("git")
            .args(["clone", "--quiet"])
            .arg(self.repository.path())
            .arg(&directory)
            .status()
            .unwrap();

        assert!(status.success());
    }

    fn pr(&self) -> Run {
        let run = self.sandbox.run(&[
            "pr",
            "--commit-author",
            "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>",
            "--store",
            "store",
            "--max-age-days",
            "36500",
            "--base",
            "main",
            "repo",
        ]);
        assert!(
            !format!("{run:?}").contains(TOKEN),
            "the token is printed: {run:?}"
        );

        run
    }

    fn gate(&self, merge: bool) -> Run {
        let number = self.pull().number.to_string();
        let mut arguments = vec![
            "gate",
            "--store",
            "store",
            "--max-age-days",
            "36500",
            "--format",
            "json",
            "--pull-request",
            &number,
        ];
        if merge {
            arguments.push("--merge");
        }

        let run = self.sandbox.run(&arguments);
        assert!(
            !format!("{run:?}").contains(TOKEN),
            "the token is printed: {run:?}"
        );

        run
    }

    /// The only pull request.
    #[track_caller]
    fn pull(&self) -> PullRequest {
        let mut pulls = self.github.pull_requests(NAME);
        assert_eq!(pulls.len(), 1, "{pulls:#?}");
        pulls.remove(0)
    }

    fn succeed(&self) {
        let head = self.pull().head_sha;
        self.github
            .report_check(NAME, &head, "github-actions", "test", Some("success"));
    }

    #[track_caller]
    fn contract_is_kept(&self) {
        assert_eq!(self.github.violations(), Vec::<String>::new());
    }
}

#[test]
fn a_vulnerability_is_found_proposed_judged_and_merged() {
    let Some(story) = begin(Account::workflow(TOKEN)) else {
        return;
    };
    // Found, fixed, pushed, proposed.
    story.pr().expect(0);
    let first = story.pull();
    assert!(first.open && first.base == "main");
    for text in ["RUSTSEC-2022-0013", "crossbeam-deque", "0.8.1"] {
        assert!(first.body.contains(text), "{}", first.body);
    }
    let lock = story
        .repository
        .file(&first.head_sha, "Cargo.lock")
        .unwrap();
    assert!(
        String::from_utf8(lock)
            .unwrap()
            .contains("name = \"regex\"\nversion = \"1.5.5\"")
    );

    // A second run changes nothing.
    let pushes = story.github.git().pushes().len();
    story.pr().expect(0);
    let second = story.pull();
    assert_eq!(
        (&second.head_sha, &second.title, &second.body),
        (&first.head_sha, &first.title, &first.body)
    );
    assert_eq!(story.github.git().pushes().len(), pushes);

    // The base moves: the same pull request is brought up to date.
    story
        .repository
        .commit("main", "unrelated", &[("NOTES.md", b"a note\n")]);
    story.check_out();
    story.pr().expect(0);
    let third = story.pull();
    assert_eq!(third.number, first.number);
    assert_ne!(third.head_sha, first.head_sha);
    let base = story.repository.tip("main").unwrap();
    assert_eq!(
        story
            .repository
            .git(&["merge-base", &base, &third.head_sha]),
        base
    );

    // No checks yet: a person decides. A failed one blocks. All well: merge.
    assert_eq!(story.gate(false).expect(10).json()["verdict"], "review");
    story.github.report_check(
        NAME,
        &third.head_sha,
        "github-actions",
        "test",
        Some("failure"),
    );
    assert_eq!(story.gate(true).expect(11).json()["verdict"], "block");
    story.succeed();
    assert_eq!(story.gate(false).expect(0).json()["verdict"], "merge");
    assert!(
        story.pull().open,
        "nothing is merged without being asked to"
    );

    // Merged is exactly what was judged.
    story.gate(true).expect(0);
    let merged = story.pull();
    assert!(merged.merge_commit.is_some());
    let tree = |revision: &str| {
        story
            .repository
            .git(&["rev-parse", &format!("{revision}^{{tree}}")])
    };
    assert_eq!(tree("main"), tree(&third.head_sha));

    // Nothing is left to do.
    story.check_out();
    story.pr().expect(0);
    assert!(story.pull().merge_commit.is_some());
    story.contract_is_kept();
}

#[test]
fn a_vulnerability_that_is_gone_closes_the_pull_request() {
    let Some(story) = begin(Account::workflow(TOKEN)) else {
        return;
    };

    story.pr().expect(0);
    let pull = story.pull();
    let fixed: Vec<(&str, Vec<u8>)> = ["Cargo.lock", "Cargo.toml"]
        .into_iter()
        .map(|path| (path, story.repository.file(&pull.head_sha, path).unwrap()))
        .collect();
    let files: Vec<(&str, &[u8])> = fixed
        .iter()
        .map(|(path, content)| (*path, content.as_slice()))
        .collect();
    story.repository.commit("main", "fixed by hand", &files);
    story.check_out();
    story.pr().expect(0);

    assert!(!story.pull().open);
    assert!(
        !story.github.comments(NAME).is_empty(),
        "closed without a word"
    );

    story.contract_is_kept();
}

#[test]
fn a_head_that_moves_while_it_is_judged_is_not_merged() {
    let Some(story) = begin(Account::workflow(TOKEN)) else {
        return;
    };

    story.pr().expect(0);
    story.succeed();
    let pull = story.pull();
    let (repository, branch) = (story.repository.clone(), pull.head.clone());
    story.github.before("PUT", "/merge", 0, move || {
        repository.commit(&branch, "slipped in", &[("evil.sh", b"echo\n")]);
        None
    });
    let run = story.gate(true);

    assert_eq!(run.code, 10, "{run:?}");
    assert!(story.pull().open);
    assert_eq!(story.repository.file("main", "evil.sh"), None);
}

#[test]
fn a_commit_outside_the_plan_is_blocked() {
    let Some(story) = begin(Account::workflow(TOKEN)) else {
        return;
    };

    story.pr().expect(0);
    let pull = story.pull();
    story.repository.commit(
        &pull.head,
        "more",
        &[("server/src/main.rs", b"fn main() {}\n")],
    );
    story.succeed();
    let run = story.gate(true);

    assert!(run.code == 10 || run.code == 11, "{run:?}");
    assert!(story.pull().open);
}

#[test]
fn the_policy_is_read_from_the_base_and_not_from_the_head() {
    let Some(story) = begin(Account::workflow(TOKEN)) else {
        return;
    };

    story.pr().expect(0);
    let pull = story.pull();
    let loose = b"version: 1\ngate:\n  any-check: true\n";
    story
        .repository
        .commit(&pull.head, "loosen", &[(".patchgate.yml", loose)]);
    story.succeed();
    let run = story.gate(true);

    assert!(run.code == 10 || run.code == 11, "{run:?}");
    assert!(story.pull().open);
}

#[test]
fn a_token_without_a_permission_is_refused_with_its_name() {
    let mut account = Account::workflow(TOKEN);
    account.may_write = vec![Permission::Contents];
    let Some(story) = begin(account) else { return };
    let run = story.pr();

    assert!(run.code == 2 || run.code == 3, "{run:?}");
    assert!(run.stderr.contains("pull-requests"), "{}", run.stderr);

    let mut reader = Account::workflow(TOKEN);
    reader.may_write = vec![Permission::PullRequests];
    let Some(story) = begin(reader) else { return };
    let run = story.pr();

    assert!(run.code == 2 || run.code == 3, "{run:?}");
    assert!(run.stderr.contains("contents"), "{}", run.stderr);
}
