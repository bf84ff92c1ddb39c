//! Readers: from bytes to a [`Document`]. Each format has a module with its vocabulary. The effect of
//! statements on findings is not decided here but in `apply`.

mod csaf;
pub(crate) mod cyclonedx;
mod openvex;

use jiff::Timestamp;
use patchgate_syntax::{Input, Node, ParseError, Siblings, json};

use crate::document::{Component, Document, Statement};
use crate::identity::PackageIdentity;

/// Most pairs of a statement and a target in one document. The largest documents of vendors have
/// some hundred thousand.
const MAX_PAIRS: usize = 2_000_000;

/// Most characters of a free text that are kept.
const MAX_TEXT: usize = 4_000;

/// Reads a document of any supported format.
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

/// The bytes as text, within the bounds that all parsers share.
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

/// The text under a key, without surrounding space; `None` if it is missing or empty.
pub(crate) fn text(node: &Node<'_>, name: &str) -> Result<Option<String>, ParseError> {
    let text = node.optional_text(name)?.map(str::trim);
    Ok(text.filter(|text| !text.is_empty()).map(str::to_owned))
}

/// Like [`text`] for a free text, which is cut after [`MAX_TEXT`] characters.
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

/// Reads a date and time in the notation of RFC 3339.
pub(crate) fn instant(text: &str, name: &str, line: u32) -> Result<Timestamp, ParseError> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        ParseError::new(format!(
            "has `{shown}` under `{name}` instead of a date and time"
        ))
        .at_line(line as usize)
    })
}

/// The component with an identifier: a package URL, or any other text.
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

/// The ids without empty ones and duplicates, which may differ in case.
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
