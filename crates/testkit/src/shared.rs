//! Where the shared test data lies, and what it holds.

use std::path::{Path, PathBuf};

use crate::in_ci;

/// The directory of shared data: `PATCHGATE_SHARED`, else `../shared` beside the repository.
///
/// Returns `None`, after saying so on standard error, when there is no such directory: the test then
/// returns early.
///
/// # Panics
/// In CI (`CI=true`), where missing data is a failure.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let directory = std::env::var_os("PATCHGATE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if directory.is_dir() {
        return Some(directory.canonicalize().unwrap_or(directory));
    }

    assert!(
        !in_ci(),
        "shared test data is missing: `{}` is not a folder",
        directory.display()
    );

    eprintln!(
        "SKIPPED: shared test data is missing: `{}` is not a folder; set PATCHGATE_SHARED",
        directory.display()
    );
    None
}

/// The repositories of the corpus in the directory of shared data, each a directory.
///
/// # Panics
/// When the corpus cannot be listed.
#[must_use]
pub fn snapshots(shared: &Path) -> Vec<PathBuf> {
    let mut entries = entries(&shared.join("corpus"));
    entries.retain(|entry| entry.is_dir());
    entries
}

/// The files in a directory and all folders below it, sorted.
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
    let entries = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries
        .unwrap_or_else(|error| panic!("`{}` cannot be listed: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    paths
}
