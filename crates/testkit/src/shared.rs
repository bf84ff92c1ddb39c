//! Locations of the shared test data, and its files.

use std::path::{Path, PathBuf};

use crate::{Requirement, skip};

/// The directory of shared data: `PATCHGATE_SHARED`, otherwise `shared` next to the repository.
///
/// `None` when there is no such directory. The test has been reported as skipped then (see [`skip`])
/// and returns early:
///
/// ```
/// # fn test() {
/// let Some(shared) = patchgate_testkit::shared_dir() else {
///     return;
/// };
/// assert!(shared.join("corpus").is_dir());
/// # }
/// ```
///
/// # Panics
/// When tests must not be skipped, see [`skip`].
#[must_use]
#[track_caller]
pub fn shared_dir() -> Option<PathBuf> {
    let directory = std::env::var_os("PATCHGATE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if directory.is_dir() {
        return Some(directory.canonicalize().unwrap_or(directory));
    }

    let reason = "shared test data is missing: set PATCHGATE_SHARED to its directory";
    skip(Requirement::SharedData, reason);
    None
}

/// The repositories of the corpus in the directory of shared data, one directory each.
///
/// # Panics
/// When the corpus cannot be listed.
#[must_use]
pub fn snapshots(shared: &Path) -> Vec<PathBuf> {
    let mut entries = entries(&shared.join("corpus"));
    entries.retain(|entry| entry.is_dir());
    entries
}

/// The files in a directory and everything below it, sorted.
///
/// # Panics
/// When a directory cannot be listed.
#[must_use]
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in entries(directory) {
        if entry.is_dir() {
            files.extend(files_below(&entry));
        } else {
            files.push(entry);
        }
    }

    files.sort();
    files
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .unwrap_or_else(|error| panic!("`{}` cannot be listed: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    paths
}
