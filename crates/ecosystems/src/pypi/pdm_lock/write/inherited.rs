//! Groups and markers that entries have from their dependents (`inherit_metadata`).

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Lockfile};

use super::block::Document;
use crate::TargetGraph;
use crate::pypi::name::normalize;

/// PDM's name for the group of runtime dependencies, which is sorted first.
const DEFAULT: &str = "default";

/// Checks that no entry that stays would get other groups or another marker.
pub(super) fn check(
    lockfile: &Lockfile,
    target: &TargetGraph,
    document: &Document,
    inherits: bool,
) -> Result<(), String> {
    if !inherits {
        return Ok(());
    }
    let mut markers: BTreeMap<String, bool> = BTreeMap::new();
    for block in &document.blocks {
        let has_marker = markers
            .entry(normalize(&block.text("name")?).into_owned())
            .or_default();
        *has_marker |= block.has("marker");
    }
    let has_marker = |name: &str| markers.get(normalize(name).as_ref()) == Some(&true);

    let before = edges(&TargetGraph::unchanged(lockfile));
    let after = edges(target);
    for node in &target.nodes {
        let Some(package) = node.was.and_then(|was| lockfile.package(was)) else {
            continue;
        };
        let name = normalize(&package.name).into_owned();
        let none = BTreeSet::new();
        let (old, new) = (
            before.get(&name).unwrap_or(&none),
            after.get(&name).unwrap_or(&none),
        );
        if old == new {
            continue;
        }
        if has_marker(&name) || new.iter().any(|dependent| has_marker(dependent)) {
            return Err(format!("`{name}` may get another marker"));
        }
        let groups = |dependent: &String| groups_of(lockfile, target, dependent);
        let own: BTreeSet<String> = package.groups.iter().cloned().collect();
        let mut covered: BTreeSet<String> = root_groups(lockfile, &name);
        for dependent in new {
            covered.extend(groups(dependent)?);
        }
        if covered != own {
            return Err(format!("`{name}` may get other groups"));
        }
    }

    Ok(())
}

/// The groups of a package that is new: those of its dependents.
///
/// # Errors
/// If nothing depends on it.
pub(super) fn groups(
    lockfile: &Lockfile,
    target: &TargetGraph,
    number: usize,
) -> Result<Vec<String>, String> {
    let name = target.nodes.get(number).map_or("", |node| &node.name);
    let groups: BTreeSet<String> = groups_of(lockfile, target, &normalize(name))?;
    if groups.is_empty() {
        return Err(format!("nothing depends on `{name}`"));
    }
    let mut groups: Vec<String> = groups.into_iter().collect();
    groups.sort_by_key(|group| (group != DEFAULT, group.clone()));
    Ok(groups)
}

/// The groups of a package: as listed, or for a new one those of its dependents.
fn groups_of(
    lockfile: &Lockfile,
    target: &TargetGraph,
    name: &str,
) -> Result<BTreeSet<String>, String> {
    let dependents = edges(target);
    let mut groups = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut queue = vec![name.to_owned()];
    while let Some(name) = queue.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let mut known = lockfile
            .packages
            .iter()
            .filter(|package| normalize(&package.name) == name)
            .peekable();
        if known.peek().is_none() {
            queue.extend(dependents.get(&name).into_iter().flatten().cloned());
        }
        for package in known {
            groups.extend(package.groups.iter().cloned());
        }
    }
    Ok(groups)
}

/// The groups in which projects require a package.
fn root_groups(lockfile: &Lockfile, name: &str) -> BTreeSet<String> {
    let is_direct = |kind: DependencyKind| {
        lockfile
            .roots
            .iter()
            .flat_map(|root| &root.edges)
            .any(|edge| edge.kind == kind && normalize(&edge.name) == name)
    };
    let package = lockfile
        .packages
        .iter()
        .find(|package| normalize(&package.name) == name);
    let own = package.map(|package| package.groups.clone());
    let groups = own.unwrap_or_default().into_iter();
    // Which group requires it is only certain for the runtime dependencies.
    groups
        .filter(|group| group == DEFAULT && is_direct(DependencyKind::Runtime))
        .collect()
}

/// The names of the dependents of each package.
fn edges(target: &TargetGraph) -> BTreeMap<String, BTreeSet<String>> {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in &target.nodes {
        for edge in &node.edges {
            if let Some(to) = target.nodes.get(edge.to) {
                let dependents = edges.entry(normalize(&to.name).into_owned());
                dependents
                    .or_default()
                    .insert(normalize(&node.name).into_owned());
            }
        }
    }
    edges
}
