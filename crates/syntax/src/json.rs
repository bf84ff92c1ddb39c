//! JSON, strict and with comments.

use std::borrow::Cow;

use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ast, parse_to_ast};

use super::node::map;
use super::{Budget, Key, Lines, Node, Value, fragment};
use crate::ParseError;

/// Reads JSON (RFC 8259).
///
/// # Errors
/// When the text is not JSON, has a key twice, or exceeds a limit.
pub fn json(text: &str) -> Result<Node<'_>, ParseError> {
    read(text, false)
}

/// Reads JSON with comments and trailing commas.
///
/// # Errors
/// When the text is not such JSON, has a key twice, or exceeds a limit.
pub fn jsonc(text: &str) -> Result<Node<'_>, ParseError> {
    read(text, true)
}

fn read(text: &str, relaxed: bool) -> Result<Node<'_>, ParseError> {
    let collect = CollectOptions {
        comments: CommentCollectionStrategy::Off,
        tokens: false,
    };
    let options = ParseOptions {
        allow_comments: relaxed,
        allow_loose_object_property_names: false,
        allow_trailing_commas: relaxed,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &collect, &options).map_err(|error| {
        let line = Lines::new(text).of(error.range().start);
        let message = error.kind().to_string();
        let reason = if message.starts_with("Unterminated") {
            "is truncated: its JSON does not end".to_owned()
        } else {
            format!("is not valid JSON: {}", fragment(&message))
        };
        ParseError::new(reason).at_line(line as usize)
    })?;
    let value = parsed
        .value
        .ok_or_else(|| ParseError::new("is not valid JSON: it has no value"))?;

    Reader {
        lines: Lines::new(text),
        budget: Budget::new(),
    }
    .node(value, 0)
}

struct Reader<'a> {
    lines: Lines<'a>,
    budget: Budget,
}

impl<'a> Reader<'a> {
    fn node(&mut self, value: ast::Value<'a>, depth: usize) -> Result<Node<'a>, ParseError> {
        let line = self.lines.of(value.range().start);
        self.budget.take(depth, line)?;
        let value = match value {
            ast::Value::StringLit(text) => Value::Text(text.value),
            ast::Value::NumberLit(number) => Value::Number(Cow::Borrowed(number.value)),
            ast::Value::BooleanLit(truth) => Value::Bool(truth.value),
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::Array(list) => Value::List(
                list.elements
                    .into_iter()
                    .map(|item| self.node(item, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            ast::Value::Object(object) => {
                let entries = object.properties.into_iter().map(|property| {
                    let line = self.lines.of(property.range.start);
                    let name = match property.name {
                        ast::ObjectPropName::String(text) => text.value,
                        ast::ObjectPropName::Word(word) => Cow::Borrowed(word.value),
                    };
                    let node = self.node(property.value, depth + 1)?;
                    Ok((Key::new(line, name), node))
                });
                map(entries.collect::<Result<_, ParseError>>()?)?
            }
        };

        Ok(Node::new(line, value))
    }
}
