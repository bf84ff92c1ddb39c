//! The difference between two states of one lockfile.
//!
//! - [`downgrades`] finds dependents that get an older version than before. `fix` refuses a result
//!   with a downgrade, and the gate blocks one, by this one definition.
//! - [`compare`] lists every change: versions, packages, hashes and sources.
//! - [`changed_entries`] counts the entries that come, go or get another version.
//! - [`uncaused_changes`] finds the changes that no fix asks for.
//! - [`published_differences`] compares an entry with the release that its registry describes.
//! - [`entry_differences`] finds everything else: what differs in the file although no version
//!   changed. A package manager writes no such difference, so it was made by hand.
//!
//! Deliberately absent: reading files, advisories (findings are arguments), and verdicts. Whether a
//! difference stops a merge is decided by `patchgate-gate`.

mod causes;
mod changed_entries;
mod changes;
mod downgrade;
mod entries;
mod published;
mod rewired;
mod source;
#[cfg(test)]
mod testing;
mod version_change;

pub use causes::{UncausedChange, uncaused_changes};
pub use changed_entries::{ChangedEntry, changed_entries};
pub use changes::{LockfileDiff, compare};
pub use downgrade::{Downgrade, Excuse, downgrades};
pub use entries::{EntryDifference, State, entry_differences};
pub use published::published_differences;
pub use version_change::VersionChange;
