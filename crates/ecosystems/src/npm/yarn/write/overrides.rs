//! yarn's overrides: `resolutions` of the root project's manifest
//! (<https://classic.yarnpkg.com/lang/en/docs/selective-version-resolutions/>).

use jsonc_parser::common::Ranged as _;
use serde_json::Value;

use crate::npm::json::strict_ast;
use crate::npm::splice::{Splice, splice};
use crate::npm::yarn::resolutions::target;
use crate::{EditError, Siblings};

const BOM: char = '\u{feff}';

/// The root's manifest, by path, with a resolution that gives a package a version everywhere.
pub(super) fn write(
    lockfile: &str,
    manifests: &Siblings,
    name: &str,
    version: &str,
) -> Result<(String, String), EditError> {
    let path = match lockfile.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/package.json"),
        None => "package.json".to_owned(),
    };
    let bytes = manifests
        .get(&path)
        .ok_or_else(|| EditError::Unreadable(format!("`{path}` is missing")))?;
    let text = std::str::from_utf8(bytes)
        .map_err(|_| EditError::Unreadable("it is not UTF-8".to_owned()))?;
    let inner = text.strip_prefix(BOM).unwrap_or(text);
    let after = edited(inner, name, version)?;

    Ok((
        path,
        format!("{}{after}", if inner == text { "" } else { "\u{feff}" }),
    ))
}

fn edited(text: &str, name: &str, version: &str) -> Result<String, EditError> {
    let unreadable = |error: serde_json::Error| EditError::Unreadable(error.to_string());
    let mut expected: Value = serde_json::from_str(text).map_err(unreadable)?;
    let tree = strict_ast(text).map_err(EditError::Unreadable)?;
    let root = tree
        .as_object()
        .ok_or_else(|| EditError::Unreadable("it is not an object".to_owned()))?;

    // A resolution for some dependents would go on to hold where it matches first.
    let listed = expected.get("resolutions").and_then(Value::as_object);
    let about: Vec<String> = listed
        .into_iter()
        .flat_map(|listed| listed.keys())
        .filter(|pattern| target(pattern) == name)
        .cloned()
        .collect();
    let is_everywhere = |pattern: &String| pattern.strip_prefix("**/").unwrap_or(pattern) == name;
    let key = match &about[..] {
        [] => name.to_owned(),
        [only] if is_everywhere(only) => only.clone(),
        _ => {
            return Err(EditError::Refused(format!(
                "`resolutions` have `{name}` for some dependents"
            )));
        }
    };

    let new = Value::from(version);
    let resolutions = root.get("resolutions").map(|property| &property.value);
    let splice_one = match resolutions {
        Some(value) => {
            let object = value
                .as_object()
                .ok_or_else(|| EditError::Refused("`resolutions` is not an object".to_owned()))?;
            match object.get(&key) {
                Some(property) => {
                    let range = property.value.range();
                    Splice::new(range.start..range.end, new.to_string())
                }
                None => {
                    let last = object.properties.last().map(|last| last.range().end);
                    let indent =
                        indentation(text, object.properties.first().map(|p| p.range().start));
                    match last {
                        Some(end) => {
                            Splice::new(end..end, format!(",{indent}{}: {new}", Value::from(&*key)))
                        }
                        None => Splice::new(
                            object.range.start..object.range.end,
                            format!("{{ {}: {new} }}", Value::from(&*key)),
                        ),
                    }
                }
            }
        }
        None => {
            let last = root.properties.last().map(|last| last.range().end);
            let end = last.ok_or_else(|| EditError::Refused("it is empty".to_owned()))?;
            let outer = indentation(text, root.properties.first().map(|p| p.range().start));
            let unit = outer.trim_start_matches(['\r', '\n']);
            let (inner, close) = match outer.contains('\n') {
                true => (format!("{outer}{unit}"), outer.clone()),
                false => (" ".to_owned(), " ".to_owned()),
            };
            Splice::new(
                end..end,
                format!(
                    ",{outer}\"resolutions\": {{{inner}{}: {new}{close}}}",
                    Value::from(&*key)
                ),
            )
        }
    };

    let after = splice(text, vec![splice_one]);
    if let Some(root) = expected.as_object_mut() {
        let listed = root
            .entry("resolutions")
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Some(listed) = listed.as_object_mut() {
            listed.insert(key, new);
        }
    }
    match serde_json::from_str::<Value>(&after).map_err(unreadable)? == expected {
        true => Ok(after),
        false => Err(EditError::Refused(
            "adding a resolution would also change something else".to_owned(),
        )),
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
