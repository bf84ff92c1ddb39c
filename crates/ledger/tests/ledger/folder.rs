//! Logs in directories: writers that are killed, that meet, and that run out of space.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use patchgate_ledger::{Folder, Ledger, Proof, SignerKey, Verification, verify};

use crate::support::{key, record, records};

/// The variables that make [`writer`] write.
const DIRECTORY: &str = "LEDGER_TEST_DIRECTORY";
const KEY: &str = "LEDGER_TEST_KEY";
const START: &str = "LEDGER_TEST_START";

/// Not a test: the child process of tests. It appends one record after the other, and prints the
/// index of each that is durable.
#[test]
#[ignore = "the child process of other tests"]
fn writer() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let key = SignerKey::parse(&std::env::var(KEY).unwrap()).unwrap();
    let start: u64 = std::env::var(START).unwrap().parse().unwrap();
    let folder = Folder::new(directory);
    let mut ledger = Ledger::open(&folder, key.verifier()).unwrap();
    for number in start..start + 2_000 {
        match ledger.append(&[record(number)], &[], &key) {
            Ok(appended) => println!("\nappended {number} {}", appended.first),
            Err(error) => {
                println!("\nrefused {error}");
                return;
            }
        }
    }
}

fn start_writer(directory: &Path, key: &SignerKey, start: u64, prefix: &str) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new("sh")
        .args([
            "-c",
            &format!("{prefix} exec \"$0\" --ignored --exact --nocapture folder::writer"),
        ])
        .arg(program)
        .env(DIRECTORY, directory)
        .env(KEY, key.to_secret_text())
        .env(START, start.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Numbers and indices that the writer acknowledged, and its refusal. The writer is killed this long
/// after its first acknowledgement.
fn acknowledged(
    mut child: Child,
    kill_after: Option<Duration>,
) -> (Vec<(u64, u64)>, Option<String>) {
    let mut acknowledged = Vec::new();
    let mut refusal = None;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(numbers) = line.strip_prefix("appended ") {
            // A line that the kill has cut is not an acknowledgement.
            let parsed = numbers
                .split_once(' ')
                .and_then(|(number, index)| Some((number.parse().ok()?, index.parse().ok()?)));
            acknowledged.extend(parsed);
            if let (1, Some(time)) = (acknowledged.len(), kill_after) {
                std::thread::sleep(time);
                child.kill().unwrap();
            }
        }
        if let Some(reason) = line.strip_prefix("refused ") {
            refusal = Some(reason.to_owned());
        }
    }
    child.wait().unwrap();
    (acknowledged, refusal)
}

/// The record of this number is at this index.
#[track_caller]
fn expect_record(ledger: &Ledger<'_>, number: u64, index: u64) {
    let (entry, _) = ledger.entry(index).unwrap().unwrap();
    assert_eq!(entry, record(number).to_bytes().unwrap(), "index {index}");
}

#[track_caller]
fn expect_whole(folder: &Folder, key: &SignerKey) -> Verification {
    let result = verify(folder, key.verifier()).unwrap();
    assert_eq!(result.faults.first, [""; 0]);
    result
}

#[test]
fn a_log_grows_over_tiles_and_proves_each_record() {
    let (key, top) = (key(), tempfile::tempdir().unwrap());
    let folder = Folder::new(top.path().join("ledger"));
    let mut ledger = Ledger::create(&folder, &key).unwrap();
    expect_whole(&folder, &key);

    let mut size = 0;
    for batch in [1, 1, 253, 1, 1, 600, 0, 64_700] {
        ledger
            .append(&records(size..size + batch), &[], &key)
            .unwrap();
        size += batch;
        let result = expect_whole(&folder, &key);
        assert_eq!((result.checkpoint.size, result.warnings.count), (size, 0));
    }
    assert!(top.path().join("ledger/tile/2/000.p/1").is_file());
    // The full bundle took the place of the partial ones.
    assert!(top.path().join("ledger/tile/entries/000").is_file());
    let partial = top.path().join("ledger/tile/entries/000.p");
    assert_eq!(std::fs::read_dir(partial).unwrap().count(), 0);

    for index in [0, 1, 254, 255, 256, 65_535, 65_536, size - 1] {
        let (entry, proof) = ledger.entry(index).unwrap().unwrap();
        assert_eq!(entry, record(index).to_bytes().unwrap());
        let text = proof.to_text();
        assert!(text.len() < 1_500, "{text}");
        let read = Proof::parse(&text).unwrap();
        assert_eq!(read.verify(&entry, key.verifier()).unwrap().size, size);
    }
    assert_eq!(ledger.entry(size).unwrap(), None);
    let error = Ledger::create(&folder, &key).err().unwrap();
    assert!(
        error.to_string().ends_with("is a ledger already"),
        "{error}"
    );
}

/// A hundred kills: after each one, everything that was acknowledged is there, and the log continues
/// every earlier one.
#[test]
fn a_writer_that_is_killed_loses_nothing() {
    let (key, top) = (key(), tempfile::tempdir().unwrap());
    let folder = Folder::new(top.path());
    Ledger::create(&folder, &key).unwrap();

    let mut all = Vec::new();
    let mut next = 0;
    let mut earlier = Ledger::open(&folder, key.verifier())
        .unwrap()
        .checkpoint()
        .clone();
    let mut interrupted = 0;
    for round in 0_u64..100 {
        let child = start_writer(top.path(), &key, next, "");
        // A different moment each time: an append takes some milliseconds.
        let time = Duration::from_micros(round * 7_919 % 23_000);
        let (new, refusal) = acknowledged(child, Some(time));
        assert_eq!(refusal, None);
        // A record may be durable although its acknowledgement was not written: no later round sends
        // the same number.
        next = (round + 1) * 5_000;
        all.extend(new);

        let result = verify(&folder, key.verifier()).unwrap();
        assert_eq!(result.faults.first, [""; 0], "round {round}");
        interrupted += result.warnings.count;
        let ledger = Ledger::open(&folder, key.verifier()).unwrap();
        ledger.check_growth(&earlier).unwrap();
        earlier = ledger.checkpoint().clone();
    }

    let mut ledger = Ledger::open(&folder, key.verifier()).unwrap();
    assert!(all.len() > 100, "{} records in 100 rounds", all.len());
    for (number, index) in &all {
        expect_record(&ledger, *number, *index);
    }
    println!("{} records, {interrupted} interrupted appends", all.len());

    // The next append removes what the last kill left.
    ledger.append(&[record(next + 1)], &[], &key).unwrap();
    assert_eq!(expect_whole(&folder, &key).warnings.first, [""; 0]);
    let names = std::fs::read_dir(top.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort_unstable();
    assert_eq!(names, [".lock", "checkpoint", "key", "tile"]);
}

#[test]
fn writers_that_meet_lose_and_fork_nothing() {
    let (key, top) = (key(), tempfile::tempdir().unwrap());
    let folder = Folder::new(top.path());
    Ledger::create(&folder, &key).unwrap();

    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (folder, key) = (&folder, &key);
            scope.spawn(move || {
                let mut ledger = Ledger::open(folder, key.verifier()).unwrap();
                for number in 0..25 {
                    let number = writer * 1000 + number;
                    let appended = ledger.append(&[record(number)], &[], key).unwrap();
                    expect_record(&ledger, number, appended.first);
                }
            });
        }
        // A reader meanwhile sees whole logs only.
        for _ in 0..20 {
            expect_whole(&folder, &key);
        }
    });

    let result = expect_whole(&folder, &key);
    assert_eq!(result.checkpoint.size, 100);
}

/// The limit on the size of a file makes the system refuse a write, as a full disk does.
#[test]
fn a_refused_write_is_an_error_and_loses_nothing() {
    let (key, top) = (key(), tempfile::tempdir().unwrap());
    let folder = Folder::new(top.path());
    Ledger::create(&folder, &key).unwrap();

    // 16 blocks of 512 bytes. The signal that goes with the refusal would end the process.
    let child = start_writer(top.path(), &key, 0, "trap '' XFSZ; ulimit -f 16;");
    let (all, refusal) = acknowledged(child, None);
    let refusal = refusal.unwrap();
    assert!(refusal.contains("/tile/entries/000.p/"), "{refusal}");
    assert!(refusal.contains("` cannot be written: "), "{refusal}");
    assert!(all.len() > 10, "{all:?}");

    let mut ledger = Ledger::open(&folder, key.verifier()).unwrap();
    assert_eq!(
        expect_whole(&folder, &key).checkpoint.size,
        all.len() as u64
    );
    for (number, index) in &all {
        expect_record(&ledger, *number, *index);
    }
    ledger.append(&records(5000..5010), &[], &key).unwrap();
    assert_eq!(expect_whole(&folder, &key).warnings.count, 0);
}

#[test]
fn a_directory_that_is_not_a_ledger_or_cannot_be_read_is_an_error() {
    let (key, top) = (key(), tempfile::tempdir().unwrap());
    let absent = Folder::new(top.path().join("absent"));
    let error = Ledger::open(&absent, key.verifier()).err().unwrap();
    assert!(
        error
            .to_string()
            .ends_with("/absent` is not a ledger: it has no `checkpoint`")
    );
    assert!(!error.is_altered());
    assert!(!top.path().join("absent").exists());

    std::fs::create_dir(top.path().join("checkpoint")).unwrap();
    let odd = Folder::new(top.path());
    let error = verify(&odd, key.verifier()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot be read: it is not a regular file"),
        "{error}"
    );
    assert!(!error.is_altered());

    let error = Ledger::own_key(&absent).unwrap_err();
    assert!(!error.is_altered());
    // A link out of the ledger is not followed.
    let linked = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", linked.path().join("checkpoint")).unwrap();
    let error = verify(&Folder::new(linked.path()), key.verifier()).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    if error.is_altered() {
        panic!("{error}");
    }
}
