//! What a finding's records and signals make of it: a severity, a score with its reasons, and
//! whether it reaches a threshold.
//!
//! Everything here is a pure function of values. The feeds are read elsewhere
//! (`patchgate-advisories`); the order in which they count is here and nowhere else.

mod score;
mod severity;
mod threshold;

use patchgate_model::{Advisory, Finding, Level};

pub use score::{
    BUILD_FACTOR_PERCENT, CVSS_POINTS, DEVELOPMENT_FACTOR_PERCENT, EPSS_POINTS, EPSS_STAND_IN,
    KEV_FLOOR, RANSOMWARE_POINTS, score,
};
pub use severity::{band, midpoint, severity};
pub use threshold::{Threshold, counts_as};

/// Gives a finding its severity, from its records, and its score, from all that is known about it.
pub fn rate(finding: &mut Finding) {
    // A record of malicious releases that does not affect this one has no say in its severity.
    let has_say = |record: &&Advisory| finding.malicious || !record.id.starts_with("MAL-");
    let records = finding.advisories.iter().map(AsRef::as_ref);
    let records: Vec<&Advisory> = records.filter(has_say).collect();
    finding.severity = severity(&records, finding.package.ecosystem, &finding.package.name);

    // The records' ids do not always tell, an alias or a weakness does too.
    if finding.malicious && finding.severity.level == Level::Unknown {
        finding.severity.level = Level::Critical;
    }

    finding.score = score(finding);
}
