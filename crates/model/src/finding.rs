//! Findings: vulnerabilities of installed packages, with severity, signals and score.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{Advisory, Decision, EcosystemName, PackageVersion, ReachabilityEvidence, Scope};

/// A package copy's identity, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageRef {
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Release of the distribution, for a package of an operating system.
    pub distribution: Option<String>,
    /// Name as the registry writes it.
    pub name: String,
    /// Version as the lockfile writes it. Empty if only a requirement is known; see
    /// [`Finding::requirement`].
    pub version: String,
    /// Package URL, percent-encoded (<https://github.com/package-url/purl-spec>).
    pub purl: String,
}

impl PackageRef {
    /// The name and version, for comparison within one ecosystem.
    #[must_use]
    pub fn package_version(&self) -> PackageVersion {
        PackageVersion::new(self.name.as_str(), self.version.as_str())
    }

    /// The ecosystem as OSV writes it, with the release of a distribution: `Debian:12`.
    #[must_use]
    pub fn full_ecosystem(&self) -> String {
        match &self.distribution {
            Some(distribution) => format!("{}:{distribution}", self.ecosystem),
            None => self.ecosystem.to_string(),
        }
    }
}

/// A line of a file that contains a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Path from the repository root.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
}

/// One vulnerability in one package version, with all locations of that version in the repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The preferred id of the vulnerability; see `patchgate-advisories` for the preference.
    pub id: String,
    /// Every other id of the same vulnerability, sorted.
    pub aliases: Vec<String>,
    /// Description in one line; may be empty.
    pub summary: String,
    /// The affected package version.
    pub package: PackageRef,
    /// Entries of that version in lockfiles, sorted, at least one.
    pub locations: Vec<Location>,
    /// Chains from a direct dependency down to the package, each step `name@version`; the last
    /// step is the package itself. Shortest first.
    pub paths: Vec<Vec<String>>,
    /// The strongest scope among the copies.
    pub scope: Scope,
    /// The requirement, for a package of which no file states a version. [`Finding::package`] then
    /// has no version.
    pub requirement: Option<RequirementMatch>,
    /// The version that fixes this finding, or why no version does.
    pub fixed: FixedVersion,
    /// Severity of the record.
    pub severity: Severity,
    /// The feeds' reports about its exploitation.
    pub signals: Signals,
    /// Set for records that state no vulnerability (`unmaintained`, `unsound`, `notice`).
    pub informational: Option<String>,
    /// True when the record says that the release itself is malicious.
    pub malicious: bool,
    /// Whether the repository's sources use what is affected; `None` if they were not read.
    pub reachability: Option<ReachabilityEvidence>,
    /// Priority with its reasons.
    pub score: Score,
    /// The records behind the finding, the one with [`Finding::id`] first.
    pub advisories: Vec<Arc<Advisory>>,
}

impl Finding {
    /// Whether it is unknown that an affected version is installed: some versions that the
    /// requirement admits are affected, others are not.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.requirement
            .as_ref()
            .is_some_and(|requirement| requirement.extent == Extent::Some)
    }

    /// Whether the record states no vulnerability at all: an unmaintained package or a notice.
    /// Unsound code is not among them.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        matches!(
            self.informational.as_deref(),
            Some("unmaintained" | "notice")
        )
    }
}

/// The versions that a requirement admits, compared with those that a vulnerability affects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementMatch {
    /// The requirement in the notation of the ecosystem; empty when any version satisfies it.
    pub requirement: String,
    /// Whether all admitted versions are affected.
    pub extent: Extent,
    /// The admitted versions that are affected, as intervals in ascending order: `>= 1.0.0, < 1.2.3`.
    pub affected: Vec<String>,
    /// Whether the newest admitted version is affected: as far as the records say, or as the
    /// registry's newest one is.
    pub newest_affected: Option<bool>,
    /// The newest admitted version that the registry has, where it was asked.
    pub newest: Option<String>,
    /// The requirement that admits no affected version and differs least from the present one.
    pub raised: Option<String>,
}

/// The part of the admitted versions that a vulnerability affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Every admitted version. The finding is as certain as one about a locked version.
    All,
    /// Some of them. Whether an affected version is installed is unknown.
    Some,
}

/// The version that fixes a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixedVersion {
    /// The smallest version above the installed one that is not affected according to the records.
    At(String),
    /// No such version; the reason is a sentence for a person.
    None(String),
}

/// The severity that the records state.
#[derive(Debug, Clone, PartialEq)]
pub struct Severity {
    /// Band of the score, or the record's own word.
    pub level: Level,
    /// CVSS base score from 0.0 to 10.0, in v4 with the threat metrics of the vector, where a vector was given and understood.
    pub cvss_score: Option<f64>,
    /// The vector behind the score.
    pub cvss_vector: Option<String>,
}

/// Severity band. Bands are those of CVSS v3.1, section 5: low 0.1-3.9, medium 4.0-6.9, high
/// 7.0-8.9, critical 9.0-10.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The record states no vulnerability: a notice, or an unmaintained package.
    Informational,
    /// A score of 0.0, or the word "none".
    None,
    /// A score from 0.1 to 3.9.
    Low,
    /// A score from 4.0 to 6.9.
    Medium,
    /// The record states no severity. It is ordered between medium and high, so that a missing figure
    /// is neither ignored nor at the top of a list; thresholds count it as high.
    Unknown,
    /// A score from 7.0 to 8.9.
    High,
    /// A score from 9.0.
    Critical,
}

/// Signals of exploitation. A missing signal means unknown, never "no".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signals {
    /// EPSS of the highest-scored CVE among the ids, where a feed has one.
    pub epss: Option<Epss>,
    /// Whether CISA's catalogue lists one of the ids.
    pub kev: KevStatus,
}

/// Whether CISA's Known Exploited Vulnerabilities catalogue lists a vulnerability.
///
/// A catalogue that was not read proves nothing, so it must not look like a catalogue that lacks
/// the entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KevStatus {
    /// The catalogue was not read: exploitation is unknown.
    #[default]
    NotConsulted,
    /// The catalogue was read and does not list it.
    NotListed,
    /// The catalogue lists it: exploitation is known.
    Listed(Kev),
}

impl KevStatus {
    /// The entry, if the catalogue lists the vulnerability.
    #[must_use]
    pub fn entry(&self) -> Option<&Kev> {
        match self {
            Self::Listed(kev) => Some(kev),
            Self::NotConsulted | Self::NotListed => None,
        }
    }

    /// Whether the catalogue lists the vulnerability; `None` if the catalogue was not read.
    #[must_use]
    pub fn is_listed(&self) -> Option<bool> {
        match self {
            Self::NotConsulted => None,
            Self::NotListed => Some(false),
            Self::Listed(_) => Some(true),
        }
    }
}

/// A score of FIRST's Exploit Prediction Scoring System (<https://www.first.org/epss/>).
#[derive(Debug, Clone, PartialEq)]
pub struct Epss {
    /// The CVE that the score is for.
    pub cve: String,
    /// Probability, from 0 to 1, that exploitation is seen in the next 30 days.
    pub probability: f64,
    /// Share, from 0 to 1, of all scored CVEs with this score or a lower one.
    pub percentile: f64,
}

/// An entry of CISA's Known Exploited Vulnerabilities catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kev {
    /// Id of the exploited vulnerability, `CVE-…`.
    pub cve: String,
    /// Date of entry, `YYYY-MM-DD`.
    pub date_added: String,
    /// Date by which US federal agencies must act, `YYYY-MM-DD`.
    pub due_date: String,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// The priority of a finding: the decision, and a figure that sorts the findings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// From 0.0 (ignore) to 100.0 (drop everything), one decimal. Each outcome of the decision has a
    /// range of its own.
    pub value: f64,
    /// The parts of the value, largest first.
    pub reasons: Vec<ScoreReason>,
    /// How urgent the finding is, and why.
    pub decision: Decision,
}

/// One part of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreReason {
    /// The signal behind the part: `kev`, `epss`, `cvss`, `scope`, ….
    pub signal: &'static str,
    /// Points that it added or took away.
    pub points: f64,
    /// Explanation for a person: a fragment.
    pub text: String,
}

/// An advisory source or a feed, with its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// `osv:npm`, `kev`, `epss`, `osv-api`, `vex`, `csaf`.
    pub name: String,
    /// Address or path of the source, without secrets.
    pub origin: String,
    /// Time of the newest record, date of the catalogue, or time of the query.
    pub as_of: Option<Timestamp>,
    /// Number of records, where that is known.
    pub records: Option<u64>,
    /// Set when the source is older than the limit or could not be refreshed.
    pub warning: Option<String>,
}
