//! Where the shared test data lies, and what it holds.

use std::path::{Path, PathBuf};

use crate::in_ci;

/// The folder of shared data: `PATCHGATE_SHARED`, else `../shared` beside the repository.
///
/// Returns `None`, after saying so on standard error, when there is no such folder: the test then
/// returns early.
///
/// # Panics
/// In CI (`CI=true`), where missing data is a failure.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("PATCHGATE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder.canonicalize().unwrap_or(folder));
    }

    assert!(
        !in_ci(),
        "shared test data is missing: `{}` is not a folder",
        folder.display()
    );

    eprintln!(
        "SKIPPED: shared test data is missing: `{}` is not a folder; set PATCHGATE_SHARED",
        folder.display()
    );
    None
}

/// The repositories of the corpus in the folder of shared data, each a folder.
///
/// # Panics
/// When the corpus cannot be listed.
#[must_use]
pub fn snapshots(shared: &Path) -> Vec<PathBuf> {
    let mut entries = entries(&shared.join("corpus"));
    entries.retain(|entry| entry.is_dir());
    entries
}

/// The files in a folder and all folders below it, sorted.
///
/// # Panics
/// When a folder cannot be listed.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in entries(folder) {
        if entry.is_dir() {
            files.extend(files_below(&entry));
        } else {
            files.push(entry);
        }
    }

    files.sort();
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries =
        entries.unwrap_or_else(|error| panic!("`{}` cannot be listed: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
    paths.sort();
    paths
}
