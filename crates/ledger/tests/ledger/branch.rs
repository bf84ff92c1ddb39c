//! Logs in a branch of a repository on disk.

use std::path::Path;
use std::process::Command;

use patchgate_ledger::{Branch, Ledger, Storage as _, verify};

use crate::support::{key, record, records};

/// A bare repository, and git in it.
fn repository() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    git(directory.path(), &["init", "--quiet", "--bare", "."]);
    directory
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

const BRANCH: &str = "refs/heads/patchgate/ledger";

#[test]
fn a_branch_grows_by_one_commit_for_each_append() {
    let (key, top) = (key(), repository());
    let branch = Branch::open(top.path()).unwrap();
    let error = Ledger::open(&branch, key.verifier()).err().unwrap();
    assert!(error.to_string().contains("is not a ledger"), "{error}");

    let mut ledger = Ledger::create(&branch, &key).unwrap();
    ledger.append(&records(0..3), &[], &key).unwrap();
    ledger.append(&records(3..300), &[], &key).unwrap();
    let history = git(top.path(), &["rev-list", "--parents", BRANCH]);
    assert_eq!(history.lines().count(), 3, "{history}");
    assert_eq!(
        history.lines().last().unwrap().split(' ').count(),
        1,
        "no parent: {history}"
    );
    let files = git(top.path(), &["ls-tree", "-r", "--name-only", BRANCH]);
    assert_eq!(
        files.lines().collect::<Vec<_>>(),
        [
            "checkpoint",
            "key",
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/44"
        ]
    );

    let again = Branch::open(top.path()).unwrap();
    assert!(Ledger::create(&again, &key).is_err());
    let result = verify(&again, key.verifier()).unwrap();
    assert_eq!((result.checkpoint.size, result.faults.count), (300, 0));
}

#[test]
fn two_writers_at_once_lose_and_fork_nothing() {
    let (key, top) = (key(), repository());
    Ledger::create(&Branch::open(top.path()).unwrap(), &key).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let (top, key) = (top.path(), &key);
            scope.spawn(move || {
                let branch = Branch::open(top).unwrap();
                let mut ledger = Ledger::open(&branch, key.verifier()).unwrap();
                for number in 0..6 {
                    let number = writer * 100 + number;
                    let appended = ledger.append(&[record(number)], &[], key).unwrap();
                    let (entry, _) = ledger.entry(appended.first).unwrap().unwrap();
                    assert_eq!(entry, record(number).to_bytes().unwrap());
                }
            });
        }
    });

    let branch = Branch::open(top.path()).unwrap();
    let result = verify(&branch, key.verifier()).unwrap();
    assert_eq!((result.checkpoint.size, result.faults.count), (12, 0));
    let commits = git(top.path(), &["rev-list", "--count", BRANCH]);
    assert_eq!(commits.trim(), "13");
}

/// The answer to a push is lost, or says that it failed, and the commit is there.
#[test]
fn a_push_is_believed_by_the_branch_and_not_by_its_answer() {
    let (key, top) = (key(), repository());
    let branch = Branch::open(top.path()).unwrap();
    let mut ledger = Ledger::create(&branch, &key).unwrap();

    // Another writer moves the branch between the fetch and the push.
    let stale = Branch::open(top.path()).unwrap();
    let mut behind = Ledger::open(&stale, key.verifier()).unwrap();
    ledger.append(&[record(1)], &[], &key).unwrap();
    let appended = behind.append(&[record(2)], &[], &key).unwrap();
    assert_eq!(appended.first, 1);

    // A repository that refuses the push.
    let hook = top.path().join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(
        &hook,
        "#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n",
    )
    .unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = behind.append(&[record(3)], &[], &key).unwrap_err();
    assert!(
        error.to_string().contains("the branch is protected"),
        "{error}"
    );
    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert_eq!(
        verify(&branch_of(top.path()), key.verifier())
            .unwrap()
            .checkpoint
            .size,
        2
    );
}

fn branch_of(path: &Path) -> Branch {
    Branch::open(path).unwrap()
}

#[test]
fn what_is_not_a_repository_or_not_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = Branch::open(directory.path()).unwrap_err();
    assert!(
        error.to_string().contains("cannot be read: git: "),
        "{error}"
    );
    assert!(Branch::open(directory.path().join("absent")).is_err());

    // A link in the branch is not followed.
    let top = repository();
    let stream = format!(
        "commit {BRANCH}\ncommitter A <a@example.invalid> 0 +0000\ndata 1\nx\nM 120000 inline checkpoint\ndata 11\n/etc/passwd\n"
    );
    let mut child = Command::new("git")
        .arg("-C")
        .arg(top.path())
        .args(["fast-import", "--quiet"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), stream.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(branch_of(top.path()).read("checkpoint").unwrap(), None);
}
