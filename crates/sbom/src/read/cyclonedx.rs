//! The vocabulary of CycloneDX, which JSON and XML share.

use patchgate_ecosystems::ParseError;
use patchgate_model::{FormatId, Scope};

use super::Role;

/// The name of the document's format, by the version that it states.
///
/// # Errors
/// When the version is not 1.x.
pub(super) fn format(version: &str, xml: bool) -> Result<FormatId, ParseError> {
    const NAMES: [(&str, &str, &str); 8] = [
        ("1.0", "cyclonedx-json-1.0", "cyclonedx-xml-1.0"),
        ("1.1", "cyclonedx-json-1.1", "cyclonedx-xml-1.1"),
        ("1.2", "cyclonedx-json-1.2", "cyclonedx-xml-1.2"),
        ("1.3", "cyclonedx-json-1.3", "cyclonedx-xml-1.3"),
        ("1.4", "cyclonedx-json-1.4", "cyclonedx-xml-1.4"),
        ("1.5", "cyclonedx-json-1.5", "cyclonedx-xml-1.5"),
        ("1.6", "cyclonedx-json-1.6", "cyclonedx-xml-1.6"),
        ("1.7", "cyclonedx-json-1.7", "cyclonedx-xml-1.7"),
    ];

    if let Some((_, json_name, xml_name)) = NAMES.iter().find(|(known, ..)| *known == version) {
        return Ok(FormatId::new(if xml { xml_name } else { json_name }));
    }
    if version.starts_with("1.") {
        // A newer minor version only adds to the ones before it.
        let name = if xml {
            "cyclonedx-xml"
        } else {
            "cyclonedx-json"
        };
        return Ok(FormatId::new(name));
    }

    let shown: String = version.chars().take(20).collect();
    Err(ParseError::new(format!(
        "is CycloneDX version `{shown}`, which is not supported"
    ))
    .with_hint("write the document as CycloneDX 1.6"))
}

/// The role of a component, by its type.
pub(super) fn role(kind: &str) -> Role {
    match kind {
        "operating-system" => Role::System,
        "file" | "data" | "device" | "cryptographic-asset" => Role::Other,
        _ => Role::Software,
    }
}

/// The scope of a component, by its `scope`. `excluded` is for "test and other non-runtime purposes".
pub(super) fn scope(scope: &str) -> Scope {
    match scope {
        "optional" => Scope::Optional,
        "excluded" => Scope::Development,
        _ => Scope::Runtime,
    }
}

/// The reason for which a composition with this aggregate is incomplete; `None` for one that is not.
pub(super) fn incomplete(aggregate: &str) -> Option<String> {
    aggregate
        .starts_with("incomplete")
        .then(|| format!("declares itself incomplete (`{aggregate}`)"))
}
