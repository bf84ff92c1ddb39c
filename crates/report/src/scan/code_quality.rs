//! The report of a scan for GitLab's code quality
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>): a list of issues,
//! which merge requests show next to the lines.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::sarif::{is_possible, location_fingerprint, message, sentence};
use super::{FindingReport, IncompleteReport, LocationReport, ScanReport, SeverityName};
use crate::clean::{clean, cut};

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 2_000;
/// Most locations of one finding that become issues.
const MAX_LOCATIONS: usize = 100;

impl ScanReport {
    /// As a code quality report: an issue for each location of a finding or possible finding, and one
    /// for each input that could not be read and that the settings do not waive. Ignored and
    /// suppressed findings are left out.
    #[must_use]
    pub fn to_code_quality(&self) -> String {
        let findings = self.findings.iter().chain(&self.possible);
        let issues = findings.flat_map(|finding| {
            let locations = finding.locations.iter().take(MAX_LOCATIONS).enumerate();
            locations.map(move |(index, location)| issue(finding, location, index))
        });
        let unread = self.incomplete.iter().filter(|one| !one.waived);
        let issues: Vec<Value> = issues.chain(unread.map(incomplete)).collect();

        crate::to_json(&issues)
    }
}

fn issue(finding: &FindingReport, location: &LocationReport, index: usize) -> Value {
    entry(
        &finding.id,
        &message(finding),
        &location_fingerprint(finding, index),
        severity(finding),
        &location.file,
        Some(location.line),
    )
}

fn incomplete(problem: &IncompleteReport) -> Value {
    let text = format!("Incomplete scan: {}: {}", problem.subject, problem.reason);
    let mut hash = Sha256::new();
    for part in [&problem.kind, &problem.subject, &problem.reason] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let fingerprint = hex::encode(hash.finalize().get(..16).unwrap_or_default());

    entry(
        "incomplete",
        &sentence(&text),
        &fingerprint,
        "major",
        problem.file.as_deref().unwrap_or("."),
        problem.line,
    )
}

pub(crate) fn entry(
    check: &str,
    description: &str,
    fingerprint: &str,
    severity: &str,
    file: &str,
    line: Option<u32>,
) -> Value {
    json!({
        "type": "issue",
        "categories": ["Security"],
        "check_name": cut(&clean(check), 255),
        "description": cut(&clean(description), MAX_DESCRIPTION),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {
            "path": clean(file),
            "lines": { "begin": line.unwrap_or(1).max(1) },
        },
    })
}

/// GitLab's word. An exploited vulnerability is a blocker whatever its severity is, and an unknown
/// severity counts as high, as in thresholds.
fn severity(finding: &FindingReport) -> &'static str {
    match finding.severity {
        _ if is_possible(finding) => "info",
        _ if finding.malicious || finding.kev == Some(true) => "blocker",
        SeverityName::Critical => "critical",
        SeverityName::High | SeverityName::Unknown => "major",
        SeverityName::Medium => "minor",
        SeverityName::Low | SeverityName::None | SeverityName::Informational => "info",
    }
}
