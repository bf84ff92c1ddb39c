//! Graph in a lockfile of Conan 1 (<https://docs.conan.io/1/versioning/lockfiles.html>): numbered
//! nodes, including the projects, which have no reference or have the path of their recipe.
//!
//! Conan 1 writes one node for each use of a build requirement. Here all nodes of a reference are
//! one package with the edges of all of them.

use std::collections::{HashMap, HashSet};

use patchgate_model::{DependencyKind, Edge, Lockfile, Loss, Origin, PackageIndex, Root, Scope};

use super::conanfile::Manifest;
use super::reference::{Reference, parse_reference};
use crate::syntax::Node;
use crate::{ParseError, SkippedEntries, limits};

/// The lists of a node that refer to other nodes.
const LISTS: [(&str, DependencyKind); 2] = [
    ("requires", DependencyKind::Runtime),
    ("build_requires", DependencyKind::Build),
];

/// Adds the packages, edges and roots of the graph to the lockfile.
pub(super) fn read(
    document: &Node<'_>,
    manifest: Option<&Manifest>,
    lockfile: &mut Lockfile,
    skipped: &mut SkippedEntries,
) -> Result<(), ParseError> {
    let graph = document
        .get("graph_lock")
        .ok_or_else(|| ParseError::new("is not a Conan lockfile: it lacks `graph_lock`"))?;
    let nodes = graph.optional_map("nodes")?;
    if nodes.len() > limits::MAX_PACKAGES {
        return Err(ParseError::new("contains too many packages"));
    }

    let mut reader = Reader::default();
    let required = required(nodes);
    for (key, node) in nodes {
        let reference = skipped.recover(Loss::Package, key.line, reference_of(node));
        let Some(reference) = reference else {
            reader.unreadable.insert(&*key.name);
            continue;
        };
        let project =
            !required.contains(&*key.name) && (reference.is_none() || node.get("path").is_some());
        if !project {
            let text = reference.ok_or_else(|| {
                ParseError::new(format!("has no `ref` in node `{}`", key.name))
                    .at_line(key.line as usize)
            });
            let reference = text.and_then(|text| exact(text, key.line));
            let Some(reference) = skipped.recover(Loss::Package, key.line, reference) else {
                reader.unreadable.insert(&*key.name);
                continue;
            };
            let index = reader.package(reference, key.line, lockfile)?;
            if let (Some(path), Some(package)) = (
                node.get("path").and_then(Node::text),
                lockfile.packages.get_mut(index.0 as usize),
            ) {
                package.origin = Origin::Path(Some(path.to_owned()));
            }

            reader.indices.insert(&key.name, index);
        }
    }

    for (key, node) in nodes {
        // The edges of a node that cannot be read are lost with it.
        if reader.unreadable.contains(&*key.name) {
            continue;
        }
        let edges = reader.edges(node, lockfile, skipped)?;
        let index = reader.indices.get(&*key.name).map(|index| index.0 as usize);

        match index.and_then(|index| lockfile.packages.get_mut(index)) {
            Some(package) => {
                for edge in edges {
                    if !package.edges.contains(&edge) {
                        package.edges.push(edge);
                    }
                }
            }
            None => lockfile.roots.push(root(node, edges, manifest)),
        }
    }

    if lockfile.roots.is_empty() {
        built(lockfile);
    } else {
        crate::scope::from_roots(lockfile);
    }

    Ok(())
}

/// The keys of the nodes that other nodes require.
fn required<'n>(nodes: &'n [(crate::syntax::Key<'_>, Node<'_>)]) -> HashSet<&'n str> {
    let mut keys = HashSet::new();
    for (_, node) in nodes {
        for (list, _) in LISTS {
            let items = node.get(list).map(Node::items).unwrap_or_default();
            keys.extend(items.iter().filter_map(Node::text));
        }
    }
    keys
}

/// The reference to one version.
fn exact(text: &str, line: u32) -> Result<Reference<'_>, ParseError> {
    let reference = parse_reference(text, line)?;
    if reference.is_range() {
        let reason = format!("locks `{}` to a range", reference.name);
        return Err(ParseError::new(reason).at_line(line as usize));
    }
    Ok(reference)
}

/// The reference of a node: `ref`, or in the oldest versions `pref`, which includes the package ID.
fn reference_of<'n>(node: &'n Node<'_>) -> Result<Option<&'n str>, ParseError> {
    let text = match node.optional_text("ref")? {
        None => node.optional_text("pref")?,
        found => found,
    };
    Ok(text.filter(|text| !text.is_empty()))
}

fn root(node: &Node<'_>, mut edges: Vec<Edge>, manifest: Option<&Manifest>) -> Root {
    let of_text = node.get("path").and_then(Node::text) == Some("conanfile.txt");
    let manifest = manifest.filter(|_| of_text);
    for edge in &mut edges {
        edge.requirement = manifest
            .and_then(|manifest| manifest.requirement(&edge.name))
            .map(Into::into);
    }

    let name = match reference_of(node) {
        // The version of a project is optional.
        Ok(Some(text)) => text.split('/').next().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    Root {
        name,
        manifest: manifest.map(|manifest| manifest.path.clone()),
        edges,
    }
}

/// State of the reader.
#[derive(Default)]
struct Reader<'n> {
    known: HashMap<Reference<'n>, PackageIndex>,
    indices: HashMap<&'n str, PackageIndex>,
    /// Nodes that could not be read. Edges to them are lost with them.
    unreadable: HashSet<&'n str>,
    edges: usize,
}

impl<'n> Reader<'n> {
    fn package(
        &mut self,
        reference: Reference<'n>,
        line: u32,
        lockfile: &mut Lockfile,
    ) -> Result<PackageIndex, ParseError> {
        if let Some(index) = self.known.get(&reference) {
            return Ok(*index);
        }
        if lockfile.packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new("contains too many packages").at_line(line as usize));
        }

        let index = PackageIndex(u32::try_from(lockfile.packages.len()).unwrap_or(u32::MAX));
        lockfile.packages.push(reference.package(line));
        self.known.insert(reference, index);

        Ok(index)
    }

    fn edges(
        &mut self,
        node: &'n Node<'_>,
        lockfile: &mut Lockfile,
        skipped: &mut SkippedEntries,
    ) -> Result<Vec<Edge>, ParseError> {
        let mut edges = Vec::new();
        for (list, kind) in LISTS {
            let items = skipped.recover(Loss::Edge, node.line, node.optional_list(list));
            for item in items.unwrap_or_default() {
                let key = item.text().unwrap_or_default();
                match self.indices.get(key) {
                    Some(to) => edges.push(edge(*to, kind, lockfile)),
                    None if self.unreadable.contains(key) => {}
                    // The node is a package of which only the number is known.
                    None => skipped.package(
                        item.line,
                        format!("requires the node `{key}`, which it does not have"),
                    ),
                }
            }
        }

        // Packages that no node has.
        let items = node.optional_list("python_requires");
        let items = skipped.recover(Loss::Package, node.line, items);
        for item in items.unwrap_or_default() {
            let text = item
                .text()
                .ok_or_else(|| item.unexpected("python_requires", "a reference"));
            let reference = text.and_then(|text| exact(text, item.line));
            let Some(reference) = skipped.recover(Loss::Package, item.line, reference) else {
                continue;
            };
            let to = self.package(reference, item.line, lockfile)?;
            edges.push(edge(to, DependencyKind::Build, lockfile));
        }

        self.edges += edges.len();
        if self.edges > limits::MAX_EDGES {
            return Err(ParseError::new("contains too many dependencies"));
        }

        Ok(edges)
    }
}

fn edge(to: PackageIndex, kind: DependencyKind, lockfile: &Lockfile) -> Edge {
    Edge {
        to,
        name: lockfile
            .package(to)
            .map(|package| package.name.clone())
            .unwrap_or_default()
            .into(),
        requirement: None,
        kind,
    }
}

/// Marks build requirements as build-time packages, for a lockfile without a project.
fn built(lockfile: &mut Lockfile) {
    let all = lockfile.packages.iter().flat_map(|package| &package.edges);
    let built: HashSet<PackageIndex> = all
        .filter(|edge| edge.kind == DependencyKind::Build)
        .map(|edge| edge.to)
        .collect();

    for index in built {
        if let Some(package) = lockfile.packages.get_mut(index.0 as usize) {
            package.scope = Scope::Build;
        }
    }
}
