//! The hash of the `pyproject.toml` in `pdm.lock`: of the JSON of its sources, dependencies and settings
//! of the resolution (`PyProject.content_hash` of PDM).

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use super::block::Document;
use crate::pypi::edited_manifest::EditedManifest;
use crate::pypi::name::normalize;
use crate::pypi::python_json::{DEFAULT, Json, sha256};
use crate::syntax::{Node, toml};
use crate::{Input, TargetGraph};

/// The new hash with its algorithm. `None` if the graph changes no requirement of the manifest.
///
/// # Errors
/// If the hash before is not the one of the manifest before.
pub(super) fn new(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    document: &Document,
) -> Result<Option<String>, String> {
    let Some(manifest) = EditedManifest::of(input, "pyproject.toml", lockfile, target)? else {
        return Ok(None);
    };
    if document.has_inputs() {
        return Err("it lists what it was made from in place of a hash".to_owned());
    }

    match document.hash().is_some() && document.hash() == digest(&manifest.before).as_deref() {
        true => Ok(digest(manifest.after)),
        false => Err(manifest.out_of_date()),
    }
}

fn digest(text: &str) -> Option<String> {
    let file = toml(text).ok()?;
    let at = |path: &[&str]| path.iter().try_fold(&file, |node, key| node.get(key));
    let or = |path: &[&str], default: Json<'static>| at(path).map_or(default, Json::Node);
    let empty = || Json::Map(BTreeMap::new());

    let mut groups: BTreeMap<String, Vec<Json<'_>>> = BTreeMap::new();
    for (key, group) in at(&["dependency-groups"]).map_or(&[][..], Node::entries) {
        let name = normalize(&key.name).into_owned();
        let items = group.items().iter().map(Json::Node).collect();
        if groups.insert(name, items).is_some() {
            return None;
        }
    }
    for (key, group) in at(&["tool", "pdm", "dev-dependencies"]).map_or(&[][..], Node::entries) {
        let group = group.items().iter().map(Json::Node);
        let name = normalize(&key.name).into_owned();
        groups.entry(name).or_default().extend(group);
    }

    let data = BTreeMap::from([
        (
            "sources",
            or(&["tool", "pdm", "source"], Json::List(Vec::new())),
        ),
        (
            "dependencies",
            or(&["project", "dependencies"], Json::List(Vec::new())),
        ),
        (
            "dev-dependencies",
            Json::Map(
                groups
                    .into_iter()
                    .map(|(name, items)| (name, Json::List(items)))
                    .collect(),
            ),
        ),
        (
            "optional-dependencies",
            or(&["project", "optional-dependencies"], empty()),
        ),
        (
            "requires-python",
            or(&["project", "requires-python"], Json::Text("")),
        ),
        ("resolution", or(&["tool", "pdm", "resolution"], empty())),
    ]);
    let data = data
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();

    sha256(&Json::Map(data), DEFAULT).map(|digest| format!("sha256:{digest}"))
}

#[cfg(test)]
mod tests {
    use super::digest;

    /// The hash was printed by PDM 2.29.4 (`pdm lock`).
    #[test]
    fn the_hash_is_that_of_pdm() {
        let text = "[project]\nname = \"demo\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
                    dependencies = [\"requests[socks]==2.30.0\", \"flask<2.3\"]\n\
                    [dependency-groups]\ndev = [\"colorama==0.4.5\"]\n";
        assert_eq!(
            digest(text).as_deref(),
            Some("sha256:9362e9da3c2a82b5cec9d4fa900ef9e6565f569bbd3f6dbdea72c3f0e4076cb7")
        );
    }
}
