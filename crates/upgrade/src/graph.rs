//! The dependents of each copy, with their requirements.

use std::collections::BTreeSet;

use patchgate_model::{DependencyKind, Lockfile, Origin, PackageIndex, SmolStr};

/// One dependency seen from the copy that satisfies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependent {
    /// The project or package that asks.
    pub(crate) parent: Parent,
    /// The name by which it asks.
    pub(crate) name: SmolStr,
    /// The requirement as written, where the lockfile or the manifest has it.
    pub(crate) requirement: Option<SmolStr>,
    /// Which part of the dependent asks.
    pub(crate) kind: DependencyKind,
}

/// The source of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Parent {
    /// A project of the repository, by its index in [`Lockfile::roots`].
    Root(usize),
    /// A locked copy, by its index.
    Package(PackageIndex),
}

/// The dependents of every copy, by its index.
///
/// A workspace member that a format lists among its packages and among its roots counts once, as
/// the root, because only the root has a manifest.
pub(crate) fn dependents(lockfile: &Lockfile) -> Vec<Vec<Dependent>> {
    let mut dependents = vec![Vec::new(); lockfile.packages.len()];
    let mut add = |to: PackageIndex, dependent: Dependent| {
        if let Some(list) = dependents.get_mut(to.0 as usize) {
            list.push(dependent);
        }
    };
    for (index, root) in lockfile.roots.iter().enumerate() {
        for edge in &root.edges {
            add(
                edge.to,
                Dependent {
                    parent: Parent::Root(index),
                    name: edge.name.clone(),
                    requirement: edge.requirement.clone(),
                    kind: edge.kind,
                },
            );
        }
    }

    let rooted: BTreeSet<&str> = lockfile
        .roots
        .iter()
        .map(|root| root.name.as_str())
        .collect();
    for (index, package) in lockfile.indexed() {
        let member =
            matches!(package.origin, Origin::Path(_)) && rooted.contains(package.name.as_str());
        if member {
            continue;
        }

        for edge in &package.edges {
            add(
                edge.to,
                Dependent {
                    parent: Parent::Package(index),
                    name: edge.name.clone(),
                    requirement: edge.requirement.clone(),
                    kind: edge.kind,
                },
            );
        }
    }

    dependents
}

/// Distance of every copy from the projects, in edges; `usize::MAX` for copies that no project
/// reaches.
pub(crate) fn depths(lockfile: &Lockfile) -> Vec<usize> {
    let mut depths = vec![usize::MAX; lockfile.packages.len()];
    let mut layer: Vec<PackageIndex> = lockfile
        .roots
        .iter()
        .flat_map(|root| root.edges.iter().map(|edge| edge.to))
        .collect();

    let mut depth = 0;
    while !layer.is_empty() {
        let mut next = Vec::new();
        for index in layer {
            let Some(known) = depths.get_mut(index.0 as usize) else {
                continue;
            };
            if *known > depth {
                *known = depth;
                if let Some(package) = lockfile.package(index) {
                    next.extend(package.edges.iter().map(|edge| edge.to));
                }
            }
        }

        layer = next;
        depth += 1;
    }

    depths
}

/// The copy in whose archive a bundled copy is shipped: the nearest copy above it in the install
/// tree that is not bundled itself. `None` for a copy that is not bundled.
#[must_use]
pub fn bundled_by(lockfile: &Lockfile, copy: PackageIndex) -> Option<PackageIndex> {
    let package = lockfile.package(copy).filter(|package| package.bundled)?;
    let mut path = package.install_path.as_deref()?;
    while let Some((above, _)) = path.rsplit_once("/node_modules/") {
        let parent = lockfile
            .indexed()
            .find(|(_, package)| package.install_path.as_deref() == Some(above));
        match parent {
            Some((index, package)) if !package.bundled => return Some(index),
            _ => path = above,
        }
    }

    None
}
