//! TOML text as a tree in which each value has its position.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::ParseError;

/// A parsed TOML file.
pub(super) struct Document<'a> {
    /// The tree. The parser refuses nesting deeper than 80, so walking it recursively is safe.
    pub(super) table: Spanned<DeTable<'a>>,
    /// Line numbers for the tree's byte offsets.
    pub(super) lines: Lines,
}

/// Parses TOML. An error has the line at which the parser stopped.
pub(super) fn parse(text: &str) -> Result<Document<'_>, ParseError> {
    let lines = Lines::new(text);
    match DeTable::parse(text) {
        Ok(table) => Ok(Document { table, lines }),
        Err(error) => {
            let message = error.message().replace('\n', ", ");
            let reason = ParseError::new(format!("is not valid TOML: {message}"));
            Err(match error.span() {
                Some(span) => reason.at_line(lines.of(span.start)),
                None => reason,
            })
        }
    }
}

/// The byte offsets at which lines begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(ends.map(|(end, _)| end + 1))
                .collect(),
        )
    }

    /// The line, from 1, of a byte offset.
    pub(super) fn of(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// The table under `key`; `None` for a missing key or a value of another type.
pub(super) fn table<'a, 't>(parent: &'t DeTable<'a>, key: &str) -> Option<&'t DeTable<'a>> {
    parent.get(key).and_then(|value| value.get_ref().as_table())
}

/// The string under `key`; `None` for a missing key or a value of another type.
pub(super) fn string<'t>(parent: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    parent.get(key).and_then(|value| value.get_ref().as_str())
}

/// The boolean under `key`; `None` for a missing key or a value of another type.
pub(super) fn boolean(parent: &DeTable<'_>, key: &str) -> Option<bool> {
    parent.get(key).and_then(|value| value.get_ref().as_bool())
}

/// The strings in the array under `key`. Items of other types are skipped; a missing key gives an
/// empty list.
pub(super) fn strings<'t>(parent: &'t DeTable<'_>, key: &str) -> Vec<&'t str> {
    match parent.get(key).map(Spanned::get_ref) {
        Some(DeValue::Array(items)) => items
            .iter()
            .filter_map(|item| item.get_ref().as_str())
            .collect(),
        _ => Vec::new(),
    }
}
