//! Reader of CSAF 2.0 (<https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>).
//!
//! All categories are read alike: a security advisory and a VEX document differ in their required
//! fields, not in the meaning of a field.

mod advisories;
mod products;
mod statements;

use jiff::Timestamp;
use patchgate_model::Reference;
use patchgate_syntax::{Node, ParseError};

use super::{text, time};
use crate::document::{Document, Format};
use products::Products;

/// The status of a document that is ready for use (3.2.1.12.8); the others are `draft` and `interim`.
const FINAL: &str = "final";

/// Whether the document declares itself as CSAF.
pub(super) fn is(root: &Node<'_>) -> bool {
    root.get("document")
        .is_some_and(|document| document.get("csaf_version").is_some())
}

/// The metadata of a document that its statements and advisories share.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) initial: Option<Timestamp>,
    pub(super) current: Option<Timestamp>,
    pub(super) references: Vec<Reference>,
}

pub(super) fn read(root: &Node<'_>) -> Result<Document, ParseError> {
    let Some(document) = root.get("document") else {
        return Err(ParseError::new("lacks `document`"));
    };

    check_version(document)?;
    let tracking = document
        .get("tracking")
        .ok_or_else(|| ParseError::new("lacks `document.tracking`"))?;
    let head = Head {
        id: tracking.need_text("id")?.trim().to_owned(),
        title: text(document, "title")?.unwrap_or_default(),
        initial: time(tracking, "initial_release_date")?,
        current: time(tracking, "current_release_date")?,
        references: references(document)?,
    };

    let state = tracking.need_text("status")?;
    let publisher = match document.get("publisher") {
        Some(publisher) => text(publisher, "name")?,
        None => None,
    };
    let products = Products::read(root)?;
    let vulnerabilities = root.optional_list("vulnerabilities")?;

    let mut statements = Vec::new();
    for vulnerability in vulnerabilities {
        statements.extend(statements::read(vulnerability, &products, &head)?);
        super::check_bounds(&statements)?;
    }

    Ok(Document {
        format: Format::Csaf,
        author: publisher.unwrap_or_default(),
        timestamp: head.current.or(head.initial),
        preliminary: (state != FINAL).then(|| state.to_owned()),
        label: label(document)?,
        statements,
        advisories: advisories::read(vulnerabilities, &products, &head)?,
        id: head.id,
    })
}

fn check_version(document: &Node<'_>) -> Result<(), ParseError> {
    let version = document.need_text("csaf_version")?;
    if version == "2.0" || version.starts_with("2.0.") {
        return Ok(());
    }
    let shown: String = version.chars().take(20).collect();
    Err(ParseError::new(format!(
        "is CSAF version `{shown}`, which is not supported"
    )))
}

fn label(document: &Node<'_>) -> Result<Option<String>, ParseError> {
    let tlp = document
        .get("distribution")
        .and_then(|distribution| distribution.get("tlp"));
    match tlp {
        Some(tlp) => text(tlp, "label"),
        None => Ok(None),
    }
}

/// The addresses about a document or a vulnerability, that of the document itself (`self`) first.
fn references(node: &Node<'_>) -> Result<Vec<Reference>, ParseError> {
    let mut references = Vec::new();
    for reference in node.optional_list("references")? {
        let Some(url) = text(reference, "url")? else {
            continue;
        };
        let is_own = text(reference, "category")?.as_deref() == Some("self");
        references.push(Reference {
            kind: if is_own { "ADVISORY" } else { "WEB" }.into(),
            url,
        });
    }

    references.sort_by_key(|reference| reference.kind != "ADVISORY");
    Ok(references)
}

/// Prefixes of ids that are unique across databases. Vendors put the numbers of their bug trackers
/// into the same list, and bugs of two vendors with the same number are not the same vulnerability.
const DATABASES: [&str; 12] = [
    "CVE-", "GHSA-", "RUSTSEC-", "PYSEC-", "GO-", "OSV-", "MAL-", "GSD-", "EUVD-", "CAN-", "DSA-",
    "USN-",
];

/// All ids of a vulnerability (3.2.3.2, 3.2.3.6), the CVE first.
pub(super) fn ids(vulnerability: &Node<'_>) -> Result<Vec<String>, ParseError> {
    let mut ids: Vec<String> = text(vulnerability, "cve")?.into_iter().collect();
    for id in vulnerability.optional_list("ids")? {
        let text = id.need_text("text")?.trim();
        let known = DATABASES.iter().any(|prefix| {
            text.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        });
        if known && !text.contains(char::is_whitespace) {
            ids.push(text.to_owned());
        }
    }

    Ok(super::distinct(ids))
}
