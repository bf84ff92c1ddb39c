//! Sets one text in a manifest, in objects that may be missing. Every other byte stays as it is.

use jsonc_parser::ast::Object;
use jsonc_parser::common::Ranged as _;
use serde_json::{Map, Value};

use super::json::strict_ast;
use super::splice::{Splice, splice};
use crate::EditError;

const BOM: char = '\u{feff}';

/// The manifest with a text at a path of keys.
///
/// # Errors
/// If it cannot be read, or a value on the path is not an object.
pub(super) fn set(text: &str, path: &[&str], value: &str) -> Result<String, EditError> {
    let inner = text.strip_prefix(BOM).unwrap_or(text);
    let after = edited(inner, path, value)?;
    let mark = if inner == text { "" } else { "\u{feff}" };
    Ok(format!("{mark}{after}"))
}

fn edited(text: &str, path: &[&str], value: &str) -> Result<String, EditError> {
    let unreadable = |error: serde_json::Error| EditError::Unreadable(error.to_string());
    let mut expected: Value = serde_json::from_str(text).map_err(unreadable)?;
    let tree = strict_ast(text).map_err(EditError::Unreadable)?;
    let root = tree
        .as_object()
        .ok_or_else(|| EditError::Unreadable("it is not an object".to_owned()))?;

    let after = splice(text, vec![change(text, root, path, value)?]);
    let mut at = &mut expected;
    for key in path {
        let Some(object) = at.as_object_mut() else {
            return Err(EditError::Refused(format!("`{key}` is not in an object")));
        };
        let empty = || Value::Object(Map::new());
        at = object.entry(*key).or_insert_with(empty);
    }
    *at = Value::from(value);
    match serde_json::from_str::<Value>(&after).map_err(unreadable)? == expected {
        true => Ok(after),
        false => Err(EditError::Refused(
            "it would also change something else".to_owned(),
        )),
    }
}

/// The one change of the text.
fn change(text: &str, root: &Object<'_>, path: &[&str], value: &str) -> Result<Splice, EditError> {
    let mut object = root;
    let mut missing = path;
    while let [key, rest @ ..] = missing {
        let Some(property) = object.get(key) else {
            break;
        };
        if rest.is_empty() {
            let range = property.value.range();
            return Ok(Splice::new(
                range.start..range.end,
                Value::from(value).to_string(),
            ));
        }
        object = property
            .value
            .as_object()
            .ok_or_else(|| EditError::Refused(format!("`{key}` is not an object")))?;
        missing = rest;
    }

    // A new property goes to the end of the innermost object that exists.
    let first = object.properties.first().map(|first| first.range().start);
    let indent = indentation(text, first);
    let outermost = indentation(
        text,
        root.properties.first().map(|first| first.range().start),
    );
    let unit = outermost.trim_start_matches(['\r', '\n']);
    match object.properties.last().map(|last| last.range().end) {
        Some(end) => {
            let property = property(missing, value, &indent, unit);
            Ok(Splice::new(end..end, format!(",{indent}{property}")))
        }
        None if std::ptr::eq(object, root) => Err(EditError::Refused("it is empty".to_owned())),
        None => {
            let property = property(missing, value, " ", "");
            Ok(Splice::new(
                object.range.start..object.range.end,
                format!("{{ {property} }}"),
            ))
        }
    }
}

/// A property with the objects of the rest of the path. `indent` is the line break and the spaces
/// before it.
fn property(path: &[&str], value: &str, indent: &str, unit: &str) -> String {
    match path {
        [] => Value::from(value).to_string(),
        [key] => format!("{}: {}", Value::from(*key), Value::from(value)),
        [key, rest @ ..] => {
            let deeper = match indent.contains('\n') {
                true => format!("{indent}{unit}"),
                false => " ".to_owned(),
            };
            let inner = property(rest, value, &deeper, unit);
            format!("{}: {{{deeper}{inner}{indent}}}", Value::from(*key))
        }
    }
}

/// The line break and the spaces before a property; a space if it does not begin a line.
fn indentation(text: &str, start: Option<usize>) -> String {
    let before = start
        .and_then(|start| text.get(..start))
        .unwrap_or_default();
    let spaces = before.trim_end_matches([' ', '\t']);
    match spaces.strip_suffix('\n') {
        Some(rest) => {
            let line_end = if rest.ends_with('\r') { "\r\n" } else { "\n" };
            format!(
                "{line_end}{}",
                before.get(spaces.len()..).unwrap_or_default()
            )
        }
        None => " ".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_changed_and_objects_added() {
        let path = ["pnpm", "overrides", "a"];
        for (text, expected) in [
            (
                "{\n  \"name\": \"x\"\n}\n",
                "{\n  \"name\": \"x\",\n  \"pnpm\": {\n    \"overrides\": {\n      \"a\": \"2\"\n    }\n  }\n}\n",
            ),
            (
                "{\"pnpm\": {\"overrides\": {\"a\": \"1\", \"b\": \"1\"}}}",
                "{\"pnpm\": {\"overrides\": {\"a\": \"2\", \"b\": \"1\"}}}",
            ),
            (
                "\u{feff}{\r\n\t\"pnpm\": {\r\n\t\t\"neverBuiltDependencies\": []\r\n\t}\r\n}",
                "\u{feff}{\r\n\t\"pnpm\": {\r\n\t\t\"neverBuiltDependencies\": [],\r\n\t\t\"overrides\": {\r\n\t\t\t\"a\": \"2\"\r\n\t\t}\r\n\t}\r\n}",
            ),
            (
                "{ \"pnpm\": { \"overrides\": {} } }",
                "{ \"pnpm\": { \"overrides\": { \"a\": \"2\" } } }",
            ),
        ] {
            assert_eq!(set(text, &path, "2").unwrap(), expected);
        }
        for text in ["{}", "[]", "{\"pnpm\": 1}", "{"] {
            assert!(set(text, &path, "2").is_err(), "{text}");
        }
    }
}
