//! The output of `patchgate fix`: its numbers, the diff and the patch, the exit codes.

use std::process::Command;

use patchgate_testkit::{NpmRegistry, Release};
use serde_json::{Value, json};

use crate::fix::examples::fix;
use crate::support::fixture_registry::{ADVISORY, files, npm_lock, npm_project, warn_also};
use crate::support::sandbox::{Run, Sandbox};

/// The second advisory of [`two_steps`].
const SECOND: &str = "GHSA-5555-6666-7777";

/// The flags of every run.
const STORE: [&str; 3] = ["--store=store", "--max-age-days=36500", "repo"];

/// A project with two independent vulnerable packages. The fix of `leaf` brings `twig` and removes
/// `stem`, and that of `ring` is a major one, for which a requirement with odd line ends is raised.
pub(crate) fn two_steps() -> (Sandbox, NpmRegistry) {
    let releases = vec![
        Release::new("leaf", "1.0.0", &[("stem", "^1.0.0")]),
        Release::new("leaf", "1.0.1", &[("twig", "^1.0.0")]),
        Release::new("stem", "1.0.0", &[]),
        Release::new("twig", "1.0.0", &[]),
        Release::new("ring", "1.0.0", &[]),
        Release::new("ring", "2.0.0", &[]),
    ];
    let manifest = "{\r\n  \"name\": \"shop\",\r\n  \"version\": \"1.0.0\",\r\n  \"dependencies\": {\r\n    \
                    \"leaf\": \"1.0.0\",\r\n    \"ring\": \"^1.0.0\"\r\n  }\r\n}";
    let (sandbox, registry) = npm_project(releases, manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    // npm writes line feeds.
    sandbox.write("package.json", manifest);
    warn_also(&sandbox, SECOND, "npm", "ring", Some("2.0.0"));
    (sandbox, registry)
}

fn run(sandbox: &Sandbox, flags: &[&str]) -> Run {
    sandbox.run(&[&["fix"][..], flags, &STORE].concat())
}

#[test]
fn the_summary_is_first_and_the_diff_only_on_request() {
    let (sandbox, _registry) = two_steps();
    let plain = run(&sandbox, &[]).expect(0).stdout;
    assert!(
        plain.starts_with("Would fix 2 of 2 findings in 2 steps; nothing was written\n"),
        "{plain}"
    );
    assert!(!plain.contains("@@"), "{plain}");
    for line in plain.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }

    let with_diff = run(&sandbox, &["--diff"]).expect(0).stdout;
    assert!(with_diff.starts_with("Would fix 2 of 2"), "{with_diff}");
    assert!(
        with_diff.contains("\n+++ b/package-lock.json\n"),
        "{with_diff}"
    );
    assert!(with_diff.contains("\n+++ b/package.json\n"), "{with_diff}");
}

#[test]
fn every_entry_is_counted_and_all_formats_have_the_same_numbers() {
    let (sandbox, _registry) = two_steps();
    let text = run(&sandbox, &[]).expect(0).stdout;
    let sentence = "2 packages are upgraded; in the lockfiles 1 entry comes, 1 goes, 2 move (1 may \
                    break, 1 direct dependency among them)";
    assert!(words(&text).contains(sentence), "{text}");
    assert!(text.contains("comes:     twig 1.0.0\n"), "{text}");
    assert!(text.contains("goes:      stem 1.0.0\n"), "{text}");

    let json = run(&sandbox, &["--format=json"]).expect(0).json();
    let summary = &json["summary"];
    assert_eq!(
        summary["entries"],
        json!({"come": 1, "go": 1, "move": 2, "breaking": 1, "breaking_direct": 1})
    );
    assert_eq!(summary["fixed"], 2);
    assert_eq!(summary["packages"], 2);
    assert_eq!(json["entries"].as_array().unwrap().len(), 4);
    let fixes = |step: usize| json["steps"][step]["fixes"][0]["id"].clone();
    assert_eq!(
        [fixes(0), fixes(1)]
            .iter()
            .filter(|id| **id == ADVISORY || **id == SECOND)
            .count(),
        2,
        "{json:#}"
    );
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn git_applies_the_patch_and_the_files_are_those_of_apply() {
    let (sandbox, _registry) = two_steps();
    sandbox.git(&["init", "-q"]);
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-q", "-m", "x"]);

    run(&sandbox, &["--patch=change.patch"]).expect(0);
    let patch = std::fs::read_to_string(sandbox.path("change.patch")).unwrap();
    let printed = run(&sandbox, &["--patch=-"]).expect(0);
    assert_eq!(printed.stdout, patch);
    assert!(
        printed.stderr.contains("Would fix 2 of 2 findings"),
        "{printed:?}"
    );

    sandbox.git(&["apply", "--check", "../change.patch"]);
    sandbox.git(&["apply", "../change.patch"]);
    let patched = (
        sandbox.text("package.json"),
        sandbox.text("package-lock.json"),
    );
    assert!(
        patched.0.ends_with("\"ring\": \"^2.0.0\"\r\n  }\r\n}"),
        "{}",
        patched.0
    );

    sandbox.git(&["checkout", "-q", "."]);
    fix(&sandbox, "--apply").expect(0);
    let applied = (
        sandbox.text("package.json"),
        sandbox.text("package-lock.json"),
    );
    assert!(patched == applied);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (sandbox, _registry) = two_steps();
    let all = || {
        // The age of the sources is that of the moment.
        let mut json = run(&sandbox, &["--format=json"]).expect(0).json();
        json["sources"] = Value::Null;
        let texts = [["--diff"], ["--patch=-"]].map(|flags| run(&sandbox, &flags).expect(0).stdout);
        (json.to_string(), texts)
    };
    assert_eq!(all(), all());
}

#[test]
fn only_the_most_urgent_steps_are_taken_and_the_rest_fails_the_run() {
    let (sandbox, _registry) = two_steps();
    let json = run(&sandbox, &["--max-steps=1", "--format=json"])
        .expect(1)
        .json();
    assert_eq!(json["summary"]["fixed"], 1);
    assert_eq!(json["summary"]["remaining_by_class"]["not_chosen"], 1);
    assert_eq!(json["unfixed"][0]["class"], "not-chosen");
    let reason = json["unfixed"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`--max-steps 1`"), "{reason}");

    let run = run(&sandbox, &["--max-steps=0"]).expect(2);
    assert!(run.stderr.contains("--max-steps"), "{run:?}");
}

#[test]
fn a_finding_without_a_release_that_fixes_it_is_no_failure() {
    let manifest = r#"{"name": "shop", "version": "1.0.0", "dependencies": {"leaf": "1.0.0", "old": "1.0.0"}}"#;
    let releases = vec![
        Release::new("leaf", "1.0.0", &[]),
        Release::new("leaf", "1.0.1", &[]),
        Release::new("old", "1.0.0", &[]),
    ];
    let (sandbox, _registry) = npm_project(releases, manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    warn_also(&sandbox, SECOND, "npm", "old", None);

    let text = run(&sandbox, &[]).expect(0).stdout;
    assert!(
        text.starts_with("Would fix 1 of 2 findings; nothing was written\n"),
        "{text}"
    );
    assert!(
        text.contains("1 finding remains: 1 without a fixed release"),
        "{text}"
    );
    assert!(
        text.contains("meanwhile: replace or remove the package"),
        "{text}"
    );
}

#[test]
fn a_finding_that_the_flags_exclude_fails_the_run() {
    let (sandbox, _registry) = two_steps();
    let json = run(&sandbox, &["--max-bump=minor", "--format=json"])
        .expect(1)
        .json();
    assert_eq!(json["summary"]["fixed"], 1);
    assert_eq!(json["summary"]["remaining_by_class"]["blocked"], 1);
    assert_eq!(json["unfixed"][0]["fixed_version"], "2.0.0");
}

#[test]
fn a_format_that_fix_does_not_change_is_named_once_and_is_no_failure() {
    let (sandbox, _registry) = two_steps();
    warn_also(
        &sandbox,
        "GHSA-8888-9999-2222",
        "Hackage",
        "aeson",
        Some("2.0.0"),
    );
    warn_also(
        &sandbox,
        "GHSA-8888-9999-3333",
        "Hackage",
        "text",
        Some("2.0.0"),
    );
    let freeze =
        "active-repositories: x\nconstraints: any.aeson ==1.0.0,\n             any.text ==1.0.0\n";
    sandbox.write("a/cabal.project.freeze", freeze);
    sandbox.write("b/cabal.project.freeze", freeze);

    let text = run(&sandbox, &[]).expect(0).stdout;
    assert!(
        text.starts_with("Would fix 2 of 4 findings in 2 steps"),
        "{text}"
    );
    assert_eq!(
        text.matches("does not change `cabal-freeze`").count(),
        1,
        "{text}"
    );
    assert!(
        text.contains("2 findings in 2 packages of a/cabal.project.freeze, b/cabal.project.freeze"),
        "{text}"
    );
}

#[test]
fn files_with_uncommitted_changes_are_not_written() {
    let (sandbox, _registry) = two_steps();
    sandbox.git(&["init", "-q"]);
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "-q", "-m", "x"]);
    sandbox.write("other.txt", "not committed");
    let described = "\"name\": \"shop\",\r\n  \"description\": \"a shop\",";
    let manifest = sandbox.text("package.json");
    sandbox.write(
        "package.json",
        manifest.replace("\"name\": \"shop\",", described),
    );

    let before = files(&sandbox);
    let refused = run(&sandbox, &["--apply"]).expect(2);
    assert!(
        refused
            .stderr
            .contains("`package.json` has uncommitted changes; nothing was written"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("`--allow-dirty`"), "{refused:?}");
    assert!(before == files(&sandbox), "a file changed");

    run(&sandbox, &["--apply", "--allow-dirty"]).expect(0);
    assert!(sandbox.text("package.json").contains("a shop"));
    assert!(sandbox.text("package.json").contains("^2.0.0"));
}

#[cfg(unix)]
#[test]
fn a_read_only_tree_is_an_error_before_the_plan() {
    use std::os::unix::fs::PermissionsExt as _;

    let (sandbox, registry) = two_steps();
    let asked = registry.requests().len();
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(sandbox.path("repo"), permissions).unwrap();
    };
    mode(0o555);
    let refused = run(&sandbox, &["--apply"]);
    mode(0o755);

    let refused = refused.expect(3);
    assert!(refused.stderr.contains("cannot be written"), "{refused:?}");
    assert_eq!(registry.requests().len(), asked);
}

#[test]
fn a_choice_needs_a_terminal() {
    let (sandbox, _registry) = two_steps();
    let refused = run(&sandbox, &["--interactive"]).expect(2);
    assert!(
        refused.stderr.contains("`--interactive` needs a terminal"),
        "{refused:?}"
    );
}

/// Answers the dialogue on a terminal that `script` makes.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_only_the_chosen_steps_are_applied() {
    use std::io::Write as _;
    use std::process::Stdio;

    let (sandbox, _registry) = two_steps();
    let json = run(&sandbox, &["--format=json"]).expect(0).json();
    let first: &Value = &json["steps"][0]["fixes"][0];
    let program = env!("CARGO_BIN_EXE_patchgate");
    let command = format!("{program} fix --interactive {}", STORE.join(" "));
    let mut child = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(sandbox.path(""))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", sandbox.path("home"))
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"2\nd 1\na\n").unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);

    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("[ ]  2  "), "{printed}");
    assert!(printed.contains("+++ b/package-lock.json"), "{printed}");
    assert!(printed.contains("Fixed 1 of 2 findings"), "{printed}");
    let other = if first["package"] == "leaf" {
        "ring"
    } else {
        "leaf"
    };
    let lockfile: Value = serde_json::from_str(&sandbox.text("package-lock.json")).unwrap();
    assert_eq!(
        lockfile["packages"][format!("node_modules/{other}")]["version"],
        "1.0.0"
    );
    let fixed = first["package"].as_str().unwrap();
    assert_ne!(
        lockfile["packages"][format!("node_modules/{fixed}")]["version"],
        "1.0.0"
    );
}

#[test]
fn a_finding_that_an_upgraded_package_keeps_is_not_new() {
    let releases = ["1.0.0", "1.0.1"].map(|version| Release::new("leaf", version, &[]));
    let manifest = r#"{"name": "shop", "version": "1.0.0", "dependencies": {"leaf": "1.0.0"}}"#;
    let (sandbox, _registry) = npm_project(releases.to_vec(), manifest, ("leaf", "1.0.1"));
    npm_lock(&sandbox, &[]);
    warn_also(&sandbox, SECOND, "npm", "leaf", None);

    let result = run(&sandbox, &["--format=json"]).json();

    assert_eq!(result["upgrades"][0]["fixes"], json!([ADVISORY]));
    let left = &result["unfixed"][0];
    assert_eq!(left["version"], "1.0.1", "{result:#}");
    assert_eq!(left["ids"], json!([SECOND]));
    assert_eq!(left["is_new"], false);
}
