//! The life of a pull request, from a vulnerable repository to the merge: `patchgate pr` and `gate`
//! against a fake GitHub that checks its contract, with real pushes.

use patchgate_ledger::{Actor, Event, Folder, Ledger, ProposalEvent, Record, SignerKey, Step};
use patchgate_testkit::{Account, Permission};

use crate::audit::{RECORDED, exported, init};
use crate::support::forge_sandbox::{ForgeSandbox, REPO, reader, reasons_against, writer};
use crate::support::sandbox::Run;

const POLICY: &str = "version: 1
gate:
  accounts: [{ login: \"github-actions[bot]\", id: 41898282 }]
  trust-any-workflow: true
  required-checks:
    - name: test
      app: github-actions
      workflow: .github/workflows/test.yml
";

/// The Cargo example on `main` with its clone at `repo/`, and `token` as Patchgate's own variable.
#[track_caller]
fn cargo_service(account: Account) -> Option<ForgeSandbox> {
    let token = account.token.clone();
    let mut forge = ForgeSandbox::new(vec![account])?;
    forge.sandbox.set("PATCHGATE_TOKEN", token);
    forge.sandbox.allow_managers();
    forge.commit_example("cargo-service", POLICY);
    forge.check_out();
    Some(forge)
}

/// Runs `patchgate pr` as outside of a workflow, where the author and the base have to be named.
#[track_caller]
fn pr(forge: &ForgeSandbox) -> Run {
    let author = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>";
    forge.run("pr", &["--commit-author", author, "--base", "main", "repo"])
}

/// Runs `patchgate gate` on the only pull request.
#[track_caller]
fn gate(forge: &ForgeSandbox, more: &[&str]) -> Run {
    forge.gate(forge.only_pull().number, more)
}

/// Runs the required check of the only pull request; another run of it is a later attempt.
fn run_test(forge: &ForgeSandbox, conclusion: &str) {
    let head = forge.only_pull().head_sha;
    let workflow = (".github/workflows/test.yml", "pull_request");
    forge
        .github
        .run_job(REPO, &head, workflow, "test", conclusion);
}

/// Runs the required check of the only pull request successfully.
fn pass_test(forge: &ForgeSandbox) {
    run_test(forge, "success");
}

/// A run with a ledger records what it is about to propose, and what became of it. It closes the intents
/// of runs that were interrupted.
fn a_ledger_has_what_is_proposed(forge: &ForgeSandbox) {
    init(&forge.sandbox);
    let only = forge.only_pull();
    let key = std::fs::read_to_string(forge.sandbox.path("secret")).unwrap();
    let key = SignerKey::parse(&key).unwrap();
    let folder = Folder::new(forge.sandbox.path("ledger"));
    let intent = |branch: &str| Record {
        source: format!("{}/{REPO}", forge.github.server_url()),
        subject: None,
        time: jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1),
        who: Actor::Unknown,
        event: Event::Proposal(ProposalEvent {
            branch: branch.to_owned(),
            pull_request: None,
            step: Step::Intent {},
        }),
        inputs: Vec::new(),
        reasons: Vec::new(),
        statement: None,
    };
    let old = [intent(&only.head), intent("patchgate/other")];
    let mut ledger = Ledger::open(&folder, key.verifier()).unwrap();
    ledger.append(&old, &[], &key).unwrap();

    let author = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>";
    let args = ["--commit-author", author, "--base", "main", "repo"];
    let run = || forge.run("pr", &[&RECORDED[..], &args].concat());
    run().expect(0);
    let records = exported(&forge.sandbox);
    let shown: Vec<String> = records
        .iter()
        .map(|one| {
            let what = &one["event"]["data"]["what"];
            let state = what["step"]["state"].as_str().unwrap();
            format!(
                "{state} {} {}",
                what["branch"].as_str().unwrap(),
                what["pullRequest"]
            )
        })
        .collect();
    let (branch, number) = (&only.head, only.number);
    assert_eq!(
        shown,
        [
            format!("intent {branch} null"),
            "intent patchgate/other null".to_owned(),
            format!("intent {branch} null"),
            format!("done {branch} {number}"),
            "unknown patchgate/other null".to_owned(),
            format!("done {branch} {number}"),
        ]
    );

    // What cannot be recorded is not proposed.
    let path = forge.sandbox.path("ledger/checkpoint");
    let checkpoint = std::fs::read(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    let requests = forge.github.requests().len();
    run().expect(3);
    assert_eq!(forge.github.requests().len(), requests);
    std::fs::write(&path, checkpoint).unwrap();
}

#[test]
fn a_vulnerability_is_found_proposed_judged_and_merged() {
    let Some(forge) = cargo_service(writer()) else {
        return;
    };
    // The vulnerabilities are found and fixed, and the fix is proposed.
    pr(&forge).expect(0);
    let first = forge.only_pull();
    assert!(first.open && first.base == "main");
    for text in ["RUSTSEC-2022-0013", "crossbeam-deque", "0.8.1"] {
        assert!(first.body.contains(text), "{}", first.body);
    }
    let lock = forge
        .repository
        .file(&first.head_sha, "Cargo.lock")
        .unwrap();
    assert!(
        String::from_utf8(lock)
            .unwrap()
            .contains("name = \"regex\"\nversion = \"1.5.5\"")
    );

    // A second run changes nothing.
    let pushes = forge.github.git().pushes().len();
    pr(&forge).expect(0);
    let second = forge.only_pull();
    assert_eq!(
        (&second.head_sha, &second.title, &second.body),
        (&first.head_sha, &first.title, &first.body)
    );
    assert_eq!(forge.github.git().pushes().len(), pushes);
    a_ledger_has_what_is_proposed(&forge);

    // The base branch moves: the same pull request is updated.
    forge
        .repository
        .commit("main", "unrelated", &[("NOTES.md", b"a note\n")]);
    forge.check_out();
    pr(&forge).expect(0);
    let third = forge.only_pull();
    assert_eq!(third.number, first.number);
    assert_ne!(third.head_sha, first.head_sha);
    let base = forge.repository.tip("main").unwrap();
    assert_eq!(
        forge
            .repository
            .git(&["merge-base", &base, &third.head_sha]),
        base
    );

    // Without a check a person decides, a failed one blocks, a passed one allows the merge.
    assert_eq!(gate(&forge, &[]).expect(10).json()["verdict"], "review");
    run_test(&forge, "failure");
    assert_eq!(
        gate(&forge, &["--merge"]).expect(11).json()["verdict"],
        "block"
    );
    pass_test(&forge);
    assert_eq!(gate(&forge, &[]).expect(0).json()["verdict"], "merge");
    assert!(
        forge.only_pull().open,
        "nothing is merged without being asked to"
    );

    // The merge has exactly the judged tree.
    gate(&forge, &["--merge"]).expect(0);
    let merged = forge.only_pull();
    assert!(merged.merge_commit.is_some());
    let tree = |revision: &str| {
        forge
            .repository
            .git(&["rev-parse", &format!("{revision}^{{tree}}")])
    };
    assert_eq!(tree("main"), tree(&third.head_sha));

    // Another run has nothing to do.
    forge.check_out();
    pr(&forge).expect(0);
    assert!(forge.only_pull().merge_commit.is_some());
    forge.assert_contract_kept();
}

#[test]
fn a_vulnerability_that_is_gone_closes_the_pull_request() {
    let Some(forge) = cargo_service(writer()) else {
        return;
    };

    pr(&forge).expect(0);
    let pull = forge.only_pull();
    let fixed: Vec<(&str, Vec<u8>)> = ["Cargo.lock", "Cargo.toml"]
        .into_iter()
        .map(|path| (path, forge.repository.file(&pull.head_sha, path).unwrap()))
        .collect();
    let files: Vec<(&str, &[u8])> = fixed
        .iter()
        .map(|(path, content)| (*path, content.as_slice()))
        .collect();
    forge.repository.commit("main", "fixed by hand", &files);
    forge.check_out();
    pr(&forge).expect(0);

    assert!(!forge.only_pull().open);
    assert!(
        !forge.github.comments(REPO).is_empty(),
        "closed without a word"
    );

    forge.assert_contract_kept();
}

#[test]
fn a_head_that_moves_while_it_is_judged_is_not_merged() {
    let Some(forge) = cargo_service(writer()) else {
        return;
    };

    pr(&forge).expect(0);
    pass_test(&forge);
    let pull = forge.only_pull();
    let (repository, branch) = (forge.repository.clone(), pull.head.clone());
    forge.github.before("PUT", "/merge", 0, move || {
        repository.commit(&branch, "slipped in", &[("evil.sh", b"echo\n")]);
        None
    });
    gate(&forge, &["--merge"]).expect(10);
    assert!(forge.only_pull().open);
    assert_eq!(forge.repository.file("main", "evil.sh"), None);
}

#[test]
fn a_commit_outside_the_plan_is_review() {
    let Some(forge) = cargo_service(writer()) else {
        return;
    };

    pr(&forge).expect(0);
    let pull = forge.only_pull();
    forge.repository.commit(
        &pull.head,
        "more",
        &[("server/src/main.rs", b"fn main() {}\n")],
    );
    pass_test(&forge);
    gate(&forge, &["--merge"]).expect(10);
    assert!(forge.only_pull().open);
}

#[test]
fn the_policy_is_read_from_the_base_and_not_from_the_head() {
    let Some(forge) = cargo_service(writer()) else {
        return;
    };

    pr(&forge).expect(0);
    let pull = forge.only_pull();
    let loose = b"version: 1\ngate:\n  any-check: true\n";
    forge
        .repository
        .commit(&pull.head, "loosen", &[(".patchgate.yml", loose)]);
    pass_test(&forge);
    gate(&forge, &["--merge"]).expect(11);
    assert!(forge.only_pull().open);
}

#[test]
fn a_token_without_a_permission_is_refused_with_its_name() {
    let Some(forge) = cargo_service(reader(&[Permission::Contents])) else {
        return;
    };
    let run = pr(&forge).expect(3);
    assert!(run.stderr.contains("pull-requests"), "{}", run.stderr);

    let Some(forge) = cargo_service(reader(&[Permission::PullRequests])) else {
        return;
    };
    let run = pr(&forge).expect(3);
    assert!(run.stderr.contains("contents"), "{}", run.stderr);
}

/// The other proof: a job without secrets plans again from the base.
#[test]
fn a_plan_that_is_computed_again_needs_no_signature() {
    let Some(mut forge) = cargo_service(writer()) else {
        return;
    };
    forge.sandbox.set("PATCHGATE_PLAN_KEY", "");
    pr(&forge).expect(0);
    assert!(!forge.only_pull().body.contains("patchgate:proof"));
    pass_test(&forge);
    let run = gate(&forge, &["--merge"]).expect(10);
    assert_eq!(reasons_against(&run), ["plan-proof"]);

    forge
        .run("fix", &["repo", "--plan-digest", "plan.json"])
        .expect(0);
    let run = gate(&forge, &["--merge", "--plan-digest", "plan.json"]).expect(0);
    assert_eq!(run.json()["merged"], true);
    forge.assert_contract_kept();
}
