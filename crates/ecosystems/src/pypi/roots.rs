//! The projects that a lockfile is of, from the manifests beside it.

use patchgate_model::Root;

use super::graph::{Ask, Graph, Start};
use super::manifest::{self, Manifest};
use super::requirement::exact_version;
use crate::{Input, ParseError};

/// Adds a manifest as a root whose edges lead to what it asks for; gives the edges with the groups
/// that they are in.
///
/// What the lockfile does not hold (a requirement for another platform, or one that came later)
/// leaves no trace.
///
/// # Errors
/// When the file has too many dependencies.
pub(super) fn add(graph: &mut Graph, manifest: Manifest) -> Result<Vec<Start>, ParseError> {
    let mut starts = Vec::new();
    let mut root = Root {
        name: manifest.name,
        manifest: Some(manifest.path),
        edges: Vec::new(),
    };
    for direct in &manifest.direct {
        let edges = graph.edges_to(&Ask {
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

/// [`add`] for the manifest of this name beside the lockfile; nothing where there is none or it
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
