//! The hash of the manifest in `poetry.lock` (`content-hash`): of the JSON of its requirements, as
//! Poetry 1 and 2 compute it.

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use crate::pypi::edited_manifest::EditedManifest;
use crate::pypi::python_json::{DEFAULT, Json, sha256};
use crate::syntax::{Node, toml};
use crate::{Input, TargetGraph};

/// Keys of `tool.poetry` that Poetry 1 hashed, whether the manifest has them or not.
const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// Keys of `project` that Poetry 2 hashes.
const PROJECT: [&str; 3] = ["requires-python", "dependencies", "optional-dependencies"];

/// The new hash. `None` if the graph changes no requirement of the manifest.
///
/// # Errors
/// If the hash before is not the one of the manifest before.
pub(super) fn new(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
    hash: &str,
) -> Result<Option<String>, String> {
    let Some(manifest) = EditedManifest::of(input, "pyproject.toml", lockfile, target)? else {
        return Ok(None);
    };

    for keeps_absent in [false, true] {
        if digest(&manifest.before, keeps_absent).as_deref() == Some(hash) {
            return digest(manifest.after, keeps_absent)
                .map(Some)
                .ok_or_else(|| manifest.without_hash());
        }
    }
    Err(manifest.out_of_date())
}

/// The hash of a manifest. Poetry 1 hashes keys that are absent as well, and Poetry 2 does so for
/// manifests without a `project`.
fn digest(text: &str, keeps_absent: bool) -> Option<String> {
    let file = toml(text).ok()?;
    let poetry = file.get("tool").and_then(|tool| tool.get("poetry"));
    let mut project = BTreeMap::new();
    for key in PROJECT {
        if let Some(node) = file.get("project").and_then(|project| project.get(key)) {
            project.insert(key.to_owned(), Json::Node(node));
        }
    }
    let groups = file.get("dependency-groups");
    let is_new = !project.is_empty() || groups.is_some();

    let mut own = BTreeMap::new();
    for key in LEGACY.into_iter().chain(["group"]) {
        match poetry.and_then(|poetry: &Node<'_>| poetry.get(key)) {
            Some(node) => drop(own.insert(key.to_owned(), Json::Node(node))),
            None if key != "group" && (keeps_absent || !is_new) => {
                own.insert(key.to_owned(), Json::Null);
            }
            None => {}
        }
    }
    if !is_new || keeps_absent {
        return sha256(&Json::Map(own), DEFAULT);
    }

    let tool = BTreeMap::from([("poetry".to_owned(), Json::Map(own))]);
    let mut whole = BTreeMap::from([("tool".to_owned(), Json::Map(tool))]);
    if !project.is_empty() {
        whole.insert("project".to_owned(), Json::Map(project));
    }
    if let Some(groups) = groups {
        whole.insert("dependency-groups".to_owned(), Json::Node(groups));
    }
    sha256(&Json::Map(whole), DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::digest;

    /// Poetry 2.5 wrote these hashes.
    #[test]
    fn the_hash_is_that_of_poetry() {
        for (text, hash) in [
            (
                "[project]\nname = \"a\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n\
                 dependencies = []\n\n[dependency-groups]\ndev = []\n\n\
                 [tool.poetry.group.docs]\noptional = true\n",
                "21eb679cc290326d655a7a66f49d0ae8210e7d6b23379fea2f29c0565fcf0f83",
            ),
            (
                "[tool.poetry]\nname = \"a\"\nversion = \"1\"\ndescription = \"é\"\nauthors = []\n\n\
                 [tool.poetry.dependencies]\npython = \"^3.9\"\n\n\
                 [tool.poetry.group.dev.dependencies]\n",
                "0ef693f84017d54b0ea1d26b405d979fc57973167b307ccd9ed780ad9bdc1a3a",
            ),
        ] {
            assert_eq!(digest(text, false).as_deref(), Some(hash), "{text}");
        }
    }
}
