//! TOML 1.1.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::map;
use super::{Budget, Key, Lines, Node, Value, fragment};
use crate::ParseError;

/// Reads TOML. The entries of a table are in the order of their keys, as the parser keeps them, and not
/// in that of the file.
///
/// # Errors
/// When the text is not TOML, has a key twice, or exceeds a limit.
pub fn toml(text: &str) -> Result<Node<'_>, ParseError> {
    let mut lines = Lines::new(text);
    let table = DeTable::parse(text).map_err(|error| {
        let message = fragment(error.message());
        let reason = ParseError::new(format!("is not valid TOML: {message}"));
        match error.span() {
            Some(span) => reason.at_line(lines.of(span.start) as usize),
            None => reason,
        }
    })?;

    Reader {
        starts: line_starts(text),
        budget: Budget::new(),
    }
    .table(table, 0)
}

/// The offsets at which lines begin. [`Lines`] is slow here: keys are not in the order of the file.
fn line_starts(text: &str) -> Vec<usize> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0)
        .chain(breaks.map(|(at, _)| at + 1))
        .collect()
}

struct Reader {
    starts: Vec<usize>,
    budget: Budget,
}

impl Reader {
    fn line(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }

    fn table<'a>(
        &mut self,
        table: Spanned<DeTable<'a>>,
        depth: usize,
    ) -> Result<Node<'a>, ParseError> {
        let line = self.line(table.span().start);
        self.budget.take(depth, line)?;
        let entries = table.into_inner().into_iter().map(|(key, value)| {
            let key = Key::new(self.line(key.span().start), key.into_inner());
            Ok((key, self.node(value, depth + 1)?))
        });
        let value = map(entries.collect::<Result<_, ParseError>>()?)?;

        Ok(Node::new(line, value))
    }

    fn node<'a>(
        &mut self,
        value: Spanned<DeValue<'a>>,
        depth: usize,
    ) -> Result<Node<'a>, ParseError> {
        let span = value.span();
        let line = self.line(span.start);
        let value = match value.into_inner() {
            DeValue::Table(table) => return self.table(Spanned::new(span, table), depth),
            DeValue::String(text) => Value::Text(text),
            DeValue::Boolean(truth) => Value::Bool(truth),
            DeValue::Integer(number) => Value::Number(Cow::Owned(number.to_string())),
            DeValue::Float(number) => Value::Number(Cow::Owned(number.to_string())),
            DeValue::Datetime(time) => Value::Number(Cow::Owned(time.to_string())),
            DeValue::Array(items) => {
                let items = items.into_iter().map(|item| self.node(item, depth + 1));
                Value::List(items.collect::<Result<_, _>>()?)
            }
        };

        self.budget.take(depth, line)?;
        Ok(Node::new(line, value))
    }
}
