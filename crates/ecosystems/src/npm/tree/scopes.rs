//! Why each package is there, by the ways that lead to it from the projects.

use patchgate_model::{DependencyKind, Edge, Lockfile, PackageIndex, Scope};

/// The scopes that a way through npm's kinds of dependencies can have, strongest first.
const LEVELS: [Scope; 5] = [
    Scope::Runtime,
    Scope::Peer,
    Scope::Optional,
    Scope::Build,
    Scope::Development,
];

fn level(kind: DependencyKind) -> usize {
    match kind {
        DependencyKind::Runtime => 0,
        DependencyKind::Peer => 1,
        DependencyKind::Optional => 2,
        DependencyKind::Build => 3,
        DependencyKind::Development | DependencyKind::Test => 4,
    }
}

/// Gives each package its scope: a way is as strong as its weakest dependency, a package's scope is
/// that of the strongest way to it. A package to which no way leads counts as needed at run time.
pub(crate) fn settle(lockfile: &mut Lockfile) {
    let mut reached: Vec<Option<usize>> = vec![None; lockfile.packages.len()];
    let mut waiting: [Vec<PackageIndex>; LEVELS.len()] = Default::default();
    for edge in lockfile.roots.iter().flat_map(|root| &root.edges) {
        put(&mut waiting, edge, 0);
    }
    for at in 0..LEVELS.len() {
        // Levels only grow along a way, so all that is put here later is put at this one or above.
        while let Some(index) = waiting.get_mut(at).and_then(Vec::pop) {
            let Some(place) = reached.get_mut(index.0 as usize) else {
                continue;
            };
            if place.is_some() {
                continue;
            }
            *place = Some(at);

            for edge in lockfile.package(index).iter().flat_map(|p| &p.edges) {
                put(&mut waiting, edge, at);
            }
        }
    }

    for (package, reached) in lockfile.packages.iter_mut().zip(reached) {
        let scope = reached.and_then(|level| LEVELS.get(level)).copied();
        package.scope = scope.unwrap_or_default();
    }
}

fn put(waiting: &mut [Vec<PackageIndex>; LEVELS.len()], edge: &Edge, above: usize) {
    if let Some(list) = waiting.get_mut(above.max(level(edge.kind))) {
        list.push(edge.to);
    }
}
