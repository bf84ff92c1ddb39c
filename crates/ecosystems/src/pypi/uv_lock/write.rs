//! Direct changes of `uv.lock`, as uv writes the file
//! (<https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile>).
//!
//! The entry of a package that gets another release is written again: dependencies with their
//! markers, extras that something asks for, and the files that fit the project's versions of Python.
//! Entries that stay keep their bytes. A package can have a version for each of several ranges of
//! Python. Refused is what only a resolution for all environments decides: other environments than
//! before, and versions for other environments than ranges of Python.

mod document;
mod entry;
pub(in crate::pypi) mod files;
mod graph;
mod tags;

use patchgate_model::Lockfile;

use self::document::Document;
use self::graph::Plan;
use crate::line_ends::PlainText;
use crate::lockfile_writer::write_lockfile;
use crate::pypi::written::verify;
use crate::{Downloads, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of `uv.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct UvLockWriter;

impl LockfileWriter for UvLockWriter {
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
    document.change_requirements(lockfile, target)?;
    document.change_copies(lockfile, target);
    let plan = Plan::new(&document, lockfile, target)?;
    let written = document.assemble(plan.entries()?);
    verify(input, &written, super::parse, lockfile, target)?;
    Ok(plain.restore(&written))
}

#[cfg(test)]
mod tests;
