//! Evidence about whether an upgrade will hold, computed from bytes that others read: logs of
//! tests, states of a lockfile over time, the texts of releases, and the metadata of registries.
//!
//! Deliberately absent: files, processes and the network (`patchgate-fix`), and judgements: a rule
//! of the gate or a person decides what the evidence is worth.

mod archive;
mod beta;
mod failure;
mod history;
mod notes;
mod redact;
mod signals;
mod similar;

pub use archive::{UnreadableArchive, files};
pub use beta::Beta;
pub use failure::classify;
pub use history::{KEPT_AFTER_DAYS, LockedVersions, UpdateCounts, history, updates};
pub use notes::{is_changelog, notes};
pub use redact::{is_secret_name, redacted, tail};
pub use signals::signals;
pub use similar::similar_name;
