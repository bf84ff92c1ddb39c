//! VEX: statements about whether a vulnerability matters in a product, read from OpenVEX, CycloneDX
//! and CSAF, matched with findings, and written.
//!
//! Everything here is pure: bytes and the time come in, values and text go out.
//!
//! A finding that is suppressed wrongly is a missed vulnerability, so a statement suppresses only
//! where it certainly speaks of the finding's vulnerability and package, where it says why, and where
//! no newer one says otherwise ([`Statements::apply`]). A statement about a part of somebody's product
//! says nothing about the same part elsewhere: it counts only where the user says that what is
//! scanned is that product.

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
pub use write::{Assessment, AssessmentBasis, WriteError, WriteOptions, cyclonedx, openvex};

/// Reads a document, whatever its format.
///
/// # Errors
/// When it is of none of the formats, or cannot be read whole.
pub fn read(bytes: &[u8]) -> Result<Document, ParseError> {
    read::document(bytes)
}
