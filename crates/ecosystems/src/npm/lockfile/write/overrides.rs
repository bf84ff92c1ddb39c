//! npm's overrides, in the manifest of the root project
//! (<https://docs.npmjs.com/cli/v11/configuring-npm/package-json#overrides>).

use jsonc_parser::common::Ranged as _;
use serde_json::{Map, Value};

use super::entry::SECTIONS;
use super::print::{Document, Style};
use crate::npm::json::strict_ast;
use crate::npm::requirement;
use crate::npm::root_manifest::root_manifest;
use crate::npm::splice::{Splice, splice};
use crate::{EditError, Siblings};

const BOM: char = '\u{feff}';

/// The root's manifest, by path, with an override that gives a package a version everywhere.
pub(super) fn write(
    lockfile: &str,
    manifests: &Siblings,
    name: &str,
    version: &str,
) -> Result<(String, String), EditError> {
    let (path, text) = root_manifest(lockfile, manifests)?;
    let inner = text.strip_prefix(BOM).unwrap_or(text);
    let after = edited(inner, name, version)?;

    let mark = if inner == text { "" } else { "\u{feff}" };
    Ok((path, format!("{mark}{after}")))
}

fn edited(text: &str, name: &str, version: &str) -> Result<String, EditError> {
    let unreadable = |error: serde_json::Error| EditError::Unreadable(error.to_string());
    let before: Value = serde_json::from_str(text).map_err(unreadable)?;
    let tree = strict_ast(text).map_err(EditError::Unreadable)?;
    let root = before
        .as_object()
        .ok_or_else(|| EditError::Unreadable("it is not an object".to_owned()))?;
    let none = Map::new();
    let listed = match root.get("overrides") {
        None => &none,
        Some(Value::Object(listed)) => listed,
        Some(_) => {
            return Err(EditError::Refused(
                "`overrides` is not an object".to_owned(),
            ));
        }
    };
    if mentions(listed, name, 0) {
        return Err(EditError::Refused(format!(
            "`overrides` have `{name}` for some dependents or versions"
        )));
    }

    // npm refuses an override that differs from the project's own requirement of the package.
    let own = SECTIONS
        .iter()
        .find_map(|section| root.get(*section)?.get(name)?.as_str());
    let value = match own {
        None => version.to_owned(),
        Some(own) if requirement::admits(own, version) == Ok(true) => format!("${name}"),
        Some(own) => {
            return Err(EditError::Refused(format!(
                "the project requires `{name}` as `{own}`"
            )));
        }
    };
    let mut overrides = listed.clone();
    let value = match overrides.get(name) {
        // An object has overrides for what the package depends on.
        Some(Value::Object(inner)) => {
            let mut inner = inner.clone();
            inner.insert(".".to_owned(), Value::from(value));
            Value::Object(inner)
        }
        _ => Value::from(value),
    };
    overrides.insert(name.to_owned(), value);
    let mut expected = root.clone();
    expected.insert("overrides".to_owned(), Value::Object(overrides.clone()));
    let expected = Value::Object(expected);
    if expected == before {
        return Ok(text.to_owned());
    }

    let object = tree
        .as_object()
        .ok_or_else(|| EditError::Unreadable("it is not an object".to_owned()))?;
    let style = Style::of(text)
        .ok_or_else(|| EditError::Refused("it is not laid out in lines".to_owned()))?;
    let document = Document { text, style };
    let after = match (object.get("overrides"), root.get("overrides")) {
        (Some(property), Some(old)) => {
            let range = property.value.range();
            let value = document.changed(&property.value, old, &Value::Object(overrides), 1);
            splice(text, vec![Splice::new(range.start..range.end, value)])
        }
        _ => {
            let last = object.properties.last().map(|last| last.range().end);
            let end = last.ok_or_else(|| EditError::Refused("it is empty".to_owned()))?;
            let added = document.property("overrides", &Value::Object(overrides), 1);
            splice(text, vec![Splice::new(end..end, added)])
        }
    };
    match serde_json::from_str::<Value>(&after).map_err(unreadable)? == expected {
        true => Ok(after),
        false => Err(EditError::Refused(
            "adding an override would also change something else".to_owned(),
        )),
    }
}

/// Whether overrides speak of a package other than for all dependents and versions.
fn mentions(listed: &Map<String, Value>, name: &str, depth: usize) -> bool {
    listed.iter().any(|(key, value)| {
        let ranged = key.strip_prefix(name);
        let is_own =
            ranged.is_some_and(|rest| rest.starts_with('@') || depth > 0 && rest.is_empty());
        let inner = match value {
            Value::Object(inner) => depth < 32 && mentions(inner, name, depth + 1),
            _ => false,
        };
        is_own || inner
    })
}
