//! Errors of the ledger, each with the file and the next step.

use std::io;

use crate::note::NoteError;

/// Why a ledger cannot be read, written or believed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    Read {
        /// The file, or the branch with the file.
        path: String,
        /// Why, for a person.
        reason: String,
    },
    /// A file cannot be written. Nothing was added to the ledger.
    #[error("`{path}` cannot be written: {reason}")]
    Write {
        /// The file.
        path: String,
        /// Why, for a person.
        reason: String,
    },
    /// There is no checkpoint.
    #[error("`{0}` is not a ledger: it has no `checkpoint`")]
    Absent(String),
    /// There is a ledger already.
    #[error("`{0}` is a ledger already")]
    Exists(String),
    /// The log is not what its checkpoint says.
    #[error("`{path}` {reason}")]
    Altered {
        /// The file.
        path: String,
        /// What is wrong with it: a fragment.
        reason: String,
    },
    /// A key or a text with a signature is wrong.
    #[error("`{path}` {source}")]
    Note {
        /// The file, or the variable with the key.
        path: String,
        /// What is wrong.
        source: NoteError,
    },
    /// The log has more records than its checkpoint says, and no interrupted append explains it.
    #[error(
        "the checkpoint of `{ledger}` is older than the log: it says {size} records, but `{file}` has more"
    )]
    CheckpointOlder {
        /// The ledger.
        ledger: String,
        /// The size that the checkpoint says.
        size: u64,
        /// A file of a larger log.
        file: String,
    },
    /// A record cannot be written.
    #[error("the record {0}")]
    Record(String),
    /// Another process writes, for longer than is waited.
    #[error("`{ledger}` is being written by another process for more than {seconds} s")]
    Busy {
        /// The ledger.
        ledger: String,
        /// The time that was waited.
        seconds: u64,
    },
}

impl LedgerError {
    pub(crate) fn read(path: impl Into<String>, error: &io::Error) -> Self {
        Self::Read {
            path: path.into(),
            reason: error.to_string(),
        }
    }

    pub(crate) fn write(path: impl Into<String>, error: &io::Error) -> Self {
        Self::Write {
            path: path.into(),
            reason: error.to_string(),
        }
    }

    pub(crate) fn altered(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Altered {
            path: path.into(),
            reason: reason.into(),
        }
    }

    /// Whether the log could be read and is not what its checkpoint says.
    #[must_use]
    pub fn is_altered(&self) -> bool {
        matches!(
            self,
            Self::Altered { .. } | Self::CheckpointOlder { .. } | Self::Note { .. }
        )
    }

    /// The next step.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check that the ledger is there, and that this user may read it",
            Self::Write { .. } => {
                "nothing was recorded; make room or give write access, and run it again"
            }
            Self::Absent(_) => "`patchgate audit init` creates a ledger",
            Self::Exists(_) => "leave it as it is: `patchgate audit verify` checks it",
            Self::Altered { .. } => {
                "keep a copy of the ledger as it is, and compare it with an earlier copy"
            }
            Self::Note { .. } => {
                "check that it is the right ledger and the right key: `--key` names the public one"
            }
            Self::CheckpointOlder { .. } => {
                "restore the newest checkpoint of this log; nothing was changed"
            }
            Self::Record(_) => "store large inputs elsewhere and record their digests",
            Self::Busy { .. } => "wait for the other run to end, and run it again",
        }
    }
}
