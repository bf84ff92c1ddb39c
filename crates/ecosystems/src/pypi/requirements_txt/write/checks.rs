//! Checks of a change of a requirements file: what the sources of the file admit, and that the result
//! is read as intended.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, PackageIndex};

use crate::pypi::address::path_from;
use crate::pypi::name::normalize;
use crate::pypi::requirements_txt::lines::logical;
use crate::pypi::requirements_txt::read::{File, Files, Line};
use crate::pypi::requirements_txt::via::{Reason, texts};
use crate::pypi::{PyPi, manifest};
use crate::{Input, Siblings, TargetGraph, Upgradable as _};

/// Checks that a requirement of another file admits a version.
pub(super) fn admits(
    name: &str,
    path: &str,
    requirement: &str,
    version: &str,
) -> Result<(), String> {
    match requirement.is_empty() || PyPi.admits(requirement, version) == Ok(true) {
        true => Ok(()),
        false => Err(format!(
            "`{path}` limits `{name}` to `{requirement}`, not {version}"
        )),
    }
}

/// Checks that the files from which a line was compiled admit a version.
pub(super) fn admitted(
    input: &Input<'_>,
    files: &Files,
    line: &Line,
    version: &str,
) -> Result<(), String> {
    let name = line.name();
    for reason in &line.reasons {
        let Reason::File { path, .. } = reason else {
            continue;
        };
        let source = path_from(input.path, path).and_then(|path| manifest::read(input, &path));
        for direct in source.iter().flat_map(|source| &source.direct) {
            if normalize(&direct.name) == normalize(&name) {
                admits(&name, path, &direct.requirement, version)?;
            }
        }
    }

    let is_limited = line
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::Constraint));
    if !is_limited {
        return Ok(());
    }
    for path in constraints(input, files) {
        let read = constraint(input, &path)?;
        for limit in read.lines {
            if normalize(&limit.name()) == normalize(&name) {
                admits(&name, &path, &limit.requirement(), version)?;
            }
        }
    }

    Ok(())
}

/// Checks that nothing is known of a new package that the comments would have to name: a constraint.
pub(super) fn new_package(input: &Input<'_>, files: &Files, name: &str) -> Result<(), String> {
    for path in constraints(input, files) {
        let read = constraint(input, &path)?;
        if read
            .lines
            .iter()
            .any(|line| normalize(&line.name()) == name)
        {
            return Err(format!("`{path}` limits `{name}`"));
        }
    }

    Ok(())
}

/// The constraints files that comments of the file name.
fn constraints(input: &Input<'_>, files: &Files) -> BTreeSet<String> {
    let has_any = files
        .lines
        .iter()
        .any(|line| line.reasons.contains(&Reason::Constraint));
    if !has_any {
        return BTreeSet::new();
    }
    let text = input.text().unwrap_or_default();
    logical(text)
        .iter()
        .flat_map(|line| texts(&line.comments))
        .filter_map(|text| text.strip_prefix("-c "))
        .map(|path| path.trim().to_owned())
        .collect()
}

fn constraint(input: &Input<'_>, path: &str) -> Result<File, String> {
    let unread = || format!("its constraints file `{path}` was not read");
    let inside = path_from(input.path, path).ok_or_else(unread)?;
    let bytes = input.sibling(&inside).ok_or_else(unread)?;
    File::read(&Input {
        path: &inside,
        bytes,
        siblings: input.siblings,
    })
    .map_err(|_| unread())
}

/// Reads the result, and checks that it has the packages of the graph, and their dependents where the
/// file names them.
pub(super) fn verify(
    input: &Input<'_>,
    written: &Siblings,
    lockfile: &Lockfile,
    target: &TargetGraph,
    lists_all: bool,
) -> Result<(), String> {
    let mut siblings = input.siblings.clone();
    siblings.extend(written.clone());
    // A file is its own sibling only where another one includes it.
    if input.sibling(input.path).is_none() {
        siblings.remove(input.path);
    }
    let after = super::super::parse(&Input {
        path: input.path,
        bytes: written.get(input.path).map_or(input.bytes, Vec::as_slice),
        siblings: &siblings,
    })
    .map_err(|error| format!("the result {error}"))?;

    let mut expected: Vec<(String, &str)> = Vec::new();
    for (number, node) in target.nodes.iter().enumerate() {
        let version = target.version(lockfile, number).unwrap_or_default();
        if node.was.is_some() || lists_all {
            expected.push((normalize(&node.name).into_owned(), version));
        }
    }
    let mut found: Vec<(String, &str)> = after
        .packages
        .iter()
        .map(|package| (normalize(&package.name).into_owned(), &*package.version))
        .collect();
    expected.sort();
    found.sort();
    if expected != found {
        return Err("the result would not have the intended packages".to_owned());
    }

    let names_dependents = lockfile.packages.iter().any(|one| !one.edges.is_empty());
    match names_dependents && edges_of_graph(target) != edges_of_file(&after) {
        true => Err("the result would not have the intended dependents".to_owned()),
        false => Ok(()),
    }
}

/// The names of the dependencies of each package.
type Edges = BTreeMap<String, BTreeSet<String>>;

fn edges_of_graph(target: &TargetGraph) -> Edges {
    let mut edges = Edges::new();
    for node in &target.nodes {
        for edge in &node.edges {
            if let Some(to) = target.nodes.get(edge.to) {
                let names = edges.entry(normalize(&node.name).into_owned()).or_default();
                names.insert(normalize(&to.name).into_owned());
            }
        }
    }
    edges
}

fn edges_of_file(lockfile: &Lockfile) -> Edges {
    let mut edges = Edges::new();
    let name = |index: PackageIndex| {
        lockfile
            .package(index)
            .map(|package| normalize(&package.name).into_owned())
    };
    for package in &lockfile.packages {
        for edge in &package.edges {
            let names = edges
                .entry(normalize(&package.name).into_owned())
                .or_default();
            names.extend(name(edge.to));
        }
    }
    edges
}
