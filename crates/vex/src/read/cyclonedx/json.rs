//! CycloneDX as JSON (<https://cyclonedx.org/docs/1.6/json/>).

use patchgate_syntax::{Node, ParseError};

use super::super::{prose, text, time};
use super::{AffectedVersions, Affects, Bom, Entry, Vulnerability, check_version};
use crate::document::Document;

/// Whether the document declares itself as CycloneDX.
pub(in super::super) fn is(root: &Node<'_>) -> bool {
    root.get("bomFormat").and_then(Node::text) == Some("CycloneDX")
        || root
            .get("$schema")
            .and_then(Node::text)
            .is_some_and(|schema| schema.contains("cyclonedx.org/schema/bom"))
}

pub(in super::super) fn read(root: &Node<'_>) -> Result<Document, ParseError> {
    check_version(&scalar(root, "specVersion")?)?;
    let mut bom = Bom {
        serial: scalar(root, "serialNumber")?,
        version: scalar(root, "version")?,
        ..Bom::default()
    };
    if let Some(metadata) = root.get("metadata") {
        bom.timestamp = time(metadata, "timestamp")?;
        bom.author = author(metadata)?;
        if let Some(main) = metadata.get("component") {
            bom.main = Some(entry(main)?);
            components(main, &mut bom.components)?;
        }
    }

    components(root, &mut bom.components)?;
    for node in root.optional_list("vulnerabilities")? {
        bom.vulnerabilities.push(vulnerability(node)?);
    }

    bom.into_document()
}

/// The text under a key, whose value is a text or a number; empty if it is missing.
fn scalar(node: &Node<'_>, name: &str) -> Result<String, ParseError> {
    match node.get(name) {
        None => Ok(String::new()),
        Some(value) if value.is_null() => Ok(String::new()),
        Some(value) => value
            .scalar()
            .map(|text| text.trim().to_owned())
            .ok_or_else(|| value.unexpected(name, "a text")),
    }
}

/// The author of the document: its authors, else the organization that made it.
fn author(metadata: &Node<'_>) -> Result<String, ParseError> {
    let mut names = Vec::new();
    for author in metadata.optional_list("authors")? {
        names.extend(text(author, "name")?.or(text(author, "email")?));
    }
    if names.is_empty() {
        let organisation = ["manufacturer", "manufacture", "supplier"]
            .iter()
            .find_map(|key| metadata.get(key));
        if let Some(organisation) = organisation {
            names.extend(text(organisation, "name")?);
        }
    }

    Ok(names.join(", "))
}

fn components(node: &Node<'_>, into: &mut Vec<Entry>) -> Result<(), ParseError> {
    for item in node.optional_list("components")? {
        if !item.is_map() {
            return Err(item.unexpected("components", "a component"));
        }
        into.push(entry(item)?);
        components(item, into)?;
    }
    Ok(())
}

fn entry(node: &Node<'_>) -> Result<Entry, ParseError> {
    let purl = scalar(node, "purl")?;
    let reference = scalar(node, "bom-ref")?;

    Ok(Entry {
        // Some tools refer to a component by its package URL.
        reference: if reference.is_empty() {
            purl.clone()
        } else {
            reference
        },
        name: scalar(node, "name")?,
        version: scalar(node, "version")?,
        cpe: scalar(node, "cpe")?,
        purl,
    })
}

fn vulnerability(node: &Node<'_>) -> Result<Vulnerability, ParseError> {
    if !node.is_map() {
        return Err(node.unexpected("vulnerabilities", "a vulnerability"));
    }

    let mut read = Vulnerability {
        line: node.line,
        ids: text(node, "id")?.into_iter().collect(),
        recommendation: prose(node, "recommendation")?,
        ..Vulnerability::default()
    };
    for reference in node.optional_list("references")? {
        read.ids.extend(text(reference, "id")?);
    }
    if let Some(analysis) = node.get("analysis") {
        read.state = text(analysis, "state")?;
        read.justification = text(analysis, "justification")?;
        read.detail = prose(analysis, "detail")?;

        for response in analysis.optional_list("response")? {
            let word = response
                .text()
                .ok_or_else(|| response.unexpected("response", "a text"))?;
            read.responses.push(word.to_owned());
        }

        read.time = time(analysis, "lastUpdated")?.or(time(analysis, "firstIssued")?);
    }

    for affects in node.optional_list("affects")? {
        let mut target = Affects {
            reference: affects.need_text("ref")?.trim().to_owned(),
            versions: Vec::new(),
        };
        for entry in affects.optional_list("versions")? {
            target.versions.push(AffectedVersions {
                version: scalar(entry, "version")?,
                range: scalar(entry, "range")?,
                status: scalar(entry, "status")?,
            });
        }

        read.affects.push(target);
    }

    Ok(read)
}
