//! Export of the findings of a scan as a VEX document.

use jiff::Timestamp;
use patchgate_model::{Finding, Inventory, UserError};
use patchgate_vex::{Assessment, AssessmentBasis, Copies, WriteOptions};

use crate::triage::TriagedFindings;

/// Author of the statements when the settings name none.
const AUTHOR: &str = "Patchgate";

/// The findings and the products that a document is written from.
pub struct VexExport<'a> {
    /// The findings, after triage.
    pub findings: &'a TriagedFindings,
    /// The packages that they are about.
    pub inventory: &'a Inventory,
    /// Names of the scanned products, most often package URLs.
    pub products: &'a [String],
    /// The author of the statements.
    pub author: Option<&'a str>,
    /// When the statements are made.
    pub now: Timestamp,
}

impl VexExport<'_> {
    /// Whether there is nothing to state. OpenVEX does not allow a document without statements.
    pub fn is_empty(&self) -> bool {
        self.assessments().is_empty()
    }

    /// The statements as an OpenVEX 0.2.0 document.
    pub fn openvex(&self) -> String {
        patchgate_vex::openvex(&self.assessments(), &self.options())
    }

    /// The statements as a CycloneDX document.
    ///
    /// # Errors
    /// When no product is named, which CycloneDX needs.
    pub fn cyclonedx(&self) -> Result<String, UserError> {
        patchgate_vex::cyclonedx(&self.assessments(), &self.options()).map_err(|error| {
            UserError::usage(error.to_string())
                .with_hint("name one with `--vex-product`, or write OpenVEX")
        })
    }

    /// The findings that are suppressed, accepted or open, each with its analysis as CycloneDX writes
    /// it. Possible findings are not among them.
    pub fn analyses(&self) -> Vec<(&Finding, serde_json::Value)> {
        let assessments = self.assessments();
        let analyses = assessments.iter();
        analyses
            .map(|one| (one.finding, patchgate_vex::cyclonedx_analysis(one)))
            .collect()
    }

    fn options(&self) -> WriteOptions<'_> {
        WriteOptions {
            author: self.author.unwrap_or(AUTHOR),
            tool_version: env!("CARGO_PKG_VERSION"),
            timestamp: self.now,
            products: self.products,
        }
    }

    /// An assessment of each finding: suppressed, accepted, or still open.
    fn assessments(&self) -> Vec<Assessment<'_>> {
        let copies = Copies::of(self.inventory);
        let sorted = self.findings;
        let suppressed = sorted.suppressed.iter().map(|one| {
            assessment(
                &one.finding,
                &copies,
                AssessmentBasis::Stated(&one.decision),
            )
        });
        let ignored = sorted.ignored.iter().map(|one| {
            let judged = AssessmentBasis::Accepted {
                reason: &one.reason,
                until: one.until,
                justification: one.justification,
            };
            assessment(&one.finding, &copies, judged)
        });

        let kept = sorted.kept.iter().zip(&sorted.statements);
        let open = kept.map(|(finding, decision)| {
            let judged = decision
                .as_ref()
                .map_or(AssessmentBasis::Open, AssessmentBasis::Stated);
            assessment(finding, &copies, judged)
        });

        suppressed.chain(ignored).chain(open).collect()
    }
}

fn assessment<'a>(
    finding: &'a Finding,
    copies: &Copies<'_>,
    judged: AssessmentBasis<'a>,
) -> Assessment<'a> {
    Assessment {
        finding,
        purls: copies.texts(&finding.package),
        basis: judged,
    }
}
