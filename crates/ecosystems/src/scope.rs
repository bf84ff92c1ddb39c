//! Scopes of packages, derived from the edges that lead to them.

use patchgate_model::{Lockfile, PackageIndex, Scope};

/// All scopes, strongest first.
const STRONGEST_FIRST: [Scope; 6] = [
    Scope::Runtime,
    Scope::Peer,
    Scope::Optional,
    Scope::Build,
    Scope::Test,
    Scope::Development,
];

/// Sets the scope of every package that is reachable from a root. A chain of edges is as weak as its
/// weakest edge, and the strongest chain counts. Other packages keep their scope.
pub(crate) fn from_roots(lockfile: &mut Lockfile) {
    let mut scopes: Vec<Option<Scope>> = vec![None; lockfile.packages.len()];
    let mut open: [Vec<PackageIndex>; 6] = Default::default();
    let wait = |open: &mut [Vec<PackageIndex>; 6], scope: Scope, to: PackageIndex| {
        let level = STRONGEST_FIRST.iter().position(|one| *one == scope);
        if let Some(waiting) = level.and_then(|level| open.get_mut(level)) {
            waiting.push(to);
        }
    };
    for edge in lockfile.roots.iter().flat_map(|root| &root.edges) {
        wait(&mut open, edge.kind.into(), edge.to);
    }
    for (level, scope) in STRONGEST_FIRST.into_iter().enumerate() {
        while let Some(index) = open.get_mut(level).and_then(Vec::pop) {
            match scopes.get_mut(index.0 as usize) {
                Some(known @ None) => *known = Some(scope),
                _ => continue,
            }

            for edge in lockfile
                .package(index)
                .into_iter()
                .flat_map(|package| &package.edges)
            {
                wait(&mut open, scope.max(edge.kind.into()), edge.to);
            }
        }
    }

    for (package, scope) in lockfile.packages.iter_mut().zip(scopes) {
        package.scope = scope.unwrap_or(package.scope);
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{DependencyKind, EcosystemName, Edge, Package, Root};

    use super::*;

    fn edge(to: u32, kind: DependencyKind) -> Edge {
        Edge {
            to: PackageIndex(to),
            name: "x".into(),
            requirement: None,
            kind,
        }
    }

    #[test]
    fn the_strongest_chain_counts_and_is_as_weak_as_its_weakest_edge() {
        use DependencyKind::{Build, Optional, Runtime, Test};

        let package = |edges| Package {
            edges,
            ..Package::new(EcosystemName::new("npm"), "x".to_owned(), "1".to_owned())
        };
        let mut lockfile = Lockfile {
            packages: vec![
                package(vec![edge(1, Runtime), edge(3, Optional)]),
                package(vec![edge(0, Runtime)]),
                package(vec![edge(1, Build)]),
                package(vec![edge(2, Runtime)]),
                package(vec![]),
            ],
            roots: vec![Root {
                edges: vec![edge(0, Test), edge(2, Runtime)],
                ..Root::default()
            }],
            ..Lockfile::default()
        };
        from_roots(&mut lockfile);
        let scopes: Vec<Scope> = lockfile
            .packages
            .iter()
            .map(|package| package.scope)
            .collect();

        assert_eq!(
            scopes,
            [
                Scope::Build,
                Scope::Build,
                Scope::Runtime,
                Scope::Build,
                Scope::Runtime
            ]
        );
    }
}
