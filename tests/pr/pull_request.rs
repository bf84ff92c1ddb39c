//! `patchgate pr` on an npm workspace, with the real npm and real pushes, against a fake GitHub that
//! checks its contract.

use std::process::Command;

use patchgate_testkit::{Permission, PullRequest};

use crate::support::forge_sandbox::{ForgeSandbox, READ_ONLY_TOKEN, REPO, TOKEN, reader, writer};
use crate::support::sandbox::{Sandbox, copy, root};

const POLICY: &str = "version: 1
gate:
  accounts: [{ login: \"github-actions[bot]\", id: 41898282 }]
  trust-any-workflow: true
  allow-new-packages: true
  required-checks:
    - name: test
      app: ci
";

/// The npm example on `main` with its clone at `repo/`, in a workflow with its own token.
#[track_caller]
fn npm_workspace() -> Option<ForgeSandbox> {
    let mut forge = ForgeSandbox::new(vec![writer(), reader(&[Permission::PullRequests])])?;
    forge.sandbox.set("GITHUB_ACTIONS", "true");
    forge.sandbox.set("GITHUB_TOKEN", TOKEN);
    forge.sandbox.allow_managers();
    forge.commit_example("npm-workspace", POLICY);
    forge.check_out();
    Some(forge)
}

/// Commits the fix to `main`, as a person would.
fn fix_by_hand(forge: &ForgeSandbox) {
    forge.run("fix", &["--apply", "repo"]);
    let lock = std::fs::read(forge.sandbox.path("repo/package-lock.json")).unwrap();

    let mut files = vec![("package-lock.json".to_owned(), lock)];
    for entry in std::fs::read_dir(forge.sandbox.path("repo/packages")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("packages/{name}/package.json");
        let content = std::fs::read(forge.sandbox.path("repo").join(&path)).unwrap();
        files.push((path, content));
    }

    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_slice()))
        .collect();
    forge.repository.commit("main", "updates", &files);
    forge.check_out();
}

/// Replaces everything in a text that differs from run to run by a name.
fn normalize(text: &str, forge: &ForgeSandbox, pull: &PullRequest) -> String {
    let base = forge.repository.tip("main").unwrap();
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
    // Versions of npm differ in the number of lines of an entry.
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
    let Some(forge) = npm_workspace() else {
        return;
    };
    let run = forge.pr().expect(0);
    let pull = forge.only_pull();
    assert!(
        run.stdout.starts_with(&format!("opened #{} ", pull.number)),
        "{run:?}"
    );
    assert!(pull.head.starts_with("patchgate/fix-"), "{}", pull.head);
    assert_eq!(pull.base, "main");
    assert!(pull.open && !pull.draft);
    insta::assert_snapshot!(
        "pull_request",
        format!("{}\n\n{}", pull.title, normalize(&pull.body, &forge, &pull))
    );
    carries_what_fix_gives(&forge, &pull);

    let writes = forge.writes();
    let run = forge.pr().expect(0);
    assert!(
        run.stdout
            .starts_with(&format!("unchanged #{} ", pull.number)),
        "{run:?}"
    );
    assert_eq!(forge.writes(), writes, "the second run wrote");
    forge.assert_contract_kept();
}

/// Checks that the commit is on top of `main` and changes exactly the files that `fix --apply` writes.
#[track_caller]
fn carries_what_fix_gives(forge: &ForgeSandbox, pull: &PullRequest) {
    let git = |arguments: &[&str]| forge.repository.git(arguments);
    assert_eq!(
        git(&["rev-parse", &format!("{}^", pull.head_sha)]),
        forge.repository.tip("main").unwrap()
    );

    let changed = git(&["diff", "--name-only", "main", &pull.head_sha]);
    let changed: Vec<&str> = changed.lines().collect();

    assert!(changed.contains(&"package-lock.json"), "{changed:?}");

    forge.run("fix", &["--apply", "repo"]).expect(0);
    let clone = forge.sandbox.path("repo");
    let status = Command::new("git")
        .args(["diff", "--name-only"])
        .current_dir(&clone)
        .output()
        .unwrap();
    let written = String::from_utf8(status.stdout).unwrap();

    assert_eq!(written.lines().collect::<Vec<_>>(), changed);
    for path in changed {
        assert!(
            forge.repository.file(&pull.head_sha, path)
                == Some(std::fs::read(clone.join(path)).unwrap()),
            "`{path}` is not what fix writes"
        );
    }

    forge.check_out();
}

#[test]
fn a_moved_base_updates_the_pull_request_and_a_fixed_one_closes_it() {
    let Some(forge) = npm_workspace() else {
        return;
    };
    forge.pr().expect(0);
    let first = forge.only_pull();
    let tip = forge
        .repository
        .commit("main", "unrelated", &[("NOTES.md", b"a note\n")]);
    forge.check_out();
    let run = forge.pr().expect(0);
    assert!(
        run.stdout
            .starts_with(&format!("updated #{} ", first.number)),
        "{run:?}"
    );
    let second = forge.only_pull();
    assert_eq!(second.head, first.head);
    assert_ne!(second.head_sha, first.head_sha);
    assert_eq!(
        forge
            .repository
            .git(&["rev-parse", &format!("{}^", second.head_sha)]),
        tip
    );
    assert!(second.body.contains(&second.head_sha));

    // With a store that lacks the ecosystem, nothing is closed.
    let cargo = root().join("examples/advisories/crates.io");
    let feeds = root().join("examples/advisories/feeds");
    let from = forge.sandbox.path("cargo-only");
    copy(&cargo, &from.join("crates.io"));
    copy(&feeds, &from.join("feeds"));
    let from = from.to_string_lossy();
    forge
        .sandbox
        .run(&["db", "build", "--from", &from, "--into", "lacking"])
        .expect(0);
    let writes = forge.writes();
    let run = forge
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
    assert!(forge.only_pull().open);
    assert_eq!(forge.writes(), writes, "an incomplete run wrote");

    fix_by_hand(&forge);
    let run = forge.pr().expect(0);
    assert!(
        run.stdout
            .starts_with(&format!("closed #{} ", first.number)),
        "{run:?}"
    );
    assert!(!forge.only_pull().open);
    assert_eq!(forge.repository.branches(), ["main"]);
    let comments = forge.github.comments(REPO);
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(
        comments[0]
            .body
            .contains("no longer has the vulnerabilities"),
        "{comments:?}"
    );
    let writes = forge.writes();
    let run = forge.pr().expect(0);
    assert_eq!(run.stdout, "no pull request: none is needed\n");
    assert_eq!(forge.writes(), writes);
    forge.assert_contract_kept();
}

#[test]
fn a_token_that_may_not_push_is_refused_with_the_missing_permission() {
    let Some(mut forge) = npm_workspace() else {
        return;
    };
    forge.sandbox.set("PATCHGATE_TOKEN", READ_ONLY_TOKEN);
    let run = forge.pr().expect(3);
    assert!(run.stderr.contains("may not push"), "{run:?}");
    assert!(run.stderr.contains("`contents: write`"), "{run:?}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
    assert!(forge.github.pull_requests(REPO).is_empty());
    assert_eq!(forge.repository.branches(), ["main"]);

    forge.sandbox.set("PATCHGATE_TOKEN", "ghs_wrong0123456789");
    let run = forge.pr().expect(3);
    assert!(run.stderr.contains("the token is not valid"), "{run:?}");
    assert!(!format!("{run:?}").contains("ghs_wrong"), "{run:?}");
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{run:?}");
}

#[test]
fn a_branch_with_commits_of_another_author_is_left_alone() {
    let Some(forge) = npm_workspace() else {
        return;
    };

    forge.pr().expect(0);
    let pull = forge.only_pull();
    let theirs = forge
        .repository
        .commit(&pull.head, "by hand", &[("NOTES.md", b"a note\n")]);
    let writes = forge.writes();
    let run = forge.pr();

    assert!(
        run.stdout.starts_with(&format!("left #{} ", pull.number)),
        "{run:?}"
    );
    assert!(
        run.stdout.contains("commits that Patchgate did not create"),
        "{run:?}"
    );
    assert_eq!(forge.repository.tip(&pull.head), Some(theirs));
    assert_eq!(forge.writes(), writes);

    let verdict = forge.gate(pull.number, &["--merge"]).expect(10);
    assert_eq!(verdict.json()["merged"], false);

    forge.assert_contract_kept();
}

#[test]
fn the_gate_waits_for_the_checks_and_merges_exactly_what_it_judged() {
    let Some(forge) = npm_workspace() else {
        return;
    };

    forge.pr().expect(0);
    let pull = forge.only_pull();
    let waiting = forge.gate(pull.number, &["--merge"]).expect(10);

    assert!(forge.only_pull().open);

    forge.report_test("ci", &pull.head_sha, Some("success"));
    let merged = forge.gate(pull.number, &["--merge"]).expect(0);
    let report = merged.json();

    assert_eq!(report["merged"], true);
    assert_eq!(report["head_sha"], pull.head_sha.as_str());

    let after = forge.pull(pull.number);
    let merge = after.merge_commit.expect("it is merged");

    assert_eq!(
        forge.repository.git(&["rev-parse", "main"]),
        merge,
        "main is not the merge"
    );
    assert_eq!(
        forge
            .repository
            .git(&["rev-parse", &format!("{merge}^{{tree}}")]),
        forge
            .repository
            .git(&["rev-parse", &format!("{}^{{tree}}", pull.head_sha)]),
        "more or less than the judged head was merged"
    );
    for run in [waiting, merged] {
        fits("gate", &run.json());
    }

    forge.assert_contract_kept();
}

#[test]
fn the_action_sets_its_outputs_and_no_child_process_sees_the_token() {
    let Some(mut forge) = npm_workspace() else {
        return;
    };
    let seen = spy_on_children(&mut forge.sandbox);
    for (name, file) in [
        ("GITHUB_OUTPUT", "outputs"),
        ("GITHUB_STEP_SUMMARY", "summary"),
    ] {
        let path = forge.sandbox.path(file);
        forge.sandbox.set(name, path.to_string_lossy());
    }
    forge.sandbox.set("PATCHGATE_TOKEN", TOKEN);
    let common = format!(
        "\"token\":\"{TOKEN}\",\"store\":\"store\",\"max-age-days\":\"36500\",\"format\":\"json\""
    );
    let inputs = format!("{{\"command\":\"pr\",\"path\":\"repo\",{common}}}");
    forge.sandbox.set("PATCHGATE_INPUTS", inputs);
    let run = forge.sandbox.run(&["action"]).expect(0);
    assert!(!format!("{run:?}").contains(TOKEN), "{run:?}");
    let pull = forge.only_pull();
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
    let outputs = std::fs::read_to_string(forge.sandbox.path("outputs")).unwrap();
    assert_eq!(
        outputs,
        format!("pull-request={number}\nfindings=10\nhighest-score=95.3\n")
    );

    let inputs = format!("{{\"command\":\"gate\",\"pull-request\":\"{number}\",{common}}}");
    forge.sandbox.set("PATCHGATE_INPUTS", inputs);
    forge.sandbox.run(&["action"]).expect(10);
    let outputs = std::fs::read_to_string(forge.sandbox.path("outputs")).unwrap();
    assert!(
        outputs.ends_with(&format!("verdict=review\npull-request={number}\n")),
        "{outputs}"
    );
    let summary = std::fs::read_to_string(forge.sandbox.path("summary")).unwrap();
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

/// Puts programs before npm and git that log their arguments and environment.
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

/// Checks a report against its published schema.
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
