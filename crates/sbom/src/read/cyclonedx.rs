//! What CycloneDX means, the same in JSON and in XML.

use patchgate_ecosystems::ParseError;
use patchgate_model::Scope;

use super::Role;

/// The document's format by the version that it states.
///
/// # Errors
/// When it is of a version that has another shape.
pub(super) fn format(version: &str, xml: bool) -> Result<&'static str, ParseError> {
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
        return Ok(if xml { xml_name } else { json_name });
    }
    if version.starts_with("1.") {
        // Versions of CycloneDX add to the ones before them.
        return Ok(if xml {
            "cyclonedx-xml"
        } else {
            "cyclonedx-json"
        });
    }

    let shown: String = version.chars().take(20).collect();
    Err(ParseError::new(format!(
        "is CycloneDX of version `{shown}`, which is not read"
    ))
    .with_hint("write the document as CycloneDX 1.6"))
}

/// What a component of a type is.
pub(super) fn role(kind: &str) -> Role {
    match kind {
        "operating-system" => Role::System,
        "file" | "data" | "device" | "cryptographic-asset" => Role::Other,
        _ => Role::Software,
    }
}

/// The scope that `scope` states. "Excluded" is for "test and other non-runtime purposes".
pub(super) fn scope(scope: &str) -> Scope {
    match scope {
        "optional" => Scope::Optional,
        "excluded" => Scope::Development,
        _ => Scope::Runtime,
    }
}

/// What the aggregate of a composition says, where that is that something is missing.
pub(super) fn incomplete(aggregate: &str) -> Option<String> {
    aggregate
        .starts_with("incomplete")
        .then(|| format!("says that it is incomplete (`{aggregate}`)"))
}
