//! Direct changes of `yarn.lock`.
//!
//! Version 1 is written whole: everything in an entry comes from the registry's document. In later
//! versions an entry has a checksum of the zip archive that yarn itself makes of a package, which no
//! registry knows. These files are left to yarn.

mod blocks;
mod classic;
mod overrides;
pub(in crate::npm) mod registry;

use patchgate_model::Lockfile;

use crate::{Downloads, EditError, Input, LockfileWriter, Siblings, TargetGraph, WriteError};

/// The writer of `yarn.lock`.
#[derive(Debug)]
pub(in crate::npm) struct YarnWriter;

/// Name of the format of yarn 1.
const CLASSIC: &str = "yarn-lock-v1";

impl LockfileWriter for YarnWriter {
    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        _downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let bytes = if *target == TargetGraph::unchanged(lockfile) {
            input.bytes.to_vec()
        } else if lockfile.format.as_str() == CLASSIC {
            classic::write(input, lockfile, target)?.into_bytes()
        } else {
            let reason = "its checksums are those of archives that only yarn makes";
            return Err(WriteError::new(input, reason));
        };

        Ok(Siblings::from([(input.path.to_owned(), bytes)]))
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
