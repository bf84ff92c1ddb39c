//! Violations: what a new lockfile must not contain.

/// Something that a new lockfile has and must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violation {
    /// A fragment for a person.
    pub(super) text: String,
    /// The packages of the new lockfile that it is about, with their versions, the one that is at
    /// fault first.
    pub(super) packages: Vec<(String, String)>,
}
