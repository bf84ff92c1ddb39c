//! The evidence for whether a package version is affected.

use crate::{Location, PackageRef};

/// A package version and the evidence for whether it is affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The package version that is explained.
    pub package: PackageRef,
    /// Its entries in lockfiles, sorted.
    pub locations: Vec<Location>,
    /// Whether any record affects it. The error is the reason why this is undetermined: a lower-case
    /// fragment.
    pub affects: Result<bool, String>,
    /// Ids of the records that affect it.
    pub affected_by: Vec<String>,
    /// Each piece of evidence, with the id of its record.
    pub evidence: Vec<(String, RecordEvidence)>,
}

/// One part of a record and its result for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEvidence {
    /// Whether the version is affected according to this part; `None` when undetermined.
    pub affects: Option<bool>,
    /// Description of the part: a fragment for a person.
    pub text: String,
}
