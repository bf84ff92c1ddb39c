//! JSON, strict and with comments.

use std::borrow::Cow;
use std::collections::HashMap;

use jsonc_parser::common::Ranged as _;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, ast, parse_to_ast};

use super::node::twice;
use super::{Budget, Key, Lines, Node, Value, fragment};
use crate::ParseError;

/// Reads JSON (RFC 8259).
///
/// # Errors
/// When the text is not JSON, has a key twice, or exceeds a limit.
pub fn json(text: &str) -> Result<Node<'_>, ParseError> {
    strict(read(text, false)?)
}

/// Reads JSON with comments and trailing commas.
///
/// # Errors
/// When the text is not such JSON, has a key twice, or exceeds a limit.
pub fn jsonc(text: &str) -> Result<Node<'_>, ParseError> {
    strict(read(text, true)?)
}

/// A key of an object that the same object has again further down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey<'a> {
    /// Line of the earlier key, from 1.
    pub line: u32,
    /// Line of the key that counts, from 1.
    pub counting_line: u32,
    /// The key as text, with its escapes resolved.
    pub name: Cow<'a, str>,
    /// Whether both values have the same content, so that it does not matter which one counts.
    pub is_same: bool,
}

/// Reads JSON in which an object may have a key several times. The last one counts, as in
/// JavaScript (<https://tc39.es/ecma262/#sec-json.parse>), Python and PHP; the others are returned.
///
/// # Errors
/// When the text is not JSON, or exceeds a limit.
///
/// ```
/// let (root, duplicates) =
///     patchgate_syntax::json_with_duplicates("{\n  \"a\": 1,\n  \"a\": 2\n}").unwrap();
/// assert_eq!(root.get("a").and_then(|a| a.integer()), Some(2));
/// assert_eq!((duplicates[0].line, &*duplicates[0].name), (2, "a"));
/// ```
pub fn json_with_duplicates(text: &str) -> Result<(Node<'_>, Vec<DuplicateKey<'_>>), ParseError> {
    read(text, false)
}

/// [`json_with_duplicates`] for JSON with comments and trailing commas.
///
/// # Errors
/// When the text is not such JSON, or exceeds a limit.
pub fn jsonc_with_duplicates(text: &str) -> Result<(Node<'_>, Vec<DuplicateKey<'_>>), ParseError> {
    read(text, true)
}

/// A tree with the keys that were left out of it.
type Read<'a> = (Node<'a>, Vec<DuplicateKey<'a>>);

fn strict<'a>((node, duplicates): Read<'a>) -> Result<Node<'a>, ParseError> {
    match duplicates.first() {
        None => Ok(node),
        Some(key) => {
            let reason = format!("has the key `{}` twice", key.name);
            Err(ParseError::new(reason).at_line(key.counting_line as usize))
        }
    }
}

fn read(text: &str, relaxed: bool) -> Result<Read<'_>, ParseError> {
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

    let mut reader = Reader {
        lines: Lines::new(text),
        budget: Budget::new(),
        duplicates: Vec::new(),
    };
    let node = reader.node(value, 0)?;

    Ok((node, reader.duplicates))
}

struct Reader<'a> {
    lines: Lines<'a>,
    budget: Budget,
    duplicates: Vec<DuplicateKey<'a>>,
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
                let entries: Vec<_> = entries.collect::<Result<_, ParseError>>()?;
                match twice(&entries) {
                    None => Value::Map(entries),
                    Some(_) => Value::Map(self.last_ones(entries)),
                }
            }
        };

        Ok(Node::new(line, value))
    }

    /// The entries whose keys do not follow again. Records the others.
    fn last_ones(&mut self, entries: Vec<(Key<'a>, Node<'a>)>) -> Vec<(Key<'a>, Node<'a>)> {
        let last: HashMap<Cow<'a, str>, usize> = entries
            .iter()
            .enumerate()
            .map(|(index, (key, _))| (key.name.clone(), index))
            .collect();
        let last_of = |key: &Key<'_>| last.get(&key.name).copied();
        let earlier = entries.iter().enumerate().filter_map(|(index, entry)| {
            let counts = last_of(&entry.0).filter(|counts| *counts != index)?;
            Some((entry, entries.get(counts)?))
        });

        // A short value that repeats is compared with the last one, which costs no more than its
        // own length.
        let found = earlier.map(|((key, value), (last, counts))| DuplicateKey {
            line: key.line,
            counting_line: last.line,
            name: key.name.clone(),
            is_same: has_same_content(value, counts),
        });
        self.duplicates.extend(found);

        entries
            .into_iter()
            .enumerate()
            .filter(|(index, (key, _))| last.get(&key.name) == Some(index))
            .map(|(_, entry)| entry)
            .collect()
    }
}

/// Whether two values are equal, whatever their lines.
fn has_same_content(one: &Node<'_>, other: &Node<'_>) -> bool {
    match (&one.value, &other.value) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| has_same_content(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| {
                    one.0.name == other.0.name && has_same_content(&one.1, &other.1)
                })
        }
        (one, other) => one == other,
    }
}
