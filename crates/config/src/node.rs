//! The YAML tree of a settings file, as `patchgate-syntax` reads it, and its values in messages and in
//! JSON.
//!
//! The settings are checked on this tree and not while they are deserialised, so that every error of
//! a file is reported at once, each with its line.

use patchgate_syntax::{Node, Value, yaml_settings};

use crate::error::{ConfigError, Location};

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Most characters of a parser's message.
const MAX_MESSAGE: usize = 200;

/// Reads a file. An empty one is an empty map.
pub(crate) fn parse(text: &str) -> Result<Node<'_>, ConfigError> {
    if text.len() > MAX_BYTES {
        return Err(ConfigError::new(
            Location::START,
            format!("the file is larger than {MAX_BYTES} bytes"),
        ));
    }

    let root = yaml_settings(text).map_err(|error| {
        let location = Location {
            line: error.line.unwrap_or(1),
            column: error.column.unwrap_or(1),
        };
        let reason = error.reason.chars().take(MAX_MESSAGE);
        let reason: String = reason.filter(|c| !c.is_control()).collect();
        ConfigError::new(location, format!("the file {reason}"))
    })?;

    Ok(root.unwrap_or(Node {
        line: Location::START.line,
        column: Location::START.column,
        value: Value::Map(Vec::new()),
    }))
}

/// A value in a message.
pub(crate) fn describe(node: &Node<'_>) -> String {
    match &node.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(text) => format!("the number `{}`", shorten(text)),
        Value::Text(text) => format!("`{}`", shorten(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    }
}

/// A value as JSON.
pub(crate) fn to_json(node: &Node<'_>) -> serde_json::Value {
    use serde_json::Value as Json;

    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Number(_) => match node.integer() {
            Some(integer) => Json::from(integer),
            None => Json::from(node.float()),
        },
        Value::Text(text) => Json::from(text.as_ref()),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, node)| (key.name.to_string(), to_json(node)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// A text in a message: one short line.
pub(crate) fn shorten(text: &str) -> String {
    const MAX_CHARS: usize = 60;
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.take(MAX_CHARS).collect();
    if text.chars().nth(MAX_CHARS).is_some() {
        short.push('…');
    }
    short
}
