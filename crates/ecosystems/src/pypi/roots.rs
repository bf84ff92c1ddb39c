//! Roots of Python lockfiles, read from manifests in the repository.

use std::collections::BTreeSet;

use patchgate_model::{Origin, Root};

use super::address::path_from;
use super::graph::{DependencyRequest, Graph, Start};
use super::manifest::{self, Manifest};
use super::requirement::exact_version;
use crate::{Input, ParseError};

/// Adds a manifest as a root with edges to its dependencies, and returns these with their groups.
///
/// A requirement without a package in the lockfile is ignored: it is for another platform, or newer
/// than the lockfile.
///
/// # Errors
/// If the file has too many dependencies.
pub(super) fn add(graph: &mut Graph, manifest: Manifest) -> Result<Vec<Start>, ParseError> {
    let mut starts = Vec::new();
    let mut root = Root {
        name: manifest.name,
        manifest: Some(manifest.path),
        edges: Vec::new(),
    };
    for direct in &manifest.direct {
        let edges = graph.edges_to(&DependencyRequest {
            name: &direct.name,
            requirement: Some(&direct.requirement),
            version: exact_version(&direct.requirement),
            kind: direct.kind,
        })?;
        starts.extend(edges.iter().map(|edge| Start {
            to: edge.to,
            scope: direct.kind.into(),
            group: direct.group.clone(),
        }));
        root.edges.extend(edges);
    }

    graph.add_root(root);
    Ok(starts)
}

/// [`add`] for the manifest of this name in the lockfile's directory; `None` if it is missing or
/// cannot be read.
pub(super) fn add_beside(
    graph: &mut Graph,
    input: &Input<'_>,
    name: &str,
) -> Result<Option<Vec<Start>>, ParseError> {
    match manifest::read(input, &input.beside(name)) {
        Some(manifest) => add(graph, manifest).map(Some),
        None => Ok(None),
    }
}

/// [`add`] for the projects of the repository that the lockfile refers to by their directories, since
/// it contains their dependencies as well.
pub(super) fn add_folders(graph: &mut Graph, input: &Input<'_>) -> Result<(), ParseError> {
    let roots = graph.lockfile.roots.iter();
    let mut known: BTreeSet<String> = roots.filter_map(|root| root.manifest.clone()).collect();
    let directories: BTreeSet<String> = graph
        .lockfile
        .packages
        .iter()
        .filter_map(|package| match &package.origin {
            Origin::Path(Some(directory)) => Some(directory.clone()),
            _ => None,
        })
        .collect();

    for directory in directories {
        for name in ["pyproject.toml", "setup.cfg"] {
            let Some(path) = path_from(input.path, &format!("{directory}/{name}")) else {
                continue;
            };
            if known.contains(&path) {
                continue;
            }

            if let Some(manifest) = manifest::read(input, &path) {
                known.insert(path);
                add(graph, manifest)?;
            }
        }
    }

    Ok(())
}
