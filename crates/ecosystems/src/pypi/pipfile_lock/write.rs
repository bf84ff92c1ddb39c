//! Direct changes of `Pipfile.lock`.
//!
//! Versions, hashes and the markers that follow from `Requires-Python` change in place. The hash of the
//! `Pipfile` changes only with its requirements.

mod document;
mod hash;
mod markers;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, PackageIndex};

use self::document::{Document, Entry, NewEntry};
use crate::lockfile_writer::write_lockfile;
use crate::pypi::name::normalize;
use crate::pypi::release_files;
use crate::pypi::requirement::exact_version;
use crate::pypi::written::verify;
use crate::{Downloads, Input, LockfileWriter, Release, Siblings, TargetGraph, WriteError};

/// The writer of `Pipfile.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct PipfileLockWriter;

impl LockfileWriter for PipfileLockWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || {
            let text = write(input, lockfile, target)?;
            let mark = input.bytes.len() - input.text().map_or(0, str::len);
            let mut bytes = input.bytes.get(..mark).unwrap_or_default().to_vec();
            bytes.extend_from_slice(text.as_bytes());
            Ok(bytes)
        })
    }
}

/// The algorithm of hashes. Pipenv knows no other.
const ALGORITHM: &str = "sha256";

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<String, String> {
    let text = input.text().map_err(|error| error.reason)?;
    let mut document = Document::read(text)?;
    let nodes: BTreeMap<PackageIndex, usize> = (0..)
        .zip(&target.nodes)
        .filter_map(|(number, node)| Some((node.was?, number)))
        .collect();
    for entry in document.entries() {
        let Some(index) = package_of(lockfile, &entry) else {
            continue;
        };
        let Some(node) = nodes.get(&index).and_then(|node| target.nodes.get(*node)) else {
            document.remove(&entry)?;
            continue;
        };
        if let Some(release) = &node.release {
            change(&mut document, &entry, release)?;
        }
    }

    add_new(&mut document, lockfile, target)?;
    if let Some(digest) = hash::new(input, lockfile, target, &document)? {
        document.set_hash(&digest)?;
    }

    let changed = document.finish();
    verify(input, &changed, super::parse, lockfile, target)?;
    Ok(changed)
}

/// The package of the lockfile that was read from an entry.
fn package_of(lockfile: &Lockfile, entry: &Entry) -> Option<PackageIndex> {
    let version = exact_version(entry.version.as_deref()?)?;
    lockfile
        .indexed()
        .find(|(_, package)| {
            normalize(&package.name) == normalize(&entry.name)
                && package.version == version
                && package.groups.contains(&entry.category)
        })
        .map(|(index, _)| index)
}

/// Gives an entry another release.
fn change(document: &mut Document<'_>, entry: &Entry, release: &Release) -> Result<(), String> {
    release_files::check(&entry.name, &release.version)?;
    document.set_version(entry, &release.version)?;
    if entry.has_hashes {
        let hashes = release_files::hashes(&entry.name, release, [ALGORITHM])?;
        document.set_hashes(entry, &hashes)?;
    }

    let style = document.marker_style();
    match markers::changed(entry.markers.as_deref(), release.runtime.as_deref(), style) {
        Ok(None) => Ok(()),
        Ok(Some(markers)) => document.set_markers(entry, &markers),
        Err(reason) => Err(format!("the markers of `{}` {reason}", entry.name)),
    }
}

/// Adds the packages that the file did not have to the categories of their dependents.
fn add_new(
    document: &mut Document<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<(), String> {
    let mut categories: Vec<BTreeSet<String>> = target
        .nodes
        .iter()
        .map(|node| {
            let package = node.was.and_then(|was| lockfile.package(was));
            package
                .map(|package| package.groups.iter().cloned().collect())
                .unwrap_or_default()
        })
        .collect();
    // A new package may be needed by another new one.
    for _ in 0..target.nodes.len() {
        let mut grows = false;
        for (number, node) in target.nodes.iter().enumerate() {
            let own = categories.get(number).cloned().unwrap_or_default();
            for edge in &node.edges {
                let is_new = target.nodes.get(edge.to).is_some_and(|to| to.was.is_none());
                if let Some(known) = categories.get_mut(edge.to).filter(|_| is_new)
                    && !own.is_subset(known)
                {
                    known.extend(own.iter().cloned());
                    grows = true;
                }
            }
        }
        if !grows {
            break;
        }
    }

    let mut added: Vec<(String, usize)> = (0..)
        .zip(&target.nodes)
        .filter(|(_, node)| node.was.is_none())
        .map(|(number, node)| (normalize(&node.name).into_owned(), number))
        .collect();
    added.sort();
    for (name, number) in added {
        let release = target
            .nodes
            .get(number)
            .and_then(|node| node.release.as_ref());
        let release = release.ok_or_else(|| format!("the release of `{name}` is not known"))?;
        release_files::check(&name, &release.version)?;
        let hashes = release_files::hashes(&name, release, [ALGORITHM])?;
        let style = document.marker_style();
        let markers = markers::changed(None, release.runtime.as_deref(), style)
            .map_err(|reason| format!("the markers of `{name}` {reason}"))?;
        let into = categories.get(number).cloned().unwrap_or_default();
        if into.is_empty() {
            return Err(format!("nothing depends on `{name}`"));
        }
        for category in into {
            let new = NewEntry {
                name: &name,
                version: &release.version,
                hashes: &hashes,
                markers: markers.as_deref(),
            };
            document.add(&category, &new)?;
        }
    }

    Ok(())
}

#[cfg(test)]
mod tests;
