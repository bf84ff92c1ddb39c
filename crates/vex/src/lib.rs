//! VEX (Vulnerability Exploitability eXchange): statements about whether a vulnerability matters in
//! a product. They are read from OpenVEX, CycloneDX and CSAF, applied to findings, and written as
//! OpenVEX and CycloneDX.
//!
//! Suppressing a finding by mistake hides a vulnerability. A statement therefore suppresses a
//! finding only if it is certainly about the finding's vulnerability and package, gives a reason,
//! and is not contradicted by a newer one ([`Statements::apply`]). A statement about a component
//! within a vendor's product does not apply to the same component elsewhere: it counts only if the
//! user names that product as the scanned one.
//!
//! This crate is pure: bytes and the time come in, values and text go out. Deliberately absent:
//! files and the network (`patchgate-scan` reads and fetches documents).
//!
//! ```
//! use std::sync::Arc;
//!
//! use patchgate_vex::{Source, Statements, Status};
//!
//! let text = br#"{
//!     "@context": "https://openvex.dev/ns/v0.2.0",
//!     "@id": "https://vex.invalid/1",
//!     "author": "Security team",
//!     "timestamp": "2026-01-30T12:00:00Z",
//!     "version": 1,
//!     "statements": [{
//!         "vulnerability": {"name": "CVE-2022-24999"},
//!         "products": [{"@id": "pkg:npm/qs@6.5.2"}],
//!         "status": "not_affected",
//!         "justification": "vulnerable_code_not_in_execute_path"
//!     }]
//! }"#;
//! let document = patchgate_vex::read(text)?;
//! assert_eq!(document.statements[0].status, Status::NotAffected);
//!
//! let source = Source {
//!     name: "security.openvex.json".to_owned(),
//!     document: Arc::new(document),
//!     is_chosen: true,
//! };
//! let statements = Statements::new(vec![source], &[]);
//! # let (findings, inventory) = (Vec::new(), patchgate_model::Inventory::default());
//! let applied = statements.apply(findings, &inventory);
//! println!("{} suppressed, {} left", applied.suppressed.len(), applied.kept.len());
//! # Ok::<(), patchgate_vex::ParseError>(())
//! ```

mod apply;
mod document;
mod identity;
pub mod provider;
mod read;
mod vers;
mod version_eq;
mod write;

pub use apply::{
    AppliedStatements, Copies, Decision, Notice, Source, Statements, SuppressedFinding,
};
pub use document::{Component, Document, Format, StatedJustification, Statement, Status, Target};
pub use identity::PackageIdentity;
pub use patchgate_model::Justification;
pub use patchgate_syntax::ParseError;
pub use vers::{Vers, Versions};
pub use write::{
    Assessment, AssessmentBasis, WriteError, WriteOptions, cyclonedx, cyclonedx_analysis, openvex,
};

/// Reads a document of any supported format.
///
/// # Errors
/// When the format is not recognized, or the document cannot be read completely.
pub fn read(bytes: &[u8]) -> Result<Document, ParseError> {
    read::document(bytes)
}
