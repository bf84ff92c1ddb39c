//! Why a package version counts as affected or not.

use crate::{Location, PackageRef};

/// What records say about one package version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The package.
    pub package: PackageRef,
    /// Where that version stands, sorted.
    pub locations: Vec<Location>,
    /// Whether it is affected, by all records together: one that affects it is enough. The error is
    /// the reason for which it cannot be told: a lower-case fragment.
    pub affects: Result<bool, String>,
    /// Each piece of evidence, with the id of its record.
    pub evidence: Vec<(String, PieceOfEvidence)>,
}

/// One part of a record, and what it says about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceOfEvidence {
    /// Whether it says that the version is affected; `None` where it cannot say.
    pub affects: Option<bool>,
    /// What it is: a fragment for a person.
    pub text: String,
}
