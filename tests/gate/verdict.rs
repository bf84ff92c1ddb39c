//! `patchgate gate` on a pull request of Patchgate: policy, checks, and changes during the run.

use patchgate_forge::git::{CommitIdentity, Lease, PatchgateBranch, PushTarget, commit_files};
use patchgate_forge::{Forge as _, GitHub, GitHubOptions, NewPullRequest};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::{FileChange, Plan, PlanBlock};
use patchgate_proof::{PlanStatement, SigningKey, render_block};
use patchgate_testkit::CargoRegistry;
use serde_json::json;

use crate::support::forge_sandbox::{
    ForgeSandbox, PLAN_KEY, REPO, TOKEN, edit_pull_request, reasons_against, writer,
};
use crate::support::sandbox::{Run, Sandbox, root};

pub(super) const POLICY: &str = "gate:\n  accounts: [{ login: \"github-actions[bot]\", id: 41898282 }]\n  trust-any-workflow: true\n  plan-keys: [\"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"]\n  required-checks:\n    - name: test\n      app: ci\n";

/// A repository with a pull request that Patchgate's own code opened.
pub(super) struct Proposed {
    pub(super) forge: ForgeSandbox,
    pub(super) number: u64,
    pub(super) head: String,
    pub(super) registry: CargoRegistry,
}

/// The lockfile of the Cargo example.
pub(super) fn example_lock() -> String {
    std::fs::read_to_string(root().join("examples/cargo-service/Cargo.lock")).unwrap()
}

/// The lockfile of the Cargo example with smallvec in another version.
pub(super) fn with_smallvec(lock: &str, version: &str) -> String {
    let after = lock
        .replace(
            "name = \"smallvec\"\nversion = \"1.4.2\"",
            &format!("name = \"smallvec\"\nversion = \"{version}\""),
        )
        .replace(
            "fbee7696b84bbf3d89a1c2eccff0850e3047ed46bfcd2e92c29a2d074d57e252",
            &"ab".repeat(32),
        );

    assert_ne!(lock, after);
    after
}

/// The lockfile of the Cargo example, with a pull request that changes smallvec to `version`.
#[track_caller]
pub(super) fn propose(version: &str) -> Option<Proposed> {
    propose_under(POLICY, version)
}

/// As [`propose`], with another policy.
#[track_caller]
pub(super) fn propose_under(policy: &str, version: &str) -> Option<Proposed> {
    let lock = example_lock();
    let after = with_smallvec(&lock, version);
    propose_change_under(policy, "Cargo.lock", lock, after)
}

/// A repository with one file, and a pull request that changes it.
#[track_caller]
pub(super) fn propose_change(path: &str, before: String, after: String) -> Option<Proposed> {
    propose_change_under(POLICY, path, before, after)
}

#[track_caller]
pub(super) fn propose_change_under(
    policy: &str,
    path: &str,
    before: String,
    after: String,
) -> Option<Proposed> {
    let mut forge = ForgeSandbox::new(vec![writer()])?;
    forge.sandbox.set("GITHUB_TOKEN", TOKEN);
    let registry = use_registry(&mut forge.sandbox);
    forge.repository.commit(
        "main",
        "start",
        &[
            (path, before.as_bytes()),
            (".patchgate.yml", policy.as_bytes()),
        ],
    );

    let plan = Plan {
        changes: vec![FileChange {
            path: path.into(),
            before: before.into_bytes(),
            after: after.into_bytes(),
        }],
        ..Plan::default()
    };
    let (number, head) = open(&forge, &plan);
    Some(Proposed {
        forge,
        number,
        head,
        registry,
    })
}

/// A registry with releases of smallvec as [`with_smallvec`] writes them, which cargo and npm use.
fn use_registry(sandbox: &mut Sandbox) -> CargoRegistry {
    let release = |version: &str| {
        json!({
            "name": "smallvec", "vers": version, "deps": [], "cksum": "ab".repeat(32),
            "features": {}, "yanked": false,
        })
    };
    let registry = CargoRegistry::start_index(["1.4.1", "1.6.0", "1.6.1"].map(release).into());
    sandbox.allow_managers();
    let home = sandbox.path("home");
    let directory = home.join(".cargo");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("config.toml"), registry.config()).unwrap();
    std::fs::write(
        home.join(".npmrc"),
        format!("registry={}\n", registry.url()),
    )
    .unwrap();
    sandbox.set("CARGO_HOME", directory.to_string_lossy());
    sandbox.set(
        "NPM_CONFIG_USERCONFIG",
        home.join(".npmrc").to_string_lossy(),
    );
    registry
}

/// Pushes the commit of a plan and opens its pull request; returns its number and its head.
fn open(forge: &ForgeSandbox, plan: &Plan) -> (u64, String) {
    let (server, repository) = (&forge.github, &forge.repository);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let http = Client::new(ClientOptions::default()).unwrap();
        let secret = Secret::new(TOKEN);
        let base = repository.tip("main").unwrap();
        let identity = CommitIdentity::new(
            "github-actions[bot]",
            "41898282+github-actions[bot]@users.noreply.github.com",
        )
        .unwrap();
        let commit = commit_files(repository.path(), &base, &plan.changes, &identity, "Fix")
            .await
            .unwrap();
        let branch = PatchgateBranch::for_plan("fix", &plan.content_digest());
        PushTarget::new(&format!("{}/{REPO}", server.server_url()), &secret)
            .unwrap()
            .push(&http, &branch, &commit, &Lease::Absent)
            .await
            .unwrap();
        let github = GitHub::new(
            &http,
            &server.api_url(),
            &secret,
            REPO.parse().unwrap(),
            GitHubOptions::default(),
        )
        .unwrap();

        let changes = plan.changes.iter();
        let files = changes.map(|change| (change.path.as_str(), change.after.as_slice()));
        let key = SigningKey::from_pem(PLAN_KEY).unwrap();
        let proof = PlanStatement::new(&base, &commit.tree, files).sign(&key);
        let body = format!(
            "{}\n{}",
            PlanBlock::new(plan, &base, &commit.id).render(),
            render_block(&proof)
        );
        let created = github
            .open_request(&NewPullRequest {
                title: "Fix",
                body: &body,
                branch: branch.name(),
                base: "main",
            })
            .await
            .unwrap();

        (created.number, commit.id)
    })
}

impl Proposed {
    #[track_caller]
    pub(super) fn gate(&self, more: &[&str]) -> Run {
        self.forge.gate(self.number, more)
    }

    pub(super) fn report_test(&self, conclusion: &str) {
        self.forge.report_test("ci", &self.head, Some(conclusion));
    }

    pub(super) fn is_open(&self) -> bool {
        self.forge.only_pull().open
    }
}

#[test]
fn a_good_fix_waits_for_its_check_and_is_merged() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["checks-present", "checks-required"]);

    proposed.report_test("success");
    let run = proposed.gate(&[]).expect(0);

    assert_eq!(run.json()["merged"], false);
    assert_eq!(run.json()["head_sha"], proposed.head.as_str());

    let checks = proposed.forge.github.check_runs(REPO);
    assert_eq!(
        checks.last().unwrap().conclusion.as_deref(),
        Some("success")
    );

    let run = proposed.gate(&["--merge"]).expect(0);
    assert_eq!(run.json()["merged"], true);
    assert!(proposed.forge.only_pull().merge_commit.is_some(), "{run:?}");

    let run = proposed.gate(&["--merge"]).expect(11);
    assert!(
        reasons_against(&run).contains(&"open".to_owned()),
        "{run:?}"
    );
    proposed.forge.assert_contract_kept();
}

#[test]
fn the_accounts_of_a_rule_are_asked_to_review_once() {
    let rule = "  rules:\n    - { name: people, when: \"true\", then: review, reviewers: [jane, acme/web] }\n";
    let Some(proposed) = propose_under(&format!("{POLICY}{rule}"), "1.6.1") else {
        return;
    };
    // An account that may not review is said, and the verdict stays.
    let run = proposed.gate(&[]).expect(10);
    assert!(
        run.stderr.contains("nobody could be asked to review"),
        "{run:?}"
    );

    proposed.forge.github.let_write(REPO, "jane");
    let run = proposed.gate(&[]).expect(10);
    assert!(run.stdout.contains("jane, acme/web"), "{run:?}");
    assert!(!run.stderr.contains("asked to review"), "{run:?}");
    assert_eq!(
        Vec::from_iter(proposed.forge.pull(proposed.number).reviewers),
        ["jane"]
    );

    let asked = || {
        let requests = proposed.forge.github.requests();
        let asks = |path: &str| path.ends_with("/requested_reviewers");
        requests
            .iter()
            .filter(|request| asks(&request.path))
            .count()
    };
    let before = asked();
    proposed.gate(&[]).expect(10);
    assert_eq!(asked(), before);
    proposed.forge.assert_contract_kept();
}

#[test]
fn a_head_that_moves_while_it_is_judged_is_not_merged() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let (repository, branch) = (
        proposed.forge.repository.clone(),
        proposed.forge.only_pull().head,
    );
    proposed.forge.github.before("PUT", "/merge", 0, move || {
        repository.commit(&branch, "one more", &[("x", b"x\n")]);
        None
    });
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["merged"]);
    assert!(run.stdout.contains("the head moved after it was judged"));
    assert_eq!(run.json()["merged"], false);
}

#[test]
fn a_change_between_the_verdict_and_the_merge_stops_the_merge() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    proposed.forge.repository.git(&[
        "branch",
        "side",
        &proposed.forge.repository.tip("main").unwrap(),
    ]);

    for (change, printed) in [
        (json!({"base": "side"}), "goes to `side` now"),
        (json!({"body": "another"}), "edited after it was judged"),
    ] {
        let before = proposed.forge.only_pull();
        let (api, number) = (proposed.forge.github.api_url(), proposed.number);
        // The verdict's check run is written after the judgement and before the merge.
        proposed
            .forge
            .github
            .before("POST", "/check-runs", 0, move || {
                edit_pull_request(&api, number, &change);
                None
            });
        let run = proposed.gate(&["--merge"]).expect(10);
        assert_eq!(reasons_against(&run), ["merged"]);
        assert!(run.stdout.contains(printed), "{run:?}");
        assert!(proposed.is_open());
        let back = json!({"base": before.base, "body": before.body});
        edit_pull_request(&proposed.forge.github.api_url(), number, &back);
    }

    let repository = proposed.forge.repository.clone();
    proposed
        .forge
        .github
        .before("POST", "/check-runs", 0, move || {
            repository.commit("main", "one more", &[("x", b"x\n")]);
            None
        });
    let run = proposed.gate(&["--merge"]).expect(10);

    assert_eq!(reasons_against(&run), ["merged"]);
    assert!(run.stdout.contains("the base branch moved"), "{run:?}");
    assert!(proposed.is_open());
}

#[test]
fn another_base_branch_cannot_bring_a_laxer_policy_than_the_default_branch() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    let lax = POLICY.split_once("  required-checks").unwrap().0.to_owned() + "  any-check: true\n";

    // The same commits, and a branch that differs in nothing but its policy.
    proposed.forge.repository.git(&[
        "branch",
        "side",
        &proposed.forge.repository.tip("main").unwrap(),
    ]);
    proposed
        .forge
        .repository
        .commit("side", "policy", &[(".patchgate.yml", lax.as_bytes())]);
    let lax = lax + "  require-up-to-date: false\n";
    proposed
        .forge
        .repository
        .commit("side", "policy", &[(".patchgate.yml", lax.as_bytes())]);
    let change = json!({"base": "side"});
    edit_pull_request(&proposed.forge.github.api_url(), proposed.number, &change);
    proposed.forge.github.require_checks(REPO, "side", &[]);
    proposed
        .forge
        .github
        .report_check(REPO, &proposed.head, "other", "lint", Some("success"));
    let run = proposed.gate(&["--merge"]).expect(10);
    let against: Vec<String> = run.json()["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|reason| reason["verdict"] != "merge")
        .map(|reason| reason["text"].as_str().unwrap().to_owned())
        .collect();

    assert!(!against.is_empty());
    for text in &against {
        assert!(
            text.starts_with("by the policy of the default branch `main`: "),
            "{against:#?}"
        );
    }

    assert!(
        against.iter().any(|text| text.contains("`test` of `ci`")),
        "{against:#?}"
    );
    assert!(proposed.is_open());
}

#[test]
fn a_policy_of_hostile_yaml_is_review_within_the_time_limit() {
    let Some(proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");

    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }

    for policy in [bomb, "[".repeat(100_000)] {
        proposed.forge.repository.commit(
            "main",
            "policy",
            &[(".patchgate.yml", policy.as_bytes())],
        );
        let run = proposed.gate(&["--merge"]).expect(10);
        assert!(
            reasons_against(&run).contains(&"policy".to_owned()),
            "{run:?}"
        );
        assert!(proposed.is_open());
    }
}

#[test]
fn a_downgrade_and_a_failed_check_are_blocked() {
    let Some(proposed) = propose("1.4.1") else {
        return;
    };
    proposed.report_test("failure");
    let run = proposed.gate(&["--merge"]).expect(11);
    let codes = reasons_against(&run);
    for code in ["dependency-downgrade", "checks-passed", "findings-ended"] {
        assert!(codes.contains(&code.to_owned()), "{codes:?}");
    }

    assert!(!format!("{run:?}").contains(TOKEN));
}

/// A VEX document in the repository is a claim of the repository, and the gate accepts none.
#[test]
fn a_vex_document_does_not_change_the_verdict() {
    let judge = |policy: &str, document: &str| {
        let proposed = propose("1.6.0")?;
        proposed.report_test("success");
        proposed.forge.repository.commit(
            "main",
            "policy",
            &[
                (".patchgate.yml", policy.as_bytes()),
                ("vex.json", document.as_bytes()),
            ],
        );

        Some(reasons_against(&proposed.gate(&[])))
    };

    let policy = format!("{POLICY}  max-score: 1\n  require-up-to-date: false\n");
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://vex.invalid/1",
        "author": "Team",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": [{
            "vulnerability": {"name": "RUSTSEC-2021-0003"},
            "products": [{"@id": "pkg:cargo/smallvec"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }],
    });

    let Some(without) = judge(&policy, "{}") else {
        return;
    };
    assert!(
        without.contains(&"findings-remaining".to_owned()),
        "{without:?}"
    );

    let named = format!("{policy}vex:\n  sources: [vex.json]\n");
    assert_eq!(judge(&named, &document.to_string()), Some(without));
}

#[test]
fn a_missing_store_is_review_and_a_refused_token_an_error() {
    let Some(mut proposed) = propose("1.6.1") else {
        return;
    };
    proposed.report_test("success");
    let number = proposed.number.to_string();
    let run = proposed
        .forge
        .sandbox
        .run(&[
            "gate",
            "--pull-request",
            &number,
            "--offline",
            "--format",
            "json",
        ])
        .expect(10);

    assert_eq!(
        reasons_against(&run),
        [
            "dependency-cause",
            "dependency-registry",
            "findings-introduced",
            "findings-ended",
            "malicious-remaining",
            "findings-remaining"
        ]
    );

    proposed
        .forge
        .sandbox
        .set("GITHUB_TOKEN", "wrong0123456789");
    let run = proposed.gate(&["--merge"]).expect(3);

    assert!(run.stderr.contains("the token is not valid"), "{run:?}");
    assert!(run.stdout.is_empty(), "{run:?}");
}

#[test]
fn a_missing_number_repository_or_token_is_named() {
    let mut sandbox = Sandbox::new();
    let run = sandbox.run(&["gate"]).expect(2);

    assert!(run.stderr.contains("no pull request is named"), "{run:?}");

    let run = sandbox.run(&["gate", "--pull-request", "1"]).expect(2);
    assert!(run.stderr.contains("no repository is named"), "{run:?}");

    sandbox.set("GITHUB_REPOSITORY", REPO);
    let run = sandbox.run(&["gate", "--pull-request", "1"]).expect(2);

    assert!(
        run.stderr.contains("there is no token for the forge"),
        "{run:?}"
    );
}
