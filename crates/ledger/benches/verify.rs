//! The check of a large log: `cargo bench -p patchgate-ledger`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use patchgate_ledger::{
    Actor, Decision, Event, Folder, Input, Ledger, Reason, Record, SignerKey, VerdictEvent, verify,
};

fn main() {
    divan::main();
}

/// A verdict with two inputs and five reasons, about 1 KB.
fn record(number: u64) -> Record {
    let reason = |code: &str| Reason::new(code, "merge", "every commit is by a trusted account");
    Record {
        source: "https://forge.example.invalid/acme/shop".to_owned(),
        subject: Some(format!("pull/{number}")),
        time: jiff::Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(number.cast_signed()),
        who: Actor::Unknown,
        event: Event::Verdict(VerdictEvent {
            decision: Decision::Merge,
            pull_request: number,
            head: format!("{number:040x}"),
            base: "b".repeat(40),
        }),
        inputs: vec![
            Input::of("base:package-lock.json", &number.to_be_bytes()),
            Input::of("head:package-lock.json", &number.to_le_bytes()),
        ],
        reasons: ["commits", "checks", "files", "lockfile", "age"]
            .map(reason)
            .to_vec(),
        statement: None,
    }
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn verify_100_000_records(bencher: divan::Bencher<'_, '_>) {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::new(directory.path());
    let key = SignerKey::generate("ledger.example/bench").unwrap();
    let mut ledger = Ledger::create(&folder, &key).unwrap();
    for batch in 0..10 {
        let records: Vec<Record> = (batch * 10_000..(batch + 1) * 10_000).map(record).collect();
        ledger.append(&records, &[], &key).unwrap();
    }

    bencher.bench(|| {
        let result = verify(&folder, key.verifier()).unwrap();
        assert_eq!((result.checkpoint.size, result.faults.count), (100_000, 0));
    });
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn append_1_record(bencher: divan::Bencher<'_, '_>) {
    let directory = tempfile::tempdir().unwrap();
    let folder = Folder::new(directory.path());
    let key = SignerKey::generate("ledger.example/bench").unwrap();
    let mut ledger = Ledger::create(&folder, &key).unwrap();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        ledger.append(&[record(number)], &[], &key).unwrap()
    });
}
