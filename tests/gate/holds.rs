//! Decisions of people in the ledger: holds, overrides and what became of a merge.

use patchgate_ledger::{Actor, Event, Folder, HoldEvent, Ledger, Record, SignerKey};

use super::ledger::{gate, propose_tested};
use super::verdict::Proposed;
use crate::audit::{RECORDED, audit, exported, init};
use crate::support::forge_sandbox::{REPO, reasons_against};
use crate::support::sandbox::Run;

/// `patchgate audit record` with a reason.
fn record(proposed: &Proposed, more: &[&str]) -> Run {
    let fixed = ["audit", "record", more[0], "--reason", "an incident"];
    let args = [&fixed[..], &RECORDED, &more[1..]].concat();
    proposed.forge.sandbox.run(&args)
}

fn source(proposed: &Proposed) -> String {
    format!("{}/{REPO}", proposed.forge.github.server_url())
}

#[test]
fn a_hold_stops_merges_until_it_is_resumed() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    init(sandbox);
    let address = source(&proposed);
    let number = proposed.number.to_string();
    let all = ["--repository", &address];
    let one = ["--repository", &address, "--pull-request", &number];

    // Holds of others stop nothing.
    record(
        &proposed,
        &["hold", "--repository", "https://other.example/a"],
    )
    .expect(0);
    let other = ["hold", "--repository", &address, "--pull-request", "999"];
    record(&proposed, &other).expect(0);
    gate(&proposed, &[]).expect(0);

    for scope in [&all[..], &one] {
        record(&proposed, &[&["hold"][..], scope].concat()).expect(0);
        let run = gate(&proposed, &["--merge"]).expect(10);
        assert_eq!(reasons_against(&run), ["not-held"]);
        assert!(run.stdout.contains("an incident"), "{run:?}");
        assert!(proposed.is_open());
        let index = exported(sandbox).len() - 1;
        let replay = ["gate", "--replay", &index.to_string(), "--ledger", "ledger"];
        sandbox.run(&replay).expect(10);
        record(&proposed, &[&["resume"][..], scope].concat()).expect(0);
    }

    // A hold that comes after the verdict and before the merge.
    let key = std::fs::read_to_string(sandbox.path("secret")).unwrap();
    let key = SignerKey::parse(&key).unwrap();
    let folder = Folder::new(sandbox.path("ledger"));
    let github = &proposed.forge.github;
    github.before("POST", "/check-runs", 0, move || {
        let hold = Record {
            source: address.clone(),
            subject: None,
            time: jiff::Timestamp::now(),
            who: Actor::Unknown,
            event: Event::Hold(HoldEvent { held: true }),
            inputs: Vec::new(),
            reasons: Vec::new(),
            statement: None,
        };
        let mut ledger = Ledger::open(&folder, key.verifier()).unwrap();
        ledger.append(&[hold], &[], &key).unwrap();
        None
    });
    let run = gate(&proposed, &["--merge"]).expect(10);
    assert!(run.stdout.contains("merges are held by record"), "{run:?}");
    assert!(proposed.is_open());

    let address = source(&proposed);
    record(&proposed, &["resume", "--repository", &address]).expect(0);
    gate(&proposed, &["--merge"]).expect(0);
    assert!(!proposed.is_open());
    audit(sandbox, "verify", &[]).expect(0);
}

#[test]
fn decisions_and_outcomes_are_recorded() {
    let Some(proposed) = propose_tested() else {
        return;
    };
    let sandbox = &proposed.forge.sandbox;
    init(sandbox);
    gate(&proposed, &[]).expect(0);
    let address = source(&proposed);

    record(&proposed, &["override", "0", "--decision", "block"]).expect(0);
    let commit = "a".repeat(40);
    let about = ["--repository", &address, "--commit", &commit];
    let deployed = [&["deployed", "--environment", "production"][..], &about].concat();
    record(&proposed, &deployed).expect(0);
    record(&proposed, &[&["reverted"][..], &about].concat()).expect(0);

    let records = exported(sandbox);
    let what = |at: usize| records[at]["event"]["data"]["what"].clone();
    assert_eq!(what(1)["of"], records[0]["event"]["id"]);
    assert_eq!(what(1)["decision"], "block");
    assert_eq!(
        records[1]["event"]["subject"],
        records[0]["event"]["subject"]
    );
    assert_eq!(what(2)["environment"], "production");
    assert_eq!(what(3)["result"], "reverted");
    assert_eq!(
        records[3]["event"]["data"]["reasons"][0]["text"],
        "an incident"
    );

    // Only verdicts are overridden, and a record has an address and a whole id.
    for wrong in [
        &["override", "1", "--decision", "merge"][..],
        &["override", "9", "--decision", "merge"],
        &["hold", "--repository", "local"],
        &["hold", "--repository", "https://me:secret@host.example/a"],
        &["reverted", "--repository", &address, "--commit", "abc"],
    ] {
        let run = record(&proposed, wrong).expect(2);
        assert!(!format!("{run:?}").contains("secret@"), "{run:?}");
    }
    assert_eq!(exported(sandbox).len(), 4);
    audit(sandbox, "verify", &[]).expect(0);
}
