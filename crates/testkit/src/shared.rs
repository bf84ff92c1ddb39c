//! Where the shared test data lies.

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
