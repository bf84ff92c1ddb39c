//! Direct changes of `uv.lock`, as uv writes the file
//! (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
//!
//! The entry of a package that gets another release is written again: dependencies with their
//! markers, extras that something asks for, and the files that fit the project's versions of Python.
//! Entries that stay keep their bytes. Refused is what only a resolution for all environments decides:
//! other environments than before, and packages that have a version for each of several.

mod document;
mod entry;
mod files;
mod graph;
mod tags;

use patchgate_model::Lockfile;

use self::document::Document;
use self::graph::Plan;
use crate::pypi::name::normalize;
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of `uv.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct UvLockWriter;

impl LockfileWriter for UvLockWriter {
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
    document.change_requirements(lockfile, target)?;
    let plan = Plan::new(&document, lockfile, target)?;
    let written = document.assemble(plan.entries()?);
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
