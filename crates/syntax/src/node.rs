//! The tree of JSON, YAML and TOML.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::{ParseError, core_schema};

/// A value of a JSON, YAML or TOML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// Line on which the value begins, from 1.
    pub line: u32,
    /// Column of its first character, from 1; 0 unless [`crate::yaml_settings`] read the file.
    pub column: u32,
    /// The value itself, with everything in it.
    pub value: Value<'a>,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`, or nothing at all in YAML.
    Null,
    /// A truth value of JSON, TOML or YAML settings.
    Bool(bool),
    /// A number of JSON, TOML or YAML settings, or a date or time of TOML, as written.
    Number(Cow<'a, str>),
    /// A text. In YAML files other than settings, every scalar but null is a text, as written: the
    /// version `1.10` is not `1.1`.
    Text(Cow<'a, str>),
    /// A list, in the order of the file.
    List(Vec<Node<'a>>),
    /// A map without duplicate keys, in the order of the file (for TOML, in the order of the keys).
    Map(Vec<(Key<'a>, Node<'a>)>),
}

/// A key of a map with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// Line of the key, from 1.
    pub line: u32,
    /// Column of its first character, from 1; 0 unless [`crate::yaml_settings`] read the file.
    pub column: u32,
    /// The key as text, with its escapes resolved.
    pub name: Cow<'a, str>,
}

impl<'a> Key<'a> {
    /// A key without a column.
    pub(crate) fn new(line: u32, name: Cow<'a, str>) -> Self {
        Self {
            line,
            column: 0,
            name,
        }
    }
}

impl<'a> Node<'a> {
    /// A value without a column.
    pub(crate) fn new(line: u32, value: Value<'a>) -> Self {
        Self {
            line,
            column: 0,
            value,
        }
    }

    /// The value under a key; `None` also when this is not a map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The key, with its line, and its value; `None` also when this is not a map.
    pub fn entry(&self, name: &str) -> Option<&(Key<'a>, Self)> {
        self.entries().iter().find(|(key, _)| key.name == name)
    }

    /// The entries of a map; none for another kind of value.
    pub fn entries(&self) -> &[(Key<'a>, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for another kind of value.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text; `None` for another kind of value.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a text or of a number, as written.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value; YAML's `true` and `false` too.
    pub fn bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text == "true" => Some(true),
            Value::Text(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// The whole number that a number is; `None` for a fraction and for another kind of value. A
    /// number beyond the range of `i64` becomes the nearest one in it.
    pub fn integer(&self) -> Option<i64> {
        match &self.value {
            Value::Number(text) => core_schema::integer(text),
            _ => None,
        }
    }

    /// The finite number that a number is; `None` for another kind of value.
    pub fn float(&self) -> Option<f64> {
        match &self.value {
            Value::Number(text) => core_schema::float(text),
            _ => None,
        }
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self.value, Value::List(_))
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The kind of the value in a message: `a list`.
    pub fn describe(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The text under a required key.
    ///
    /// # Errors
    /// When the key is missing, or its value is empty or not a text.
    pub fn need_text(&self, name: &str) -> Result<&str, ParseError> {
        match self.optional_text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(ParseError::new(format!("lacks `{name}`")).at_line(self.line as usize)),
        }
    }

    /// The text under an optional key; `None` when the key is missing or its value is null.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn optional_text(&self, name: &str) -> Result<Option<&str>, ParseError> {
        match self.get(name) {
            None => Ok(None),
            Some(node) if node.is_null() => Ok(None),
            Some(node) => match node.text() {
                Some(text) => Ok(Some(text)),
                None => Err(node.unexpected(name, "a text")),
            },
        }
    }

    /// The map under an optional key; empty when the key is missing or its value is null.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn optional_map(&self, name: &str) -> Result<&[(Key<'a>, Self)], ParseError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(node) if node.is_null() => Ok(&[]),
            Some(node) if node.is_map() => Ok(node.entries()),
            Some(node) => Err(node.unexpected(name, "a map")),
        }
    }

    /// The list under an optional key; empty when the key is missing or its value is null.
    ///
    /// # Errors
    /// When the value is of another kind.
    pub fn optional_list(&self, name: &str) -> Result<&[Self], ParseError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(node) if node.is_null() => Ok(&[]),
            Some(node) if node.is_list() => Ok(node.items()),
            Some(node) => Err(node.unexpected(name, "a list")),
        }
    }

    /// The error for a value of the wrong kind under `name`.
    pub fn unexpected(&self, name: &str, expected: &str) -> ParseError {
        ParseError::new(format!(
            "has {} under `{name}` where {expected} belongs",
            self.describe()
        ))
        .at_line(self.line as usize)
    }
}

/// Up to this many keys, comparing each with each is faster than hashing.
const FEW_KEYS: usize = 16;

/// A map of the entries.
///
/// # Errors
/// When a key is there twice.
pub(super) fn map<'a>(entries: Vec<(Key<'a>, Node<'a>)>) -> Result<Value<'a>, ParseError> {
    match twice(&entries) {
        None => Ok(Value::Map(entries)),
        Some(key) => Err(ParseError::new(format!("has the key `{}` twice", key.name))
            .at(key.line as usize, key.column as usize)),
    }
}

/// The first key that an earlier entry has as well.
pub(super) fn twice<'e, 'a>(entries: &'e [(Key<'a>, Node<'a>)]) -> Option<&'e Key<'a>> {
    if entries.len() <= FEW_KEYS {
        return entries.iter().enumerate().find_map(|(index, (key, _))| {
            let before = entries.get(..index)?;
            before
                .iter()
                .any(|(other, _)| other.name == key.name)
                .then_some(key)
        });
    }

    let mut seen = HashSet::with_capacity(entries.len());
    entries
        .iter()
        .map(|(key, _)| key)
        .find(|key| !seen.insert(&*key.name))
}
