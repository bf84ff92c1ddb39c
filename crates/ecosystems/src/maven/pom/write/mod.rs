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

mod companions;
mod insert;
mod places;
mod project;
mod uses;

use patchgate_model::Lockfile;

use self::insert::ManagedEntry;
pub(in crate::maven) use self::places::owners;
use self::project::{Goal, Project};
use crate::maven::moves::{Moves, moves};
use crate::maven::pom::{CONFIG, EXTERNAL};
use crate::{
    Downloads, EditError, Input, LockfileWriter, MetadataRequest, Siblings, TargetGraph, WriteError,
};

/// The writer of `pom.xml`.
#[derive(Debug)]
pub(in crate::maven) struct PomWriter;

impl LockfileWriter for PomWriter {
    /// Parents and lists of versions, which may have other names than `pom.xml`, those from outside of
    /// the repository included, and the properties of each build.
    fn reads(&self, path: &str) -> bool {
        let is_verification = path.ends_with("verification-metadata.xml");
        (path.ends_with(".xml") && !is_verification)
            || path.starts_with(EXTERNAL)
            || path.ends_with(CONFIG)
    }

    /// POMs of packages whose version is in the same property.
    fn further_downloads(
        &self,
        _input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Vec<MetadataRequest> {
        let wanted = moves(lockfile, target)
            .map(|moves| companions::wanted(lockfile, target, &moves))
            .unwrap_or_default();
        let lacking = wanted
            .into_iter()
            .filter(|url| !downloads.contains_key(url));
        lacking
            .map(|url| MetadataRequest { url, accept: None })
            .collect()
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        // The file is a manifest too: among the siblings it has its edits already.
        let own = input.sibling(input.path).unwrap_or(input.bytes);
        if *target == TargetGraph::unchanged(lockfile) {
            return Ok(Siblings::from([(input.path.to_owned(), own.to_vec())]));
        }

        let failed = |reason: String| WriteError::new(input, reason);
        let moves = moves(lockfile, target).map_err(failed)?;
        let moves = companions::with_companions(lockfile, target, &moves, downloads);
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

#[cfg(test)]
mod outside_tests;
#[cfg(test)]
mod tests;
