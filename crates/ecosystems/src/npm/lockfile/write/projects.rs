//! What a lockfile repeats of the project's manifests, and their overrides.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::entry::{Entry, SECTIONS, without_repeated};
use super::tree::{Tree, is_top};
use crate::Input;
use crate::npm::lockfile::joined;

const BOM: &[u8] = "\u{feff}".as_bytes();

/// The manifest in a directory of the lockfile's projects.
pub(super) fn manifest(input: &Input<'_>, directory: &str) -> Option<Entry> {
    let path = joined(&input.beside(""), directory, "package.json")?;
    let bytes = input.sibling(&path)?;
    match serde_json::from_slice(bytes.strip_prefix(BOM).unwrap_or(bytes)) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// Repeats the requirements of the manifests in the entries of their projects.
///
/// # Errors
/// If a manifest and its entry do not require the same packages.
pub(super) fn repeat(input: &Input<'_>, tree: &mut Tree) -> Result<(), String> {
    let projects = tree.places.iter_mut().filter(|(path, _)| is_top(path));
    for (path, place) in projects {
        let Some(mut fields) = manifest(input, path) else {
            continue;
        };
        without_repeated(&mut fields);
        for section in SECTIONS {
            let none = Entry::new();
            let stated = match fields.get(section) {
                Some(Value::Object(stated)) => stated,
                _ => &none,
            };
            let listed = match place.entry.get_mut(section) {
                Some(Value::Object(listed)) => listed,
                _ if stated.is_empty() => continue,
                _ => return Err(disagree(path)),
            };
            if !stated.keys().eq(listed.keys()) {
                return Err(disagree(path));
            }
            listed.clone_from(stated);
        }
    }

    Ok(())
}

fn disagree(directory: &str) -> String {
    let shown = if directory.is_empty() { "." } else { directory };
    format!("it does not list the dependencies of the manifest in `{shown}`")
}

/// The `overrides` of the root project
/// (<https://docs.npmjs.com/cli/v11/configuring-npm/package-json#overrides>).
#[derive(Default)]
pub(super) struct Overrides {
    /// Requirements that hold for every dependent, by package.
    everywhere: BTreeMap<String, String>,
    /// Packages with overrides for some dependents or versions.
    partly: BTreeSet<String>,
}

impl Overrides {
    pub(super) fn read(root: Option<&Entry>) -> Self {
        let mut overrides = Self::default();
        let listed = root.and_then(|root| root.get("overrides")?.as_object());
        for (key, value) in listed.into_iter().flatten() {
            match value {
                Value::String(requirement) if !key.get(1..).unwrap_or_default().contains('@') => {
                    let own = requirement.strip_prefix('$').map(|name| {
                        let sections = ["devDependencies", "optionalDependencies", "dependencies"];
                        sections.iter().find_map(|section| {
                            root?.get(*section)?.get(name)?.as_str().map(str::to_owned)
                        })
                    });
                    match own {
                        None => overrides
                            .everywhere
                            .insert(key.clone(), requirement.clone()),
                        Some(Some(own)) => overrides.everywhere.insert(key.clone(), own),
                        Some(None) => {
                            overrides.partly.insert(key.clone());
                            None
                        }
                    };
                }
                _ => overrides.add_partly(key, value, 0),
            }
        }
        overrides
    }

    fn add_partly(&mut self, key: &str, value: &Value, depth: usize) {
        let at = key.get(1..).and_then(|rest| rest.find('@'));
        let name = at.map_or(key, |at| key.get(..=at).unwrap_or(key));
        self.partly.insert(name.to_owned());
        if let Value::Object(inner) = value
            && depth < 16
        {
            for (key, value) in inner.iter().filter(|(key, _)| *key != ".") {
                self.add_partly(key, value, depth + 1);
            }
        }
    }

    /// The requirement that holds instead of a dependent's own.
    ///
    /// # Errors
    /// If it depends on the dependent.
    pub(super) fn requirement<'a>(&'a self, name: &str, own: &'a str) -> Result<&'a str, String> {
        if self.partly.contains(name) {
            return Err(format!(
                "`overrides` change `{name}` for some dependents only"
            ));
        }
        match self.everywhere.get(name).map(String::as_str) {
            None | Some("*") => Ok(own),
            Some(requirement) => Ok(requirement),
        }
    }
}
