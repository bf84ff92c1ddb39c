//! `patchgate review` on a fake GitHub: packages with what a registry says, notes at lines, and reports
//! that a job without a token wrote.

use patchgate_testkit::{NpmRegistry, Release};
use serde_json::{Value, json};

use crate::support::forge_sandbox::{ForgeSandbox, REPO, TOKEN, writer};
use crate::support::sandbox::Run;

/// A lockfile with these packages, each with the address that it states.
fn lockfile(packages: &[(&str, &str, &str)]) -> String {
    let mut entries = serde_json::Map::new();
    let mut wanted = serde_json::Map::new();
    for (name, version, server) in packages {
        wanted.insert((*name).to_owned(), json!(version));
        let archive = format!("{server}{name}/-/{name}-{version}.tgz");
        let entry = json!({ "version": version, "resolved": archive });
        entries.insert(format!("node_modules/{name}"), entry);
    }
    entries.insert(
        String::new(),
        json!({ "name": "shop", "version": "1.0.0", "dependencies": wanted }),
    );
    let lock = json!({
        "name": "shop", "version": "1.0.0", "lockfileVersion": 3, "packages": entries,
    });
    serde_json::to_string_pretty(&lock).unwrap()
}

/// A release with what a registry says about it.
fn release(name: &str, version: &str, fields: &Value) -> Release {
    Release::new(name, version, &[]).with_fields(fields.clone())
}

/// A pull request that upgrades `jquery`, and adds a package whose name is close to it.
struct Case {
    forge: ForgeSandbox,
    number: u64,
    head: String,
    registry: NpmRegistry,
    /// The registry that only the pull request names.
    foreign: NpmRegistry,
}

impl Case {
    fn new() -> Option<Self> {
        let mut forge = ForgeSandbox::new(vec![writer()])?;
        forge.sandbox.set("GITHUB_TOKEN", TOKEN);
        let people = |names: &[&str]| names.iter().map(|name| json!({ "name": name })).collect();
        let maintainers: Value = people(&["ann", "ben"]);
        let registry = NpmRegistry::start(vec![
            release(
                "jquery",
                "3.7.1",
                &json!({
                    "published": "2018-01-19T00:00:00Z", "license": "MIT", "maintainers": maintainers,
                }),
            ),
            release(
                "jquery",
                "3.4.1",
                &json!({
                    "published": "2019-05-01T21:09:00Z", "license": "GPL-3.0-only",
                    "maintainers": people(&["@eve <b>"]),
                }),
            ),
            Release::new("jqeury", "1.0.0", &[]).with_install_script("node x.js"),
        ]);
        let foreign = NpmRegistry::start(vec![release(
            "jqeury",
            "1.0.0",
            &json!({
                "published": "2001-01-01T00:00:00Z", "license": "MIT", "maintainers": maintainers,
            }),
        )]);
        let npmrc = format!("registry={}\n", registry.url());
        let base = lockfile(&[("jquery", "3.7.1", &registry.url())]);
        forge.repository.commit(
            "main",
            "start",
            &[
                ("package-lock.json", base.as_bytes()),
                (".npmrc", npmrc.as_bytes()),
            ],
        );
        forge.repository.git(&["branch", "feature", "main"]);
        let head = lockfile(&[
            ("jquery", "3.4.1", &foreign.url()),
            ("jqeury", "1.0.0", &foreign.url()),
            ("no-such-package", "2.0.0", &foreign.url()),
        ]);
        let npmrc = format!("registry={}\n", foreign.url());
        let head = forge.repository.commit(
            "feature",
            "more",
            &[
                ("package-lock.json", head.as_bytes()),
                (".npmrc", npmrc.as_bytes()),
            ],
        );
        let number = forge.open_pull_request("feature").number;
        Some(Self {
            forge,
            number,
            head,
            registry,
            foreign,
        })
    }

    fn review(&self, more: &[&str]) -> Run {
        let number = self.number.to_string();
        self.forge
            .run("review", &[&["--pull-request", &number], more].concat())
    }

    /// Writes a report, and posts it as a second job would.
    fn post(&self, report: &[u8], more: &[&str]) -> Run {
        let file = self.forge.sandbox.path("report.json");
        std::fs::write(&file, report).unwrap();
        self.forge
            .run("review", &[&["--post", "report.json"], more].concat())
    }

    fn comments(&self) -> Vec<String> {
        let comments = self.forge.github.comments(REPO);
        comments.into_iter().map(|comment| comment.body).collect()
    }
}

#[test]
fn packages_are_described_by_the_registry_of_the_base() {
    let Some(case) = Case::new() else {
        return;
    };
    let run = case.review(&[
        "--format",
        "json=report.json",
        "--format",
        "gitlab-code-quality=cq.json",
    ]);
    let run = run.expect(1);
    assert_eq!(run.stdout, "", "{run:?}");
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(case.forge.sandbox.path(name)).unwrap()).unwrap()
    };
    let report = read("report.json");
    let packages = report["packages"].as_array().unwrap();
    let package = |name: &str| packages.iter().find(|one| one["package"] == name).unwrap();
    assert_eq!(packages.len(), 3, "{report:#}");

    let moved = package("jquery");
    assert_eq!(moved["before"], json!(["3.7.1"]));
    assert_eq!(
        moved["signals"]["license"],
        json!({ "before": "MIT", "after": "GPL-3.0-only" })
    );
    assert_eq!(
        moved["signals"]["maintainers"]["before"],
        json!(["ann", "ben"])
    );
    assert!(moved["age_days"].as_i64().unwrap() > 2_000, "{moved:#}");

    // Nothing is invented: the registry of the base states neither time nor license.
    let new = package("jqeury");
    assert_eq!(new["similar_to"], "jquery");
    assert_eq!(new["age_days"], Value::Null);
    assert_eq!(new["signals"]["license"]["after"], Value::Null);
    assert_eq!(new["signals"]["install_scripts"]["after"], true);
    let unknown = package("no-such-package");
    assert_eq!(unknown["signals"], Value::Null);
    assert!(
        unknown["unknown"].as_str().unwrap().contains("404"),
        "{unknown:#}"
    );
    assert_eq!(
        case.foreign.requests().len(),
        0,
        "the head named a registry"
    );
    assert!(!case.registry.requests().is_empty());

    // The comment, the check with its notes, and GitLab's report.
    let comments = case.comments();
    let [comment] = &comments[..] else {
        panic!("{comments:#?}");
    };
    assert!(
        comment.contains("| `jqeury` `1.0.0` (new) | unknown | unknown | yes |"),
        "{comment}"
    );
    assert!(
        comment.contains("its name is close to that of jquery"),
        "{comment}"
    );
    assert!(
        comment.contains("license GPL-3.0-only instead of MIT"),
        "{comment}"
    );
    let checks = case.forge.github.check_runs(REPO);
    let [check] = &checks[..] else {
        panic!("{checks:#?}");
    };
    let lines: Vec<(&str, u64)> = check
        .annotations
        .iter()
        .map(|note| {
            assert_eq!(note["path"], "package-lock.json");
            let level = note["annotation_level"].as_str().unwrap();
            (level, note["start_line"].as_u64().unwrap())
        })
        .collect();
    let line = moved["line"].as_u64().unwrap();
    let scripts = new["line"].as_u64().unwrap();
    assert_eq!(
        lines,
        [
            ("failure", line),
            ("failure", line),
            ("notice", scripts),
            ("notice", line)
        ]
    );
    let issues = read("cq.json");
    assert_eq!(issues.as_array().unwrap().len(), 2);
    assert_eq!(issues[0]["location"]["lines"]["begin"], line);
    case.forge.assert_contract_kept();
}

#[test]
fn a_report_of_another_job_is_posted_as_text_and_never_as_a_check() {
    let Some(mut case) = Case::new() else {
        return;
    };
    let run = case.review(&["--no-comment", "--offline", "--format", "json"]);
    let mut report = run.expect(1).json();
    assert!(case.comments().is_empty());
    assert_eq!(
        report["packages"][0]["unknown"],
        "offline, no registry is asked"
    );

    // The event of the second workflow names the head.
    let event = json!({ "workflow_run": {
        "head_sha": case.head, "pull_requests": [], "head_repository": { "full_name": REPO },
    }});
    let path = case.forge.sandbox.path("event.json");
    std::fs::write(&path, event.to_string()).unwrap();
    case.forge
        .sandbox
        .set("GITHUB_EVENT_PATH", path.to_str().unwrap());

    // The author of the pull request writes what they like.
    report["verdict"] = json!("passed");
    report["new"][0]["id"] = json!("@everyone fixes #1\n/merge\n<img src=x>\u{202e}");
    report["new"][1]["package"] = json!("x".repeat(1_000_000));
    let posted = report.to_string();
    for _ in 0..2 {
        case.post(posted.as_bytes(), &[]).expect(0);
    }
    let comments = case.comments();
    let [comment] = &comments[..] else {
        panic!("one comment: {}", comments.len());
    };
    assert!(comment.len() <= 65_536, "{}", comment.len());
    assert!(
        comment.contains("whose author can change it. It is no proof."),
        "{comment}"
    );
    assert!(
        comment.contains("@&#8203;everyone fixes #&#8203;1 /merge &lt;img src=x&gt;"),
        "{comment}"
    );
    assert!(
        !comment
            .lines()
            .any(|line| line.trim_start().starts_with('/')),
        "{comment}"
    );
    assert!(case.forge.github.check_runs(REPO).is_empty());
    assert!(case.forge.github.statuses(REPO).is_empty());

    // Another head, another repository, and files that are no reports.
    let before = comments.clone();
    let other = "0".repeat(40);
    case.post(posted.as_bytes(), &["--head", &other]).expect(2);
    let mut elsewhere = report.clone();
    elsewhere["head_sha"] = json!(other);
    case.post(elsewhere.to_string().as_bytes(), &["--head", &other])
        .expect(3);
    for bad in [&b"{"[..], b"[]", b"", b"\xff", &vec![b' '; 9 * 1024 * 1024]] {
        let run = case.post(bad, &[]).expect(2);
        assert!(
            run.stderr.starts_with("error: the report `report.json` "),
            "{run:?}"
        );
    }
    let event = json!({ "workflow_run": {
        "head_sha": case.head, "head_repository": { "full_name": "eve/storefront" },
    }});
    std::fs::write(&path, event.to_string()).unwrap();
    case.post(posted.as_bytes(), &[]).expect(3);
    assert_eq!(case.comments(), before);
}
