//! bun's overrides: `overrides`, or `resolutions`, of the root project's manifest. bun has only those
//! that hold everywhere (<https://bun.com/docs/pm/overrides>).

use serde_json::Value;

use crate::npm::json_set;
use crate::npm::root_manifest::{self, root_manifest};
use crate::{EditError, Siblings};

const BOM: char = '\u{feff}';

/// The fields that bun reads. It takes the first one that is there.
const FIELDS: [&str; 2] = ["overrides", "resolutions"];

/// The root's manifest, by path, with an override that gives a package a version everywhere.
pub(super) fn write(
    lockfile: &str,
    manifests: &Siblings,
    name: &str,
    version: &str,
) -> Result<(String, String), EditError> {
    let (path, text) = root_manifest(lockfile, manifests)?;
    let fields: Value = serde_json::from_str(text.strip_prefix(BOM).unwrap_or(text))
        .map_err(|error| EditError::Unreadable(error.to_string()))?;

    let mut present = FIELDS
        .into_iter()
        .filter(|field| fields.get(field).is_some());
    let field = present.next().unwrap_or("overrides");
    if present.next().is_some() {
        return Err(EditError::Refused(
            "it has both `overrides` and `resolutions`".to_owned(),
        ));
    }
    // A pattern or an object is for some dependents only.
    let listed = fields.get(field).and_then(Value::as_object);
    let is_odd = |(key, value): (&String, &Value)| {
        let is_about = key == name
            || key.contains(&format!("/{name}"))
            || key.starts_with(&format!("{name}@"));
        is_about && (key != name || !value.is_string())
    };
    if listed.is_some_and(|listed| listed.iter().any(is_odd)) {
        return Err(EditError::Refused(format!(
            "`{field}` have `{name}` for some dependents"
        )));
    }

    Ok((path, json_set::set(text, &[field, name], version)?))
}

/// The overrides of the root project's manifest whose values the lockfile repeats.
pub(super) fn stated(lockfile: &str, manifests: &Siblings) -> Vec<(String, String)> {
    let text = manifests.get(&root_manifest::path(lockfile));
    let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let fields = text.and_then(|text| {
        serde_json::from_str::<Value>(text.strip_prefix(BOM).unwrap_or(text)).ok()
    });
    let listed = fields.as_ref().and_then(|fields| {
        let mut listed = FIELDS
            .into_iter()
            .filter_map(|field| fields.get(field)?.as_object());
        listed.next()
    });
    let is_plain = |name: &str, value: &str| {
        !value.starts_with('$')
            && !value.contains(':')
            && !name.contains('*')
            && name.matches('/').count() == usize::from(name.starts_with('@'))
    };
    listed
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .filter(|(name, value)| is_plain(name, value))
        .collect()
}
