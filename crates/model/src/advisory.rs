//! An advisory as the OSV schema means it (<https://ossf.github.io/osv-schema/>), free of its wire
//! form.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::nanosecond::optional as nanoseconds;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One record of an advisory database.
///
/// It is written in full, in this order and its times as nanoseconds, into the offline store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    /// The record's own id, such as `GHSA-…`, `RUSTSEC-…` or `CVE-…`.
    pub id: SmolStr,
    /// Ids of the same vulnerability in other databases.
    pub aliases: Vec<SmolStr>,
    /// One line that says what it is; empty where the record gives none.
    pub summary: String,
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
    /// Which packages are affected. In a lookup for one package it holds that package's entries.
    pub affected: Vec<Affected>,
    /// Addresses to read more.
    pub references: Vec<Reference>,
    /// Weakness ids (`CWE-79`) where the record states them.
    pub cwes: Vec<SmolStr>,
    /// The word for severity that some databases give beside or instead of a vector, as written
    /// (`MODERATE`, `high`).
    pub severity_word: Option<SmolStr>,
    /// Set for RustSec records that are not vulnerabilities: `unmaintained`, `unsound`, `notice`.
    pub informational: Option<SmolStr>,
    /// What the database says beside the schema, as its JSON text.
    pub database_specific: Option<String>,
}

/// A severity as the record states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedSeverity {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4`, or another type, as written.
    pub kind: SmolStr,
    /// The vector string, or another kind's own text.
    pub value: String,
}

/// One package that an advisory affects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Ecosystem by its OSV name, without what stands after a colon.
    pub ecosystem: SmolStr,
    /// What stands after the colon: the release of a distribution (`12` in `Debian:12`), or another
    /// part of the ecosystem.
    pub distribution: Option<SmolStr>,
    /// Package name as the record writes it.
    pub name: SmolStr,
    /// Ranges of affected versions.
    pub ranges: Vec<Range>,
    /// Affected versions that are listed one by one.
    pub versions: Vec<SmolStr>,
    /// Severities stated for this package alone.
    pub severity: Vec<ReportedSeverity>,
    /// What the ecosystem says about this package beside the schema, such as affected functions, as
    /// its JSON text.
    pub ecosystem_specific: Option<String>,
    /// What the database says about this package beside the schema, as its JSON text.
    pub database_specific: Option<String>,
}

/// A range of affected versions: events on one line of versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Which order the events stand in.
    pub kind: RangeKind,
    /// The repository, for [`RangeKind::Git`].
    pub repo: Option<String>,
    /// The events as the record lists them, in no promised order.
    pub events: Vec<Event>,
}

/// Which order a range's events stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RangeKind {
    /// Semantic Versioning 2.0.
    Semver,
    /// The ecosystem's own order.
    Ecosystem,
    /// Commits of a git repository.
    Git,
    /// A kind that this version of Patchgate does not know; it matches by listed versions alone.
    Other,
}

impl RangeKind {
    /// The name of the kind, as the schema writes it.
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
    /// What happens at [`Event::version`].
    pub kind: EventKind,
    /// A version, a commit, or `0` for "before all versions".
    pub version: SmolStr,
}

/// What happens at an event's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// This version and later ones are affected.
    Introduced,
    /// This version and later ones are not affected any more.
    Fixed,
    /// This is the last affected version.
    LastAffected,
    /// Nothing at or beyond this version is said.
    Limit,
}

/// An address to read more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// `ADVISORY`, `FIX`, `WEB`, …, as written.
    pub kind: SmolStr,
    /// The address.
    pub url: String,
}
