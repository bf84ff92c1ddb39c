//! TOML text as a tree that knows where each value stands.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::ParseError;

/// A parsed file.
pub(super) struct Document<'a> {
    /// The tree. The parser refuses nesting deeper than 80, so walking it recursively is safe.
    pub(super) table: Spanned<DeTable<'a>>,
    /// Where its lines begin.
    pub(super) lines: Lines,
}

/// Parses TOML.
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

/// The offsets at which lines begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
        )
    }

    /// The line, from 1, of a byte offset.
    pub(super) fn of(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

/// The table under `key`, where there is one.
pub(super) fn table<'a, 't>(parent: &'t DeTable<'a>, key: &str) -> Option<&'t DeTable<'a>> {
    parent.get(key).and_then(|value| value.get_ref().as_table())
}

/// The string under `key`, where there is one.
pub(super) fn string<'t>(parent: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    parent.get(key).and_then(|value| value.get_ref().as_str())
}

/// The truth value under `key`, where there is one.
pub(super) fn boolean(parent: &DeTable<'_>, key: &str) -> Option<bool> {
    parent.get(key).and_then(|value| value.get_ref().as_bool())
}

/// The strings of the list under `key`; empty where there is none.
pub(super) fn strings<'t>(parent: &'t DeTable<'_>, key: &str) -> Vec<&'t str> {
    match parent.get(key).map(Spanned::get_ref) {
        Some(DeValue::Array(items)) => items
            .iter()
            .filter_map(|item| item.get_ref().as_str())
            .collect(),
        _ => Vec::new(),
    }
}
