//! Writers: from an inventory to its [`Content`], which is the same for every format, and from there
//! to a document.

mod content;
mod copies;
mod cyclonedx;
mod cyclonedx_xml;
mod serial;
mod snapshot;
mod spdx;
mod spdx3;
mod tag_value;
mod vulnerabilities;

use std::collections::BTreeMap;

use jiff::Timestamp;
use patchgate_model::Inventory;

pub use serial::content_uuid;
pub use snapshot::{SnapshotOptions, github_snapshot, is_commit, is_ref};
pub use vulnerabilities::Vulnerability;

use crate::{FindingsFormat, OutputFormat};
use content::Content;

/// The metadata of a document, and how much of the inventory it contains.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions<'a> {
    /// Name of the scanned project, usually that of the repository. Empty is written as `repository`.
    pub name: &'a str,
    /// Version of Patchgate, which the document names as the tool that made it.
    pub tool_version: &'a str,
    /// Time of writing, in UTC and to the second. It does not influence the serial number.
    pub timestamp: Timestamp,
    /// Whether to write the location of each package: the path of the lockfile and the line in it.
    pub locations: bool,
}

impl WriteOptions<'_> {
    /// The time in the one notation that all formats accept: SPDX allows no fraction and no offset.
    fn time(&self) -> String {
        self.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The name. It is never empty, which all formats require.
    fn document_name(&self) -> &str {
        match self.name.trim() {
            "" => "repository",
            name => name,
        }
    }
}

pub(crate) fn document(
    inventory: &Inventory,
    options: &WriteOptions<'_>,
    format: OutputFormat,
) -> String {
    let content = Content::new(inventory, options);
    match format {
        OutputFormat::CycloneDxJson(version) => {
            cyclonedx::json(&content, Vec::new(), options, version)
        }
        OutputFormat::CycloneDxXml(version) => {
            cyclonedx_xml::xml(&cyclonedx::bom(&content, Vec::new(), options, version))
        }
        OutputFormat::SpdxJson => spdx::json(&content, &BTreeMap::new(), options),
        OutputFormat::SpdxTagValue => {
            tag_value::text(&spdx::document(&content, &BTreeMap::new(), options))
        }
        OutputFormat::Spdx3Json => spdx3::json(&content, options),
    }
}

pub(crate) fn document_with_findings(
    inventory: &Inventory,
    vulnerabilities: &[Vulnerability<'_>],
    options: &WriteOptions<'_>,
    format: FindingsFormat,
) -> String {
    let content = Content::new(inventory, options);
    match format {
        FindingsFormat::CycloneDx(version) => {
            let found = vulnerabilities::cyclonedx(&content, vulnerabilities);
            cyclonedx::json(&content, found, options, version)
        }
        FindingsFormat::Spdx => {
            let found = vulnerabilities::advisories(&content, vulnerabilities);
            spdx::json(&content, &found, options)
        }
    }
}
