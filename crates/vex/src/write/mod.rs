//! Documents that pass on what was judged: what VEX documents stated, what the settings accept, and
//! what nobody has looked at yet.

mod cyclonedx;
mod openvex;

use jiff::Timestamp;
use patchgate_model::{Finding, Justification};

use crate::apply::Decision;
use crate::document::Status;

pub use cyclonedx::cyclonedx;
pub use openvex::openvex;

/// What was judged about one finding.
#[derive(Debug, Clone)]
pub struct Assessment<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Package URLs of its package, at least one.
    pub purls: Vec<String>,
    /// Who judged it, and how.
    pub basis: AssessmentBasis<'a>,
}

/// How a finding was judged.
#[derive(Debug, Clone, Copy)]
pub enum AssessmentBasis<'a> {
    /// A statement of a document says so.
    Stated(&'a Decision),
    /// The settings accept it for a time.
    Accepted {
        /// Why.
        reason: &'a str,
        /// Last day on which that holds.
        until: jiff::civil::Date,
        /// Why it does no harm, where the settings say that it does none.
        justification: Option<Justification>,
    },
    /// Nobody has yet.
    Open,
}

/// What a document says about itself.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions<'a> {
    /// Who makes the statements.
    pub author: &'a str,
    /// Version of Patchgate.
    pub tool_version: &'a str,
    /// When the document is made; kept to the second.
    pub timestamp: Timestamp,
    /// What was scanned, by package URLs or other identifiers. The statements are about the
    /// packages within these; with none, about the packages themselves.
    pub products: &'a [String],
}

/// A document that cannot be written as asked.
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
    /// The justification in the words of the document that stated it.
    written: Option<String>,
    impact: Option<String>,
    action: Option<String>,
    /// Whose judgement it is, where that is not the author's.
    notes: Option<String>,
    /// When it was made, where that was before this document.
    timestamp: Option<Timestamp>,
}

impl WriteOptions<'_> {
    fn time(&self) -> String {
        time(self.timestamp)
    }
}

/// A time in UTC, to the second.
fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The assessments in an order that follows from what they say.
fn ordered<'a, 'b>(assessments: &'b [Assessment<'a>]) -> Vec<&'b Assessment<'a>> {
    let mut ordered: Vec<&Assessment<'_>> = assessments.iter().collect();
    ordered.sort_by(|a, b| {
        (&a.finding.id, &a.finding.package).cmp(&(&b.finding.id, &b.finding.package))
    });
    ordered
}

impl Assessment<'_> {
    fn said(&self) -> OutputStatement {
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
                notes: Some(format!("holds until {until}")),
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

/// Whose statement is passed on.
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

/// A document as indented JSON with a line break at its end.
fn to_text(document: &serde_json::Value) -> String {
    format!("{document:#}\n")
}
