//! Reader of SPDX 2 as RDF/XML (<https://spdx.org/rdf/v2.3/terms/>).
//!
//! An element can be nested in any property that refers to it. Packages are therefore searched at
//! every depth, and a relationship belongs to the package or document that surrounds it.

use std::rc::Rc;

use patchgate_ecosystems::ParseError;
use patchgate_syntax::{Element, xml};

use super::spdx::{format, relate, role, set_address, set_reference, stated};
use super::{Component, Document};
use crate::digest::{Algorithm, Digest};

pub(super) fn read(text: &str) -> Result<Document, ParseError> {
    let root = xml(text)?;
    let mut reader = Reader::default();
    reader.walk(&root, &"".into())?;
    let names = ["spdx-rdf-2.2", "spdx-rdf-2.3"];
    reader.document.format = format(&reader.version, names, "spdx-rdf")?;
    Ok(reader.document)
}

#[derive(Default)]
struct Reader {
    document: Document,
    version: String,
}

/// The identifier of the element, or of the element that it refers to: the part after `#`.
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

/// The class of an element: its tag, or the `type` property of an `rdf:Description`.
fn class<'e>(element: &'e Element<'_>) -> &'e str {
    match (&*element.name, element.child("type")) {
        ("Description", Some(class)) => fragment(class.attribute("resource").unwrap_or_default()),
        (name, _) => name,
    }
}

/// The value of a property: its text, or the last segment of the address that it refers to.
fn value<'e>(element: &'e Element<'_>, name: &str) -> &'e str {
    let Some(child) = element.child(name) else {
        return "";
    };
    let value = child
        .attribute("resource")
        .map_or(child.text.as_str(), |address| {
            address.rsplit(['#', '/']).next().unwrap_or_default()
        });

    stated(value)
}

/// The term without the prefix that it has in RDF: `dependsOn` of `relationshipType_dependsOn`.
fn term(text: &str) -> &str {
    text.rsplit_once('_').map_or(text, |(_, term)| term)
}

/// The term in the notation of the other serializations: `DEPENDS_ON` for `dependsOn`.
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
    /// Reads an element and its descendants. `owner` is the identifier of the package or document
    /// around it.
    fn walk(&mut self, element: &Element<'_>, owner: &Rc<str>) -> Result<(), ParseError> {
        let mut inner = Rc::clone(owner);
        match class(element) {
            "SpdxDocument" => {
                self.version = value(element, "specVersion").to_owned();
                inner = "SPDXRef-DOCUMENT".into();
            }
            "Package" => {
                let id = id(element).unwrap_or_default();
                self.package(element, id)?;
                inner = id.into();
            }
            "File" | "Snippet" => {
                inner = id(element).unwrap_or_default().into();
                self.document.others.insert(inner.to_string());
            }
            "Relationship" => self.relationship(element, owner),
            "describesPackage" => {
                let to = target(element);
                self.document.described.extend(to.map(str::to_owned));
            }
            _ => {}
        }

        for child in &element.children {
            self.walk(child, &inner)?;
        }

        Ok(())
    }

    fn package(&mut self, element: &Element<'_>, id: &str) -> Result<(), ParseError> {
        let is_property = |name: &str| !matches!(name, "about" | "ID" | "nodeID" | "base" | "lang");
        if let Some((name, _)) = element
            .attributes
            .iter()
            .find(|(name, _)| is_property(name))
        {
            let shown: String = name.chars().take(40).collect();
            return Err(ParseError::new(format!(
                "has `{shown}` of a package as an attribute, which is not supported"
            ))
            .at_line(element.line as usize)
            .with_hint("write the document as SPDX 2.3 JSON"));
        }
        // An element with only `rdf:about` refers to a package that is elsewhere.
        if element.children.is_empty() {
            return Ok(());
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
        Ok(())
    }

    fn relationship(&mut self, element: &Element<'_>, owner: &Rc<str>) {
        let kind = upper(term(value(element, "relationshipType")));
        if let Some(to) = element
            .child("relatedSpdxElement")
            .and_then(|to| target(to))
        {
            relate(&mut self.document, owner, &kind, to);
        }
    }
}

/// The identifier of the element that a property refers to or contains.
fn target<'e>(property: &'e Element<'_>) -> Option<&'e str> {
    match property
        .attribute("resource")
        .or_else(|| property.attribute("nodeID"))
    {
        Some(address) => Some(fragment(address)),
        None => property.children.first().and_then(|element| id(element)),
    }
}
