//! From a key of the document to its line.

use std::borrow::Cow;

use jsonc_parser::ast;

use crate::ParseError;
use crate::npm::json::strict_ast;

/// The lines of keys, for a reader that goes down the document once.
pub(super) struct Lines<'a> {
    text: &'a str,
    lines: patchgate_syntax::Lines<'a>,
    /// The document's tree, made only when a key holds an escape.
    tree: Option<ast::Value<'a>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            lines: patchgate_syntax::Lines::new(text),
            tree: None,
        }
    }

    /// The line of the last key of `path`, which leads there from the document's root.
    ///
    /// A key without escapes is borrowed from the document, so its address is its place; npm
    /// writes no other. A key with escapes is looked up in a tree with positions.
    pub(super) fn line(&mut self, path: &[&Cow<'_, str>]) -> Result<u32, ParseError> {
        let offset = match path.last() {
            Some(Cow::Borrowed(key)) => (key.as_ptr() as usize)
                .checked_sub(self.text.as_ptr() as usize)
                .filter(|offset| *offset <= self.text.len()),
            _ => None,
        };
        let offset = match offset {
            Some(offset) => offset,
            None => self.look_up(path)?,
        };

        Ok(self.lines.of(offset))
    }

    fn look_up(&mut self, path: &[&Cow<'_, str>]) -> Result<usize, ParseError> {
        if self.tree.is_none() {
            self.tree = Some(strict_ast(self.text).map_err(ParseError::new)?);
        }

        let mut value = self.tree.as_ref();
        let mut offset = 0;
        for key in path {
            let property = value
                .and_then(ast::Value::as_object)
                .and_then(|object| object.get(key));
            value = property.map(|property| &property.value);
            offset = property.map_or(offset, |property| property.range.start);
        }

        Ok(offset)
    }
}
