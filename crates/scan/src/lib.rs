//! The scan pipeline, which every command shares: from a repository to findings.
//!
//! [`scan`] reads the inputs, looks every package up, rates the findings, and applies the
//! repository's ignore entries and the statements of VEX documents. Its [`ScanResult`] also lists
//! everything that makes the answer incomplete: a file that could not be read, a source that did
//! not answer, a version that nothing states.
//!
//! Commands that have an inventory already (a package URL, the two sides of a pull request) open an
//! [`AdvisorySource`] and call [`evaluate`].
//!
//! Deliberately absent: reports (`patchgate-report`) and exit codes (the binary).

mod evaluate;
mod package_fixes;
mod request;
mod settings;
mod source;
mod triage;
pub mod vex;

pub use evaluate::{Evaluation, evaluate, evaluate_lookup};
pub use package_fixes::package_fixes;
pub use request::{ScanRequest, ScanResult, scan};
pub use settings::{SETTINGS_FILE, load_settings};
pub use source::{AdvisorySource, SourceOptions, SourceSignals, feed_url, open_store};
pub use triage::{Suppressions, TriagedFindings};
pub use vex::{Vex, VexOptions};
