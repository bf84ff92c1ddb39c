//! From an inventory to a document.

mod content;
mod copies;
mod cyclonedx;
mod cyclonedx_xml;
mod serial;
mod spdx;
mod spdx3;
mod tag_value;

use jiff::Timestamp;
use patchgate_model::Inventory;

pub use serial::content_uuid;

use crate::OutputFormat;
use content::Content;

/// What a document says about itself.
#[derive(Debug, Clone, Copy)]
pub struct WriteOptions<'a> {
    /// Name of what the inventory was read from, such as the repository's.
    pub name: &'a str,
    /// Version of Patchgate.
    pub tool_version: &'a str,
    /// When the document is made; kept to the second.
    pub timestamp: Timestamp,
    /// Whether to write where each package stands: paths of lockfiles and lines in them.
    pub locations: bool,
}

impl WriteOptions<'_> {
    /// The time as all formats write it (SPDX allows no fraction and no offset).
    fn time(&self) -> String {
        self.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The name, which no format allows to be empty.
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
        OutputFormat::CycloneDxJson(version) => cyclonedx::json(&content, options, version),
        OutputFormat::CycloneDxXml(version) => {
            cyclonedx_xml::xml(&cyclonedx::bom(&content, options, version))
        }
        OutputFormat::SpdxJson => spdx::json(&content, options),
        OutputFormat::SpdxTagValue => tag_value::text(&spdx::document(&content, options)),
        OutputFormat::Spdx3Json => spdx3::json(&content, options),
    }
}
