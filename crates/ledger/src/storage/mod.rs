//! Where a log is kept.

mod branch;
mod folder;

use crate::error::LedgerError;

pub use branch::Branch;
pub use folder::Folder;

/// The name of the file with the signed checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// The name of the file with the public key, for people and for checks of consistency.
pub const KEY: &str = "key";

/// A change of a log: files first, the checkpoint last.
#[derive(Debug, Default)]
pub struct Change {
    /// The signed checkpoint that the change builds on; `None` for a new log.
    pub expected: Option<String>,
    /// Sizes of the log before and after it.
    pub sizes: (u64, u64),
    /// Paths with their new content.
    pub files: Vec<(String, Vec<u8>)>,
    /// Files of an append that was interrupted, which go first.
    pub abandoned: Vec<String>,
    /// Files that are not needed any more, which go last.
    pub obsolete: Vec<String>,
    /// The new signed checkpoint.
    pub checkpoint: String,
}

/// A turn to write. Dropping it gives the turn to the next writer.
#[derive(Debug, Default)]
pub struct Turn {
    /// The file that the system locks until it is closed.
    pub(crate) _lock: Option<std::fs::File>,
}

/// A place that keeps the files of a log, and replaces its checkpoint only by compare and swap.
pub trait Storage: Sync {
    /// The name for messages.
    fn name(&self) -> String;

    /// Takes the newest state and, where writers can wait for each other, waits for a turn to write.
    ///
    /// # Errors
    /// When the place cannot be reached, or the turn does not come in time.
    fn begin(&self) -> Result<Turn, LedgerError>;

    /// A file's content; `None` when there is no such file.
    ///
    /// # Errors
    /// When it cannot be read, or is larger than any file of a log.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError>;

    /// The paths of all files, sorted.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn list(&self) -> Result<Vec<String>, LedgerError>;

    /// The size that the log would have after an append that was interrupted.
    ///
    /// # Errors
    /// When it cannot be read.
    fn interrupted(&self) -> Result<Option<u64>, LedgerError>;

    /// Writes a change durably. `false`, with nothing changed, when the checkpoint is not the expected
    /// one any more. The caller has a [`Turn`].
    ///
    /// # Errors
    /// When a file cannot be written. The checkpoint is the old one then.
    fn publish(&self, change: &Change) -> Result<bool, LedgerError>;
}
