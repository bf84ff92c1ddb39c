//! The estimates of severity and weakness, for a finding of which no record states them.
//!
//! An estimate only raises: it counts where it is worse than the value that stands in for an unknown
//! severity, and never where it is better. Level and thresholds stay those of an unknown severity.

use std::sync::Arc;

use patchgate_estimate::{AdvisoryText, SeverityModel, WeaknessModel};
use patchgate_model::{Advisory, Finding, Level, SeverityEstimate, WeaknessEstimate};

use crate::severity::midpoint;

/// The worst estimate among the records that the model may be used for.
pub(crate) fn estimate(model: &SeverityModel, finding: &Finding) -> Option<SeverityEstimate> {
    if finding.severity.level != Level::Unknown || finding.malicious {
        return None;
    }
    let records = finding.advisories.iter();
    records
        .filter_map(|record| of_record(model, record, finding))
        .max_by(|a, b| a.score.total_cmp(&b.score).then(b.record.cmp(&a.record)))
}

fn of_record(
    model: &SeverityModel,
    record: &Advisory,
    finding: &Finding,
) -> Option<SeverityEstimate> {
    let cwes: Vec<&str> = record.cwes.iter().map(AsRef::as_ref).collect();
    let text = text_of(record, &cwes, finding);
    model.estimate(&record.id, &text).ok()
}

fn text_of<'a>(
    record: &'a Advisory,
    cwes: &'a [&'a str],
    finding: &'a Finding,
) -> AdvisoryText<'a> {
    AdvisoryText {
        title: &record.summary,
        details: &record.details,
        cwes,
        ecosystem: finding.package.ecosystem.as_str(),
        package: &finding.package.name,
    }
}

/// The weaknesses that the first record suggests that the model may be used for.
pub(crate) fn weakness(model: &WeaknessModel, finding: &Finding) -> Option<WeaknessEstimate> {
    let states_one = |record: &Arc<Advisory>| !record.cwes.is_empty();
    if finding.malicious || finding.is_notice() || finding.advisories.iter().any(states_one) {
        return None;
    }
    let mut records = finding.advisories.iter();
    records.find_map(|record| {
        let text = text_of(record, &[], finding);
        model.estimate(&record.id, &text).ok()
    })
}

/// What the estimate says, and what it changes: a fragment for a person.
pub(crate) fn text(estimate: &SeverityEstimate) -> String {
    let review = match estimate.high >= 9.0 && estimate.level < Level::Critical {
        true => "; it may be critical, so review it",
        false => "",
    };
    let lowers = match estimate.score < midpoint(Level::Unknown) {
        true => "; it lowers nothing",
        false => "",
    };
    format!(
        "no record states a severity; estimated {} {:.1} (80 % between {:.1} and {:.1}) from the text of {}{review}{lowers}",
        word(estimate.level),
        estimate.score,
        estimate.low,
        estimate.high,
        estimate.record
    )
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Critical => "critical",
        Level::High => "high",
        Level::Medium => "medium",
        Level::Low => "low",
        Level::None | Level::Informational | Level::Unknown => "none",
    }
}
