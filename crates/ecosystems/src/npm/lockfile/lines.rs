//! Line numbers of keys in a JSON document.

use std::borrow::Cow;

use jsonc_parser::ast;

use crate::ParseError;
use crate::npm::json::strict_ast;

/// The lines of keys, for a reader that asks for them from top to bottom.
pub(super) struct Lines<'a> {
    text: &'a str,
    lines: patchgate_syntax::Lines<'a>,
    /// The document's tree, parsed only if a key has escapes.
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

    /// The line of the last key of `path`, a path of keys from the document's root.
    ///
    /// A key without escapes, as npm writes all of them, is borrowed from the document, so its
    /// address gives its offset. A key with escapes is looked up in a tree with positions.
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

    /// The byte offset of the last key of `path`, from the tree.
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
