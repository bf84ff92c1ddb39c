//! Scopes of packages, derived from the paths that lead to them from the projects.

use patchgate_model::{DependencyKind, Edge, Lockfile, PackageIndex, Scope};

/// The scopes that a path of npm's dependency kinds can have, strongest first.
const LEVELS: [Scope; 5] = [
    Scope::Runtime,
    Scope::Peer,
    Scope::Optional,
    Scope::Build,
    Scope::Development,
];

/// The index in [`LEVELS`] of the scope of a dependency.
fn level(kind: DependencyKind) -> usize {
    match kind {
        DependencyKind::Runtime => 0,
        DependencyKind::Peer => 1,
        DependencyKind::Optional => 2,
        DependencyKind::Build => 3,
        DependencyKind::Development | DependencyKind::Test => 4,
    }
}

/// Sets the scope of each package. A path is as strong as its weakest dependency, and a package gets
/// the scope of the strongest path to it. A package that no project reaches gets the runtime scope.
pub(crate) fn settle(lockfile: &mut Lockfile) {
    let mut reached: Vec<Option<usize>> = vec![None; lockfile.packages.len()];
    let mut waiting: [Vec<PackageIndex>; LEVELS.len()] = Default::default();
    for edge in lockfile.roots.iter().flat_map(|root| &root.edges) {
        put(&mut waiting, edge, 0);
    }

    for level in 0..LEVELS.len() {
        // The level never decreases along a path, so a package that is added here later belongs to
        // this level or a higher one.
        while let Some(index) = waiting.get_mut(level).and_then(Vec::pop) {
            let Some(reached) = reached.get_mut(index.0 as usize) else {
                continue;
            };
            if reached.is_some() {
                continue;
            }
            *reached = Some(level);

            for edge in lockfile.package(index).iter().flat_map(|p| &p.edges) {
                put(&mut waiting, edge, level);
            }
        }
    }

    for (package, reached) in lockfile.packages.iter_mut().zip(reached) {
        let scope = reached.and_then(|level| LEVELS.get(level)).copied();
        package.scope = scope.unwrap_or_default();
    }
}

/// Adds the target of an edge to the list of its level, which is at least the dependent's.
fn put(waiting: &mut [Vec<PackageIndex>; LEVELS.len()], edge: &Edge, above: usize) {
    if let Some(list) = waiting.get_mut(above.max(level(edge.kind))) {
        list.push(edge.to);
    }
}
