//! Logs that somebody changed: every changed byte, missing and strange files, other logs.

use patchgate_ledger::{Checkpoint, Ledger, LedgerError, SignerKey, verify};

use crate::support::{Memory, ORIGIN, key, record, records};

/// Whether the log passes every check with this key.
fn is_whole(memory: &Memory, key: &SignerKey) -> bool {
    verify(memory, key.verifier()).is_ok_and(|result| result.faults.count == 0)
}

/// The faults, or the error.
fn faults(memory: &Memory, key: &SignerKey) -> String {
    match verify(memory, key.verifier()) {
        Ok(result) => result.faults.first.join("\n"),
        Err(error) => error.to_string(),
    }
}

/// Changes one byte of a file, and changes it back after the look.
fn with_changed_byte<T>(
    memory: &Memory,
    path: &str,
    at: usize,
    change: u8,
    look: impl Fn() -> T,
) -> T {
    memory.files.lock().unwrap().get_mut(path).unwrap()[at] ^= change;
    let seen = look();
    memory.files.lock().unwrap().get_mut(path).unwrap()[at] ^= change;
    seen
}

/// Every byte of every file of a log of 120 records, appended in two batches.
#[test]
fn every_changed_byte_of_a_small_log_is_found() {
    let key = key();
    let memory = Memory::with(&key, &[1, 119]);
    assert!(is_whole(&memory, &key), "{}", faults(&memory, &key));

    let files = memory.files.lock().unwrap().clone();
    let bytes: usize = files.values().map(Vec::len).sum();
    assert!(bytes > 40_000, "{bytes}");
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (memory, files, key) = (memory.copy(), &files, &key);
            scope.spawn(move || {
                for (path, bytes) in files {
                    for at in (half..bytes.len()).step_by(2) {
                        // One of the eight bits, and over the file each of them.
                        let change = 1 << (at % 8);
                        let whole =
                            with_changed_byte(&memory, path, at, change, || is_whole(&memory, key));
                        assert!(!whole, "byte {at} of `{path}`");
                    }
                }
            });
        }
    });
}

#[test]
fn changed_bytes_of_a_log_of_10_000_records_are_found() {
    let key = key();
    let memory = Memory::with(&key, &[9_900, 50, 50]);
    assert!(is_whole(&memory, &key), "{}", faults(&memory, &key));

    let files = memory.files.lock().unwrap().clone();
    let total: usize = files.values().map(Vec::len).sum();
    // A fixed walk over all files: a prime step reaches different bytes of records and hashes.
    let mut at = 0;
    for (path, bytes) in &files {
        while at < bytes.len() {
            let whole = with_changed_byte(&memory, path, at, 1, || is_whole(&memory, &key));
            assert!(!whole, "byte {at} of `{path}`");
            at += total / 60 + 7;
        }
        at -= bytes.len();
    }
}

#[test]
fn missing_cut_longer_and_strange_files_are_found() {
    let key = key();
    let memory = Memory::with(&key, &[300, 7]);
    let files = memory.files.lock().unwrap().clone();
    let is_current = |path: &str| !path.contains("/001.p/44");

    for (path, bytes) in &files {
        for content in [
            &bytes[..bytes.len() - 1],
            &[bytes, &b"\n"[..]].concat(),
            b"",
        ] {
            let copy = memory.copy();
            copy.files
                .lock()
                .unwrap()
                .insert(path.clone(), content.to_vec());
            assert!(
                !is_whole(&copy, &key),
                "`{path}` with {} bytes",
                content.len()
            );
        }

        let copy = memory.copy();
        copy.files.lock().unwrap().remove(path);
        // Earlier partial tiles and the public key are not needed.
        let needed = is_current(path) && path != "key";
        assert_eq!(is_whole(&copy, &key), !needed, "`{path}` is missing");
    }

    for strange in ["tile/0/000.p/x", "tile/entries/1", "tile/note.txt"] {
        let copy = memory.copy();
        copy.files
            .lock()
            .unwrap()
            .insert(strange.to_owned(), Vec::new());
        let faults = faults(&copy, &key);
        assert!(
            faults.contains(&format!("`memory/{strange}` is not part of a log")),
            "{faults}"
        );
    }
}

#[test]
fn an_older_checkpoint_is_found_and_never_written_over() {
    let key = key();
    let memory = Memory::with(&key, &[5]);
    let old = memory.files.lock().unwrap()["checkpoint"].clone();
    let mut ledger = Ledger::open(&memory, key.verifier()).unwrap();
    ledger.append(&records(5..9), &[], &key).unwrap();
    let before = memory.copy();
    memory
        .files
        .lock()
        .unwrap()
        .insert("checkpoint".to_owned(), old);

    let expected = "the checkpoint of `memory` is older than the log: it says 5 records";
    assert!(faults(&memory, &key).starts_with(expected));
    let mut ledger = Ledger::open(&memory, key.verifier()).unwrap();
    let error = ledger.append(&[record(9)], &[], &key).unwrap_err();
    assert!(error.to_string().starts_with(expected), "{error}");
    assert!(error.hint().contains("restore the newest checkpoint"));

    // With the newest checkpoint, nothing is lost.
    let newest = before.files.lock().unwrap()["checkpoint"].clone();
    memory
        .files
        .lock()
        .unwrap()
        .insert("checkpoint".to_owned(), newest);
    assert_eq!(*memory.files.lock().unwrap(), *before.files.lock().unwrap());
}

#[test]
fn a_log_of_another_project_is_refused() {
    let key = key();
    let memory = Memory::with(&key, &[5]);
    for (name, expected) in [
        (
            "ledger.example/other",
            "is not signed by the key `ledger.example/other`, only by `ledger.example/acme`",
        ),
        (
            ORIGIN,
            "is not signed by the key `ledger.example/acme`, only by `ledger.example/acme`",
        ),
    ] {
        let other = SignerKey::generate(name).unwrap();
        let error = verify(&memory, other.verifier()).unwrap_err();
        assert_eq!(error.to_string(), format!("`memory/checkpoint` {expected}"));
        assert!(error.is_altered());
        let error = Ledger::open(&memory, key.verifier())
            .unwrap()
            .append(&[record(6)], &[], &other)
            .unwrap_err();
        assert!(error.to_string().contains("is not signed"), "{error}");
    }
    assert!(is_whole(&memory, &key));
}

#[test]
fn a_log_that_was_written_again_does_not_continue_an_earlier_checkpoint() {
    let key = key();
    let (first, again) = (Memory::default(), Memory::default());
    let mut one = Ledger::create(&first, &key).unwrap();
    one.append(&records(0..10), &[], &key).unwrap();
    let earlier: Checkpoint = one.checkpoint().clone();
    one.append(&records(10..300), &[], &key).unwrap();
    one.check_growth(&earlier).unwrap();

    let mut two = Ledger::create(&again, &key).unwrap();
    two.append(&records(1..301), &[], &key).unwrap();
    assert!(is_whole(&again, &key));
    let error = two.check_growth(&earlier).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("of 300 records does not continue the earlier one of 10"),
        "{error}"
    );
    let error = two
        .check_growth(&Checkpoint {
            size: 400,
            ..earlier
        })
        .unwrap_err();
    assert!(error.is_altered());
}

#[test]
fn a_clock_in_the_past_is_reported_and_nothing_is_lost() {
    let key = key();
    let memory = Memory::with(&key, &[2000]);
    let mut ledger = Ledger::open(&memory, key.verifier()).unwrap();
    let appended = ledger.append(&[record(17)], &[], &key).unwrap();
    assert_eq!(appended.clock_behind.map(|by| by.as_secs()), Some(1982));

    let result = verify(&memory, key.verifier()).unwrap();
    assert_eq!(result.faults.count, 0);
    // Its content is that of record 17, too.
    assert_eq!(result.warnings.count, 2);
    assert!(
        result.warnings.first[0].contains("record 2000 says"),
        "{:?}",
        result.warnings
    );
    assert!(
        result.warnings.first[1].contains("repeats the record"),
        "{:?}",
        result.warnings
    );
}

#[test]
fn an_entry_that_is_no_record_is_a_fault() {
    let key = key();
    let memory = Memory::with(&key, &[1]);
    assert!(matches!(
        Ledger::open(&Memory::default(), key.verifier()).err(),
        Some(LedgerError::Absent(_))
    ));
    let large = patchgate_ledger::Record {
        source: "x".repeat(70_000),
        ..record(2)
    };
    let mut ledger = Ledger::open(&memory, key.verifier()).unwrap();
    let error = ledger.append(&[record(1), large], &[], &key).unwrap_err();
    assert!(
        error.to_string().contains("an entry has at most 65535"),
        "{error}"
    );
    assert_eq!(verify(&memory, key.verifier()).unwrap().checkpoint.size, 1);
}

/// A log that somebody made up, with a key of their own, costs neither time nor memory.
#[test]
fn a_size_without_files_is_found_at_once() {
    let key = key();
    let memory = Memory::with(&key, &[5]);
    let ledger = Ledger::open(&memory, key.verifier()).unwrap();
    for size in [257, 1 << 40, u64::MAX] {
        let checkpoint = Checkpoint {
            size,
            ..ledger.checkpoint().clone()
        };
        let note = checkpoint.sign(&key).unwrap().into_bytes();
        let copy = memory.copy();
        copy.files
            .lock()
            .unwrap()
            .insert("checkpoint".to_owned(), note);
        assert!(!faults(&copy, &key).is_empty(), "{size}");

        let mut made_up = Ledger::open(&copy, key.verifier()).unwrap();
        assert!(made_up.entry(size - 1).is_err());
        assert!(made_up.open_intents().is_err());
        assert!(made_up.append(&[record(1)], &[], &key).is_err());
    }
}
