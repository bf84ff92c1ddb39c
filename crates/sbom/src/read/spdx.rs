//! The vocabulary of SPDX 2, which all its serializations share.

use std::rc::Rc;

use patchgate_ecosystems::ParseError;
use patchgate_model::{DependencyKind, FormatId};

use super::{Component, Document, Relation, RelationKind, Role};

/// The name of the document's format, by the version that it states.
///
/// # Errors
/// When the version is not 2.x.
pub(super) fn format(
    version: &str,
    by_version: [&'static str; 2],
    other: &'static str,
) -> Result<FormatId, ParseError> {
    match version.trim() {
        "SPDX-2.3" => Ok(FormatId::new(by_version[1])),
        "SPDX-2.2" => Ok(FormatId::new(by_version[0])),
        version if version.starts_with("SPDX-2.") => Ok(FormatId::new(other)),
        version => {
            let shown: String = version.chars().take(20).collect();
            Err(
                ParseError::new(format!("is SPDX version `{shown}`, which is not supported"))
                    .with_hint("write the document as SPDX 2.3"),
            )
        }
    }
}

/// The value of a field; empty for `NOASSERTION` and `NONE`.
pub(super) fn stated(value: &str) -> &str {
    match value.trim() {
        "NOASSERTION" | "NONE" => "",
        value => value,
    }
}

/// Sets the package URL or the CPE name of a package from an external reference.
pub(super) fn set_reference(component: &mut Component, kind: &str, locator: &str) {
    let locator = locator.trim();
    if locator.is_empty() {
        return;
    }
    // In RDF, the type is an address.
    match kind.rsplit(['/', '#']).next().unwrap_or_default() {
        "purl" if component.purl.is_none() => component.purl = Some(locator.to_owned()),
        "cpe23Type" | "cpe22Type" if component.cpe.is_none() => {
            component.cpe = Some(locator.to_owned());
        }
        _ => {}
    }
}

/// The role of a package, by its primary purpose.
pub(super) fn role(purpose: &str) -> Role {
    match purpose.to_ascii_uppercase().replace('_', "-").as_str() {
        "OPERATING-SYSTEM" | "OPERATINGSYSTEM" => Role::System,
        "FILE" | "DEVICE" => Role::Other,
        _ => Role::Software,
    }
}

/// Sets the address of a package's archive; ignores anything but `http` and `https`.
pub(super) fn set_address(component: &mut Component, location: &str) {
    let location = stated(location);
    if location.starts_with("https://") || location.starts_with("http://") {
        component.distribution_url = Some(location.to_owned());
    }
}

/// Adds a relationship by its type
/// (<https://spdx.github.io/spdx-spec/v2.3/relationships-between-SPDX-elements/>).
pub(super) fn relate(document: &mut Document, from: &Rc<str>, kind: &str, to: &str) {
    use DependencyKind::{Build, Development, Optional, Peer, Runtime, Test};

    let (kind, reversed) = match kind.to_ascii_uppercase().as_str() {
        "DESCRIBES" => {
            document.described.push(to.to_owned());
            return;
        }
        "DESCRIBED_BY" => {
            document.described.push(from.to_string());
            return;
        }
        "CONTAINS" => (RelationKind::Contains, false),
        "CONTAINED_BY" | "PACKAGE_OF" => (RelationKind::Contains, true),
        "DEPENDS_ON" | "STATIC_LINK" | "DYNAMIC_LINK" | "HAS_PREREQUISITE" => {
            (RelationKind::Needs(Runtime), false)
        }
        "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" | "PREREQUISITE_FOR" => {
            (RelationKind::Needs(Runtime), true)
        }
        "OPTIONAL_DEPENDENCY_OF" | "OPTIONAL_COMPONENT_OF" => (RelationKind::Needs(Optional), true),
        "PROVIDED_DEPENDENCY_OF" => (RelationKind::Needs(Peer), true),
        "BUILD_DEPENDENCY_OF" | "BUILD_TOOL_OF" => (RelationKind::Needs(Build), true),
        "TEST_DEPENDENCY_OF" | "TEST_TOOL_OF" => (RelationKind::Needs(Test), true),
        "DEV_DEPENDENCY_OF" | "DEV_TOOL_OF" => (RelationKind::Needs(Development), true),
        _ => return,
    };

    let (from, to) = (Rc::clone(from), Rc::from(to));
    let (from, to) = if reversed { (to, from) } else { (from, to) };
    document.relations.push(Relation { from, to, kind });
}
