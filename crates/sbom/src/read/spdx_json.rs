//! Reader of SPDX 2 as JSON and, with the same keys, as YAML
//! (<https://spdx.github.io/spdx-spec/v2.3/>).

use patchgate_ecosystems::{ParseError, SkippedEntries};
use patchgate_model::Loss;
use patchgate_syntax::{Node, json, yaml};

use super::spdx::{format, relate, role, set_address, set_reference, stated};
use super::{Component, Document, digest};

pub(super) fn read_json(text: &str) -> Result<Document, ParseError> {
    document(
        &json(text)?,
        ["spdx-json-2.2", "spdx-json-2.3"],
        "spdx-json",
    )
}

/// Like [`read_json`]. A YAML file that was cut between two items is still valid YAML, so the
/// relationships are checked for references to packages that are missing.
pub(super) fn read_yaml(text: &str) -> Result<Document, ParseError> {
    let root = yaml(text)?;
    let document = document(&root, ["spdx-yaml-2.2", "spdx-yaml-2.3"], "spdx-yaml")?;
    super::tag_value::check_references(&document)?;
    Ok(document)
}

fn document(
    root: &Node<'_>,
    by_version: [&'static str; 2],
    other: &'static str,
) -> Result<Document, ParseError> {
    // Some tools wrap the document in `Document`, as SPDX 2.1 did.
    let root = root.get("Document").unwrap_or(root);
    let version = root.get("spdxVersion").and_then(Node::scalar);

    let mut document = Document {
        format: format(version.unwrap_or_default(), by_version, other)?,
        ..Document::default()
    };
    for described in root.optional_list("documentDescribes")? {
        if let Some(id) = described.text() {
            document.described.push(id.to_owned());
        }
    }

    for package in root.optional_list("packages")? {
        let read = component(package, &mut document.skipped);
        let read = document.skipped.recover(Loss::Package, package.line, read);
        document.components.extend(read);
    }

    for relationship in root.optional_list("relationships")? {
        let part = |name| {
            relationship
                .get(name)
                .and_then(Node::text)
                .unwrap_or_default()
        };
        let (from, to) = (part("spdxElementId"), part("relatedSpdxElement"));
        relate(&mut document, &from.into(), part("relationshipType"), to);
    }

    for name in ["files", "snippets"] {
        let items = root.get(name).map_or(&[][..], Node::items).iter();
        let ids = items.filter_map(|item| item.get("SPDXID").and_then(Node::text));
        document.others.extend(ids.map(str::to_owned));
    }

    Ok(document)
}

fn component(node: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Component, ParseError> {
    if !node.is_map() {
        return Err(node.unexpected("packages", "a package"));
    }

    let text = |name: &str| match node.get(name) {
        None => Ok(""),
        Some(value) if value.is_null() => Ok(""),
        Some(value) => value
            .scalar()
            .map(stated)
            .ok_or_else(|| value.unexpected(name, "a text")),
    };
    let mut read = Component {
        id: text("SPDXID")?.to_owned(),
        line: node.line,
        role: role(text("primaryPackagePurpose")?),
        name: text("name")?.to_owned(),
        version: text("versionInfo")?.to_owned(),
        ..Component::default()
    };
    set_address(&mut read, text("downloadLocation")?);

    for reference in node.optional_list("externalRefs")? {
        let part = |name| reference.get(name).and_then(Node::text).unwrap_or_default();
        set_reference(&mut read, part("referenceType"), part("referenceLocator"));
    }

    for checksum in node.get("checksums").map_or(&[][..], Node::items) {
        let part = |name| checksum.get(name).and_then(Node::text).unwrap_or_default();
        let digest = digest(
            skipped,
            checksum.line,
            part("algorithm"),
            part("checksumValue"),
        );
        read.digests.extend(digest);
    }

    read.take_comment(text("comment")?);
    Ok(read)
}
