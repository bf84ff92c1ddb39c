//! `Pipfile`, the manifest of Pipenv (<https://pipenv.pypa.io/en/stable/pipfile.html>).

use patchgate_model::DependencyKind;

use super::poetry::requirement;
use super::{Direct, Manifest};
use crate::ParseError;
use crate::pypi::address::{is_folder, without_credentials};
use crate::syntax::{Node, toml};

/// Tables other than categories of packages.
const SETTINGS: [&str; 5] = ["source", "requires", "scripts", "pipenv", "pipfile"];

/// Reads a `Pipfile`. Each category except `packages` is a group with the same name.
pub(super) fn parse(text: &str) -> Result<Manifest, ParseError> {
    let file = toml(text)?;
    let mut manifest = Manifest::default();
    for (category, packages) in file.entries() {
        if SETTINGS.contains(&&*category.name) || !packages.is_map() {
            continue;
        }

        let group = match &*category.name {
            "packages" => None,
            other => Some(other.to_owned()),
        };
        for (key, wanted) in packages.entries() {
            let is_local = ["path", "file"].iter().any(|kind| {
                wanted
                    .get(kind)
                    .and_then(Node::text)
                    .is_some_and(|path| is_folder(path) && !path.contains("://"))
            });
            manifest.direct.push(Direct {
                name: key.name.clone().into_owned(),
                requirement: without_credentials(&requirement(&key.name, wanted)?).into_owned(),
                extras: super::extras(wanted),
                kind: match group {
                    None => DependencyKind::Runtime,
                    Some(_) => DependencyKind::Development,
                },
                group: group.clone(),
                is_local,
                has_marker: wanted.get("markers").is_some(),
                line: key.line,
            });
        }
    }

    Ok(manifest)
}
