//! `patchgate gate` on a GitHub that keeps to GitHub's own contract.

use patchgate_forge::git::{CommitIdentity, Lease, PatchgateBranch, PushTarget, commit_files};
use patchgate_forge::{GitHub, GitHubOptions};
use patchgate_http::{Client, ClientOptions, Secret};
use patchgate_model::{FileChange, Plan, PlanBlock};
use patchgate_testkit::{Account, Repository, Tools};

use crate::support::sandbox::{Run, Sandbox, root};

const TOKEN: &str = "ghs_secret0123456789";
const REPO: &str = "acme/shop";
const POLICY: &str = "gate:\n  accounts: [\"github-actions[bot]\"]\n  required-checks:\n    - name: test\n      app: ci\n";

struct Forge {
    server: patchgate_testkit::FakeGitHub,
    repository: Repository,
    sandbox: Sandbox,
    number: u64,
    head: String,
}

/// The example with a pull request that moves smallvec to `version`.
fn forge(tools: &Tools, version: &str) -> Forge {
    let server = patchgate_testkit::FakeGitHub::start(tools, vec![Account::workflow(TOKEN)]);
    let repository = server.create(REPO);
    let lock = std::fs::read(root().join("examples/cargo-service/Cargo.lock")).unwrap();
    repository.commit(
        "main",
        "start",
        &[("Cargo.lock", &lock), (".patchgate.yml", POLICY.as_bytes())],
    );
    let text = String::from_utf8(lock.clone()).unwrap();
    let after = text
        .replace(
            "name = \"smallvec\"\nversion = \"1.4.2\"",
            &format!("name = \"smallvec\"\nversion = \"{version}\""),
        )
        .replace(
            "fbee7696b84bbf3d89a1c2eccff0850e3047ed46bfcd2e92c29a2d074d57e252",
            &"ab".repeat(32),
        );

    assert_ne!(text, after);

    let plan = Plan {
        changes: vec![FileChange {
            path: "Cargo.lock".into(),
            before: lock,
            after: after.into_bytes(),
        }],
        ..Plan::default()
    };
    let (number, head) = open(&server, &repository, &plan);
    let mut sandbox = Sandbox::new();
    sandbox.build_store();
    sandbox.set("GITHUB_TOKEN", TOKEN);
    sandbox.set("GITHUB_API_URL", server.api_url());
    sandbox.set("GITHUB_REPOSITORY", REPO);

    Forge {
        server,
        repository,
        sandbox,
        number,
        head,
    }
}

fn open(
    server: &patchgate_testkit::FakeGitHub,
    repository: &Repository,
    plan: &Plan,
) -> (u64, String) {
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
        let branch = PatchgateBranch::for_decision(&plan.content_digest());
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

        let body = PlanBlock::new(plan, &base, &commit.id).render();
        let created = github
            .open_pull_request("Fix", &body, branch.name(), "main")
            .await
            .unwrap();

        (created.number, commit.id)
    })
}

impl Forge {
    fn gate(&self, extra: &[&str]) -> Run {
        let number = self.number.to_string();
        let mut arguments = vec![
            "gate",
            "--pull-request",
            &number,
            "--offline",
            "--store",
            "store",
            "--max-age-days",
            "36500",
            "--format",
            "json",
        ];
        arguments.extend(extra);

        self.sandbox.run(&arguments)
    }

    fn check(&self, conclusion: Option<&str>) {
        self.server
            .report_check(REPO, &self.head, "ci", "test", conclusion);
    }
}

/// The codes of the reasons that stand against a merge.
fn against(run: &Run) -> Vec<String> {
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

#[test]
fn a_good_fix_waits_for_its_check_and_is_merged() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let forge = forge(&tools, "1.6.1");
    let run = forge.gate(&["--merge"]).expect(10);

    assert_eq!(against(&run), ["checks-present", "checks-required"]);

    forge.check(Some("success"));
    let run = forge.gate(&[]).expect(0);

    assert_eq!(run.json()["merged"], false);
    assert_eq!(run.json()["head_sha"], forge.head.as_str());

    let checks = forge.server.check_runs(REPO);
    assert_eq!(
        checks.last().unwrap().conclusion.as_deref(),
        Some("success")
    );

    let run = forge.gate(&["--merge"]).expect(0);
    assert_eq!(run.json()["merged"], true);
    assert!(
        forge.server.pull_requests(REPO)[0].merge_commit.is_some(),
        "{run:?}"
    );

    let run = forge.gate(&["--merge"]).expect(11);
    assert!(against(&run).contains(&"open".to_owned()), "{run:?}");
    assert_eq!(forge.server.violations(), Vec::<String>::new());
}

#[test]
fn a_head_that_moves_while_it_is_judged_is_not_merged() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let forge = forge(&tools, "1.6.1");
    forge.check(Some("success"));
    let (repository, branch) = (
        forge.repository.clone(),
        forge.server.pull_requests(REPO)[0].head.clone(),
    );
    forge.server.before("PUT", "/merge", 0, move || {
        repository.commit(&branch, "one more", &[("x", b"x\n")]);
        None
    });
    let run = forge.gate(&["--merge"]).expect(10);

    assert_eq!(against(&run), ["merged"]);
    assert!(run.stdout.contains("the head moved after it was judged"));
    assert_eq!(run.json()["merged"], false);
}

#[test]
fn a_change_between_the_verdict_and_the_merge_stops_the_merge() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let forge = forge(&tools, "1.6.1");
    forge.check(Some("success"));
    forge
        .repository
        .git(&["branch", "side", &forge.repository.tip("main").unwrap()]);

    for (change, printed) in [
        ("{\"base\": \"side\"}", "goes to `side` now"),
        ("{\"body\": \"another\"}", "edited after it was judged"),
    ] {
        let before = forge.server.pull_requests(REPO).remove(0);
        let (api, number) = (forge.server.api_url(), forge.number);
        // The verdict's check run is written after the judgement and before the merge.
        forge.server.before("POST", "/check-runs", 0, move || {
            patch(&api, number, change);
            None
        });
        let run = forge.gate(&["--merge"]).expect(10);
        assert_eq!(against(&run), ["merged"]);
        assert!(run.stdout.contains(printed), "{run:?}");
        assert!(forge.server.pull_requests(REPO)[0].open);
        let back = serde_json::json!({"base": before.base, "body": before.body});
        patch(&forge.server.api_url(), number, &back.to_string());
    }

    let repository = forge.repository.clone();
    forge.server.before("POST", "/check-runs", 0, move || {
        repository.commit("main", "one more", &[("x", b"x\n")]);
        None
    });
    let run = forge.gate(&["--merge"]).expect(10);

    assert_eq!(against(&run), ["merged"]);
    assert!(run.stdout.contains("the base branch moved"), "{run:?}");
    assert!(forge.server.pull_requests(REPO)[0].open);
}

/// Edits a pull request as somebody else would.
fn patch(api: &str, number: u64, body: &str) {
    use std::io::{Read as _, Write as _};

    let address = api.replace("http://", "");
    let mut connection = std::net::TcpStream::connect(&address).unwrap();
    write!(
        connection,
        "PATCH /repos/{REPO}/pulls/{number} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\n\
         User-Agent: test\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn another_base_branch_cannot_bring_a_laxer_policy_than_the_default_branch() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let forge = forge(&tools, "1.6.1");
    let lax = POLICY.split_once("  required-checks").unwrap().0.to_owned() + "  any-check: true\n";

    // The same commits, and a branch that differs in nothing but its policy.
    forge
        .repository
        .git(&["branch", "side", &forge.repository.tip("main").unwrap()]);
    forge
        .repository
        .commit("side", "policy", &[(".patchgate.yml", lax.as_bytes())]);
    let lax = lax + "  require-up-to-date: false\n";
    forge
        .repository
        .commit("side", "policy", &[(".patchgate.yml", lax.as_bytes())]);
    patch(
        &forge.server.api_url(),
        forge.number,
        "{\"base\": \"side\"}",
    );
    forge
        .server
        .report_check(REPO, &forge.head, "other", "lint", Some("success"));
    let run = forge.gate(&["--merge"]).expect(10);
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
    assert!(forge.server.pull_requests(REPO)[0].open);
}

#[test]
fn a_policy_of_hostile_yaml_is_review_within_the_time_limit() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let forge = forge(&tools, "1.6.1");
    forge.check(Some("success"));

    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }

    for policy in [bomb, "[".repeat(100_000)] {
        forge
            .repository
            .commit("main", "policy", &[(".patchgate.yml", policy.as_bytes())]);
        let run = forge.gate(&["--merge"]).expect(10);
        assert!(against(&run).contains(&"policy".to_owned()), "{run:?}");
        assert!(forge.server.pull_requests(REPO)[0].open);
    }
}

#[test]
fn a_downgrade_and_a_failed_check_are_blocked() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let forge = forge(&tools, "1.4.1");
    forge.check(Some("failure"));
    let run = forge.gate(&["--merge"]).expect(11);
    let codes = against(&run);
    for code in ["dependency-downgrade", "checks-passed", "findings-ended"] {
        assert!(codes.contains(&code.to_owned()), "{codes:?}");
    }

    assert!(!format!("{run:?}").contains(TOKEN));
}

/// A document of the repository is the repository's own word, and the gate takes none.
#[test]
fn a_vex_document_does_not_change_the_verdict() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let judge = |policy: &str, document: &str| {
        let forge = forge(&tools, "1.6.0");
        forge.check(Some("success"));
        forge.repository.commit(
            "main",
            "policy",
            &[
                (".patchgate.yml", policy.as_bytes()),
                ("vex.json", document.as_bytes()),
            ],
        );

        against(&forge.gate(&[]))
    };

    let policy = format!("{POLICY}  max-score: 1\n  require-up-to-date: false\n");
    let document = serde_json::json!({
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

    let without = judge(&policy, "{}");
    assert!(
        without.contains(&"findings-remaining".to_owned()),
        "{without:?}"
    );

    let named = format!("{policy}vex:\n  sources: [vex.json]\n");
    assert_eq!(judge(&named, &document.to_string()), without);
}

#[test]
fn a_missing_store_or_a_refused_token_is_review() {
    let Some(tools) = Tools::installed() else {
        return;
    };
    let mut forge = forge(&tools, "1.6.1");
    forge.check(Some("success"));
    let number = forge.number.to_string();
    let run = forge
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
        against(&run),
        [
            "findings-introduced",
            "findings-ended",
            "malicious-remaining",
            "findings-remaining"
        ]
    );

    forge.sandbox.set("GITHUB_TOKEN", "wrong0123456789");
    let run = forge.gate(&["--merge"]).expect(10);

    assert!(run.stdout.contains("the token is not valid"), "{run:?}");
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
