//! A review next to the lines of the lockfiles: annotations, and GitLab's code quality.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{ReviewFinding, ReviewReport};
use crate::annotation::AnnotationLevel;
use crate::scan::{SeverityName, code_quality_entry};

/// Most notes of one review.
const MAX_NOTES: usize = 500;

/// A message at a line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineNote {
    /// Path from the root of the repository.
    pub file: String,
    /// Line from 1.
    pub line: u32,
    /// The level of the message.
    pub level: AnnotationLevel,
    /// Its title. The text may be hostile.
    pub title: String,
    /// Its text. It may be hostile.
    pub message: String,
}

impl ReviewReport {
    /// A note for each vulnerability that is new or worse, and for each package with a remark, the most
    /// urgent first, 500 at most.
    #[must_use]
    pub fn line_notes(&self) -> Vec<LineNote> {
        let findings = self.new.iter().chain(&self.worse).map(|finding| LineNote {
            file: finding.file.clone(),
            line: finding.line,
            level: match finding.fails {
                true => AnnotationLevel::Error,
                false => AnnotationLevel::Warning,
            },
            title: format!("{} in {}", finding.id, finding.package),
            message: message(finding),
        });
        let packages = self.packages.iter().filter_map(|package| {
            let remarks = package.remarks();
            (!remarks.is_empty()).then(|| LineNote {
                file: package.file.clone(),
                line: package.line,
                level: AnnotationLevel::Notice,
                title: package.title(),
                message: remarks.join("; "),
            })
        });

        findings.chain(packages).take(MAX_NOTES).collect()
    }

    /// What is new and worse as a code quality report of GitLab.
    #[must_use]
    pub fn to_code_quality(&self) -> String {
        let issues: Vec<Value> = self
            .new
            .iter()
            .chain(&self.worse)
            .take(MAX_NOTES)
            .map(|finding| {
                code_quality_entry(
                    &finding.id,
                    &message(finding),
                    &fingerprint(finding),
                    severity(finding),
                    &finding.file,
                    Some(finding.line),
                )
            })
            .collect();

        crate::to_json(&issues)
    }
}

fn message(finding: &ReviewFinding) -> String {
    let verb = match finding.malicious {
        true => "is a malicious release, an incident:",
        false => "is affected by",
    };
    let brought = match &finding.brought_by[..] {
        [] | [_] => String::new(),
        [direct, ..] => format!(" {direct} brings it."),
    };
    let fix = match &finding.fixed_version {
        Some(version) => format!(" Fixed in {version}."),
        None => " No version fixes it.".to_owned(),
    };
    format!(
        "{} {} ({}) {verb} {}, score {:.1}.{brought}{fix}",
        finding.package,
        finding.versions.join(", "),
        finding.scope,
        finding.id,
        finding.score,
    )
}

/// A hash that stays the same when only lines change.
fn fingerprint(finding: &ReviewFinding) -> String {
    let mut hash = Sha256::new();
    let versions = finding.versions.iter().map(String::as_str);
    let parts = [
        finding.id.as_str(),
        &finding.ecosystem,
        &finding.package,
        &finding.file,
    ];
    for part in parts.into_iter().chain(versions) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize().get(..16).unwrap_or_default())
}

/// GitLab's word. An unknown severity counts as high, as in thresholds.
fn severity(finding: &ReviewFinding) -> &'static str {
    match finding.severity {
        _ if finding.malicious => "blocker",
        SeverityName::Critical => "critical",
        SeverityName::High | SeverityName::Unknown => "major",
        SeverityName::Medium => "minor",
        SeverityName::Low | SeverityName::None | SeverityName::Informational => "info",
    }
}
