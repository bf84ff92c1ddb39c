//! The check of a settings file against the JSON Schema that is generated from its types. It finds
//! every error of a file, each with its location, where a deserialiser stops at the first one.
//!
//! Only the keywords of JSON Schema that [`crate::config_schema`] uses are supported; a test fails
//! when the schema uses another one.

use patchgate_syntax::{Key, Node, Value};
use serde_json::Value as Schema;

use crate::error::{ConfigError, Location};
use crate::node::{describe, shorten, to_json};
use crate::suggest::nearest;

/// Every error of the tree, in the order of the file.
pub(crate) fn check(node: &Node<'_>, schema: &Schema) -> Vec<ConfigError> {
    let mut checker = Checker { errors: Vec::new() };
    checker.value(node, schema, "the file");
    checker
        .errors
        .sort_by_key(|error| (error.line, error.column));
    checker.errors
}

struct Checker {
    errors: Vec<ConfigError>,
}

impl Checker {
    fn error(&mut self, location: impl Into<Location>, message: String, hint: Option<String>) {
        self.errors
            .push(ConfigError::new(location, message).with_hint(hint));
    }

    fn value(&mut self, node: &Node<'_>, schema: &Schema, name: &str) {
        if let Some(alternatives) = schema.get("anyOf").and_then(Schema::as_array) {
            // An optional setting has `null` as a second alternative; see [`expected_type`].
            let mut others = alternatives
                .iter()
                .filter(|alternative| alternative.get("type") != Some(&Schema::from("null")));
            if let (Some(only), None) = (others.next(), others.next()) {
                return self.value(node, only, name);
            }
            // A word or a map: the kind of the value decides which one is meant.
            let fits = |alternative: &&Schema| {
                matches!(node.value, Value::Map(_)) == (expected_type(alternative) == "object")
            };
            if let Some(meant) = alternatives.iter().find(fits) {
                return self.value(node, meant, name);
            }
        }

        if let Some(words) = schema.get("enum").and_then(Schema::as_array) {
            return self.word(node, words, name);
        }

        if let Some(constant) = schema.get("const") {
            if to_json(node) != *constant {
                self.error(
                    node,
                    format!("{name} must be {constant}, not {}", describe(node)),
                    None,
                );
            }
            return;
        }

        match (expected_type(schema), &node.value) {
            ("object", Value::Map(entries)) => self.map(node, entries, schema),
            ("array", Value::List(items)) => {
                for item in items {
                    if let Some(schema) = schema.get("items") {
                        self.value(item, schema, &format!("an item of {name}"));
                    }
                }
            }
            ("string", Value::Text(text)) => self.text(node, text, schema, name),
            ("boolean", Value::Bool(_)) => {}
            ("integer", Value::Number(_)) if node.integer().is_some() => {
                self.number(node, schema, name);
            }
            ("number", Value::Number(_)) => self.number(node, schema, name),
            (expected, _) => self.error(
                node,
                format!(
                    "{name} must be {}, not {}",
                    type_text(expected),
                    describe(node)
                ),
                (expected == "string")
                    .then(|| "put it in quotes".to_owned())
                    .filter(|_| matches!(node.value, Value::Bool(_) | Value::Number(_))),
            ),
        }
    }

    fn map(&mut self, node: &Node<'_>, entries: &[(Key<'_>, Node<'_>)], schema: &Schema) {
        let empty = serde_json::Map::new();
        let known = schema
            .get("properties")
            .and_then(Schema::as_object)
            .unwrap_or(&empty);
        for (key, value) in entries {
            match known.get(key.name.as_ref()) {
                Some(schema) => self.value(value, schema, &format!("`{}`", key.name)),
                None => {
                    let names = || known.keys().map(String::as_str);
                    let hint = match nearest(&key.name, names()) {
                        Some(name) => format!("did you mean `{name}`?"),
                        None => format!("known keys: {}", list(names())),
                    };
                    self.error(
                        key,
                        format!("unknown key `{}`", shorten(&key.name)),
                        Some(hint),
                    );
                }
            }
        }

        let required = schema.get("required").and_then(Schema::as_array);
        for name in required.into_iter().flatten().filter_map(Schema::as_str) {
            if node.get(name).is_none() {
                self.error(node, format!("`{name}` is missing"), None);
            }
        }
    }

    fn word(&mut self, node: &Node<'_>, words: &[Schema], name: &str) {
        let known = || words.iter().filter_map(Schema::as_str);
        let hint = match &node.value {
            Value::Text(text) if known().any(|word| word == text) => return,
            Value::Text(text) => nearest(text, known()),
            _ => None,
        };
        self.error(
            node,
            format!(
                "{name} must be one of {}, not {}",
                list(known()),
                describe(node)
            ),
            hint.map(|word| format!("did you mean `{word}`?")),
        );
    }

    fn text(&mut self, node: &Node<'_>, text: &str, schema: &Schema, name: &str) {
        if schema.get("minLength").is_some() && text.trim().is_empty() {
            self.error(node, format!("{name} is empty"), None);
        }
        if schema.get("format").and_then(Schema::as_str) == Some("date")
            && parse_date(text).is_none()
        {
            self.error(
                node,
                format!("{name} is not a date: `{}`", shorten(text)),
                Some("write it as YYYY-MM-DD".to_owned()),
            );
        }
    }

    fn number(&mut self, node: &Node<'_>, schema: &Schema, name: &str) {
        let bound = |name: &str| schema.get(name).and_then(Schema::as_f64);
        let (min, max) = (bound("minimum"), bound("maximum"));
        let within = node.float().is_some_and(|number| {
            min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max)
        });

        if !within {
            let range = match (min, max) {
                (Some(min), Some(max)) => format!("from {min} to {max}"),
                (Some(min), None) => format!("at least {min}"),
                (None, Some(max)) => format!("at most {max}"),
                (None, None) => "a number".to_owned(),
            };
            self.error(
                node,
                format!("{name} must be {range}, not {}", describe(node)),
                None,
            );
        }
    }
}

/// A date as `YYYY-MM-DD`, and in no other form.
pub(crate) fn parse_date(text: &str) -> Option<jiff::civil::Date> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped.then(|| text.parse().ok()).flatten()
}

/// The type that a schema asks for. An optional setting has a second type, `null`, which is skipped:
/// a key that is in the file must have a value.
fn expected_type(schema: &Schema) -> &str {
    match schema.get("type") {
        Some(Schema::String(name)) => name,
        Some(Schema::Array(names)) => names
            .iter()
            .filter_map(Schema::as_str)
            .find(|name| *name != "null")
            .unwrap_or_default(),
        _ => "",
    }
}

fn type_text(name: &str) -> &str {
    match name {
        "object" => "a map",
        "array" => "a list",
        "string" => "text",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        other => other,
    }
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
