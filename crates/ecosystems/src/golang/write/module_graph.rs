//! The `go.mod` files that Go reads because of a release, and the lower bounds in them.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::DependencyKind;

use super::super::archive::go_mod_hash;
use super::super::directives::Directives;
use super::super::registry::{self, is_pruned};
use super::super::sums::Sums;
use super::super::version;
use super::{Change, Writer, address_of};
use crate::{FoundRequirement, Requirement, WriteError};

/// Most `go.mod` files that are read because of one release.
const MAX_GO_MODS: usize = 2_000;

/// A `go.mod` file that Go reads to know a module graph.
pub(super) struct Read<'a> {
    pub(super) path: String,
    pub(super) version: String,
    /// Its address at the proxy.
    pub(super) address: Option<String>,
    /// What the proxy sent, if it was asked.
    pub(super) bytes: Option<&'a [u8]>,
}

/// What Go reads because of a release.
#[derive(Default)]
pub(super) struct Below<'a> {
    /// The modules that it requires, each with the highest version.
    pub(super) bounds: BTreeMap<String, String>,
    /// The files whose sums are not known.
    pub(super) read: Vec<Read<'a>>,
}

impl Below<'_> {
    /// Adds requirements, each also to what is to be read.
    fn require(&mut self, go_mod: &Directives, writer: &Writer<'_>) -> Vec<(String, String)> {
        let requires = go_mod.requires.iter();
        let mut required = Vec::new();
        for one in requires.filter(|one| !writer.file.excludes(&one.path, &one.version)) {
            let known = self.bounds.entry(one.path.clone()).or_default();
            if known.is_empty() || version::compare(known, &one.version).is_lt() {
                known.clone_from(&one.version);
            }
            required.push((one.path.clone(), one.version.clone()));
        }
        required
    }
}

impl<'a> Writer<'a> {
    /// The modules that a release requires, and the `go.mod` files that Go reads because of it and whose
    /// sums are not known. Those are the ones of its requirements, at the versions that they state, and
    /// of theirs, unless both the project and the release are from Go 1.17 or later
    /// (<https://go.dev/ref/mod#graph-pruning>).
    ///
    /// A file whose sum is known is not read again: it belongs to the graph as it is, whose bounds are
    /// met. The files of the modules that the project lists are an exception, because Go may not have read
    /// what they require.
    pub(super) fn below(&self, change: &Change<'_>, sums: &Sums) -> Result<Below<'a>, WriteError> {
        let mut below = Below::default();
        let mut queue = below.require(&change.go_mod, self);
        if self.is_pruned() && is_pruned(&change.go_mod) {
            return Ok(below);
        }

        let mut seen = BTreeSet::new();
        while let Some(required) = queue.pop() {
            let Some((path, version)) = self.replaced(required) else {
                continue;
            };
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

            let address = address_of(change.name, change.release, &path, &version, "mod");
            let bytes = address.as_ref().and_then(|one| self.downloads.get(one));
            if let Some(bytes) = bytes {
                let file = registry::go_mod(bytes).map_err(|error| {
                    self.error(format!("the `go.mod` of `{path} {version}` {error}"))
                })?;
                queue.extend(below.require(&file, self));
            }
            below.read.push(Read {
                path,
                version,
                address,
                bytes: bytes.map(Vec::as_slice),
            });
        }

        Ok(below)
    }

    /// Refuses a graph that minimal version selection would change: one in which a module has a lower
    /// version than a release requires, itself or through what it requires.
    pub(super) fn check_bounds(
        &self,
        changes: &[&Change<'_>],
        sums: &Sums,
    ) -> Result<(), WriteError> {
        let mut listed = self.locked.clone();
        for change in changes.iter().filter(|change| change.replaces.is_none()) {
            listed.insert(change.name, &change.release.version);
        }

        let mut error: Option<WriteError> = None;
        let mut unread = None;
        for change in changes {
            let below = self.below(change, sums)?;
            let first = below.read.iter().find(|read| read.bytes.is_none());
            unread = unread.or_else(|| first.map(|read| self.is_unread(read, change)));
            for (path, bound) in below.bounds {
                let Some(version) = listed.get(path.as_str()) else {
                    continue;
                };
                let is_replaced = self.file.replacement(&path, version).is_some();
                if is_replaced || version::compare(version, &bound).is_ge() {
                    continue;
                }

                let first = error.get_or_insert_with(|| {
                    self.error(format!(
                        "`{} {}` requires `{path} {bound}`, and the graph has {version}",
                        change.name, change.release.version
                    ))
                });
                first.requirements.push(FoundRequirement {
                    package: change.name.to_owned(),
                    version: change.release.version.clone(),
                    requirement: Requirement {
                        name: path,
                        requirement: bound,
                        kind: DependencyKind::Runtime,
                        only_bounds: true,
                        ..Requirement::default()
                    },
                });
            }
        }
        error.or(unread).map_or(Ok(()), Err)
    }

    fn is_unread(&self, read: &Read<'_>, change: &Change<'_>) -> WriteError {
        self.error(format!(
            "the sum of `{} {}/go.mod`, which `{} {}` requires, is not known",
            read.path, read.version, change.name, change.release.version
        ))
    }

    /// Adds the sums of the `go.mod` files that Go reads because of a release.
    pub(super) fn add_sums_of_requirements(
        &self,
        change: &Change<'_>,
        known: &Sums,
        sums: &mut Sums,
    ) -> Result<(), WriteError> {
        for read in self.below(change, known)?.read {
            let bytes = read.bytes.ok_or_else(|| self.is_unread(&read, change))?;
            sums.add(
                &read.path,
                &format!("{}/go.mod", read.version),
                &go_mod_hash(bytes),
            )
            .map_err(|reason| self.error(reason))?;
        }
        Ok(())
    }

    /// The module and the version that Go reads for a requirement. `None` for a directory, and for the
    /// project itself.
    fn replaced(&self, (path, version): (String, String)) -> Option<(String, String)> {
        let read = match self.file.replacement(&path, &version) {
            Some(by) => (by.to.clone(), by.version.clone()?),
            None => (path, version),
        };
        (read.0 != self.file.module).then_some(read)
    }

    /// Whether the sum of a module's `go.mod` is known, and so are those of everything below it.
    fn is_known(&self, sums: &Sums, path: &str, version: &str) -> bool {
        let is_listed = self.locked.get(path) == Some(&version);
        sums.has_go_mod(path, version) && !(is_listed && self.is_pruned())
    }

    /// The requirements of the file that Go raises although their modules are replaced, with the new
    /// versions: what is replaced still has the version that minimal version selection gives it.
    pub(super) fn raised_replaced(
        &self,
        changes: &[&Change<'_>],
    ) -> Result<BTreeMap<&str, String>, WriteError> {
        let sums = self.known_sums();
        let mut raised: BTreeMap<&str, String> = BTreeMap::new();
        for change in changes {
            let bounds = self.below(change, &sums)?.bounds;
            for one in &self.file.requires {
                let bound = bounds
                    .get(&one.path)
                    .filter(|bound| version::compare(&one.version, bound).is_lt());
                let (Some(bound), Some(by)) =
                    (bound, self.file.replacement(&one.path, &one.version))
                else {
                    continue;
                };
                if self.file.replacement(&one.path, bound) != Some(by) {
                    return Err(self.error(format!(
                        "`{} {}` requires `{} {bound}`, and the file replaces {} only",
                        change.name, change.release.version, one.path, one.version
                    )));
                }

                let known = raised.entry(&one.path).or_default();
                if known.is_empty() || version::compare(known, bound).is_lt() {
                    known.clone_from(bound);
                }
            }
        }
        Ok(raised)
    }
}
