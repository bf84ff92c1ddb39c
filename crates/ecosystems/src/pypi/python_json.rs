//! JSON as Python's `json.dumps` writes it with sorted keys. Package managers hash it to see whether a
//! manifest changed.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::syntax::{Node, Value};

/// A value that is written as JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    /// A value of a TOML file.
    Node(&'a Node<'a>),
    /// Sorted by code points, as Python does.
    Map(BTreeMap<String, Json<'a>>),
    List(Vec<Json<'a>>),
    Text(&'a str),
    /// A key without a value (`None`).
    Null,
}

/// The separators between elements and between key and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Separators(pub(super) &'static str, pub(super) &'static str);

/// The separators that Python uses unless told otherwise.
pub(super) const DEFAULT: Separators = Separators(", ", ": ");

/// Separators without blanks.
pub(super) const COMPACT: Separators = Separators(",", ":");

/// The SHA-256 of a value's text, in hexadecimal. `None` for numbers with a fraction and for dates,
/// whose spelling is not known.
pub(super) fn sha256(value: &Json<'_>, separators: Separators) -> Option<String> {
    let mut text = String::new();
    write(value, separators, &mut text)?;
    let digest = Sha256::digest(text.as_bytes());
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write(value: &Json<'_>, separators: Separators, out: &mut String) -> Option<()> {
    match value {
        Json::Map(entries) => map(entries, separators, out)?,
        Json::List(items) => list(items.iter().cloned(), separators, out)?,
        Json::Text(text) => write_text(text, out),
        Json::Null => out.push_str("null"),
        Json::Node(node) => match &node.value {
            Value::Null => return None,
            Value::Bool(true) => out.push_str("true"),
            Value::Bool(false) => out.push_str("false"),
            Value::Number(_) => out.push_str(&node.integer()?.to_string()),
            Value::Text(text) => write_text(text, out),
            Value::List(items) => list(items.iter().map(Json::Node), separators, out)?,
            Value::Map(entries) => {
                let entries: BTreeMap<String, Json<'_>> = entries
                    .iter()
                    .map(|(key, value)| (key.name.clone().into_owned(), Json::Node(value)))
                    .collect();
                map(&entries, separators, out)?;
            }
        },
    }
    Some(())
}

fn list<'a>(
    items: impl Iterator<Item = Json<'a>>,
    separators: Separators,
    out: &mut String,
) -> Option<()> {
    out.push('[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push_str(separators.0);
        }
        write(&item, separators, out)?;
    }
    out.push(']');
    Some(())
}

fn map(
    entries: &BTreeMap<String, Json<'_>>,
    separators: Separators,
    out: &mut String,
) -> Option<()> {
    out.push('{');
    for (number, (key, value)) in entries.iter().enumerate() {
        if number > 0 {
            out.push_str(separators.0);
        }
        write_text(key, out);
        out.push_str(separators.1);
        write(value, separators, out)?;
    }
    out.push('}');
    Some(())
}

/// Writes a text with every character outside of printable ASCII escaped (`ensure_ascii`).
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::toml;

    #[test]
    fn values_are_written_as_python_does() {
        let file = toml("b = [1, true, {}]\na = { z = \"é😀\\u007f\\\"\\n\", y = [] }\n").unwrap();
        let text = |separators| {
            let mut out = String::new();
            write(&Json::Node(&file), separators, &mut out).unwrap();
            out
        };
        assert_eq!(
            text(DEFAULT),
            r#"{"a": {"y": [], "z": "\u00e9\ud83d\ude00\u007f\"\n"}, "b": [1, true, {}]}"#
        );
        assert_eq!(
            text(COMPACT),
            r#"{"a":{"y":[],"z":"\u00e9\ud83d\ude00\u007f\"\n"},"b":[1,true,{}]}"#
        );
    }

    #[test]
    fn values_of_unknown_spelling_have_no_hash() {
        for text in ["a = 1.5", "a = 2020-01-01"] {
            let file = toml(text).unwrap();
            assert_eq!(sha256(&Json::Node(&file), DEFAULT), None, "{text}");
        }
    }
}
