//! Direct changes of a `bun.lock`.
//!
//! Entries are one line each. A package keeps its line, with another key where bun places it in
//! another directory ([`hoist`]), and a new release gets the line that bun writes for it ([`line`]).
//! A file whose own places are not those that the graph leads to is refused.

mod document;
mod hoist;
mod line;
mod overrides;

use std::collections::BTreeMap;

use patchgate_model::{DependencyKind, Lockfile};

use self::document::Document;
use self::hoist::{Graph, Kind, Need, Package, ROOT};
use crate::line_ends::PlainText;
use crate::lockfile_writer::write_lockfile;
use crate::{
    Downloads, EditError, Input, LockfileWriter, Siblings, TargetGraph, TargetNode, WriteError,
};

/// The writer of `bun.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::npm) struct BunWriter;

impl LockfileWriter for BunWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || changed(input, lockfile, target))
    }

    fn write_override(
        &self,
        lockfile: &str,
        manifests: &Siblings,
        name: &str,
        version: &str,
    ) -> Result<Option<(String, String)>, EditError> {
        overrides::write(lockfile, manifests, name, version).map(Some)
    }
}

/// The bytes of a lockfile that changes.
///
/// # Errors
/// The obstacle, as [`WriteError::reason`].
fn changed(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<Vec<u8>, String> {
    if lockfile.gap().is_some() {
        return Err("it has entries that cannot be read".to_owned());
    }
    let version = match lockfile.format.as_str() {
        "bun-lock-v1" => 1,
        "bun-lock-v2" => 2,
        _ => return Err("files of this version are changed by bun only".to_owned()),
    };

    let plain = PlainText::of(input)?;
    let mut document = Document::read(&plain.text)?;
    document.is_as_placed()?;
    let wanted = wanted(lockfile, target, &document)?;
    let places = hoist::places(&wanted)?;

    // The line of each package, and its key at each of its places.
    let mut lines = Vec::new();
    for place in &places {
        let key = place.key();
        let package = wanted.packages.get(place.package);
        let spec = package
            .map(|package| package.spec.as_str())
            .unwrap_or_default();
        let tuple = match document.tuple(spec) {
            Some(tuple) => tuple.to_owned(),
            None => {
                let node = new_node(target, spec);
                let (node, release) = node.ok_or_else(|| format!("`{spec}` has no entry"))?;
                let needs = package.map(|package| package.needs.as_slice());
                line::tuple(lockfile, node, release, needs.unwrap_or_default(), version)?
            }
        };
        if place.is_bundled != document.is_bundled(&key) {
            return Err(format!("`{key}` is in the archive of another package"));
        }
        lines.push(document.line(&key, &tuple, place.is_bundled)?);
    }

    document.set_packages(&lines);
    document.write_requirements(lockfile, target)?;
    document.write_overrides(&overrides::stated(input.path, input.siblings))?;
    let text = document.into_text();
    holds(&text, &wanted)?;
    Ok(plain.restore(&text))
}

/// The graph that the lockfile should have.
fn wanted(lockfile: &Lockfile, target: &TargetGraph, document: &Document) -> Result<Graph, String> {
    let specs: Vec<String> = (0..target.nodes.len())
        .map(|node| spec_of(lockfile, target, document, node))
        .collect::<Result<_, _>>()?;
    let mut graph = Graph::default();
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();

    // Projects come first, as in the document.
    for project in document.projects() {
        numbers.insert(&project.spec, graph.packages.len());
        graph.packages.push(unbound(project));
    }
    for (node, spec) in target.nodes.iter().zip(&specs) {
        if numbers.contains_key(spec.as_str()) {
            continue;
        }
        let package = match (document.package(spec), &node.release) {
            (Some(package), _) => unbound(package),
            (None, Some(release)) => line::package(spec, release)?,
            (None, None) => return Err(format!("`{spec}` has no entry")),
        };
        numbers.insert(spec, graph.packages.len());
        graph.packages.push(package);
    }

    let number = |node: usize| {
        let spec = specs.get(node).map(String::as_str).unwrap_or_default();
        numbers.get(spec).copied()
    };
    for (index, edges) in target
        .roots
        .iter()
        .enumerate()
        .take(document.projects().len())
    {
        let bound = edges
            .iter()
            .map(|edge| (edge.name.as_str(), number(edge.to)));
        bind(&mut graph, index, bound)?;
    }
    // The members of a workspace are dependencies of the root project.
    let members = document.members();
    if let Some(root) = graph.packages.get_mut(ROOT) {
        for need in root
            .needs
            .iter_mut()
            .filter(|need| need.kind == Kind::Workspace)
        {
            let member = members.iter().find(|(_, name)| *name == need.name);
            need.to = member.map(|(number, _)| *number);
        }
    }
    for (node, spec) in target.nodes.iter().zip(&specs) {
        let Some(own) = numbers.get(spec.as_str()).copied() else {
            continue;
        };
        if own < document.projects().len() {
            continue;
        }
        let bound = node
            .edges
            .iter()
            .map(|edge| (edge.name.as_str(), number(edge.to)));
        bind(&mut graph, own, bound)?;
        is_complete(&graph, own, node)?;
    }

    Ok(graph)
}

/// What a node is, as the lockfile has it.
fn spec_of(
    lockfile: &Lockfile,
    target: &TargetGraph,
    document: &Document,
    number: usize,
) -> Result<String, String> {
    let node = target.nodes.get(number);
    let lacking = || "it has another number of packages".to_owned();
    let node = node.ok_or_else(lacking)?;
    match (&node.release, node.was) {
        (Some(release), _) => {
            let version = target.version(lockfile, number).unwrap_or(&release.version);
            Ok(format!("{}@{version}", node.name))
        }
        (None, Some(was)) => document
            .spec(was.0 as usize)
            .map(str::to_owned)
            .ok_or_else(lacking),
        (None, None) => Err(format!("`{}` has no release", node.name)),
    }
}

/// A package whose dependencies have no packages yet.
fn unbound(package: &Package) -> Package {
    let mut package = package.clone();
    for need in &mut package.needs {
        need.to = None;
    }
    package
}

/// Binds the dependencies of a package. Copies of a package have the same dependencies, except that
/// peers may differ, of which the last one counts.
fn bind<'a>(
    graph: &mut Graph,
    package: usize,
    bound: impl Iterator<Item = (&'a str, Option<usize>)>,
) -> Result<(), String> {
    let Some(package) = graph.packages.get_mut(package) else {
        return Ok(());
    };
    for (name, to) in bound {
        let mut needs = package.needs.iter_mut();
        let Some(need) = needs.find(|need| need.name == name && need.kind != Kind::Workspace)
        else {
            return Err(format!("`{}` would depend on `{name}`", package.spec));
        };
        if need.to.is_some() && need.to != to && need.kind != Kind::Peer {
            return Err(format!(
                "copies of `{}` would have different `{name}`",
                package.spec
            ));
        }
        need.to = to;
    }

    Ok(())
}

/// Checks that every dependency of a new release has a package. bun locks optional ones as well, and
/// brings in the peers that are not optional.
fn is_complete(graph: &Graph, package: usize, node: &TargetNode) -> Result<(), String> {
    if node.release.is_none() {
        return Ok(());
    }
    let needs = graph
        .packages
        .get(package)
        .map(|package| package.needs.as_slice());
    let mut lacking = needs
        .unwrap_or_default()
        .iter()
        .filter(|need| need.to.is_none());
    match lacking.find(|need| !need.is_optional_peer) {
        Some(need) => Err(format!(
            "`{}` needs `{}`, which has no version",
            node.name, need.name
        )),
        None => Ok(()),
    }
}

/// The node that brings in a package.
fn new_node<'t>(
    target: &'t TargetGraph,
    spec: &str,
) -> Option<(&'t TargetNode, &'t crate::Release)> {
    let released = target.nodes.iter();
    let mut released = released.filter_map(|node| Some((node, node.release.as_ref()?)));
    released.find(|(node, release)| spec == format!("{}@{}", node.name, release.version))
}

/// Checks that bun reads the graph from the result, and places it in the same way.
fn holds(text: &str, wanted: &Graph) -> Result<(), String> {
    let document = Document::read(text)?;
    document.is_as_placed()?;
    let specs = |graph: &Graph, need: &Need| {
        let to = need.to.and_then(|to| graph.packages.get(to));
        to.map(|to| to.spec.clone())
    };
    let read = document.graph();
    for package in &wanted.packages {
        let found = read
            .packages
            .iter()
            .find(|found| found.spec == package.spec);
        let Some(found) = found else {
            // Nothing needs it any more.
            continue;
        };
        for need in package.needs.iter().filter(|need| need.kind != Kind::Peer) {
            let mut others = found.needs.iter();
            let other = others.find(|other| other.name == need.name && other.kind == need.kind);
            let is_same = other.is_some_and(|other| specs(read, other) == specs(wanted, need));
            if !is_same {
                return Err(format!(
                    "`{}` would get another `{}`",
                    package.spec, need.name
                ));
            }
        }
    }

    Ok(())
}

/// The kind of a dependency in a section.
fn kind_of(kind: DependencyKind) -> Kind {
    match kind {
        DependencyKind::Development => Kind::Development,
        DependencyKind::Optional => Kind::Optional,
        DependencyKind::Peer => Kind::Peer,
        _ => Kind::Runtime,
    }
}

#[cfg(test)]
mod tests;
