//! The versions that change in a file that lists direct dependencies.

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use super::coordinates;
use crate::TargetGraph;

/// New versions by the name and the present version of a package.
pub(super) type Moves = BTreeMap<(String, String), String>;

/// The versions that change. Packages that a release needs are in no `pom.xml` unless a project asks
/// for them itself, so new ones without a project are left out.
pub(super) fn moves(lockfile: &Lockfile, target: &TargetGraph) -> Result<Moves, String> {
    let mut moves = Moves::new();
    for (index, package) in lockfile.indexed() {
        let mut nodes = (0..target.nodes.len()).filter(|node| {
            let node = target.nodes.get(*node);
            node.is_some_and(|node| node.was == Some(index))
        });
        let version = nodes.next().and_then(|node| target.version(lockfile, node));
        let Some(version) = version else {
            return Err(format!("`{}` is required and cannot leave", package.name));
        };
        if version == package.version {
            continue;
        }
        if !coordinates::is_version(version) || version.contains('&') {
            return Err(format!("`{version}` is not a version"));
        }

        let key = (package.name.clone(), package.version.clone());
        let known = moves.insert(key, version.to_owned());
        if known.is_some_and(|known| known != version) {
            return Err(format!("`{}` would get two versions", package.name));
        }
    }

    let asked = target.roots.iter().flatten();
    let mut new = asked.filter_map(|edge| target.nodes.get(edge.to).filter(|to| to.was.is_none()));
    match new.next() {
        Some(node) => Err(format!("`{}` would be a new dependency", node.name)),
        None => Ok(moves),
    }
}
