//! Writers of VEX documents about findings: those that other VEX documents decided, those that the
//! settings accept, and those without a decision.

mod cyclonedx;
mod openvex;

use jiff::Timestamp;
use patchgate_model::{Finding, Justification};

use crate::apply::Decision;
use crate::document::Status;

pub use cyclonedx::{cyclonedx, cyclonedx_analysis};
pub use openvex::openvex;

/// The assessment of one finding.
#[derive(Debug, Clone)]
pub struct Assessment<'a> {
    /// The finding that is assessed.
    pub finding: &'a Finding,
    /// Package URLs of all copies of its package; never empty.
    pub purls: Vec<String>,
    /// Basis of the assessment.
    pub basis: AssessmentBasis<'a>,
}

/// The basis of an assessment.
#[derive(Debug, Clone, Copy)]
pub enum AssessmentBasis<'a> {
    /// A statement of a VEX document.
    Stated(&'a Decision),
    /// An `ignore` entry of the settings, which is valid for a time.
    Accepted {
        /// Reason of the entry.
        reason: &'a str,
        /// Last day on which the entry is valid.
        until: jiff::civil::Date,
        /// Justification, if the entry says that the vulnerability does no harm.
        justification: Option<Justification>,
    },
    /// None: the finding is still open.
    Open,
}

/// The metadata of a document.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions<'a> {
    /// Author of the statements.
    pub author: &'a str,
    /// Version of Patchgate, which the document names as the tool that made it.
    pub tool_version: &'a str,
    /// Time of writing, in UTC and to the second.
    pub timestamp: Timestamp,
    /// Package URLs or other identifiers of the scanned products. The statements are about the
    /// packages within these products; without any, about the packages anywhere.
    pub products: &'a [String],
}

/// The reason for which a document cannot be written with the given options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteError(String);

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WriteError {}

/// One statement, the same for every format.
#[derive(Debug)]
struct OutputStatement {
    status: Status,
    justification: Option<Justification>,
    /// The justification in the vocabulary of the document that stated it.
    written: Option<String>,
    impact: Option<String>,
    action: Option<String>,
    /// Origin of the assessment, if that is not the author of the document.
    notes: Option<String>,
    /// Time of the original statement, if that is older than this document.
    timestamp: Option<Timestamp>,
}

impl WriteOptions<'_> {
    fn time(&self) -> String {
        time(self.timestamp)
    }
}

/// A time in UTC and to the second, in the notation of RFC 3339.
fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The assessments, sorted by finding and package.
fn ordered<'a, 'b>(assessments: &'b [Assessment<'a>]) -> Vec<&'b Assessment<'a>> {
    let mut ordered: Vec<&Assessment<'_>> = assessments.iter().collect();
    ordered.sort_by(|a, b| {
        (&a.finding.id, &a.finding.package).cmp(&(&b.finding.id, &b.finding.package))
    });
    ordered
}

impl Assessment<'_> {
    /// The statement to write.
    fn statement(&self) -> OutputStatement {
        let open = OutputStatement {
            status: Status::UnderInvestigation,
            justification: None,
            written: None,
            impact: None,
            action: None,
            notes: None,
            timestamp: None,
        };

        match self.basis {
            AssessmentBasis::Stated(decision) => OutputStatement {
                status: decision.status,
                justification: decision.justification.as_ref().map(|reason| reason.word),
                written: decision
                    .justification
                    .as_ref()
                    .map(|reason| reason.written.clone()),
                impact: decision.impact.clone(),
                action: (decision.status == Status::Affected).then(|| {
                    let action = decision.action.clone();
                    action.unwrap_or_else(|| "no action is stated".to_owned())
                }),
                notes: notes(decision),
                timestamp: decision.timestamp,
            },
            AssessmentBasis::Accepted {
                reason,
                until,
                justification: Some(justification),
            } => OutputStatement {
                status: Status::NotAffected,
                justification: Some(justification),
                impact: Some(reason.to_owned()),
                notes: Some(format!("valid until {until}")),
                ..open
            },
            AssessmentBasis::Accepted { reason, until, .. } => OutputStatement {
                status: Status::Affected,
                action: Some(format!("accepted until {until}: {reason}")),
                ..open
            },
            AssessmentBasis::Open if self.finding.malicious => OutputStatement {
                status: Status::Affected,
                action: Some("the release itself is malicious: remove it".to_owned()),
                ..open
            },
            AssessmentBasis::Open => open,
        }
    }
}

/// A note with the author and the id of the original statement.
fn notes(decision: &Decision) -> Option<String> {
    let by = match decision.author.as_str() {
        "" => String::new(),
        author => format!(" by {author}"),
    };
    let within = match decision.statement.as_str() {
        "" => String::new(),
        statement => format!(" in {statement}"),
    };
    let notes = format!("stated{by}{within}");

    (notes != "stated").then_some(notes)
}

/// A document as indented JSON, with a line break at its end.
fn to_text(document: &serde_json::Value) -> String {
    format!("{document:#}\n")
}
