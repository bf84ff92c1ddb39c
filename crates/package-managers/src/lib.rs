//! Package managers, run to lock a project again: lockfile only, scripts off, environment scrubbed.
//!
//! A manager sees a directory made for the run. It contains the manifests, the lockfile, and of the
//! repository's own configuration only the settings that say where packages come from. It contains
//! no sources, no build scripts and no hooks. A manager gets only the environment variables that it
//! needs to find itself and the user's own configuration ([`process`]). The result is the bytes of
//! the lockfile.
//!
//! [`manager_of`] finds the [`PackageManager`] of a lockfile format, and [`locator_of`] finds where its
//! packages come from, which some formats need without a manager that can be run.
//!
//! Deliberately absent: the choice of changes (`patchgate-upgrade`), the edits of manifests
//! (`patchgate-ecosystems`), and Patchgate's own network access (`patchgate-http`).

mod bun;
mod bundler;
mod cargo;
mod composer;
mod error;
mod forge_tags;
mod golang;
mod gradle;
mod hex;
mod manager;
mod managers;
mod maven;
mod npm;
mod nuget;
mod pnpm;
pub mod process;
mod pub_dart;
mod python;
mod scratch;
mod yarn;

pub use error::RelockError;
pub use manager::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    configuration_paths,
};
pub use managers::{locator_of, locator_of_ecosystem, manager_of};

use std::time::Duration;

use patchgate_ecosystems::Siblings;

/// Options of every run of a manager.
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
    /// The bytes of the lockfile.
    pub lockfile: Vec<u8>,
    /// Other files that belong to the lockfile and changed with it, by path from the root of the
    /// repository: `go.sum`, an override in a manifest.
    pub others: Siblings,
    /// Side effects that the user should know about, as sentences.
    pub notes: Vec<String>,
}
