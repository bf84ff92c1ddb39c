//! Direct changes of a `pnpm-lock.yaml`: whole entries are replaced, added and removed, and all other
//! lines stay.
//!
//! The order and the fields of an entry follow what pnpm writes (`sortLockfileKeys` and
//! `toLockfileDependency` in pnpm's sources). Peers are computed, and a change of them that does not
//! follow from the graph is refused, because pnpm alone decides which copy satisfies them.

mod document;
mod entry;
mod graph;
mod old;
mod peers;
mod projects;
mod settings;

use std::collections::BTreeMap;

use patchgate_model::Lockfile;

use self::document::Document;
use self::graph::Copies;
use self::old::Form;
use crate::line_ends::PlainText;
use crate::npm::pnpm::{generation, packages, rush, workspace};
use crate::npm::tree::Count;
use crate::syntax;
use crate::{
    Downloads, EditError, Input, LockfileWriter, Siblings, SkippedEntries, TargetGraph, WriteError,
};

/// The writer of `pnpm-lock.yaml`.
#[derive(Debug, Clone, Copy)]
pub(in crate::npm) struct PnpmWriter;

impl LockfileWriter for PnpmWriter {
    /// Catalogs and overrides, and programs that change what packages need.
    fn reads(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        name == workspace::WORKSPACE || settings::HOOKS.contains(&name)
    }

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
                changed(input, lockfile, target).map_err(|reason| WriteError::new(input, reason))?
            }
        };

        Ok(BTreeMap::from([(input.path.to_owned(), bytes)]))
    }

    fn write_override(
        &self,
        lockfile: &str,
        manifests: &Siblings,
        name: &str,
        version: &str,
    ) -> Result<Option<(String, String)>, EditError> {
        workspace::write_override(lockfile, manifests, name, version).map(Some)
    }
}

/// The bytes of a lockfile that changes.
///
/// # Errors
/// The obstacle, as [`WriteError::reason`].
fn changed(
    input: &Input<'_>,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<Vec<u8>, String> {
    if lockfile.gap().is_some() {
        return Err("it has entries that cannot be read".to_owned());
    }

    let plain = PlainText::of(input)?;
    let documents = syntax::yaml_documents(&plain.text).map_err(|error| error.reason)?;
    let mut skipped = SkippedEntries::default();
    let mut count = Count::default();
    let mut before = 0;
    // The project's own document is the last one; the one before it belongs to pnpm itself.
    let Some((own, others)) = documents.split_last() else {
        return Err("it has no document".to_owned());
    };
    for document in others {
        let generation = generation(document, &mut skipped).map_err(|error| error.reason)?;
        let entries = packages::entries(document, generation, &mut count, &mut skipped)
            .map_err(|error| error.reason)?;
        before += entries.copies.len();
    }
    let generation = generation(own, &mut skipped).map_err(|error| error.reason)?;
    let form = Form::of(own, generation).ok_or("files of this version are changed by pnpm only")?;
    if form != Form::Nine && !others.is_empty() {
        return Err("it has more documents than its version".to_owned());
    }
    let entries = packages::entries(own, generation, &mut count, &mut skipped)
        .map_err(|error| error.reason)?;

    settings::check(input, own, target, form)?;
    let overrides = settings::changed_overrides(input, own);
    let copies = Copies::new(lockfile, target, &entries, before, own, form)?;
    let mut document = Document::new(&plain.text, own)?;
    match form {
        Form::Nine => copies.write_packages(own, &mut document)?,
        _ => copies.write_whole(own, &mut document)?,
    }
    copies.write_importers(own, &overrides, &mut document)?;
    if !overrides.is_empty() {
        copies.have_no_peer(&overrides)?;
        settings::write_overrides(own, &overrides, &mut document)?;
    }

    Ok(plain.restore(&document.into_text()))
}

/// The path of the manifest in a project's directory, which the lockfile names from its own.
fn manifest(lockfile: &str, directory: &str) -> String {
    let path = rush::path_of_use(lockfile);
    let base = parent(path.as_deref().unwrap_or(lockfile));
    crate::npm::lockfile::joined(base, directory, "package.json").unwrap_or_default()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests;
