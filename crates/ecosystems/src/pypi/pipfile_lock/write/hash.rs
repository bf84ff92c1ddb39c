//! The hash of the `Pipfile` in `Pipfile.lock`: of the JSON of its sources, its requirements on Python
//! and its packages. Pipenv hashes names in their normal form since 2026; before, as written.

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use super::document::Document;
use crate::pypi::edited_manifest::EditedManifest;
use crate::pypi::name::normalize;
use crate::pypi::python_json::{COMPACT, Json, sha256};
use crate::syntax::{Node, toml};
use crate::{Input, TargetGraph};

/// Tables that are not further categories of packages.
const SETTINGS: [&str; 9] = [
    "source",
    "packages",
    "dev-packages",
    "requires",
    "scripts",
    "pipfile",
    "pipenv",
    "default",
    "develop",
];

/// The new hash. `None` if the graph changes no requirement of the `Pipfile`.
///
/// # Errors
/// If the hash before is not the one of the `Pipfile` before.
pub(super) fn new(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    document: &Document<'_>,
) -> Result<Option<String>, String> {
    let Some(manifest) = EditedManifest::of(input, "Pipfile", lockfile, target)? else {
        return Ok(None);
    };

    for normal in [true, false] {
        if document.hash().is_some()
            && document.hash() == digest(&manifest.before, normal).as_deref()
        {
            return digest(manifest.after, normal)
                .map(Some)
                .ok_or_else(|| manifest.without_hash());
        }
    }

    Err(manifest.out_of_date())
}

fn digest(text: &str, normal: bool) -> Option<String> {
    let file = toml(text).ok()?;
    let empty = || Json::Map(BTreeMap::new());
    let packages = |name: &str| match file.get(name) {
        Some(section) => category(section, normal),
        None => Some(empty()),
    };
    let meta = BTreeMap::from([
        ("sources".to_owned(), Json::Node(file.get("source")?)),
        (
            "requires".to_owned(),
            file.get("requires").map_or_else(empty, Json::Node),
        ),
    ]);
    let mut data = BTreeMap::from([
        ("_meta".to_owned(), Json::Map(meta)),
        ("default".to_owned(), packages("packages")?),
        ("develop".to_owned(), packages("dev-packages")?),
    ]);
    for (key, section) in file.entries() {
        if !SETTINGS.contains(&&*key.name) {
            data.insert(key.name.clone().into_owned(), category(section, normal)?);
        }
    }

    sha256(&Json::Map(data), COMPACT)
}

/// A category of packages. `None` if two of its names are the same project.
fn category<'a>(section: &'a Node<'a>, normal: bool) -> Option<Json<'a>> {
    let mut entries = BTreeMap::new();
    for (key, value) in section.entries() {
        let name = match normal {
            true => normalize(&key.name).into_owned(),
            false => key.name.clone().into_owned(),
        };
        if entries.insert(name, Json::Node(value)).is_some() {
            return None;
        }
    }
    Some(Json::Map(entries))
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn the_hash_is_that_of_pipenv() {
        let text = include_str!("../../fixtures/read/pipenv/Pipfile");
        let lock = include_str!("../../fixtures/read/pipenv/Pipfile.lock");
        let digest = digest(text, true).unwrap();
        assert!(lock.contains(&digest), "{digest}");
    }

    #[test]
    fn names_are_hashed_in_one_of_two_spellings() {
        let file = |name: &str| format!("[[source]]\nname = \"a\"\n[packages]\n{name} = \"*\"\n");
        assert_eq!(digest(&file("A_b"), true), digest(&file("a-b"), true));
        assert_ne!(digest(&file("A_b"), false), digest(&file("a-b"), false));
        assert_eq!(digest("[packages]\na = \"*\"\n", true), None);
    }
}
