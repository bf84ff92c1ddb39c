//! Direct changes of the versions in a `pom.xml`, and in the parents and lists of versions of the
//! same repository.
//!
//! A version is changed where it is written: at the dependency, in `dependencyManagement`, or in the
//! property that both may use. A version that comes from outside of the repository gets an entry in
//! `dependencyManagement`, which wins over parents and imported lists
//! (<https://maven.apache.org/guides/introduction/introduction-to-dependency-mechanism.html#dependency-management>).
//!
//! Every change is proven: the project is read again, and a change with another effect than the
//! wanted one is taken back. Deliberately absent: changes of parents, plugins and imported lists
//! themselves, each of which changes more than one package.

mod insert;
mod places;
mod project;
mod uses;

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use self::insert::ManagedEntry;
use self::project::{Goal, Project};
use crate::{Downloads, EditError, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of `pom.xml`.
#[derive(Debug)]
pub(in crate::maven) struct PomWriter;

/// New versions by the name and the present version of a package.
type Moves = BTreeMap<(String, String), String>;

impl LockfileWriter for PomWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        // The file is a manifest too: among the siblings it has its edits already.
        let own = input.sibling(input.path).unwrap_or(input.bytes);
        if *target == TargetGraph::unchanged(lockfile) {
            return Ok(Siblings::from([(input.path.to_owned(), own.to_vec())]));
        }

        let failed = |reason: String| WriteError::new(input, reason);
        let moves = moves(lockfile, target).map_err(failed)?;
        let mut project = Project::new(input.path, own, input.siblings);
        let goal = Goal::new(&project.read().map_err(failed)?, lockfile, &moves);
        for ((name, from), to) in &moves {
            project.change(name, from, to, &goal).map_err(failed)?;
        }
        project.reaches(&goal).map_err(failed)?;

        Ok(project.into_changed(input.siblings))
    }

    /// Adds an entry to `dependencyManagement` in the topmost parent in the repository. A version that
    /// the repository states already is raised where it is stated.
    fn write_override(
        &self,
        lockfile: &str,
        manifests: &Siblings,
        name: &str,
        version: &str,
    ) -> Result<Option<(String, String)>, EditError> {
        let Some(own) = manifests.get(lockfile) else {
            return Ok(None);
        };
        let mut project = Project::new(lockfile, own, manifests);
        let before = project.read().map_err(EditError::Unreadable)?;
        let stated = before.packages.iter().filter(|one| one.name == name);
        let moves: Moves = stated
            .map(|one| ((name.to_owned(), one.version.clone()), version.to_owned()))
            .collect();

        let goal = Goal::new(&before, &before, &moves);
        let changed = match moves.is_empty() {
            true => project.override_indirect(name, version, &before),
            false => moves
                .iter()
                .try_for_each(|((name, from), to)| project.change(name, from, to, &goal)),
        };
        changed.map_err(EditError::Refused)?;

        let unchanged = (lockfile.to_owned(), own.clone());
        let mut files = project.into_changed(manifests);
        if files.len() > 1 {
            files.remove(lockfile);
        }
        if files.len() > 1 {
            let reason = format!("`{name}` has its version in several files");
            return Err(EditError::Refused(reason));
        }
        let (path, bytes) = files.into_iter().next().unwrap_or(unchanged);
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((path, text))),
            Err(_) => Err(EditError::Unreadable("it is not UTF-8".to_owned())),
        }
    }
}

/// The versions that change. Packages that a release needs are in no `pom.xml` unless a project asks
/// for them itself, so new ones without a project are left out.
fn moves(lockfile: &Lockfile, target: &TargetGraph) -> Result<Moves, String> {
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
        if !crate::maven::coordinates::is_version(version) || version.contains('&') {
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

#[cfg(test)]
mod tests;
