//! The report of a scan. Its field names are published and stable; those of the model may change.

mod build;
mod causes;
mod code_quality;
mod csv;
mod decision;
mod gitlab;
mod html;
mod incident;
mod incomplete_table;
mod junit;
mod markdown;
mod package_table;
mod packages;
mod phrases;
mod reachability;
mod sarif;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use build::{RunEnd, ScanInput};
pub(crate) use build::{cve_first, different_files, different_packages, scope_name};
pub(crate) use code_quality::entry as code_quality_entry;
pub use decision::{
    DeadlineReport, DecisionReport, DecisionStepReport, EnvironmentalReport, EstimateReport,
    MissingEvidenceReport, OutcomeCounts, OutcomeName, ProfileReport, WeaknessGuessReport,
    WeaknessReport,
};
pub use gitlab::GitLabOptions;
pub use html::HtmlOptions;
pub(crate) use incident::{
    head as incident_head, lines as incident_lines, markdown as incident_section,
};
pub(crate) use incomplete_table::incomplete_lines;
pub(crate) use markdown::{findings_table, reasons};
pub use package_table::Detail;
pub(crate) use phrases::{count, percent};
pub use reachability::{ReachabilityName, ReachabilityReport, SourcePlaceReport};

/// The report of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScanReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// Totals over the whole scan.
    pub summary: Summary,
    /// Findings that are not ignored: malicious releases first, then worst first.
    pub findings: Vec<FindingReport>,
    /// Possible findings, worst first: some versions that a requirement admits are affected, others
    /// are not, and no file states which one is installed. None of them is in `findings`.
    pub possible: Vec<FindingReport>,
    /// Findings that an ignore entry covers, worst first.
    pub ignored: Vec<IgnoredReport>,
    /// Findings that a statement of a VEX document suppresses, worst first.
    pub suppressed: Vec<SuppressedReport>,
    /// Inputs that could not be read or looked up. The report is complete only when this is empty.
    pub incomplete: Vec<IncompleteReport>,
    /// Suggestions for the settings file: expired or unused ignore entries.
    pub notices: Vec<NoticeReport>,
    /// Statements of VEX documents that nearly applied, and why they did not.
    pub vex_notices: Vec<VexNoticeReport>,
    /// The advisory sources and feeds, with their age.
    pub sources: Vec<SourceReport>,
    /// The lockfiles that were read.
    pub lockfiles: Vec<LockfileReport>,
    /// Packages that no advisory source covers: it is unknown whether they are vulnerable.
    pub not_covered: Vec<NotCoveredReport>,
}

/// Packages of an ecosystem for which OSV has no advisories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotCoveredReport {
    /// The ecosystem by Patchgate's own name.
    pub ecosystem: String,
    /// Number of distinct package versions.
    pub packages: usize,
}

/// The program that wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Name of the program: always `patchgate`.
    pub name: String,
    /// Version of the program, such as `0.1.0`.
    pub version: String,
}

/// Totals of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Lockfiles that were read.
    pub lockfiles: usize,
    /// Distinct package versions in them.
    pub packages: usize,
    /// Findings that are not ignored.
    pub findings: usize,
    /// Possible findings that are not ignored. They are not part of `findings`.
    pub possible: usize,
    /// Findings and possible findings in files that are not part of the product, by group of files;
    /// the findings are part of `findings`.
    pub groups: Vec<GroupSummary>,
    /// Numbers of findings by outcome.
    pub by_outcome: OutcomeCounts,
    /// Findings whose deadline is over.
    pub overdue: usize,
    /// The comparison with an earlier report; `null` without one.
    pub baseline: Option<crate::BaselineReport>,
    /// Numbers of findings by severity.
    pub by_severity: SeverityCounts,
    /// Distinct package versions that have findings.
    pub affected_packages: usize,
    /// Findings for which a fixed version exists.
    pub fixable: usize,
    /// Findings that are known to be exploited.
    pub known_exploited: usize,
    /// Findings of malicious releases: incidents.
    pub malicious: usize,
    /// Findings that an ignore entry covers.
    pub ignored: usize,
    /// Findings that a statement of a VEX document suppresses.
    pub suppressed: usize,
    /// Findings that fail the run, and possible findings if the threshold counts them.
    pub at_or_above_threshold: usize,
    /// Highest score, from 0 to 100; `null` without findings.
    pub highest_score: Option<f64>,
    /// The conditions under which a finding fails the run.
    pub threshold: ThresholdReport,
    /// Whether everything could be read and looked up.
    pub complete: bool,
    /// The exit code of the run.
    pub exit_code: u8,
    /// The reason for the exit code: `clean`, `findings`, `incomplete`, `nothing-to-scan` or
    /// `malicious`.
    pub exit_reason: String,
}

/// Findings in one group of files that are not part of the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupSummary {
    /// The group: `test`, `example`, `vendored` or `generated`.
    pub group: String,
    /// Findings that are in such files only.
    pub findings: usize,
    /// Possible findings that are in such files only.
    pub possible: usize,
}

/// Numbers of findings by severity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SeverityCounts {
    /// CVSS 9.0 to 10.0.
    pub critical: usize,
    /// CVSS 7.0 to 8.9.
    pub high: usize,
    /// CVSS 4.0 to 6.9.
    pub medium: usize,
    /// CVSS 0.1 to 3.9.
    pub low: usize,
    /// Findings whose records state no severity.
    pub unknown: usize,
    /// CVSS 0.0, or the word "none".
    pub none: usize,
    /// Records that state no vulnerability.
    pub informational: usize,
}

/// The threshold of a run. It fails on a finding that reaches either figure or the condition, on a
/// malicious release, and, without a condition, on a vulnerability that is known to be exploited.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ThresholdReport {
    /// Lowest severity that fails a run; `null` when only a score was set.
    pub severity: Option<SeverityName>,
    /// Lowest score, from 0 to 100, that fails a run; 0 when no score was set.
    pub score: f64,
    /// The condition under which a finding fails a run as well; `null` when none was set.
    pub condition: Option<String>,
}

/// A severity by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum SeverityName {
    /// CVSS 9.0 to 10.0.
    Critical,
    /// CVSS 7.0 to 8.9.
    High,
    /// CVSS 4.0 to 6.9.
    Medium,
    /// CVSS 0.1 to 3.9.
    Low,
    /// CVSS 0.0, or the word "none".
    None,
    /// The records state no severity; thresholds count it as high.
    Unknown,
    /// The records state no vulnerability, such as `unmaintained`.
    Informational,
}

/// One vulnerability in one version of a package.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FindingReport {
    /// Id of the vulnerability.
    pub id: String,
    /// Other ids of the same vulnerability, CVE ids first.
    pub aliases: Vec<String>,
    /// Description in one line; may be empty.
    pub summary: String,
    /// The affected package version. The version is empty when no file states one; see
    /// `requirement`.
    pub package: PackageReport,
    /// Lines of lockfiles that contain the package version.
    pub locations: Vec<LocationReport>,
    /// Chains of `name@version` from a direct dependency down to the package, shortest first. Not
    /// every chain is listed.
    pub paths: Vec<Vec<String>>,
    /// Strongest reason for which the package is there: `runtime`, `peer`, `optional`,
    /// `build`, `test` or `development`.
    pub scope: String,
    /// The group of files that the finding is in, when all its locations are in such files: `test`,
    /// `example`, `vendored` or `generated`; `null` for the repository's own dependencies.
    pub group: Option<String>,
    /// The requirement that admits affected versions, for a package of which no file states a
    /// version; `null` for a finding about a version.
    pub requirement: Option<RequirementReport>,
    /// Smallest version above the installed one that is not affected; `null` when none is known.
    pub fixed_version: Option<String>,
    /// Why there is no fixed version; `null` when there is one.
    pub no_fix_reason: Option<String>,
    /// Smallest version that fixes every finding of this package version that has a fix; `null` when
    /// there is none, for a requirement (see `raised`), and for a finding that does not count.
    pub package_fix: Option<String>,
    /// How severe the records say it is.
    pub severity: SeverityName,
    /// CVSS base score and vector, in v4 with the threat metrics of the vector; `null` when no vector is
    /// known.
    pub cvss: Option<CvssReport>,
    /// Weakness ids, such as `CWE-79`.
    pub cwes: Vec<String>,
    /// Probability, from 0 to 1, that exploitation is seen within 30 days (EPSS); `null` when
    /// unknown.
    pub epss: Option<f64>,
    /// Share, from 0 to 1, of all scored vulnerabilities with that probability or a lower one.
    pub epss_percentile: Option<f64>,
    /// Whether it is known to be exploited (CISA KEV); `null` when the catalogue was not read.
    pub kev: Option<bool>,
    /// The entry in the KEV catalogue.
    pub kev_details: Option<KevReport>,
    /// How urgent the finding is, with the evidence.
    pub decision: DecisionReport,
    /// Whether the repository's sources use what is affected; `null` when they were not read.
    pub reachability: Option<ReachabilityReport>,
    /// The first day on which a scan found it, `YYYY-MM-DD`: today, or an earlier one that the baseline
    /// knows.
    pub first_detected: Option<String>,
    /// The change against the baseline: `new`, `worse`, `better` or `same`; `null` without one.
    pub change: Option<String>,
    /// Priority, from 0 to 100: act now from 80, out of cycle from 60, scheduled from 30, defer below.
    pub score: f64,
    /// The parts of the score, largest first. Their points add up to it.
    pub score_reasons: Vec<ScoreReasonReport>,
    /// Whether the release itself is malicious: an incident, not a vulnerability to be fixed.
    pub malicious: bool,
    /// Kind of a record that states no vulnerability, such as `unmaintained`.
    pub informational: Option<String>,
    /// Whether the finding fails the run.
    pub at_or_above_threshold: bool,
    /// Links of the records.
    pub references: Vec<ReferenceReport>,
}

/// A requirement for which no file states a version, compared with a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RequirementReport {
    /// The requirement in the notation of the ecosystem; empty when any version satisfies it.
    pub requirement: String,
    /// The part of the admitted versions that is affected: `all` in a finding, `some` in a possible
    /// finding.
    pub extent: String,
    /// The admitted versions that are affected, as intervals in ascending order: `>= 1.0.0, < 1.2.3`.
    pub affected: Vec<String>,
    /// Whether the newest admitted version is affected; `null` when the records do not tell and no
    /// registry was asked.
    pub newest_affected: Option<bool>,
    /// The newest admitted version that the registry has; `null` when it was not asked or did not say.
    pub newest: Option<String>,
    /// The requirement that admits no affected version and differs least from the present one; `null`
    /// when the records name no fixed version.
    pub raised: Option<String>,
}

/// A version of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PackageReport {
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Name as the registry writes it.
    pub name: String,
    /// Locked version, as the file writes it; empty when only a requirement is known.
    pub version: String,
    /// Package URL of the version, percent-encoded.
    pub purl: String,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LocationReport {
    /// Path from the repository root.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
}

/// A CVSS base score.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CvssReport {
    /// From 0.0 to 10.0.
    pub score: f64,
    /// The vector, as the record writes it.
    pub vector: Option<String>,
}

/// An entry of CISA's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KevReport {
    /// Id of the CVE.
    pub cve: String,
    /// Date of entry, `YYYY-MM-DD`.
    pub date_added: String,
    /// Date by which US federal agencies must act, `YYYY-MM-DD`.
    pub due_date: String,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// One part of a score.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScoreReasonReport {
    /// The signal behind the part: `outcome`, `kev`, `ransomware`, `epss`, `cvss`, `scope`, `malicious`
    /// or `requirement`.
    pub signal: String,
    /// Points that it adds or takes away.
    pub points: f64,
    /// Explanation for a person.
    pub text: String,
}

/// A link of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReferenceReport {
    /// OSV's type of the link: `ADVISORY`, `FIX`, `WEB`, …
    pub kind: String,
    /// Address as the record writes it.
    pub url: String,
}

/// A finding that an ignore entry covers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct IgnoredReport {
    /// The finding itself; its fields are at the same level.
    #[serde(flatten)]
    pub finding: FindingReport,
    /// Why it is accepted.
    pub reason: String,
    /// Last day on which the entry counts, `YYYY-MM-DD`.
    pub until: String,
}

/// A finding that a statement of a VEX document suppresses.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SuppressedReport {
    /// The finding itself; its fields are at the same level.
    #[serde(flatten)]
    pub finding: FindingReport,
    /// The status in the statement: `not_affected` or `fixed`.
    pub status: String,
    /// Why the vulnerability does no harm, in one of the five words that OpenVEX and CSAF share.
    pub justification: Option<String>,
    /// Explanation of the status for a person.
    pub impact: Option<String>,
    /// Id of the statement, or of its document where the statement has none.
    pub statement: Option<String>,
    /// Author of the document; `null` if it names none.
    pub author: Option<String>,
    /// When the statement was made (RFC 3339).
    pub timestamp: Option<String>,
    /// File or address of the document.
    pub source: String,
    /// Line of the statement in the document, from 1.
    pub line: u32,
}

/// An input that could not be read or looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IncompleteReport {
    /// Kind of the input: `file`, `advisories`, `feed`, `registry`, `vex`, `unresolved`,
    /// `unsupported` or `version`.
    pub kind: String,
    /// The file, server, ecosystem or package.
    pub subject: String,
    /// Path of the file; `null` for another kind of input.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// The cause of the failure.
    pub reason: String,
    /// The next step; `null` when no step is known.
    pub hint: Option<String>,
    /// Whether the settings say that inputs of this kind do not fail the run.
    pub waived: bool,
}

/// A suggestion for the settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoticeReport {
    /// Path of the settings file.
    pub file: String,
    /// Line number, from 1.
    pub line: u32,
    /// The suggestion, in one sentence.
    pub text: String,
}

/// A notice about a VEX document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VexNoticeReport {
    /// File or address of the document.
    pub source: String,
    /// Line of the statement, from 1; `null` for the document as a whole.
    pub line: Option<u32>,
    /// The notice, in one sentence.
    pub text: String,
}

/// An advisory source or a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceReport {
    /// Name: `osv:npm`, `kev`, `epss`, `osv-api`, `vex`, `csaf`.
    pub name: String,
    /// Address or path of the source.
    pub origin: String,
    /// Time of the newest record, date of the catalogue, or time of the query (RFC 3339); `null`
    /// when unknown.
    pub as_of: Option<String>,
    /// Seconds from `as_of` to the run.
    pub age_seconds: Option<i64>,
    /// Number of records; `null` when unknown.
    pub records: Option<u64>,
    /// Set when the source is older than the limit or could not be refreshed.
    pub warning: Option<String>,
}

/// A lockfile that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LockfileReport {
    /// Path from the repository root.
    pub path: String,
    /// Ecosystem by its OSV name.
    pub ecosystem: String,
    /// Format with its version.
    pub format: String,
    /// Package copies that it locks.
    pub packages: usize,
    /// Whether the file lists direct dependencies only, so that transitive ones were not scanned.
    pub direct_only: bool,
    /// Entries of the file that could not be read; the file was read in part when there are any.
    pub skipped: Vec<SkippedReport>,
}

/// An entry of a lockfile that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkippedReport {
    /// Line of the entry, from 1.
    pub line: u32,
    /// What is wrong with it: a fragment that follows the file's name.
    pub reason: String,
    /// What is lost with it: `package` (a package may be missing, so the scan is incomplete), `edge`
    /// (all packages are known, a dependency between two of them is missing) or `detail` (a hash or
    /// the like is missing).
    pub loss: String,
}

impl ScanReport {
    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
