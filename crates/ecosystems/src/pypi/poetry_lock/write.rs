//! Direct changes of `poetry.lock`, as Poetry 2 writes the file.
//!
//! The entry of a package that gets another release is written again. Poetry also computes from the
//! whole graph in which groups and environments each package is needed. Changes after which that
//! would be computed again for other packages are refused, and so are markers with alternatives, whose
//! order Poetry changes.

mod document;
mod entry;
mod graph;
mod hash;
mod text;

use patchgate_model::Lockfile;

use self::document::Document;
use crate::pypi::name::normalize;
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of `poetry.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct PoetryLockWriter;

impl LockfileWriter for PoetryLockWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let bytes = match *target == TargetGraph::unchanged(lockfile) {
            true => input.bytes.to_vec(),
            false => {
                write(input, lockfile, target).map_err(|reason| WriteError::new(input, reason))?
            }
        };
        Ok(Siblings::from([(input.path.to_owned(), bytes)]))
    }
}

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<Vec<u8>, String> {
    let text = input.text().map_err(|error| error.reason)?;
    let has_mark = text.len() != input.bytes.len();
    let has_returns = text.contains('\r');
    if has_returns && text.matches("\r\n").count() != text.matches('\n').count() {
        return Err("it has line ends of several kinds".to_owned());
    }
    let plain = text.replace("\r\n", "\n");

    let mut document = Document::read(&plain, lockfile)?;
    if let Some(hash) = hash::new(input, lockfile, target, document.hash())? {
        document.set_hash(&hash);
    }
    let written = document.assemble(graph::entries(&document, target)?);
    verify(input, &written, lockfile, target)?;

    let written = match has_returns {
        true => written.replace('\n', "\r\n"),
        false => written,
    };
    let mark: &[u8] = if has_mark { "\u{feff}".as_bytes() } else { b"" };
    Ok([mark, written.as_bytes()].concat())
}

/// Reads the result, and checks that it has the packages of the graph.
fn verify(
    input: &Input<'_>,
    text: &str,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<(), String> {
    let after = super::parse(&Input {
        bytes: text.as_bytes(),
        ..*input
    })
    .map_err(|error| format!("the result {error}"))?;
    let mut expected: Vec<(String, &str)> = (0..)
        .zip(&target.nodes)
        .map(|(number, node)| {
            let version = target.version(lockfile, number).unwrap_or_default();
            (normalize(&node.name).into_owned(), version)
        })
        .collect();
    let mut found: Vec<(String, &str)> = after
        .packages
        .iter()
        .map(|package| (normalize(&package.name).into_owned(), &*package.version))
        .collect();
    expected.sort();
    found.sort();
    match expected == found && after.skipped.is_empty() {
        true => Ok(()),
        false => Err("the result would not have the intended packages".to_owned()),
    }
}

#[cfg(test)]
mod tests;
