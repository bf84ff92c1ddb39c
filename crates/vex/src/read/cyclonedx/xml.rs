//! CycloneDX as XML (<https://cyclonedx.org/docs/1.6/xml/>).

use jiff::Timestamp;
use patchgate_syntax::{Element, ParseError, xml};

use super::super::{instant, shortened};
use super::{AffectedVersions, Affects, Bom, Entry, Vulnerability, check_version};
use crate::document::Document;

/// The prefix of the namespace of every version.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";

pub(in super::super) fn read(source: &str) -> Result<Document, ParseError> {
    let root = xml(source)?;
    let version = root
        .namespace
        .as_deref()
        .and_then(|namespace| namespace.strip_prefix(NAMESPACE));
    let (true, Some(version)) = (root.name == "bom", version) else {
        return Err(ParseError::new("is XML but not CycloneDX"));
    };

    check_version(version)?;
    let mut bom = Bom {
        serial: attribute(&root, "serialNumber"),
        version: attribute(&root, "version"),
        ..Bom::default()
    };
    if let Some(metadata) = root.child("metadata") {
        bom.timestamp = time(metadata, "timestamp")?;
        bom.author = author(metadata);
        if let Some(main) = metadata.child("component") {
            bom.main = Some(entry(main));
            components(main, &mut bom.components);
        }
    }

    components(&root, &mut bom.components);
    if let Some(list) = root.child("vulnerabilities") {
        for element in list.all("vulnerability") {
            bom.vulnerabilities.push(vulnerability(element)?);
        }
    }

    bom.into_document()
}

fn attribute(element: &Element<'_>, name: &str) -> String {
    element
        .attribute(name)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

fn text(element: &Element<'_>, name: &str) -> String {
    element.text_of(name).unwrap_or_default().to_owned()
}

fn prose(element: &Element<'_>, name: &str) -> Option<String> {
    element.text_of(name).map(shortened)
}

fn time(element: &Element<'_>, name: &str) -> Result<Option<Timestamp>, ParseError> {
    let Some(found) = element.child(name).filter(|child| !child.text.is_empty()) else {
        return Ok(None);
    };
    instant(&found.text, name, found.line).map(Some)
}

fn author(metadata: &Element<'_>) -> String {
    let authors: Vec<&str> = metadata
        .child("authors")
        .into_iter()
        .flat_map(|authors| authors.all("author"))
        .filter_map(|author| author.text_of("name").or(author.text_of("email")))
        .collect();
    if !authors.is_empty() {
        return authors.join(", ");
    }

    ["manufacturer", "manufacture", "supplier"]
        .iter()
        .find_map(|name| metadata.child(name)?.text_of("name"))
        .unwrap_or_default()
        .to_owned()
}

fn components(element: &Element<'_>, into: &mut Vec<Entry>) {
    for item in element
        .child("components")
        .into_iter()
        .flat_map(|list| list.all("component"))
    {
        into.push(entry(item));
        components(item, into);
    }
}

fn entry(element: &Element<'_>) -> Entry {
    let purl = text(element, "purl");
    let reference = attribute(element, "bom-ref");

    Entry {
        reference: if reference.is_empty() {
            purl.clone()
        } else {
            reference
        },
        name: text(element, "name"),
        version: text(element, "version"),
        cpe: text(element, "cpe"),
        purl,
    }
}

fn vulnerability(element: &Element<'_>) -> Result<Vulnerability, ParseError> {
    let mut read = Vulnerability {
        line: element.line,
        ids: element
            .text_of("id")
            .map(str::to_owned)
            .into_iter()
            .collect(),
        recommendation: prose(element, "recommendation"),
        ..Vulnerability::default()
    };
    if let Some(references) = element.child("references") {
        let ids = references
            .all("reference")
            .filter_map(|reference| reference.text_of("id"));
        read.ids.extend(ids.map(str::to_owned));
    }

    if let Some(analysis) = element.child("analysis") {
        read.state = analysis.text_of("state").map(str::to_owned);
        read.justification = analysis.text_of("justification").map(str::to_owned);
        read.detail = prose(analysis, "detail");
        read.responses = analysis
            .child("responses")
            .into_iter()
            .flat_map(|responses| responses.all("response"))
            .map(|response| response.text.clone())
            .collect();
        read.time = time(analysis, "lastUpdated")?.or(time(analysis, "firstIssued")?);
    }

    let targets = element.child("affects").into_iter();
    for target in targets.flat_map(|affects| affects.all("target")) {
        let entries = target.child("versions").into_iter();
        read.affects.push(Affects {
            reference: text(target, "ref"),
            versions: entries
                .flat_map(|versions| versions.all("version"))
                .map(|entry| AffectedVersions {
                    version: text(entry, "version"),
                    range: text(entry, "range"),
                    status: text(entry, "status"),
                })
                .collect(),
        });
    }

    Ok(read)
}
