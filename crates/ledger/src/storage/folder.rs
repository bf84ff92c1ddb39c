//! A log in a directory.
//!
//! A change is durable in this order: the note that it has begun, its files, the checkpoint. Each file
//! is written next to its destination, synced and renamed, and each directory is synced, so that a
//! process that is killed, or a machine that loses power, leaves the old log or the new one. The files
//! of a change that has begun and has no checkpoint are removed by the next one.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{CHECKPOINT, Change, Storage, Turn};
use crate::error::LedgerError;
use crate::tile::MAX_BUNDLE_BYTES;

/// The file that the system locks. It is empty.
const LOCK: &str = ".lock";

/// The file that says which change has begun.
const BEGUN: &str = ".begun";

/// What the names of temporary files start with, see `patchgate_fs::stage`.
const TEMPORARY: &str = ".patchgate-";

/// Time that a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// Time between two looks at the lock.
const PAUSE: Duration = Duration::from_millis(5);

/// Most files of a log: 16 million records have 126,000.
const MAX_FILES: usize = 1_000_000;

/// A log in a directory.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The log in this directory. Nothing is read or created yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The path of a file, for messages.
    fn shown(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }

    /// Writes a file and makes it durable but for its directory.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let full = self.root.join(path);
        patchgate_fs::stage(&full, bytes)
            .and_then(|staged| staged.persist(&full))
            .map_err(|error| LedgerError::write(self.shown(path), &error))
    }

    /// Makes the names in a directory durable.
    fn sync(&self, directory: &Path) -> Result<(), LedgerError> {
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| LedgerError::write(directory.display().to_string(), &error))
    }

    /// Creates the directories of the files, and returns all directories whose names change.
    fn directories(&self, files: &[(String, Vec<u8>)]) -> Result<BTreeSet<PathBuf>, LedgerError> {
        let mut changed = BTreeSet::from([self.root.clone()]);
        for (path, _) in files {
            let full = self.root.join(path);
            let Some(directory) = full.parent() else {
                continue;
            };
            std::fs::create_dir_all(directory)
                .map_err(|error| LedgerError::write(self.shown(path), &error))?;
            let own = directory.ancestors().take_while(|at| *at != self.root);
            changed.extend(own.map(Path::to_owned));
        }

        Ok(changed)
    }

    /// Removes a file. One that is gone already is not an error.
    fn remove(&self, path: &str) -> Result<(), LedgerError> {
        match std::fs::remove_file(self.root.join(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LedgerError::write(self.shown(path), &error))
            }
            _ => Ok(()),
        }
    }

    /// Calls `see` with the path of every file, temporary ones included.
    fn walk(&self, see: &mut dyn FnMut(String)) -> Result<(), LedgerError> {
        let mut left = vec![String::new()];
        let mut seen = 0;
        while let Some(directory) = left.pop() {
            let failed = |error: &io::Error| LedgerError::read(self.shown(&directory), error);
            let entries = std::fs::read_dir(self.root.join(&directory));
            for entry in entries.map_err(|error| failed(&error))? {
                let entry = entry.map_err(|error| failed(&error))?;
                let kind = entry.file_type().map_err(|error| failed(&error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = match directory.as_str() {
                    "" => name,
                    directory => format!("{directory}/{name}"),
                };

                seen += 1;
                if seen > MAX_FILES {
                    let error = io::Error::other(format!("it has more than {MAX_FILES} files"));
                    return Err(LedgerError::read(self.shown(""), &error));
                }
                match kind.is_dir() {
                    // A log of the ledger is never deeper: nine numbers below a level.
                    true if path.matches('/').count() < 12 => left.push(path),
                    _ => see(path),
                }
            }
        }

        Ok(())
    }

    /// Removes the temporary files of writers that were killed.
    fn remove_temporary(&self) -> Result<(), LedgerError> {
        let mut temporary = Vec::new();
        self.walk(&mut |path| {
            if is_temporary(&path) {
                temporary.push(path);
            }
        })?;
        temporary.iter().try_for_each(|path| self.remove(path))
    }
}

fn is_temporary(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(TEMPORARY))
}

impl Storage for Folder {
    fn name(&self) -> String {
        self.root.display().to_string()
    }

    fn begin(&self) -> Result<Turn, LedgerError> {
        let path = self.root.join(LOCK);
        let failed = |error: &io::Error| LedgerError::write(self.shown(LOCK), error);
        std::fs::create_dir_all(&self.root).map_err(|error| failed(&error))?;
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| failed(&error))?;

        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Turn { _lock: Some(file) }),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
                Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                    return Err(LedgerError::Busy {
                        ledger: self.name(),
                        seconds: PATIENCE.as_secs(),
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            }
        }
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match patchgate_fs::read_inside(&self.root, path, MAX_BUNDLE_BYTES as u64) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(LedgerError::Read {
                path: self.shown(path),
                reason: match error {
                    patchgate_fs::ReadError::Io(error) => error.to_string(),
                    other => format!("it {other}"),
                },
            }),
        }
    }

    fn list(&self) -> Result<Vec<String>, LedgerError> {
        let mut files = Vec::new();
        self.walk(&mut |path| {
            if !is_temporary(&path) && path != LOCK && path != BEGUN {
                files.push(path);
            }
        })?;
        files.sort_unstable();
        Ok(files)
    }

    fn interrupted(&self) -> Result<Option<u64>, LedgerError> {
        let bytes = self.read(BEGUN)?;
        let size = bytes.and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse().ok());
        Ok(size)
    }

    fn publish(&self, change: &Change) -> Result<bool, LedgerError> {
        let current = self.read(CHECKPOINT)?;
        if current.as_deref() != change.expected.as_deref().map(str::as_bytes) {
            return Ok(false);
        }
        self.remove_temporary()?;

        self.write(BEGUN, format!("{}\n", change.sizes.1).as_bytes())?;
        self.sync(&self.root)?;
        for path in &change.abandoned {
            self.remove(path)?;
        }

        let directories = self.directories(&change.files)?;
        for (path, bytes) in &change.files {
            self.write(path, bytes)?;
        }
        for directory in &directories {
            self.sync(directory)?;
        }

        self.write(CHECKPOINT, change.checkpoint.as_bytes())?;
        self.sync(&self.root)?;

        // The change is durable. Files that stay when one of these steps fails do no harm.
        for path in change.obsolete.iter().map(String::as_str).chain([BEGUN]) {
            let _ = self.remove(path);
        }
        Ok(true)
    }
}
