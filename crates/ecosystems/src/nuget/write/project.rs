//! The writer of project files and of files with central versions, for projects without a lockfile.

use patchgate_model::Lockfile;

use super::super::range::normal;
use super::super::{central, project, project_files};
use super::is_lockfile;
use super::stated::{Statements, is_msbuild, is_project};
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of the versions in files of MSBuild.
#[derive(Debug)]
pub(in crate::nuget) struct MsBuildWriter;

impl LockfileWriter for MsBuildWriter {
    /// A lockfile is written with the files that state its versions.
    fn is_last(&self) -> bool {
        true
    }

    fn reads(&self, path: &str) -> bool {
        is_lockfile(path) || is_msbuild(path)
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        // The file is a manifest too: among the siblings it has its edits already.
        let own = input.sibling(input.path).unwrap_or(input.bytes);
        let mut files = Siblings::from([(input.path.to_owned(), own.to_vec())]);
        if *target == TargetGraph::unchanged(lockfile) {
            return Ok(files);
        }
        let changed =
            write(input, own, lockfile, target).map_err(|reason| WriteError::new(input, reason))?;
        files.extend(changed);
        Ok(files)
    }
}

fn write(
    input: &Input<'_>,
    own: &[u8],
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<Siblings, String> {
    let mut siblings = input.siblings.clone();
    siblings.insert(input.path.to_owned(), own.to_vec());
    let mut statements = Statements::new(&siblings);
    let mut wanted: Vec<(String, String, String)> = Vec::new();
    for node in &target.nodes {
        let (Some(release), Some(was)) = (&node.release, node.was) else {
            continue;
        };
        let Some(package) = lockfile.package(was) else {
            continue;
        };
        let key = node.name.to_ascii_lowercase();
        let version = normal(&release.version)
            .ok_or_else(|| format!("`{}` is not a version", release.version))?;
        match is_project(input.path) {
            true => statements.raise(input.path, &key, &version, None)?,
            false => statements.raise_in(input.path, &key, &version, None)?,
        }
        wanted.push((node.name.clone(), package.version.clone(), version));
    }
    for raised in &statements.raised {
        if let Some(path) = locked(&siblings, &raised.path, &raised.key) {
            return Err(format!(
                "`{path}` locks `{}`, and changes with it",
                raised.key
            ));
        }
    }

    let changed = statements.into_changed();
    siblings.extend(changed.clone());
    check(input.path, &siblings, &wanted)?;
    Ok(changed)
}

/// The lockfile that has a package as a file of MSBuild states it: that of the project itself, of one
/// that references it, or of any project below a file for all of them.
fn locked<'a>(siblings: &'a Siblings, stated: &str, key: &str) -> Option<&'a str> {
    let directory = |path: &str| {
        path.rsplit_once('/')
            .map_or("", |(directory, _)| directory)
            .to_owned()
    };
    let own = directory(stated);
    let project = project_files::stem(stated).to_ascii_lowercase();

    let mut lockfiles = siblings.iter().filter(|(path, _)| is_lockfile(path));
    lockfiles
        .find(|(path, bytes)| {
            let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
            let names = |name: &str| text.contains(&format!("\"{name}\""));
            let is_below = own.is_empty() || path.starts_with(&format!("{own}/"));
            let is_concerned = match is_project(stated) {
                true => directory(path) == own || names(&project),
                false => is_below,
            };
            is_concerned && names(key)
        })
        .map(|(path, _)| path.as_str())
}

/// Reads the file again, and checks that it has the new versions.
fn check(
    path: &str,
    siblings: &Siblings,
    wanted: &[(String, String, String)],
) -> Result<(), String> {
    let input = Input {
        path,
        bytes: siblings.get(path).map(Vec::as_slice).unwrap_or_default(),
        siblings,
    };
    let read = match is_project(path) {
        true => project::parse(&input),
        false => central::parse(&input),
    };

    let lockfile = read.map_err(|error| error.to_string())?;

    for (name, from, to) in wanted {
        let versions: Vec<Option<String>> = lockfile
            .packages
            .iter()
            .filter(|package| package.name.eq_ignore_ascii_case(name))
            .map(|package| normal(&package.version))
            .collect();
        let has = |version: Option<String>| versions.contains(&version);
        if !has(Some(to.clone())) || has(normal(from)) {
            return Err(format!(
                "`{name}` would not get the version {to} everywhere"
            ));
        }
    }
    Ok(())
}
