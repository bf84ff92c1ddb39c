//! `action.yml`, run by `act` on this host, without containers and without the network.

use std::path::Path;
use std::process::Command;

use patchgate_syntax::yaml;
use patchgate_testkit::Tools;

use crate::support::sandbox::{Run, Sandbox, root};

const TOKEN: &str = "token-that-must-not-be-printed";

/// Runs a workflow whose only job uses the action with these inputs and then prints its outputs.
fn run_action(tools: &Tools, sandbox: &Sandbox, inputs: &str) -> Run {
    std::fs::copy(root().join("action.yml"), sandbox.path("repo/action.yml")).unwrap();
    let indented: String = inputs
        .lines()
        .map(|line| format!("          {line}\n"))
        .collect();
    let workflow = format!(
        "on: push
permissions: {{}}
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: patchgate
        uses: ./
        continue-on-error: true
        with:
          binary-path: {}
          token: {TOKEN}
{indented}      - shell: bash
        env:
          FINDINGS: ${{{{ steps.patchgate.outputs.findings }}}}
          SCORE: ${{{{ steps.patchgate.outputs.highest-score }}}}
          OUTCOME: ${{{{ steps.patchgate.outcome }}}}
        run: echo \"findings=$FINDINGS score=$SCORE outcome=$OUTCOME\"
",
        env!("CARGO_BIN_EXE_patchgate")
    );

    run_workflow(tools, sandbox, &workflow, &[])
}

/// A replacement for the cache action that `action.yml` names, as a flag of act. It keeps the cache in a
/// directory, one file for each key, and restores the newest one whose key has the given prefix.
fn fake_cache_action(sandbox: &Sandbox) -> String {
    let action = |name: &str, script: &str| {
        let text = format!(
            "name: {name}
description: stand-in
inputs: {{ path: {{ description: p }}, key: {{ description: k }}, restore-keys: {{ description: r }} }}
outputs: {{ cache-matched-key: {{ description: k, value: '${{{{ steps.run.outputs.key }}}}' }} }}
runs:
  using: composite
  steps:
    - id: run
      shell: bash
      env:
        FOLDER: '{}'
        WHAT: '${{{{ inputs.path }}}}'
        KEY: '${{{{ inputs.key }}}}'
        PREFIX: '${{{{ inputs.restore-keys }}}}'
      run: {script}
",
            sandbox.path("cache").display()
        );

        let directory = sandbox.path("cache-action").join(name);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("action.yml"), text).unwrap();
    };

    std::fs::create_dir_all(sandbox.path("cache")).unwrap();
    action(
        "save",
        "tar -C \"$(dirname \"$WHAT\")\" -cf \"$FOLDER/$KEY\" \"$(basename \"$WHAT\")\"; echo \"saved $KEY\"",
    );
    action(
        "restore",
        "found=$(ls -t \"$FOLDER\" | grep \"^$PREFIX\" | head -n 1 || true); if [ -n \"$found\" ]; then \
         tar -C \"$(dirname \"$WHAT\")\" -xf \"$FOLDER/$found\"; echo \"key=$found\" >> \"$GITHUB_OUTPUT\"; \
         echo \"restored $found\"; fi",
    );
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let (_, commit) = text.split_once("actions/cache/restore@").unwrap();
    let commit = commit.split_whitespace().next().unwrap();

    assert!(text.contains(&format!("actions/cache/save@{commit} ")));

    let directory = sandbox.path("cache-action");
    format!("actions/cache@{commit}={}", directory.display())
}

/// Runs a workflow in the sandbox's repository, with more arguments of act.
pub(crate) fn run_workflow(
    tools: &Tools,
    sandbox: &Sandbox,
    workflow: &str,
    arguments: &[&str],
) -> Run {
    sandbox.write(".github/workflows/test.yml", workflow);
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.invalid",
            "commit",
            "--quiet",
            "--allow-empty",
            "--message=start",
        ],
    ] {
        let status = clean("git", sandbox).args(arguments).status().unwrap();
        assert!(status.success());
    }
    // Without this file act asks which image it should use.
    std::fs::create_dir_all(sandbox.path("home/.config/act")).unwrap();

    std::fs::write(sandbox.path("home/.config/act/actrc"), "").unwrap();
    // act fetches every action that `action.yml` names, also for steps that do not run.
    let cache = fake_cache_action(sandbox);
    let output = clean(tools.act(), sandbox)
        .args(["push", "-P", "ubuntu-latest=-self-hosted"])
        .args(["--local-repository", &cache])
        .args(arguments)
        .output()
        .unwrap();

    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command in the sandbox's repository, without the settings of this machine.
fn clean(program: impl AsRef<std::ffi::OsStr>, sandbox: &Sandbox) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(sandbox.path("repo"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", sandbox.path("home"))
        .env("GIT_CONFIG_NOSYSTEM", "1");
    command
}

#[test]
fn scan_sets_its_outputs_and_fails_the_step() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    sandbox.build_store();
    let store = sandbox.path("store");
    let inputs = format!("command: scan\noffline: true\nstore: {}", store.display());
    let run = run_action(&tools, &sandbox, &inputs).expect(0);
    let printed = format!("{}{}", run.stdout, run.stderr);

    assert!(
        printed.contains("findings=10 score=95.3 outcome=failure"),
        "{printed}"
    );
    assert!(
        printed.contains("GHSA-jpcq-cgw6-v4j6"),
        "the summary lacks the worst finding: {printed}"
    );
    assert!(!printed.contains(TOKEN), "the token is printed: {printed}");
}

#[test]
fn a_threshold_above_all_findings_passes_the_step() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.example("cargo-service");
    sandbox.build_store();
    let store = sandbox.path("store");

    // The examples' store knows nothing of the actions that the test's own workflow and the action
    // use.
    let inputs = format!(
        "offline: true\nmin-score: 99\nexclude: |\n  .github/**\n  action.yml\nstore: {}",
        store.display()
    );
    let run = run_action(&tools, &sandbox, &inputs).expect(0);

    assert!(
        run.stdout.contains("outcome=success"),
        "{}{}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn a_store_in_the_runners_cache_is_updated_and_saved_once() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let exports = sandbox.path("exports/npm");
    std::fs::create_dir_all(&exports).unwrap();
    let zip = |records: &[&str]| {
        let archive = exports.join("all.zip");
        let _ = std::fs::remove_file(&archive);
        let directory = root().join("examples/advisories/npm");
        let status = Command::new("python3")
            .args(["-m", "zipfile", "-c"])
            .arg(&archive)
            .args(records.iter().map(|name| directory.join(name)))
            .status();
        assert!(status.unwrap().success());
    };
    zip(&["GHSA-xvch-5gv4-984h.json"]);
    let inputs = format!(
        "ecosystem: npm\nmirror: {}\nkev-url: none\nepss-url: none\nexclude: |\n  .github/**\n  action.yml",
        sandbox.path("exports").display()
    );
    let printed = |run: Run| format!("{}{}", run.stdout, run.stderr);
    let first = printed(run_action(&tools, &sandbox, &inputs).expect(0));

    assert!(first.contains("findings=1 "), "{first}");
    assert!(first.contains("saved patchgate-store-"), "{first}");
    assert!(!first.contains("restored patchgate-store-"), "{first}");

    // Nothing new: the same store is restored and not saved again.
    let second = printed(run_action(&tools, &sandbox, &inputs).expect(0));
    assert!(second.contains("restored patchgate-store-"), "{second}");
    assert!(!second.contains("saved patchgate-store-"), "{second}");

    // The mirror is gone: the store of the cache still answers, and the step says why it is old.
    std::fs::remove_dir_all(sandbox.path("exports")).unwrap();
    let third = printed(run_action(&tools, &sandbox, &inputs).expect(0));

    assert!(third.contains("findings=1 "), "{third}");
    assert!(third.contains("warning: "), "{third}");
}

#[test]
fn an_input_that_the_command_does_not_have_fails_the_step() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let run = run_action(&tools, &sandbox, "command: scan\nmerge: true").expect(0);
    let printed = format!("{}{}", run.stdout, run.stderr);

    assert!(printed.contains("no flag for input `merge`"), "{printed}");
    assert!(printed.contains("outcome=failure"), "{printed}");
}

#[test]
fn no_shell_runs_the_value_of_an_input() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.example("npm-workspace");
    let path = "$(touch run-by-a-shell)`touch run-by-a-shell`;touch run-by-a-shell";
    run_action(
        &tools,
        &sandbox,
        &format!("path: '{path}'\nconfig: '{path}'"),
    );
    let found = walk(&sandbox.path("."));

    assert!(
        !found.iter().any(|name| name == "run-by-a-shell"),
        "{found:?}"
    );
}

fn walk(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(walk(&entry.path()));
        }
        names.push(entry.file_name().to_string_lossy().into_owned());
    }

    names
}

#[test]
fn the_action_and_the_workflows_are_valid_by_their_schemas() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let check = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(root())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}\n{}{}",
            program.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let schema = tools.python_program("check-jsonschema");
    check(
        &schema,
        &["--builtin-schema", "vendor.github-actions", "action.yml"],
    );
    let workflows: Vec<String> = std::fs::read_dir(root().join(".github/workflows"))
        .unwrap()
        .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
        .collect();
    let names: Vec<&str> = workflows.iter().map(String::as_str).collect();
    let mut arguments = vec!["--builtin-schema", "vendor.github-workflows"];
    arguments.extend(&names);
    check(&schema, &arguments);
    check(&tools.actionlint(), &names);

    // Below "medium" zizmor asks for another way to write `uses: ./`, which act does not know.
    let zizmor = [
        "--offline",
        "--quiet",
        "--min-severity",
        "medium",
        "action.yml",
        ".github",
    ];
    check(&tools.python_program("zizmor"), &zizmor);
}

#[test]
fn the_workflows_in_the_documents_match_the_action() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let file = |name: &str| std::fs::read_to_string(root().join(name)).unwrap();
    let documents = file("README.md") + &file("docs/github.md");
    let action = file("action.yml");
    let action = yaml(&action).unwrap();
    let inputs = action.get("inputs").unwrap();
    let sandbox = Sandbox::new();

    let mut uses = 0;
    for block in documents.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let tree = yaml(block).unwrap();
        let jobs = tree.get("jobs").map_or(&[][..], |jobs| jobs.entries());

        // A block is a workflow, a part of a job, or a list of steps.
        let of_jobs = jobs.iter().filter_map(|(_, job)| job.get("steps"));
        let of_part = tree.get("steps").into_iter();
        let steps = of_jobs.chain(of_part).flat_map(|steps| steps.items());
        for step in steps.chain(tree.items()).filter(|step| {
            step.get("uses").and_then(|uses| uses.text()) == Some("OWNER/patchgate@COMMIT")
        }) {
            let with = step.get("with").unwrap();
            for (input, _) in with.entries() {
                assert!(inputs.get(&input.name).is_some(), "no input {}", input.name);
            }
            let version = with.get("version").and_then(|version| version.text());
            assert_eq!(version, Some(concat!("v", env!("CARGO_PKG_VERSION"))));
            uses += 1;
        }

        for (name, _) in jobs {
            let commit = "0123456789abcdef0123456789abcdef01234567";
            let name = format!(".github/workflows/{}.yml", name.name);
            sandbox.write(
                &name,
                block.replace(
                    "OWNER/patchgate@COMMIT",
                    &format!("owner/patchgate@{commit}"),
                ),
            );
            let output = Command::new(tools.actionlint())
                .arg(sandbox.path("repo").join(&name))
                .output()
                .unwrap();

            assert!(output.status.success(), "{output:?}");
        }
    }

    assert_eq!(uses, 9);
}
