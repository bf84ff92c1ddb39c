//! `patchgate pr`, from the first pull request to its merge: the real npm, real pushes over git
//! HTTP, a GitHub that keeps to GitHub's own contract.

use std::process::Command;

use patchgate_testkit::{Account, FakeGitHub, Permission, PullRequest, Repository, Tools};

use crate::support::sandbox::{Run, Sandbox, root};

const NAME: &str = "acme/storefront";
const TOKEN: &str = "ghs_tokenthatmustnotbeprinted01";
const READER: &str = "ghs_readonlytokennottobeprinted2";
const POLICY: &str = "version: 1
gate:
  accounts: [\"github-actions[bot]\"]
  allow-new-packages: true
  required-checks:
    - name: test
      app: ci
";

/// A repository on the forge with its clone at `repo/`.
struct Story {
    github: FakeGitHub,
    repository: Repository,
    sandbox: Sandbox,
}

impl Story {
    /// The npm example on `main`; `None` where the tools are not installed.
    fn begin() -> Option<Self> {
        let tools = Tools::installed()?;
        let reader = Account {
            token: READER.to_owned(),
            may_write: vec![Permission::PullRequests],
            ..Account::workflow(TOKEN)
        };
        let github = FakeGitHub::start(&tools, vec![Account::workflow(TOKEN), reader]);
        let repository = github.create(NAME);
        let mut sandbox = Sandbox::new();
        sandbox.build_store();
        sandbox.allow_managers();
        sandbox.set("GITHUB_REPOSITORY", NAME);
        sandbox.set("GITHUB_API_URL", github.api_url());
        sandbox.set("GITHUB_SERVER_URL", github.server_url());
        sandbox.set("GITHUB_ACTIONS", "true");
        sandbox.set("GITHUB_TOKEN", TOKEN);
        let example = root().join("examples/npm-workspace");
        repository.commit_directory("main", "start", &example);
        repository.commit("main", "policy", &[(".patchgate.yml", POLICY.as_bytes())]);
        let story = Self {
            github,
            repository,
            sandbox,
        };
        story.check_out();

        Some(story)
    }

    /// Puts a fresh clone of the tip of `main` at `repo/`.
    fn check_out(&self) {
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

    /// Runs a command on the clone, and sees to it that no token is printed.
    fn run(&self, command: &str, more: &[&str]) -> Run {
        let mut arguments = vec![command, "--store", "store", "--max-age-days", "36500"];
        arguments.extend(more);
        let run = self.sandbox.run(&arguments);
        for secret in [TOKEN, READER] {
            assert!(
                !format!("{run:?}").contains(secret),
                "the token is printed: {run:?}"
            );
        }

        run
    }

    fn pr(&self) -> Run {
        self.run("pr", &["repo"])
    }

    fn gate(&self, number: u64, more: &[&str]) -> Run {
        let number = number.to_string();
        let mut arguments = vec!["--format", "json", "--pull-request", &number];
        arguments.extend(more);
        self.run("gate", &arguments)
    }

    fn pull(&self, number: u64) -> PullRequest {
        self.github
            .pull_requests(NAME)
            .into_iter()
            .find(|pull| pull.number == number)
            .unwrap()
    }

    /// The only pull request.
    fn only(&self) -> PullRequest {
        let pulls = self.github.pull_requests(NAME);
        assert_eq!(pulls.len(), 1, "{pulls:#?}");
        pulls[0].clone()
    }

    /// How many calls wrote something, through the API or by a push.
    fn writes(&self) -> usize {
        let api = self
            .github
            .requests()
            .iter()
            .filter(|request| request.method != "GET")
            .count();
        api + self.github.git().pushes().len()
    }

    /// Takes the fix into `main`, as a person would.
    fn fix_by_hand(&self) {
        self.run("fix", &["--apply", "repo"]);
        let lock = std::fs::read(self.sandbox.path("repo/package-lock.json")).unwrap();

        let mut files = vec![("package-lock.json".to_owned(), lock)];
        for entry in std::fs::read_dir(self.sandbox.path("repo/packages")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("packages/{name}/package.json");
            let content = std::fs::read(self.sandbox.path("repo").join(&path)).unwrap();
            files.push((path, content));
        }

        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
            .collect();
        self.repository.commit("main", "updates", &files);
        self.check_out();
    }

    fn kept_the_contract(&self) {
        assert_eq!(self.github.violations(), Vec::<String>::new());
    }
}

/// The text with what differs from run to run written as names.
fn settled(text: &str, story: &Story, pull: &PullRequest) -> String {
    let base = story.repository.tip("main").unwrap();
    let mut text = text
        .replace(&pull.head_sha, "HEAD-COMMIT")
        .replace(&base, "BASE-COMMIT");
    for key in ["decision", "content"] {
        let marker = format!("\"{key}\":\"");
        if let Some((before, rest)) = text.split_once(&marker) {
            let after = rest.split_once('"').map_or("", |(_, after)| after);
            text = format!("{before}{marker}DIGEST\"{after}");
        }
    }
    // How npm lays out an entry is npm's: it differs between its versions.
    let lines = text.lines().map(|line| {
        if line.starts_with("- `package-lock.json` (+") {
            "- `package-lock.json` (+ADDED -REMOVED)"
        } else {
            line
        }
    });

    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_run_opens_a_pull_request_and_the_second_changes_nothing() {
    let Some(story) = Story::begin() else {
        return;
    };
    let run = story.pr().expect(0);
    let pull = story.only();
    assert!(
        run.stdout.starts_with(&format!("opened #{} ", pull.number)),
        "{run:?}"
    );
    assert!(pull.head.starts_with("patchgate/fix-"), "{}", pull.head);
    assert_eq!(pull.base, "main");
    assert!(pull.open && !pull.draft);
    insta::assert_snapshot!(
        "pull_request",
        format!("{}\n\n{}", pull.title, settled(&pull.body, &story, &pull))
    );
    carries_what_fix_gives(&story, &pull);

    let writes = story.writes();
    let run = story.pr().expect(0);
    assert!(
        run.stdout
            .starts_with(&format!("unchanged #{} ", pull.number)),
        "{run:?}"
    );
    assert_eq!(story.writes(), writes, "the second run wrote");
    story.kept_the_contract();
}

/// The commit stands on `main` and differs from it in exactly the files that `fix --apply` writes.
#[track_caller]
fn carries_what_fix_gives(story: &Story, pull: &PullRequest) {
    let git = |arguments: &[&str]| story.repository.git(arguments);
    assert_eq!(
        git(&["rev-parse", &format!("{}^", pull.head_sha)]),
        story.repository.tip("main").unwrap()
    );

    let changed = git(&["diff", "--name-only", "main", &pull.head_sha]);
    let changed: Vec<&str> = changed.lines().collect();

    assert!(changed.contains(&"package-lock.json"), "{changed:?}");

    story.run("fix", &["--apply", "repo"]).expect(0);
    let clone = story.sandbox.path("repo");
    let status = Command::new("git")
        .args(["diff", "--name-only"])
        .current_dir(&clone)
        .output()
        .unwrap();
    let written = String::from_utf8(status.stdout).unwrap();

    assert_eq!(written.lines().collect::<Vec<_>>(), changed);
    for path in changed {
        assert!(
            story.repository.file(&pull.head_sha, path)
                == Some(std::fs::read(clone.join(path)).unwrap()),
            "`{path}` is not what fix writes"
        );
    }

    story.check_out();
}

#[test]
fn a_moved_base_updates_the_pull_request_and_a_fixed_one_closes_it() {
    let Some(story) = Story::begin() else {
        return;
    };
    story.pr().expect(0);
    let first = story.only();
    let tip = story
        .repository
        .commit("main", "unrelated", &[("NOTES.md", b"a note\n")]);
    story.check_out();
    let run = story.pr().expect(0);
    assert!(
        run.stdout
            .starts_with(&format!("updated #{} ", first.number)),
        "{run:?}"
    );
    let second = story.only();
    assert_eq!(second.head, first.head);
    assert_ne!(second.head_sha, first.head_sha);
    assert_eq!(
        story
            .repository
            .git(&["rev-parse", &format!("{}^", second.head_sha)]),
        tip
    );
    assert!(second.body.contains(&second.head_sha));

    // A store that lacks the ecosystem knows nothing, and closes nothing.
    let cargo = root().join("examples/advisories/crates.io");
    let feeds = root().join("examples/advisories/feeds");
    let from = story.sandbox.path("cargo-only");
    crate::support::sandbox::copy(&cargo, &from.join("crates.io"));
    crate::support::sandbox::copy(&feeds, &from.join("feeds"));
    let from = from.to_string_lossy();
    story
        .sandbox
        .run(&["db", "build", "--from", &from, "--into", "lacking"])
        .expect(0);
    let writes = story.writes();
    let run = story
        .sandbox
        .run(&[
            "pr",
            "--store",
            "lacking",
            "--max-age-days",
            "36500",
            "repo",
        ])
        .expect(3);
    assert!(
        run.stdout.contains(&format!("left #{} ", first.number)),
        "{run:?}"
    );
    assert!(story.only().open);
    assert_eq!(story.writes(), writes, "an incomplete run wrote");

    story.fix_by_hand();
    let run = story.pr().expect(0);
    assert!(
        run.stdout
            .starts_with(&format!("closed #{} ", first.number)),
        "{run:?}"
    );
    assert!(!story.only().open);
    assert_eq!(story.repository.branches(), ["main"]);
    let comments = story.github.comments(NAME);
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(
        comments[0]
            .body
            .contains("no longer has the vulnerabilities"),
        "{comments:?}"
    );
    let writes = story.writes();
    let run = story.pr().expect(0);
    assert_eq!(run.stdout, "no pull request: none is needed\n");
    assert_eq!(story.writes(), writes);
    story.kept_the_contract();
}

#[test]
fn a_token_that_may_not_push_is_refused_with_the_missing_permission() {
    let Some(mut story) = Story::begin() else {
        return;
    };
    story.sandbox.set("PATCHGATE_TOKEN", READER);
    let run = story.pr().expect(3);
    assert!(run.stderr.contains("may not push"), "{run:?}");
    assert!(run.stderr.contains("`contents: write`"), "{run:?}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
    assert!(story.github.pull_requests(NAME).is_empty());
    assert_eq!(story.repository.branches(), ["main"]);

    story.sandbox.set("PATCHGATE_TOKEN", "ghs_wrong0123456789");
    let run = story.pr().expect(3);
    assert!(run.stderr.contains("the token is not valid"), "{run:?}");
    assert!(!format!("{run:?}").contains("ghs_wrong"), "{run:?}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
}

#[test]
fn a_branch_with_commits_of_another_author_is_left_alone() {
    let Some(story) = Story::begin() else {
        return;
    };

    story.pr().expect(0);
    let pull = story.only();
    let theirs = story
        .repository
        .commit(&pull.head, "by hand", &[("NOTES.md", b"a note\n")]);
    let writes = story.writes();
    let run = story.pr();

    assert!(
        run.stdout.starts_with(&format!("left #{} ", pull.number)),
        "{run:?}"
    );
    assert!(
        run.stdout.contains("commits that Patchgate did not make"),
        "{run:?}"
    );
    assert_eq!(story.repository.tip(&pull.head), Some(theirs));
    assert_eq!(story.writes(), writes);

    let verdict = story.gate(pull.number, &["--merge"]).expect(10);
    assert_eq!(verdict.json()["merged"], false);

    story.kept_the_contract();
}

#[test]
fn the_gate_waits_for_the_checks_and_merges_exactly_what_it_judged() {
    let Some(story) = Story::begin() else {
        return;
    };

    story.pr().expect(0);
    let pull = story.only();
    let waiting = story.gate(pull.number, &["--merge"]).expect(10);

    assert!(story.only().open);

    story
        .github
        .report_check(NAME, &pull.head_sha, "ci", "test", Some("success"));
    let merged = story.gate(pull.number, &["--merge"]).expect(0);
    let report = merged.json();

    assert_eq!(report["merged"], true);
    assert_eq!(report["head_sha"], pull.head_sha.as_str());

    let after = story.pull(pull.number);
    let merge = after.merge_commit.expect("it is merged");

    assert_eq!(
        story.repository.git(&["rev-parse", "main"]),
        merge,
        "main is not the merge"
    );
    assert_eq!(
        story
            .repository
            .git(&["rev-parse", &format!("{merge}^{{tree}}")]),
        story
            .repository
            .git(&["rev-parse", &format!("{}^{{tree}}", pull.head_sha)]),
        "more or less than the judged head was merged"
    );
    for run in [waiting, merged] {
        fits("gate", &run.json());
    }

    story.kept_the_contract();
}

#[test]
fn the_action_sets_its_outputs_and_no_child_process_sees_the_token() {
    let Some(mut story) = Story::begin() else {
        return;
    };
    let seen = spy_on_children(&mut story.sandbox);
    for (name, file) in [
        ("GITHUB_OUTPUT", "outputs"),
        ("GITHUB_STEP_SUMMARY", "summary"),
    ] {
        let path = story.sandbox.path(file);
        story.sandbox.set(name, path.to_string_lossy());
    }
    story.sandbox.set("PATCHGATE_TOKEN", TOKEN);
    let common = format!(
        "\"token\":\"{TOKEN}\",\"store\":\"store\",\"max-age-days\":\"36500\",\"format\":\"json\""
    );
    let inputs = format!("{{\"command\":\"pr\",\"path\":\"repo\",{common}}}");
    story.sandbox.set("PATCHGATE_INPUTS", inputs);
    let run = story.sandbox.run(&["action"]).expect(0);
    assert!(!format!("{run:?}").contains(TOKEN), "{run:?}");
    let pull = story.only();
    let report = run.json();
    fits("pr", &report);
    assert_eq!(report["action"], "opened");
    assert_eq!(report["pull_request"]["number"], pull.number);
    assert_eq!(report["branch"], pull.head.as_str());
    assert_eq!(report["commit"], pull.head_sha.as_str());
    assert_eq!(report["upgrades"].as_array().unwrap().len(), 6);
    assert!(
        report["warnings"][0]
            .as_str()
            .unwrap()
            .contains("no workflow runs"),
        "{report:#}"
    );
    let number = pull.number;
    let outputs = std::fs::read_to_string(story.sandbox.path("outputs")).unwrap();
    assert_eq!(
        outputs,
        format!("pull-request={number}\nfindings=10\nhighest-score=94.8\n")
    );

    let inputs = format!("{{\"command\":\"gate\",\"pull-request\":\"{number}\",{common}}}");
    story.sandbox.set("PATCHGATE_INPUTS", inputs);
    story.sandbox.run(&["action"]).expect(10);
    let outputs = std::fs::read_to_string(story.sandbox.path("outputs")).unwrap();
    assert!(
        outputs.ends_with(&format!("verdict=review\npull-request={number}\n")),
        "{outputs}"
    );
    let summary = std::fs::read_to_string(story.sandbox.path("summary")).unwrap();
    for part in ["## Patchgate pull request", "jquery", "checks-required"] {
        assert!(summary.contains(part), "no {part:?} in:\n{summary}");
    }
    let seen = std::fs::read_to_string(seen).unwrap();
    for program in ["npm ", "git "] {
        assert!(seen.contains(program), "{program}was not seen:\n{seen}");
    }
    for text in [seen, summary] {
        assert!(!text.contains(TOKEN), "the token leaked:\n{text}");
    }
}

/// Puts programs before npm and git that note their arguments and environment.
fn spy_on_children(sandbox: &mut Sandbox) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = sandbox.path("spies");
    std::fs::create_dir(&directory).unwrap();
    let seen = sandbox.path("seen");
    let path = std::env::var("PATH").unwrap();
    for program in ["npm", "git"] {
        let script = format!(
            "#!/bin/sh\n{{ echo \"{program} $*\"; env; }} >> '{}'\nPATH='{path}'\nexec {program} \"$@\"\n",
            seen.display()
        );
        let spy = directory.join(program);
        std::fs::write(&spy, script).unwrap();
        std::fs::set_permissions(&spy, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    sandbox.set("PATH", format!("{}:{path}", directory.display()));
    seen
}

/// Whether a report is what its published schema says.
#[track_caller]
fn fits(schema: &str, report: &serde_json::Value) {
    let path = root().join(format!("schemas/{schema}.schema.json"));
    let schema = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{report:#}");
}
