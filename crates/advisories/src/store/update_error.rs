//! Errors of `db update`.

use std::path::PathBuf;

use super::{BuildError, StoreError};

/// Why an update failed. The store stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The present store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The new store cannot be written.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The store has another format and would have to be re-created without a part that the update
    /// does not ask for.
    #[error("the store in `{}` has format {found} and must be re-created, which would lose `{lost}` of `{origin}`", .dir.display())]
    NotNamed {
        /// The directory of the store.
        dir: PathBuf,
        /// The format of the store.
        found: u64,
        /// The source that would be lost, such as `own:npm`.
        lost: String,
        /// The address or path that it was read from.
        origin: String,
    },
    /// The store has another format and cannot be re-created, because a part of it cannot be
    /// fetched or read again.
    #[error("the store in `{}` has format {found} and must be re-created, but `{lacking}` is not available: {reason}", .dir.display())]
    NotFetched {
        /// The directory of the store.
        dir: PathBuf,
        /// The format of the store.
        found: u64,
        /// The source that is not available, such as `osv:npm`.
        lacking: String,
        /// The first problem of the update: a fragment.
        reason: String,
    },
}

impl UpdateError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => Some(error.hint()),
            Self::Build(error) => error.hint().map(str::to_owned),
            Self::NotNamed { .. } => Some(
                "name it as well, with `--from`, `--kev-url` or `--epss-url`, or create another \
                 store in an empty directory"
                    .to_owned(),
            ),
            Self::NotFetched { .. } => {
                Some("try again, or create another store in an empty directory".to_owned())
            }
        }
    }
}
