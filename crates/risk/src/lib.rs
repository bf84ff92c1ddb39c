//! Rating of findings: severity, score with its reasons, and the threshold that fails a run.
//!
//! [`rate`] sets the severity and the score of a finding, from its records and from the feeds that
//! report exploitation. [`Threshold`] decides which findings fail a run.
//!
//! Everything here is a pure function of values. Deliberately absent: reading records and feeds
//! (`patchgate-advisories`).
//!
//! ```
//! use patchgate_model::Level;
//!
//! assert_eq!(patchgate_risk::band(9.8), Level::Critical);
//! ```

mod score;
mod severity;
mod threshold;

use patchgate_model::{Advisory, Finding, Level};

pub use score::{
    BUILD_FACTOR_PERCENT, CVSS_POINTS, DEVELOPMENT_FACTOR_PERCENT, EPSS_POINTS, EPSS_STAND_IN,
    KEV_FLOOR, POSSIBLE_NEWEST_AFFECTED_PERCENT, POSSIBLE_NEWEST_UNAFFECTED_PERCENT,
    POSSIBLE_PERCENT, RANSOMWARE_POINTS, score,
};
pub use severity::{band, midpoint, severity};
pub use threshold::{Threshold, counts_as};

/// Sets the severity of a finding from its records, then its score from severity, signals and scope.
pub fn rate(finding: &mut Finding) {
    // A record of malicious releases may be an alias of the finding without affecting this release.
    // Then its severity, which is always critical, does not count.
    let counts = |record: &&Advisory| finding.malicious || !record.id.starts_with("MAL-");
    let records = finding.advisories.iter().map(AsRef::as_ref);
    let records: Vec<&Advisory> = records.filter(counts).collect();
    finding.severity = severity(&records, finding.package.ecosystem, &finding.package.name);

    // Not every record of a malicious release has a `MAL-` id: aliases and CWE-506 count as well.
    if finding.malicious && finding.severity.level == Level::Unknown {
        finding.severity.level = Level::Critical;
    }

    finding.score = score(finding);
}
