//! The records of `patchgate gate` in a ledger, and what happens when they cannot be written.

use patchgate_ledger::{
    Actor, Decision, Event, Folder, Hash, Ledger, MergeEvent, Record, SignerKey, Step,
};
use serde_json::{Value, json};

use super::verdict::{POLICY, Proposed, propose};
use crate::audit::{RECORDED, audit, exported, init};
use crate::support::forge_sandbox::{REPO, reasons_against};
use crate::support::sandbox::{Run, Sandbox};

/// A pull request that may be merged.
pub(super) fn propose_tested() -> Option<Proposed> {
    let proposed = propose("1.6.1")?;
    proposed.report_test("success");
    Some(proposed)
}

pub(super) fn gate(proposed: &Proposed, more: &[&str]) -> Run {
    proposed.gate(&[&RECORDED[..], more].concat())
}

/// Kind and result of each record.
fn history(sandbox: &Sandbox) -> Vec<String> {
    let csv = audit(sandbox, "export", &["--format", "csv"])
        .expect(0)
        .stdout;
    csv.lines()
        .skip(1)
        .map(|line| {
            line.split(',')
                .skip(2)
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn a_verdict_and_its_merge_are_recorded() {
    let Some(mut proposed) = propose_tested() else {
        return;
    };
    proposed.forge.sandbox.set("GITHUB_ACTOR_ID", "583231");
    init(&proposed.forge.sandbox);
    gate(&proposed, &["--merge"]).expect(0);
    let sandbox = &proposed.forge.sandbox;
    assert_eq!(
        history(sandbox),
        ["verdict merge", "merge intent", "merge done"]
    );

    let records = exported(sandbox);
    let verdict = &records[0]["event"];
    assert_eq!(verdict["data"]["who"]["id"], "583231");
    assert_eq!(verdict["data"]["what"]["decision"], "merge");
    let inputs = verdict["data"]["inputs"].as_array().unwrap();
    for name in ["base:Cargo.lock", "head:Cargo.lock", "body"] {
        assert!(
            inputs.iter().any(|input| input["name"] == name),
            "{inputs:?}"
        );
    }
    let policy = |input: &&Value| input["name"].as_str().unwrap().ends_with(":.patchgate.yml");
    assert_eq!(inputs.iter().filter(policy).count(), 1, "{inputs:?}");
    assert_eq!(
        verdict["data"]["statement"]["predicateType"],
        "https://in-toto.io/attestation/svr/v0.1"
    );
    assert_eq!(
        records[1]["event"]["data"]["what"]["verdict"],
        verdict["id"]
    );
    let run = audit(sandbox, "verify", &[]).expect(0);
    assert!(!run.stderr.contains("has no result"), "{run:?}");

    let shown = audit(sandbox, "show", &["--reasons", "--kind", "verdict"]).expect(0);
    assert!(shown.stdout.contains("\n  merge: "), "{}", shown.stdout);
}

/// What cannot be recorded is not merged.
#[test]
fn a_full_disk_is_review_and_no_merge() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    init(&proposed.forge.sandbox);
    // A file in the place of a directory, which root cannot write through either.
    std::fs::write(proposed.forge.sandbox.path("ledger/tile"), "").unwrap();
    let run = gate(&proposed, &["--merge"]).expect(10);
    let report = run.json();
    assert_eq!(
        (&report["verdict"], &report["merged"]),
        (&json!("review"), &json!(false))
    );
    assert!(
        run.stdout
            .contains("it could not be recorded in the ledger"),
        "{run:?}"
    );
    std::fs::remove_file(proposed.forge.sandbox.path("ledger/tile")).unwrap();
    audit(&proposed.forge.sandbox, "verify", &[]).expect(0);
}

#[test]
fn a_merge_that_the_forge_refuses_is_recorded_as_failed() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    init(&proposed.forge.sandbox);
    proposed.forge.refuse("PUT", "/merge", 405, 5);
    gate(&proposed, &["--merge"]).expect(10);
    assert_eq!(
        history(&proposed.forge.sandbox),
        ["verdict merge", "merge intent", "merge failed"]
    );
}

/// A push to the base between the second judgement and the merge: the record of the merge says that
/// nobody judged the result.
#[test]
fn a_merge_onto_another_commit_is_recorded_as_such() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    init(sandbox);
    let repository = proposed.forge.repository.clone();
    proposed.forge.github.before("PUT", "/merge", 0, move || {
        repository.commit("main", "more", &[("NOTES.md", b"a note\n")]);
        None
    });
    gate(&proposed, &["--merge"]).expect(10);
    assert_eq!(
        history(sandbox),
        ["verdict merge", "merge intent", "merge done"]
    );
    let records = exported(sandbox);
    assert_eq!(records[1]["event"]["data"]["reasons"], json!([]));
    let reason = &records[2]["event"]["data"]["reasons"][0];
    assert_eq!(
        (&reason["code"], &reason["result"]),
        (&json!("merged"), &json!("review"))
    );
    let text = reason["text"].as_str().unwrap();
    assert!(text.contains("nobody judged the result"), "{text}");
}

/// The result of a merge cannot be recorded: the intent is found, and a person records the result.
#[test]
fn a_merge_without_a_recorded_result_is_found_and_settled() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    init(sandbox);
    // The result cannot be recorded: the ledger is away while the forge merges.
    let (ledger, away) = (sandbox.path("ledger"), sandbox.path("away"));
    let (from, to) = (ledger.clone(), away.clone());
    proposed.forge.github.before("PUT", "/merge", 0, move || {
        std::fs::rename(&from, &to).unwrap();
        None
    });
    let run = gate(&proposed, &["--merge"]).expect(0);
    assert!(
        run.stderr
            .contains("the result of the merge could not be recorded"),
        "{run:?}"
    );
    std::fs::rename(away, ledger).unwrap();

    assert_eq!(history(sandbox), ["verdict merge", "merge intent"]);
    let run = audit(sandbox, "verify", &[]).expect(0);
    assert!(
        run.stderr
            .contains("warning: record 1 (merge) has no result"),
        "{run:?}"
    );

    // A run of the same moment may still go on, so the next run leaves it, and a person may settle it.
    gate(&proposed, &[]).expect(11);
    assert_eq!(history(sandbox).last().unwrap(), "verdict block");
    let key = ["--ledger-key", "secret"];
    audit(sandbox, "settle", &[&["0", "--done"], &key[..]].concat()).expect(2);
    audit(sandbox, "settle", &[&["1", "--done"], &key[..]].concat()).expect(0);
    audit(sandbox, "settle", &[&["1", "--done"], &key[..]].concat()).expect(2);
    assert_eq!(history(sandbox).last().unwrap(), "merge done");
    let run = audit(sandbox, "verify", &[]).expect(0);
    assert!(!run.stderr.contains("has no result"), "{run:?}");
}

/// A run that was killed an hour ago between the intent and its result: the next run asks the forge,
/// and records what became of it.
#[test]
fn an_interrupted_merge_is_settled_by_the_next_run() {
    for merged in [false, true] {
        let Some(proposed) = propose_tested() else {
            return;
        };
        let sandbox = &proposed.forge.sandbox;
        init(sandbox);
        if merged {
            proposed.gate(&["--merge"]).expect(0);
        }
        let key = std::fs::read_to_string(sandbox.path("secret")).unwrap();
        let key = SignerKey::parse(&key).unwrap();
        let folder = Folder::new(sandbox.path("ledger"));
        let intent = Record {
            source: format!("{}/{REPO}", proposed.forge.github.server_url()),
            subject: None,
            time: jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1),
            who: Actor::Unknown,
            event: Event::Merge(MergeEvent {
                pull_request: proposed.number,
                head: proposed.head.clone(),
                verdict: String::new(),
                step: Step::Intent {},
            }),
            inputs: Vec::new(),
            reasons: Vec::new(),
            statement: None,
        };
        let mut ledger = Ledger::open(&folder, key.verifier()).unwrap();
        ledger.append(&[intent], &[], &key).unwrap();

        let (code, expected) = match merged {
            true => (11, ["merge intent", "merge done", "verdict block"]),
            false => (0, ["merge intent", "merge failed", "verdict merge"]),
        };
        gate(&proposed, &[]).expect(code);
        assert_eq!(history(sandbox), expected);
    }
}

/// The same verdict from the record alone: no forge, no registry, no store.
#[test]
fn a_recorded_verdict_is_computed_again_offline() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    init(sandbox);
    gate(&proposed, &["--merge"]).expect(0);
    gate(&proposed, &[]).expect(11);
    std::fs::remove_dir_all(sandbox.path("store")).unwrap();
    let asked = proposed.forge.github.requests().len();

    let replay = |record: &str| {
        sandbox.run(&[
            "gate", "--replay", record, "--ledger", "ledger", "--format", "json",
        ])
    };
    let run = replay("0").expect(0);
    assert_eq!(run.json()["verdict"], "merge");
    assert_eq!(run.json()["head_sha"], proposed.head.as_str());
    assert!(run.stderr.contains("record 0 says merge too"), "{run:?}");
    assert_eq!(replay("3").expect(11).json()["verdict"], "block");
    // A merge is no verdict, and neither is a record that does not exist.
    assert!(replay("1").expect(2).stderr.contains("no verdict `1`"));
    replay("99").expect(2);
    sandbox.run(&["gate", "--replay", "0"]).expect(2);
    assert_eq!(proposed.forge.github.requests().len(), asked);

    // Every changed byte of the evidence is found.
    let mut files = std::fs::read_dir(sandbox.path("ledger/evidence")).unwrap();
    let path = files.next().unwrap().unwrap().path();
    let whole = std::fs::read(&path).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    std::fs::write(&path, text.replace("1.6.1", "1.6.9")).unwrap();
    let run = audit(sandbox, "verify", &[]).expect(1);
    assert!(
        run.stderr.contains("is not the file that its record names"),
        "{run:?}"
    );
    let broken = [replay("0"), replay("3")];
    assert!(broken.iter().any(|run| run.code == 3), "{broken:?}");
    std::fs::remove_file(&path).unwrap();
    audit(sandbox, "verify", &[]).expect(1);
    std::fs::write(&path, whole).unwrap();
    audit(sandbox, "verify", &[]).expect(0);
}

/// The files of a ledger can be written without its key. A record with another verdict, whose hash was
/// changed with it, is not the one that was signed.
#[test]
fn a_forged_record_is_not_judged_again() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    let key = init(sandbox);
    gate(&proposed, &[]).expect(0);
    let replay = |more: &[&str]| {
        let fixed = ["gate", "--replay", "0", "--ledger", "ledger"];
        sandbox.run(&[&fixed[..], more].concat())
    };
    let other_key = SignerKey::generate("ledger.example/acme").unwrap();
    let other_key = other_key.verifier().to_string();
    let run = replay(&[]).expect(0);
    assert!(run.stderr.contains("own key was used"), "{run:?}");
    let run = replay(&["--ledger-public-key", &key]).expect(0);
    assert!(!run.stderr.contains("own key"), "{run:?}");
    let run = replay(&["--ledger-public-key", &other_key]).expect(3);
    assert_eq!(run.stdout, "");
    replay(&["--ledger-public-key", "ledger.example+1+1"]).expect(2);

    let bundle = sandbox.path("ledger/tile/entries/000.p/1");
    let bytes = std::fs::read(&bundle).unwrap();
    let (_, mut record) = Record::parse(&bytes[2..]).unwrap();
    let Event::Verdict(verdict) = &mut record.event else {
        panic!("{record:?}");
    };
    verdict.decision = Decision::Block;
    let forged = record.to_bytes().unwrap();
    let length = u16::try_from(forged.len()).unwrap().to_be_bytes();
    std::fs::write(&bundle, [&length[..], &forged].concat()).unwrap();
    let hash = Hash::of_leaf(&forged);
    std::fs::write(sandbox.path("ledger/tile/0/000.p/1"), hash.as_bytes()).unwrap();
    let run = replay(&["--ledger-public-key", &key]).expect(3);
    assert!(run.stderr.contains("another root"), "{run:?}");
    assert_eq!(run.stdout, "");
    // A hold may have been taken out of such a ledger.
    let run = gate(&proposed, &["--merge"]).expect(10);
    assert!(
        reasons_against(&run).contains(&"not-held".to_owned()),
        "{run:?}"
    );
    assert!(proposed.is_open());
    let run = sandbox.run(&["policy", "simulate", "--ledger", "ledger", "--key", &key]);
    assert!(run.code != 0 && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn a_changed_policy_is_tried_on_recorded_pull_requests() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    init(sandbox);
    gate(&proposed, &[]).expect(0);
    let simulate = |policy: &str, more: &[&str]| {
        std::fs::write(sandbox.path("changed.yml"), policy).unwrap();
        let fixed = [
            "policy",
            "simulate",
            "--ledger",
            "ledger",
            "--config",
            "changed.yml",
        ];
        sandbox.run(&[&fixed[..], more].concat())
    };

    let run = simulate(POLICY, &[]).expect(0);
    assert_eq!(run.stdout, "1 judged again, 0 change, 0 cannot be judged\n");
    let stricter = format!("{POLICY}  required-approvals: 1\n");
    let run = simulate(&stricter, &[]).expect(0);
    assert!(
        run.stdout.contains("#2: merge -> review: approvals: "),
        "{run:?}"
    );
    assert!(
        run.stdout
            .ends_with("1 judged again, 1 change, 0 cannot be judged\n")
    );
    let run = simulate(&stricter, &["--since", "2999-01-01"]).expect(0);
    assert_eq!(run.stdout, "0 judged again, 0 change, 0 cannot be judged\n");
    simulate("gate: 3\n", &[]).expect(2);
    simulate(POLICY, &["--since", "yesterday"]).expect(2);

    std::fs::remove_dir_all(sandbox.path("ledger/evidence")).unwrap();
    let run = simulate(POLICY, &[]).expect(3);
    assert!(run.stdout.contains("is missing"), "{run:?}");
}
