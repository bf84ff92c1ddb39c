//! A scan's outcome as a VEX document.

use jiff::Timestamp;
use patchgate_model::{Finding, Inventory};
use patchgate_vex::{Assessed, Assessment, Copies, WriteOptions};

use crate::exit::UsageError;
use crate::scan::Sorted;

/// Who makes the statements where the settings do not say.
const AUTHOR: &str = "Patchgate";

/// What a document is written from.
pub(crate) struct Written<'a> {
    pub(crate) sorted: &'a Sorted,
    pub(crate) inventory: &'a Inventory,
    /// What was scanned, as documents name it.
    pub(crate) products: &'a [String],
    /// Who makes the statements.
    pub(crate) author: Option<&'a str>,
    pub(crate) now: Timestamp,
}

impl Written<'_> {
    /// As OpenVEX.
    pub(crate) fn openvex(&self) -> String {
        let assessments = self.assessments();
        if assessments.is_empty() {
            anstream::eprintln!(
                "note: nothing was found, so nothing is stated; OpenVEX does not allow for a \
                 document without statements"
            );
        }
        patchgate_vex::openvex(&assessments, &self.options())
    }

    /// As CycloneDX.
    pub(crate) fn cyclonedx(&self) -> Result<String, UsageError> {
        patchgate_vex::cyclonedx(&self.assessments(), &self.options()).map_err(|error| {
            UsageError::new(error.to_string())
                .with_hint("name one with `--vex-product`, or write OpenVEX")
        })
    }

    fn options(&self) -> WriteOptions<'_> {
        WriteOptions {
            author: self.author.unwrap_or(AUTHOR),
            tool_version: env!("CARGO_PKG_VERSION"),
            timestamp: self.now,
            products: self.products,
        }
    }

    /// What was judged about each finding, and what was not.
    fn assessments(&self) -> Vec<Assessment<'_>> {
        let copies = Copies::of(self.inventory);
        let sorted = self.sorted;
        let suppressed = sorted
            .suppressed
            .iter()
            .map(|one| assessment(&one.finding, &copies, Assessed::Stated(&one.decision)));
        let ignored = sorted.ignored.iter().map(|one| {
            let judged = Assessed::Accepted {
                reason: &one.reason,
                until: one.until,
                justification: one.justification,
            };
            assessment(&one.finding, &copies, judged)
        });

        let kept = sorted.kept.iter().zip(&sorted.judged);
        let open = kept.map(|(finding, decision)| {
            let judged = decision.as_ref().map_or(Assessed::Open, Assessed::Stated);
            assessment(finding, &copies, judged)
        });

        suppressed.chain(ignored).chain(open).collect()
    }
}

fn assessment<'a>(
    finding: &'a Finding,
    copies: &Copies<'_>,
    judged: Assessed<'a>,
) -> Assessment<'a> {
    Assessment {
        finding,
        purls: copies.texts(&finding.package),
        judged,
    }
}
