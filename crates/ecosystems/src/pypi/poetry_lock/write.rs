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
use crate::line_ends::PlainText;
use crate::lockfile_writer::write_lockfile;
use crate::pypi::written::verify;
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of `poetry.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct PoetryLockWriter;

impl LockfileWriter for PoetryLockWriter {
    fn locks_every_environment(&self, _lockfile: &Lockfile) -> bool {
        true
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || write(input, lockfile, target))
    }
}

fn write(input: &Input<'_>, lockfile: &Lockfile, target: &TargetGraph) -> Result<Vec<u8>, String> {
    let plain = PlainText::of(input)?;
    let mut document = Document::read(&plain.text, lockfile)?;
    if let Some(hash) = hash::new(input, lockfile, target, document.hash())? {
        document.set_hash(&hash);
    }
    let written = document.assemble(graph::entries(&document, target)?);
    verify(input, &written, super::parse, lockfile, target)?;
    Ok(plain.restore(&written))
}

#[cfg(test)]
mod tests;
