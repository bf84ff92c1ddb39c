//! A log in a branch of a git repository.
//!
//! The branch has nothing but the log: its first commit has no parent. Each append is one commit, and
//! its push is refused when the branch is not at the commit that it builds on, so a change is there as
//! a whole or not at all. The work is done in a bare repository of its own, in a temporary directory:
//! nothing of the named repository is checked out, and none of its settings is used here. Hooks of the
//! named repository itself may refuse a push, as those of a server do.
//!
//! Only repositories on disk are reached: git has no token here, and every other protocol is off.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use super::{CHECKPOINT, Change, Storage, Turn};
use crate::error::LedgerError;
use crate::tile::MAX_BUNDLE_BYTES;

/// The branch with the log.
const BRANCH: &str = "refs/heads/patchgate/ledger";

/// References of the temporary repository: the tip that was fetched, and the commit to push.
const FETCHED: &str = "refs/ledger/fetched";
const NEXT: &str = "refs/ledger/next";

/// Times that the tip is read again after a push that failed, and the time between.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(30);

/// A log in a branch of a git repository.
#[derive(Debug)]
pub struct Branch {
    repository: PathBuf,
    scratch: TempDir,
    state: Mutex<State>,
}

/// The tip of the branch, and its files.
#[derive(Debug, Default)]
struct State {
    tip: Option<String>,
    files: BTreeMap<String, Blob>,
}

#[derive(Debug, Clone)]
struct Blob {
    id: String,
    size: u64,
}

impl Branch {
    /// The log in the branch `patchgate/ledger` of a repository on disk.
    ///
    /// # Errors
    /// When git cannot read the repository.
    pub fn open(repository: impl Into<PathBuf>) -> Result<Self, LedgerError> {
        let repository = repository.into();
        let failed = |error| LedgerError::read(repository.display().to_string(), &error);
        let scratch = tempfile::tempdir().map_err(failed)?;
        // git takes a relative path from the temporary directory.
        let repository = repository.canonicalize().map_err(failed)?;
        let branch = Self {
            repository,
            scratch,
            state: Mutex::default(),
        };

        branch.git(&["init", "--quiet", "--bare", "."], None)?;
        branch.fetch()?;
        Ok(branch)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = patchgate_fs::isolated_git(self.scratch.path());
        command
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn unreadable(&self, reason: impl Into<String>) -> LedgerError {
        LedgerError::Read {
            path: self.name(),
            reason: reason.into(),
        }
    }

    /// Runs git to its end, whatever it answers.
    fn output(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<Output, LedgerError> {
        let failed = |error: std::io::Error| self.unreadable(format!("git: {error}"));
        let mut command = self.command(arguments);
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(failed)?;
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // An early end of git shows in its exit code.
            let _ = stdin.write_all(input);
        }
        child.wait_with_output().map_err(failed)
    }

    /// Runs git, and returns its standard output.
    fn git(&self, arguments: &[&str], input: Option<&[u8]>) -> Result<String, LedgerError> {
        let output = self.output(arguments, input)?;
        if !output.status.success() {
            return Err(self.unreadable(said(&output)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn url(&self) -> String {
        self.repository.display().to_string()
    }

    /// The commit at the tip of the branch, as the repository says now.
    fn remote_tip(&self) -> Result<Option<String>, LedgerError> {
        let text = self.git(&["ls-remote", "--quiet", "--", &self.url(), BRANCH], None)?;
        Ok(text.split_whitespace().next().map(str::to_owned))
    }

    /// Takes the newest tip and its files.
    fn fetch(&self) -> Result<(), LedgerError> {
        let mut state = State::default();
        if self.remote_tip()?.is_some() {
            let refspec = format!("+{BRANCH}:{FETCHED}");
            let fetch = [
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-write-fetch-head",
            ];
            self.git(&[&fetch[..], &["--", &self.url(), &refspec]].concat(), None)?;
            let tip = self.git(&["rev-parse", "--verify", FETCHED], None)?;
            let tip = tip.trim().to_owned();
            state.files = self.files_of(&tip)?;
            state.tip = Some(tip);
        }

        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        Ok(())
    }

    fn files_of(&self, commit: &str) -> Result<BTreeMap<String, Blob>, LedgerError> {
        let list = self.git(&["ls-tree", "-r", "-l", "-z", commit], None)?;
        let mut files = BTreeMap::new();
        for line in list.split('\0').filter(|line| !line.is_empty()) {
            let (facts, path) = line
                .split_once('\t')
                .ok_or_else(|| self.unreadable("git lists an odd file"))?;
            let facts: Vec<&str> = facts.split_whitespace().collect();
            // A link or a submodule is not a file of a log.
            if let ["100644" | "100755", "blob", id, size] = facts[..] {
                let size = size
                    .parse()
                    .map_err(|_| self.unreadable("git lists an odd size"))?;
                let id = id.to_owned();
                files.insert(path.to_owned(), Blob { id, size });
            }
        }
        Ok(files)
    }

    /// Makes the commit of a change on the tip, and returns its id.
    fn commit(&self, change: &Change, tip: Option<&str>) -> Result<String, LedgerError> {
        let message = format!("Append records up to {}\n", change.sizes.1);
        let now = jiff::Timestamp::now().as_second();
        let mut head = format!(
            "commit {NEXT}\ncommitter Patchgate <patchgate@patchgate.invalid> {now} +0000\n\
             data {}\n{message}",
            message.len()
        );
        if let Some(tip) = tip {
            head.push_str(&format!("from {tip}\n"));
        }
        for path in change.abandoned.iter().chain(&change.obsolete) {
            head.push_str(&format!("D {path}\n"));
        }

        let mut stream = head.into_bytes();
        let checkpoint = (
            CHECKPOINT.to_owned(),
            change.checkpoint.clone().into_bytes(),
        );
        for (path, bytes) in change.files.iter().chain([&checkpoint]) {
            let file = format!("M 100644 inline {path}\ndata {}\n", bytes.len());
            stream.extend(file.as_bytes());
            stream.extend(bytes);
            stream.push(b'\n');
        }
        self.git(
            &["fast-import", "--quiet", "--force", "--date-format=raw"],
            Some(&stream),
        )?;
        let commit = self.git(&["rev-parse", "--verify", NEXT], None)?;
        Ok(commit.trim().to_owned())
    }
}

/// What git said, in one line.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    format!("git: {}", lines.join("; "))
}

impl Storage for Branch {
    fn name(&self) -> String {
        format!("git:{}", self.repository.display())
    }

    fn begin(&self) -> Result<Turn, LedgerError> {
        self.fetch()?;
        Ok(Turn::default())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let blob = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.files.get(path).cloned()
        };
        let Some(Blob { id, size }) = blob else {
            return Ok(None);
        };
        let shown = || format!("{}/{path}", self.name());
        if size > MAX_BUNDLE_BYTES as u64 {
            return Err(LedgerError::Read {
                path: shown(),
                reason: format!("it is larger than {MAX_BUNDLE_BYTES} bytes"),
            });
        }

        let output = self.output(&["cat-file", "blob", &id], None)?;
        match output.status.success() && output.stdout.len() as u64 == size {
            true => Ok(Some(output.stdout)),
            false => Err(LedgerError::Read {
                path: shown(),
                reason: said(&output),
            }),
        }
    }

    fn list(&self) -> Result<Vec<String>, LedgerError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.files.keys().cloned().collect())
    }

    fn interrupted(&self) -> Result<Option<u64>, LedgerError> {
        Ok(None)
    }

    fn publish(&self, change: &Change) -> Result<bool, LedgerError> {
        let current = self.read(CHECKPOINT)?;
        if current.as_deref() != change.expected.as_deref().map(str::as_bytes) {
            return Ok(false);
        }

        let tip = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.tip.clone()
        };
        let next = self.commit(change, tip.as_deref())?;
        let lease = format!(
            "--force-with-lease={BRANCH}:{}",
            tip.as_deref().unwrap_or_default()
        );
        let refspec = format!("{next}:{BRANCH}");
        let push = [
            "push",
            "--quiet",
            "--no-verify",
            &lease,
            "--",
            &self.url(),
            &refspec,
        ];
        let output = self.output(&push, None)?;

        // Whatever git answers, the branch says whether the commit is there. Another writer may hold
        // its lock without having moved it yet.
        for _ in 0..LOOKS {
            let now = self.remote_tip()?;
            if now.as_deref() == Some(&next) {
                self.fetch()?;
                return Ok(true);
            }
            if now != tip {
                return Ok(false);
            }
            std::thread::sleep(PAUSE);
        }
        Err(LedgerError::Write {
            path: self.name(),
            reason: said(&output),
        })
    }
}
