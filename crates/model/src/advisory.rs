//! Advisories, with the fields of the OSV schema (<https://ossf.github.io/osv-schema/>) but not its JSON
//! form, which `patchgate-advisories` parses.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::nanosecond::optional as nanoseconds;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One record of an advisory database.
///
/// The offline store contains its fields in this order, with times in nanoseconds; a change here needs
/// a new format of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The record's own id, such as `GHSA-…`, `RUSTSEC-…` or `CVE-…`.
    pub id: SmolStr,
    /// Ids of the same vulnerability in other databases.
    pub aliases: Vec<SmolStr>,
    /// Description in one line: the record's summary, else the first sentence of its details; empty
    /// where the record has neither.
    pub summary: String,
    /// Description as Markdown, of at most 2,000 characters; empty where the record has none. A store
    /// has none for malicious packages.
    pub details: String,
    /// When the record last changed.
    #[serde(with = "nanoseconds")]
    pub modified: Option<Timestamp>,
    /// When the record first appeared.
    #[serde(with = "nanoseconds")]
    pub published: Option<Timestamp>,
    /// When the record was withdrawn. A withdrawn record matches nothing.
    #[serde(with = "nanoseconds")]
    pub withdrawn: Option<Timestamp>,
    /// Severities stated for the record as a whole.
    pub severity: Vec<ReportedSeverity>,
    /// The affected packages. A lookup for one package returns only the entries of that package.
    pub affected: Vec<Affected>,
    /// Links of the record.
    pub references: Vec<Reference>,
    /// Weakness ids (`CWE-79`) where the record states them.
    pub cwes: Vec<SmolStr>,
    /// The word for severity that some databases give in addition to a vector or instead of one, as
    /// written (`MODERATE`, `high`).
    pub severity_word: Option<SmolStr>,
    /// Set for RustSec records that are not vulnerabilities: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<SmolStr>,
    /// Fields that the database adds to the schema, as JSON text.
    pub database_specific: Option<String>,
}

/// A severity as the record states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedSeverity {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`, or another type, as written.
    pub kind: SmolStr,
    /// The vector, or the text of another kind.
    pub value: String,
}

/// One package that an advisory affects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Ecosystem by its OSV name, up to a colon.
    pub ecosystem: SmolStr,
    /// The part after the colon: the release of a distribution (`12` in `Debian:12`), or another
    /// suffix.
    pub distribution: Option<SmolStr>,
    /// Package name as the record writes it.
    pub name: SmolStr,
    /// Ranges of affected versions.
    pub ranges: Vec<Range>,
    /// Affected versions that the record lists one by one.
    pub versions: Vec<SmolStr>,
    /// Severities stated for this package only.
    pub severity: Vec<ReportedSeverity>,
    /// Fields that the ecosystem adds to the schema, such as affected functions, as JSON text.
    pub ecosystem_specific: Option<String>,
    /// Fields that the database adds to the schema for this package, as JSON text.
    pub database_specific: Option<String>,
}

/// A range of affected versions, as events in the order of versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The order of versions that the events refer to.
    pub kind: RangeKind,
    /// The repository, for [`RangeKind::Git`].
    pub repo: Option<String>,
    /// The events as the record lists them, not necessarily sorted.
    pub events: Vec<Event>,
}

/// The order of versions that the events of a range refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RangeKind {
    /// The order of Semantic Versioning 2.0, in every ecosystem.
    Semver,
    /// The ecosystem's own order of versions.
    Ecosystem,
    /// The history of a git repository.
    Git,
    /// A kind that this version of Patchgate does not know. Only the listed versions match.
    Other,
}

impl RangeKind {
    /// The name of the kind in the schema.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Semver => "SEMVER",
            Self::Ecosystem => "ECOSYSTEM",
            Self::Git => "GIT",
            Self::Other => "unknown",
        }
    }
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whether the affected versions begin or end at [`Event::version`].
    pub kind: EventKind,
    /// A version, a commit, or `0` for "before all versions".
    pub version: SmolStr,
}

/// The kinds of events in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// This version and later ones are affected.
    Introduced,
    /// This version and later ones are no longer affected.
    Fixed,
    /// This is the last affected version.
    LastAffected,
    /// The range makes no statement about this version and later ones.
    Limit,
}

/// A link of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// `ADVISORY`, `FIX`, `WEB`, …, as written.
    pub kind: SmolStr,
    /// Address as the record writes it.
    pub url: String,
}
