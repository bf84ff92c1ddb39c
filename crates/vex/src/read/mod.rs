//! From bytes to a [`Document`]. Each format's module knows its words; what follows from them is
//! not decided here but in `apply`.

mod csaf;
pub(crate) mod cyclonedx;
mod openvex;

use jiff::Timestamp;
use patchgate_syntax::{Input, Node, ParseError, Siblings, json};

use crate::document::{Component, Document, Statement};
use crate::identity::PackageIdentity;

/// Most pairs of a statement and a target in one document. A vendor's largest documents hold some
/// hundred thousand.
const MAX_PAIRS: usize = 2_000_000;

/// Most characters of a text for a person that are kept.
const MAX_TEXT: usize = 4_000;

/// Reads a document of any format that is known.
pub(crate) fn document(bytes: &[u8]) -> Result<Document, ParseError> {
    let text = utf8(bytes)?;
    let document = if text.trim_start().starts_with('<') {
        cyclonedx::xml::read(text)?
    } else {
        let root = json(text)?;
        if openvex::is(&root) {
            openvex::read(&root)?
        } else if csaf::is(&root) {
            csaf::read(&root)?
        } else if cyclonedx::json::is(&root) {
            cyclonedx::json::read(&root)?
        } else {
            return Err(ParseError::new("is neither OpenVEX, CycloneDX nor CSAF"));
        }
    };

    check_bounds(&document.statements)?;
    Ok(document)
}

/// The bytes as text, within the bounds of every parser.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, ParseError> {
    static NONE: Siblings = Siblings::new();
    let input = Input {
        path: "",
        bytes,
        siblings: &NONE,
    };
    input.text()
}

fn check_bounds(statements: &[Statement]) -> Result<(), ParseError> {
    let mut left = MAX_PAIRS;
    for statement in statements {
        left = left
            .checked_sub(1 + statement.targets.len())
            .ok_or_else(|| {
                ParseError::new(format!("makes more than {MAX_PAIRS} statements"))
                    .at_line(statement.line as usize)
            })?;
    }

    Ok(())
}

/// The text under a key, without space at its ends; `None` where it is missing or empty.
pub(crate) fn text(node: &Node<'_>, name: &str) -> Result<Option<String>, ParseError> {
    let text = node.optional_text(name)?.map(str::trim);
    Ok(text.filter(|text| !text.is_empty()).map(str::to_owned))
}

/// The same for a text that a person reads, cut where it is very long.
fn prose(node: &Node<'_>, name: &str) -> Result<Option<String>, ParseError> {
    Ok(text(node, name)?.map(|text| shortened(&text)))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The date and time under a key.
pub(crate) fn time(node: &Node<'_>, name: &str) -> Result<Option<Timestamp>, ParseError> {
    let Some(text) = text(node, name)? else {
        return Ok(None);
    };
    let line = node.get(name).map_or(node.line, |value| value.line);
    instant(&text, name, line).map(Some)
}

/// A date and time of RFC 3339.
pub(crate) fn instant(text: &str, name: &str, line: u32) -> Result<Timestamp, ParseError> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        ParseError::new(format!(
            "has `{shown}` under `{name}` where a date and time belongs"
        ))
        .at_line(line as usize)
    })
}

/// A component that a text names: a package URL, or another identifier.
pub(crate) fn component(identifier: &str) -> Component {
    match PackageIdentity::parse(identifier) {
        Some(purl) => Component {
            purls: vec![purl],
            ..Component::default()
        },
        None => Component {
            names: vec![identifier.to_owned()],
            ..Component::default()
        },
    }
}

/// The statement's ids without those that are empty or there twice.
fn distinct(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for id in ids {
        let id = id.trim();
        if !id.is_empty() && seen.insert(id.to_ascii_lowercase()) {
            distinct.push(id.to_owned());
        }
    }

    distinct
}
