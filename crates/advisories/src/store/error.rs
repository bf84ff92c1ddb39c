//! Errors of opening and reading a store.

use std::io;
use std::path::{Path, PathBuf};

use super::manifest::FORMAT;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory has no `store.json`, or does not exist.
    #[error("`{}` contains no advisory store", .dir.display())]
    Missing {
        /// The directory that was opened as a store.
        dir: PathBuf,
    },
    /// The store was written by another version of Patchgate.
    #[error("the store in `{}` has format {found}, but this version reads format {FORMAT}", .dir.display())]
    Format {
        /// The directory of the store.
        dir: PathBuf,
        /// The format of the store.
        found: u64,
    },
    /// A file of the store is missing or damaged.
    #[error("`{}` of the advisory store cannot be read", .path.display())]
    File {
        /// The missing or damaged file.
        path: PathBuf,
        /// The reason: an input/output error, or a checksum that does not match.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Missing { dir } => {
                let dir = dir.display();
                format!("build it with `patchgate db build --from <export> --into {dir}`")
            }
            Self::Format { dir, .. } => {
                let dir = dir.display();
                format!(
                    "re-create it with `patchgate db update --into {dir}` or `patchgate db build \
                     --replace --from <export> --into {dir}`"
                )
            }
            Self::File { path, .. } => rebuild(path.parent().unwrap_or(path)),
        }
    }
}

/// The hint for a damaged store. `--replace` is right here: a build would refuse otherwise, and the
/// damaged parts are lost in any case.
pub(super) fn rebuild(dir: &Path) -> String {
    format!(
        "rebuild it with `patchgate db build --replace --from <export> --into {}`",
        dir.display()
    )
}
