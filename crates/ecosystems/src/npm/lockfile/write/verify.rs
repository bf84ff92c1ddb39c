//! Whether npm would leave a tree as it is: every dependency of what changed has a copy that its
//! requirement admits (`lib/edge.js` and `lib/dep-valid.js` in arborist).

use std::collections::BTreeSet;

use serde_json::Value;

use super::projects::Overrides;
use super::tree::{Kind, Place, Tree, is_top, parent};
use crate::npm::requirement;

/// Checks a tree against the one before.
///
/// # Errors
/// The first dependency that npm would resolve again.
pub(super) fn check(
    before: &Tree,
    after: &Tree,
    changed: &BTreeSet<String>,
    overrides: &Overrides,
) -> Result<(), String> {
    for (path, place) in &after.places {
        if place.link().is_some() {
            continue;
        }
        for (name, (requirement, kind)) in after.dependencies(path) {
            let to = after.resolve(path, name);
            let old = before.resolve(path, name);
            let is_same =
                to == old && !changed.contains(path) && to.is_none_or(|to| !changed.contains(to));
            if is_same {
                continue;
            }
            let Some((target, copy)) = to.and_then(|to| after.follow(to)) else {
                match kind {
                    Kind::OptionalPeer => continue,
                    _ => return Err(format!("`{name}` of `{}` is missing", shown(path))),
                }
            };

            // A project's dependency that stays may be what no requirement can be compared with.
            let was = before.dependencies(path).get(name).map(|(text, _)| *text);
            if was == Some(requirement) && to == old && to.is_none_or(|to| !changed.contains(to)) {
                continue;
            }
            let is_local = kind.is_peer() && !is_top(path) && to.and_then(parent) == Some(path);
            let requirement = overrides.requirement(name, requirement)?;
            if is_local || !is_admitted(name, requirement, target, copy) {
                return Err(format!(
                    "`{}` requires `{name}` as `{requirement}`, which `{target}` is not",
                    shown(path)
                ));
            }
        }
    }

    Ok(())
}

fn shown(path: &str) -> &str {
    if path.is_empty() {
        "package.json"
    } else {
        path
    }
}

fn is_admitted(name: &str, requirement: &str, path: &str, place: &Place) -> bool {
    let text = |key: &str| place.entry.get(key).and_then(Value::as_str);
    let version = text("version").unwrap_or_default();
    if is_top(path) {
        // A workspace has the version of its manifest.
        return requirement::admits(requirement, version).unwrap_or(false);
    }
    let (package, _) = requirement::alias(requirement).unwrap_or((name, requirement));
    let is_alias = requirement.trim().starts_with("npm:");
    let is_package = !is_alias || text("name").unwrap_or(name) == package;
    let is_web = |address: &str| address.starts_with("https://") || address.starts_with("http://");
    match requirement::admits(requirement, version) {
        Ok(admits) => admits && is_package,
        // A tag may be on any version.
        Err(_) => !requirement.contains([':', '/']) && text("resolved").is_none_or(is_web),
    }
}
