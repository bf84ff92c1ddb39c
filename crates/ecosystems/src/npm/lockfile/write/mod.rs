//! Direct changes of `package-lock.json` and `npm-shrinkwrap.json`.
//!
//! What npm writes is a function of its tree (arborist's `lib/shrinkwrap.js`), and every field of a
//! package from a registry is in the registry's description. So a change is: the entries of the new
//! releases, a place for each copy, the flags that follow, and the requirements of the manifests.
//!
//! Deliberately not here: releases with packages or a lockfile in their archive, which would have to be
//! downloaded.

mod change;
mod entry;
mod flags;
mod legacy;
mod order;
mod overrides;
mod place;
mod print;
mod projects;
mod tree;
mod verify;

use patchgate_model::Lockfile;

use crate::lockfile_writer::write_lockfile;
use crate::{
    Downloads, EditError, Input, LockfileWriter, MetadataRequest, Release, Siblings, TargetGraph,
    WriteError,
};

/// The writer of `package-lock.json` and `npm-shrinkwrap.json`.
#[derive(Debug)]
pub(in crate::npm) struct NpmLockWriter;

impl LockfileWriter for NpmLockWriter {
    fn downloads(&self, name: &str, release: &Release) -> Vec<MetadataRequest> {
        entry::download(name, release).into_iter().collect()
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || {
            change::write(input, lockfile, target, downloads)
        })
    }

    fn write_override(
        &self,
        lockfile: &str,
        manifests: &Siblings,
        name: &str,
        version: &str,
    ) -> Result<Option<(String, String)>, EditError> {
        overrides::write(lockfile, manifests, name, version).map(Some)
    }
}

#[cfg(test)]
mod tests;
