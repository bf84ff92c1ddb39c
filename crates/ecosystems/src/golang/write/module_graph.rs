//! The `go.mod` files that Go reads because of a release, besides its own.

use std::collections::BTreeSet;

use super::super::directives::Directives;
use super::super::registry::{self, is_pruned};
use super::super::sums::Sums;
use super::{Change, Writer, go_mod_address};
use crate::{MetadataRequest, WriteError};

/// Most `go.mod` files that are read because of one release.
const MAX_GO_MODS: usize = 2_000;

/// A `go.mod` file that Go reads to know a module graph.
pub(super) struct Read<'a> {
    pub(super) path: String,
    pub(super) version: String,
    /// Its address at the proxy.
    address: Option<String>,
    /// What the proxy sent, if it was asked.
    pub(super) bytes: Option<&'a [u8]>,
}

fn requirements(go_mod: &Directives) -> Vec<(String, String)> {
    let requires = go_mod.requires.iter();
    requires
        .map(|one| (one.path.clone(), one.version.clone()))
        .collect()
}

impl<'a> Writer<'a> {
    /// The `go.mod` files that Go reads because of a release and whose sums are not known. Those are the
    /// ones of its requirements, at the versions that they state, and of theirs, unless both the project
    /// and the release are from Go 1.17 or later (<https://go.dev/ref/mod#graph-pruning>).
    pub(super) fn read_below(
        &self,
        change: &Change<'_>,
        sums: &Sums,
    ) -> Result<Vec<Read<'a>>, WriteError> {
        if self.is_pruned() && is_pruned(&change.go_mod) {
            return Ok(Vec::new());
        }

        let mut read: Vec<Read<'a>> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut queue = requirements(&change.go_mod);
        while let Some((path, version)) = queue.pop() {
            if self.is_known(sums, &path, &version) || !seen.insert((path.clone(), version.clone()))
            {
                continue;
            }
            if seen.len() > MAX_GO_MODS {
                return Err(self.error(format!(
                    "`{} {}` requires more than {MAX_GO_MODS} modules",
                    change.name, change.release.version
                )));
            }

            let address = go_mod_address(change.name, change.release, &path, &version);
            let bytes = address.as_ref().and_then(|one| self.downloads.get(one));
            if let Some(bytes) = bytes {
                let below = registry::go_mod(bytes);
                queue.extend(requirements(
                    &below.map_err(|error| self.error(error.to_string()))?,
                ));
            }
            read.push(Read {
                path,
                version,
                address,
                bytes: bytes.map(Vec::as_slice),
            });
        }

        Ok(read)
    }

    /// The `go.mod` files that [`Self::write`] needs and that were not fetched.
    pub(super) fn lacking(&self) -> Vec<MetadataRequest> {
        let sums = self.input.sibling(&self.sum_path).unwrap_or_default();
        let sums = Sums::new(std::str::from_utf8(sums).unwrap_or_default());
        let mut addresses = BTreeSet::new();
        for change in self.needed() {
            let read = self.read_below(change, &sums).unwrap_or_default();
            let lacking = read.into_iter().filter(|read| read.bytes.is_none());
            addresses.extend(lacking.filter_map(|read| read.address));
        }

        addresses
            .into_iter()
            .map(|url| MetadataRequest { url, accept: None })
            .collect()
    }

    /// Whether nothing has to be added for a requirement: its sum is known, or Go does not read it.
    fn is_known(&self, sums: &Sums, path: &str, version: &str) -> bool {
        let (path, version) = match self.file.replacement(path, version) {
            Some(by) => match &by.version {
                Some(version) => (by.to.as_str(), version.as_str()),
                None => return true,
            },
            None => (path, version),
        };
        path == self.file.module
            || self.file.excludes(path, version)
            || sums.has_go_mod(path, version)
    }
}
