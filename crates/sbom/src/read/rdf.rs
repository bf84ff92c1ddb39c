//! SPDX 2 as RDF/XML (<https://spdx.org/rdf/v2.3/terms/>).
//!
//! Any element may stand within the property of another that refers to it, so packages are found
//! wherever they are, and relationships belong to the package or document around them.

use patchgate_ecosystems::ParseError;
use patchgate_syntax::{Element, xml};

use super::spdx::{format, relate, role, said, set_address, set_reference};
use super::{Component, Document};
use crate::digest::{Algorithm, Digest};

pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let root = xml(text)?;
    let mut reader = Reader::default();
    reader.walk(&root, "");
    let names = ["spdx-rdf-2.2", "spdx-rdf-2.3"];
    reader.document.format = format(&reader.version, names, "spdx-rdf")?;
    Ok(reader.document)
}

#[derive(Default)]
struct Reader {
    document: Document,
    version: String,
}

/// The element's own identifier, or that of what it refers to: the part after `#`.
fn id<'e>(element: &'e Element<'_>) -> Option<&'e str> {
    let address = element
        .attribute("about")
        .or_else(|| element.attribute("resource"))
        .or_else(|| element.attribute("ID"))
        .or_else(|| element.attribute("nodeID"))?;
    Some(fragment(address))
}

fn fragment(address: &str) -> &str {
    address
        .rsplit_once('#')
        .map_or(address, |(_, fragment)| fragment)
}

/// What a property says: its text, or the last part of the address that it refers to.
fn value<'e>(element: &'e Element<'_>, name: &str) -> &'e str {
    let Some(child) = element.child(name) else {
        return "";
    };
    let value = child
        .attribute("resource")
        .map_or(child.text.as_str(), |address| {
            address.rsplit(['#', '/']).next().unwrap_or_default()
        });
    said(value)
}

/// The term without the word that RDF puts before it: `relationshipType_dependsOn`.
fn term(text: &str) -> &str {
    text.rsplit_once('_').map_or(text, |(_, term)| term)
}

/// `dependsOn` as tags and values write it: `DEPENDS_ON`.
fn upper(term: &str) -> String {
    let mut text = String::with_capacity(term.len() + 4);
    for letter in term.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

impl Reader {
    /// Goes through an element and all within; `owner` is the identifier of the package or document
    /// around it.
    fn walk(&mut self, element: &Element<'_>, owner: &str) {
        let mut owner = owner;
        match &*element.name {
            "SpdxDocument" => {
                self.version = value(element, "specVersion").to_owned();
                owner = "SPDXRef-DOCUMENT";
            }
            "Package" => {
                owner = id(element).unwrap_or_default();
                self.package(element, owner);
            }
            "File" | "Snippet" => owner = id(element).unwrap_or_default(),
            "Relationship" => self.relationship(element, owner),
            "describesPackage" => {
                let to = target(element);
                self.document.described.extend(to.map(str::to_owned));
            }
            _ => {}
        }
        for child in &element.children {
            self.walk(child, owner);
        }
    }

    fn package(&mut self, element: &Element<'_>, id: &str) {
        // A reference with `rdf:about` alone is no second package.
        if element.children.is_empty() {
            return;
        }
        let mut read = Component {
            id: id.to_owned(),
            line: element.line,
            role: role(term(value(element, "primaryPackagePurpose"))),
            name: value(element, "name").to_owned(),
            version: value(element, "versionInfo").to_owned(),
            ..Component::default()
        };
        if let Some(location) = element.child("downloadLocation") {
            let address = location.attribute("resource").unwrap_or(&location.text);
            set_address(&mut read, address);
        }
        for reference in element
            .all("externalRef")
            .flat_map(|property| &property.children)
        {
            let kind = value(reference, "referenceType");
            let locator = reference.child("referenceLocator");
            let locator = locator.map_or("", |locator| {
                locator.attribute("resource").unwrap_or(&locator.text)
            });
            set_reference(&mut read, kind, locator);
        }
        for checksum in element
            .all("checksum")
            .flat_map(|property| &property.children)
        {
            if let Some(algorithm) = Algorithm::parse(term(value(checksum, "algorithm"))) {
                read.digests
                    .extend(Digest::new(algorithm, value(checksum, "checksumValue")));
            }
        }
        if let Some(comment) = element.child("comment") {
            read.take_comment(&comment.text);
        }
        self.document.components.push(read);
    }

    fn relationship(&mut self, element: &Element<'_>, owner: &str) {
        let kind = upper(term(value(element, "relationshipType")));
        if let Some(to) = element
            .child("relatedSpdxElement")
            .and_then(|to| target(to))
        {
            relate(&mut self.document, owner, &kind, to);
        }
    }
}

/// What a property refers to, by an address or as an element within.
fn target<'e>(property: &'e Element<'_>) -> Option<&'e str> {
    match property
        .attribute("resource")
        .or_else(|| property.attribute("nodeID"))
    {
        Some(address) => Some(fragment(address)),
        None => property.children.first().and_then(|element| id(element)),
    }
}
