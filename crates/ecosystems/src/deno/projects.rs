//! The manifests of a lockfile's projects: `deno.json` and `package.json`.

use std::collections::HashMap;

use patchgate_model::DependencyKind;

use crate::Input;
use crate::syntax::{self, Node};

/// The path of the `deno.json` or `deno.jsonc` in a directory, if there is one.
pub(super) fn deno_manifest(input: &Input<'_>, directory: &str) -> Option<String> {
    ["deno.json", "deno.jsonc"]
        .iter()
        .find_map(|name| joined(input, directory, name))
}

/// The path of a file in a directory, if the file exists.
pub(super) fn joined(input: &Input<'_>, directory: &str, name: &str) -> Option<String> {
    let directory = directory.trim_start_matches("./").trim_end_matches('/');
    let path = match directory {
        "" => input.beside(name),
        _ => input.beside(&format!("{directory}/{name}")),
    };
    input.sibling(&path).map(|_| path)
}

/// The kinds of the dependencies in a `package.json` that are not run-time dependencies.
pub(super) fn kinds(input: &Input<'_>, path: &str) -> HashMap<String, DependencyKind> {
    let mut kinds = HashMap::new();
    let manifest = Input {
        path,
        bytes: input.sibling(path).unwrap_or_default(),
        siblings: input.siblings,
    };
    let Some(document) = manifest
        .text()
        .ok()
        .and_then(|text| syntax::json(text).ok())
    else {
        return kinds;
    };

    for (section, kind) in [
        ("devDependencies", DependencyKind::Development),
        ("optionalDependencies", DependencyKind::Optional),
    ] {
        for (name, _) in document.get(section).map(Node::entries).unwrap_or_default() {
            kinds.insert(name.name.to_string(), kind);
        }
    }

    kinds
}
