//! Direct changes of `yarn.lock`.
//!
//! Version 1 is written whole: everything in an entry comes from the registry's document. In later
//! versions an entry has a checksum of the zip archive that yarn itself makes of a package. Where that
//! archive is not compressed, its bytes follow from the registry's archive. Other files are left to
//! yarn.

mod archive;
mod berry;
mod blocks;
mod classic;
mod manifest;
mod overrides;
pub(in crate::npm) mod registry;

use patchgate_model::Lockfile;

use crate::lockfile_writer::write_lockfile;
use crate::{
    Downloads, EditError, Input, LockfileWriter, MetadataRequest, Release, Siblings, TargetGraph,
    WriteError,
};

/// The writer of `yarn.lock`.
#[derive(Debug)]
pub(in crate::npm) struct YarnWriter;

/// Name of the format of yarn 1.
const CLASSIC: &str = "yarn-lock-v1";

impl LockfileWriter for YarnWriter {
    /// The archive, of which later versions have a hash of their own.
    fn downloads_for(
        &self,
        lockfile: &Lockfile,
        _name: &str,
        release: &Release,
    ) -> Vec<MetadataRequest> {
        if lockfile.format.as_str() == CLASSIC {
            return Vec::new();
        }
        let address = berry::archive_of(release).map(str::to_owned);
        let request = |url| MetadataRequest { url, accept: None };
        address.map(request).into_iter().collect()
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        write_lockfile(input, lockfile, target, || match lockfile.format.as_str() {
            CLASSIC => classic::write(input, lockfile, target).map(String::into_bytes),
            _ => berry::write(input, lockfile, target, downloads),
        })
    }

    /// Later versions lock the version of a resolution under a key of its own, which is not written.
    fn writes_overrides(&self, lockfile: &Lockfile) -> bool {
        lockfile.format.as_str() == CLASSIC
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
