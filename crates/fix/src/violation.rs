//! Violations of the promises of a fix.

use patchgate_model::PackageVersion;

/// A violation in a new lockfile: a new finding, a downgrade, a requirement that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// A fragment for a person.
    pub(super) text: String,
    /// The packages of the new lockfile that it is about, the one that is at fault first.
    pub(super) packages: Vec<PackageVersion>,
}
