//! JSON as PHP's `json_encode` prints it after `json_decode` into arrays: an empty map is an empty
//! list, and a map with the keys 0, 1, 2 … is a list.

use crate::syntax::{Key, Node, Value};

/// A text that was not read from a file, so it has no position.
pub(super) fn text<'a>(text: impl Into<std::borrow::Cow<'a, str>>) -> Node<'a> {
    node(Value::Text(text.into()))
}

pub(super) fn map<'a>(entries: Vec<(Key<'a>, Node<'a>)>) -> Node<'a> {
    node(Value::Map(entries))
}

pub(super) fn list(items: Vec<Node<'_>>) -> Node<'_> {
    node(Value::List(items))
}

fn node(value: Value<'_>) -> Node<'_> {
    Node {
        line: 0,
        column: 0,
        value,
    }
}

pub(super) fn key<'a>(name: impl Into<std::borrow::Cow<'a, str>>) -> Key<'a> {
    Key {
        line: 0,
        column: 0,
        name: name.into(),
    }
}

/// Whether it is a list or map without elements.
pub(super) fn is_empty(node: &Node<'_>) -> bool {
    match &node.value {
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// Whether PHP prints every number in it as it is written. It may print fractions and large numbers
/// in another way.
pub(super) fn is_printable(node: &Node<'_>) -> bool {
    match &node.value {
        Value::Number(number) => node
            .integer()
            .is_some_and(|integer| integer.to_string() == **number),
        Value::List(items) => items.iter().all(is_printable),
        Value::Map(entries) => entries.iter().all(|(_, value)| is_printable(value)),
        Value::Null | Value::Bool(_) | Value::Text(_) => true,
    }
}

/// On one line, without blanks and in ASCII: `json_encode` without flags.
pub(super) fn compact(node: &Node<'_>) -> String {
    let mut out = String::new();
    print(node, Style::Compact, 0, &mut out);
    out
}

/// The form of Composer's files, with slashes and letters as they are
/// (`JSON_UNESCAPED_SLASHES | JSON_PRETTY_PRINT | JSON_UNESCAPED_UNICODE`). `level` is the
/// indentation of the value itself.
pub(super) fn pretty(node: &Node<'_>, level: usize) -> String {
    let mut out = String::new();
    print(node, Style::Pretty, level, &mut out);
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Compact,
    Pretty,
}

fn print(node: &Node<'_>, style: Style, level: usize, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number),
        Value::Text(text) => print_text(text, style, out),
        Value::List(items) => {
            let items = items.iter().map(|item| (None, item));
            elements(items, ('[', ']'), style, level, out);
        }
        Value::Map(entries) if is_numbered(entries) => {
            let items = entries.iter().map(|(_, item)| (None, item));
            elements(items, ('[', ']'), style, level, out);
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| (Some(&*key.name), value));
            elements(entries, ('{', '}'), style, level, out);
        }
    }
}

/// Whether PHP sees a list in a map. An empty map is one.
fn is_numbered(entries: &[(Key<'_>, Node<'_>)]) -> bool {
    let mut entries = entries.iter().enumerate();
    entries.all(|(index, (key, _))| key.name == index.to_string())
}

fn elements<'n, 'a: 'n>(
    elements: impl ExactSizeIterator<Item = (Option<&'n str>, &'n Node<'a>)>,
    (open, close): (char, char),
    style: Style,
    level: usize,
    out: &mut String,
) {
    let line = |level: usize, out: &mut String| {
        if style == Style::Pretty {
            out.push('\n');
            out.push_str(&"    ".repeat(level));
        }
    };

    out.push(open);
    let is_empty = elements.len() == 0;
    for (index, (key, value)) in elements.enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(level + 1, out);
        if let Some(key) = key {
            print_text(key, style, out);
            out.push_str(match style {
                Style::Compact => ":",
                Style::Pretty => ": ",
            });
        }
        print(value, style, level + 1, out);
    }
    if !is_empty {
        line(level, out);
    }
    out.push(close);
}

fn print_text(text: &str, style: Style, out: &mut String) {
    let escape = |unit: u16, out: &mut String| out.push_str(&format!("\\u{unit:04x}"));

    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '/' if style == Style::Compact => out.push_str("\\/"),
            c if c < ' ' => escape(u16::try_from(u32::from(c)).unwrap_or_default(), out),
            // PHP escapes these two even where letters stay as they are.
            c if !c.is_ascii()
                && (style == Style::Compact || matches!(c, '\u{2028}' | '\u{2029}')) =>
            {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escape(*unit, out);
                }
            }
            c => out.push(c),
        }
    }

    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json;

    /// The expected texts were printed by PHP 8.2.
    #[test]
    fn values_are_printed_as_php_does() {
        let text = r#"{"a/b": "é😀\u007f\"\\\n\u001f\u2028/", "e": {}, "l": [], "n": [1, true, null, {"x": {"0": "a", "1": "b"}}], "i": {"1": "a"}}"#;
        let node = json(text).unwrap();
        assert_eq!(
            compact(&node),
            "{\"a\\/b\":\"\\u00e9\\ud83d\\ude00\u{7f}\\\"\\\\\\n\\u001f\\u2028\\/\",\"e\":[],\"l\":[],\
             \"n\":[1,true,null,{\"x\":[\"a\",\"b\"]}],\"i\":{\"1\":\"a\"}}"
        );
        insta::assert_snapshot!(pretty(&node, 0));
        assert!(is_printable(&node));
        for odd in ["1.5", "-0", "1e3", "99999999999999999999"] {
            assert!(!is_printable(&json(odd).unwrap()), "{odd}");
        }
    }
}
