//! `patchgate gate` on pull requests that people made, and with evidence that cannot be read.

use std::io::{Read as _, Write as _};

use patchgate_testkit::{Account, FakeGitHub, Repository, Tools};

use crate::support::sandbox::{Run, Sandbox};

const NAME: &str = "acme/orders";
const TOKEN: &str = "token-that-must-not-be-printed";

/// A repository with a policy and a pull request, number 2, that changes these files.
fn sandbox(files: &[(&str, &[u8])]) -> Option<(Sandbox, FakeGitHub, Repository)> {
    let tools = Tools::installed()?;
    let github = FakeGitHub::start(&tools, vec![Account::workflow(TOKEN)]);
    let repository = github.create(NAME);
    let mut sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.write(
        ".patchgate.yml",
        "version: 1\ngate:\n  accounts: [\"github-actions[bot]\"]\n  any-check: true\n",
    );
    sandbox.build_store();
    sandbox.set("GITHUB_REPOSITORY", NAME);
    sandbox.set("GITHUB_API_URL", github.api_url());
    sandbox.set("GITHUB_SERVER_URL", github.server_url());
    sandbox.set("PATCHGATE_TOKEN", TOKEN);
    let base = repository.commit_directory("main", "start", &sandbox.path("repo"));
    repository.git(&["branch", "change", &base]);
    repository.commit("change", "a change", files);
    open_pull_request(&github);

    Some((sandbox, github, repository))
}

fn open_pull_request(github: &FakeGitHub) {
    let body = r#"{"title": "a change", "head": "change", "base": "main", "body": "by hand"}"#;
    let address = github.api_url().replace("http://", "");
    let mut connection = std::net::TcpStream::connect(&address).unwrap();
    write!(
        connection,
        "POST /repos/{NAME}/pulls HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
         User-Agent: test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

fn gate(sandbox: &Sandbox, number: u64, more: &[&str]) -> Run {
    let number = number.to_string();
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
    arguments.extend(more);
    let run = sandbox.run(&arguments);

    assert!(
        !format!("{run:?}").contains(TOKEN),
        "the token is printed: {run:?}"
    );
    run
}

#[test]
fn a_change_that_is_no_plan_of_patchgate_is_never_merged() {
    let Some((sandbox, github, _repository)) =
        sandbox(&[("server/src/main.rs", b"fn main() {}\n")])
    else {
        return;
    };
    let pull = github.pull_requests(NAME).remove(0);
    github.report_check(
        NAME,
        &pull.head_sha,
        "github-actions",
        "test",
        Some("success"),
    );
    let run = gate(&sandbox, pull.number, &["--merge"]);

    assert!(run.code == 10 || run.code == 11, "{run:?}");

    let report = run.json();
    assert_ne!(report["verdict"], "merge");
    assert!(
        !report["reasons"].as_array().unwrap().is_empty(),
        "{report:#}"
    );
    assert!(github.pull_requests(NAME)[0].open);
    assert_eq!(github.violations(), Vec::<String>::new());
}

#[test]
fn the_verdict_is_a_check_run_on_the_judged_head() {
    let Some((sandbox, github, _repository)) = sandbox(&[("NOTES.md", b"a note\n")]) else {
        return;
    };
    let pull = github.pull_requests(NAME).remove(0);
    gate(&sandbox, pull.number, &[]);
    let checks = github.check_runs(NAME);

    assert_eq!(checks.len(), 1, "{checks:#?}");
    assert_eq!(checks[0].head_sha, pull.head_sha);
    assert_ne!(checks[0].conclusion.as_deref(), Some("success"));
    assert_eq!(github.violations(), Vec::<String>::new());
}

#[test]
fn a_workflow_in_the_change_is_told_and_never_merged() {
    let files: &[(&str, &[u8])] = &[(".github/workflows/ci.yml", b"on: push\njobs: {}\n")];
    let Some((sandbox, github, _repository)) = sandbox(files) else {
        return;
    };
    let pull = github.pull_requests(NAME).remove(0);
    github.report_check(
        NAME,
        &pull.head_sha,
        "github-actions",
        "test",
        Some("success"),
    );
    let run = gate(&sandbox, pull.number, &["--merge"]);

    assert!(run.code == 10 || run.code == 11, "{run:?}");
    assert!(
        run.stdout.contains(".github/workflows/ci.yml"),
        "{}",
        run.stdout
    );
    assert!(github.pull_requests(NAME)[0].open);
}

#[test]
fn evidence_that_cannot_be_read_is_review_at_best() {
    for part in ["/files", "/commits", "/check-runs", "/reviews"] {
        let Some((sandbox, github, _repository)) = sandbox(&[("NOTES.md", b"a note\n")]) else {
            return;
        };
        let pull = github.pull_requests(NAME).remove(0);
        for _ in 0..20 {
            github.before("GET", part, 0, || {
                Some(patchgate_testkit::Response::status(404))
            });
        }

        let run = gate(&sandbox, pull.number, &["--merge"]);
        assert!(run.code == 10 || run.code == 11, "{part}: {run:?}");
        assert!(github.pull_requests(NAME)[0].open, "{part}");
    }
}

#[test]
fn a_pull_request_that_is_not_there_is_not_merged() {
    let Some((sandbox, _github, _repository)) = sandbox(&[("NOTES.md", b"a note\n")]) else {
        return;
    };
    let run = gate(&sandbox, 99, &["--merge"]);
    assert!([2, 3, 10].contains(&run.code), "{run:?}");
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert!(printed.contains("99"), "{printed}");
}
