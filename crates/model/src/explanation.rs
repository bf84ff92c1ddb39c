//! The evidence for whether a package version is affected.

use crate::{Location, PackageRef};

/// A package version, or a requirement, and the evidence for whether it is affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The package version that is explained; without a version for a requirement.
    pub package: PackageRef,
    /// The requirement, for a package of which no file states a version.
    pub requirement: Option<String>,
    /// Its lines in files, sorted.
    pub locations: Vec<Location>,
    /// Whether any record affects it.
    pub exposure: Exposure,
    /// Ids of the records that affect it.
    pub affected_by: Vec<String>,
    /// Each piece of evidence, with the id of its record.
    pub evidence: Vec<(String, RecordEvidence)>,
}

/// Whether a package version, or the versions that a requirement admits, are affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposure {
    /// It is affected, or all admitted versions are.
    Affected,
    /// Some of the admitted versions are affected.
    Possible,
    /// It is not affected, or no admitted version is.
    NotAffected,
    /// Undetermined, with the reason: a lower-case fragment.
    Unknown(String),
}

/// One part of a record and its result for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEvidence {
    /// Whether the version is affected according to this part; `None` when undetermined.
    pub affects: Option<bool>,
    /// Description of the part: a fragment for a person.
    pub text: String,
}
