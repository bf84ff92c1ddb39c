//! yarn's overrides: `resolutions` of the root project's manifest
//! (<https://classic.yarnpkg.com/lang/en/docs/selective-version-resolutions/>).

use serde_json::Value;

use crate::npm::json_set;
use crate::npm::root_manifest::root_manifest;
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
    let (path, text) = root_manifest(lockfile, manifests)?;
    let key = key(text.strip_prefix(BOM).unwrap_or(text), name)?;
    let after = json_set::set(text, &["resolutions", &key], version)?;

    Ok((path, after))
}

/// The pattern of the resolution: that of the manifest, or the name.
fn key(text: &str, name: &str) -> Result<String, EditError> {
    let manifest: Value =
        serde_json::from_str(text).map_err(|error| EditError::Unreadable(error.to_string()))?;

    // A resolution for some dependents would go on to hold where it matches first.
    let listed = manifest.get("resolutions").and_then(Value::as_object);
    let about: Vec<String> = listed
        .into_iter()
        .flat_map(|listed| listed.keys())
        .filter(|pattern| target(pattern) == name)
        .cloned()
        .collect();
    let is_everywhere = |pattern: &String| pattern.strip_prefix("**/").unwrap_or(pattern) == name;
    match &about[..] {
        [] => Ok(name.to_owned()),
        [only] if is_everywhere(only) => Ok(only.clone()),
        _ => Err(EditError::Refused(format!(
            "`resolutions` have `{name}` for some dependents"
        ))),
    }
}
