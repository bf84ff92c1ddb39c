//! Scopes of packages, derived from the roots that reach them.

use patchgate_model::{Lockfile, PackageIndex, Scope};

/// Gives each package the strongest scope by which a root reaches it. A package that no root
/// reaches counts as needed at run time.
pub(super) fn set(lockfile: &mut Lockfile) {
    let mut reached: Vec<Option<Scope>> = vec![None; lockfile.packages.len()];
    for scope in [Scope::Runtime, Scope::Development] {
        let mut stack: Vec<PackageIndex> = lockfile
            .roots
            .iter()
            .flat_map(|root| &root.edges)
            .filter(|edge| Scope::from(edge.kind) == scope)
            .map(|edge| edge.to)
            .collect();

        while let Some(at) = stack.pop() {
            let slot = reached.get_mut(at.0 as usize).filter(|slot| slot.is_none());
            let Some(slot) = slot else { continue };
            *slot = Some(scope);
            if let Some(package) = lockfile.package(at) {
                stack.extend(package.edges.iter().map(|edge| edge.to));
            }
        }
    }

    for (package, scope) in lockfile.packages.iter_mut().zip(reached) {
        package.scope = scope.unwrap_or(Scope::Runtime);
    }
}
