//! A value with its line.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::ParseError;

/// A value of a JSON, YAML or TOML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// Line on which the value begins, from 1.
    pub line: u32,
    /// The value.
    pub value: Value<'a>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// `null`, or nothing at all in YAML.
    Null,
    /// A truth value of JSON or TOML.
    Bool(bool),
    /// A number, date or time of JSON or TOML, as written.
    Number(Cow<'a, str>),
    /// A text. In YAML every scalar but null is one, as written: `1.10` is not `1.1`.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// A map in the file's order, without duplicate keys.
    Map(Vec<(Key<'a>, Node<'a>)>),
}

/// A key of a map with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'a> {
    /// Line on which the key stands, from 1.
    pub line: u32,
    /// The key.
    pub name: Cow<'a, str>,
}

impl<'a> Node<'a> {
    /// The value under a key; `None` for another kind of value too.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The key, with its line, and its value.
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

    /// The text, for a text.
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

    /// What the value is, for a message.
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

    /// The text under a key that must be there.
    pub fn need_text(&self, name: &str) -> Result<&str, ParseError> {
        match self.optional_text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(ParseError::new(format!("lacks `{name}`")).at_line(self.line as usize)),
        }
    }

    /// The text under a key that may be missing or null, but not be of another kind.
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

    /// The map under a key that may be missing or null, but not be of another kind.
    pub fn optional_map(&self, name: &str) -> Result<&[(Key<'a>, Self)], ParseError> {
        match self.get(name) {
            None => Ok(&[]),
            Some(node) if node.is_null() => Ok(&[]),
            Some(node) if node.is_map() => Ok(node.entries()),
            Some(node) => Err(node.unexpected(name, "a map")),
        }
    }

    /// The list under a key that may be missing or null, but not be of another kind.
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

/// The entries as a map.
///
/// # Errors
/// When a key stands there twice.
pub(super) fn map<'a>(entries: Vec<(Key<'a>, Node<'a>)>) -> Result<Value<'a>, ParseError> {
    let twice = if entries.len() <= FEW_KEYS {
        entries.iter().enumerate().find_map(|(index, (key, _))| {
            let before = entries.get(..index)?;
            before
                .iter()
                .any(|(other, _)| other.name == key.name)
                .then_some(key)
        })
    } else {
        let mut seen = HashSet::with_capacity(entries.len());

        entries
            .iter()
            .map(|(key, _)| key)
            .find(|key| !seen.insert(&*key.name))
    };

    match twice {
        None => Ok(Value::Map(entries)),
        Some(key) => {
            Err(ParseError::new(format!("has the key `{}` twice", key.name))
                .at_line(key.line as usize))
        }
    }
}
