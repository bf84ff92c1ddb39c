//! Runs cargo and npm to re-resolve a lockfile in a scratch copy: lockfile only, scripts off,
//! environment scrubbed.
//!
//! What the manager sees of a repository is a folder made for the run: manifests, the lockfile, and
//! of the repository's own configuration only the settings that say where packages come from. It
//! sees no sources, no build scripts, no hooks, no toolchain file, and of the environment only what
//! it needs to find itself and the user's own configuration ([`process`]). What comes back is the
//! bytes of the lockfile.
//!
//! Not here: what should move (`patchgate-upgrade`), how manifests are edited
//! (`patchgate-ecosystems`), and any network access of Patchgate's own.

mod cargo;
mod error;
mod manager;
mod npm;
pub mod process;
mod scratch;

pub use error::RelockError;
pub use manager::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, manager_of,
};

use std::time::Duration;

/// How a manager is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOptions {
    /// True when nothing may go over the network: the manager has its own cache only.
    pub offline: bool,
    /// Longest time for one run of the manager.
    pub timeout: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            offline: false,
            timeout: Duration::from_secs(300),
        }
    }
}

/// A lockfile that a manager wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relocked {
    /// Its content.
    pub lockfile: Vec<u8>,
    /// What the user should know about it, as sentences.
    pub notes: Vec<String>,
}
