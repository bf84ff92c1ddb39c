//! Direct changes of `pdm.lock`, in versions of the format whose entries have their files (4.1 and
//! later).
//!
//! PDM copies conditions and groups from dependents to dependencies (`inherit_metadata`). A change by
//! which an entry would get other conditions is refused, because their simplification is PDM's own.

mod block;
mod dependencies;
mod files;
mod hash;
mod inherited;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, PackageIndex};

use self::block::{Block, Document};
use self::files::Targets;
use crate::line_ends::PlainText;
use crate::lockfile_writer::write_lockfile;
use crate::pypi::name::normalize;
use crate::pypi::release_files;
use crate::pypi::requirement::Requirement;
use crate::pypi::written::verify;
use crate::{
    Downloads, Input, LockfileWriter, Release, Siblings, TargetGraph, TargetNode, WriteError,
};

/// The writer of `pdm.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct PdmLockWriter;

impl LockfileWriter for PdmLockWriter {
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
        let change = Change {
            input,
            lockfile,
            target,
        };
        write_lockfile(input, lockfile, target, || change.write())
    }
}

/// One change of a file.
struct Change<'a> {
    input: &'a Input<'a>,
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
}

impl Change<'_> {
    fn write(&self) -> Result<Vec<u8>, String> {
        let plain = PlainText::of(self.input)?;
        let mut document = Document::read(&plain.text)?;
        let targets = Targets::read(&plain.text)?;
        let lacking = lacking(&document)?;
        let nodes: BTreeMap<PackageIndex, &TargetNode> = self
            .target
            .nodes
            .iter()
            .filter_map(|node| Some((node.was?, node)))
            .collect();

        let mut kept = Vec::new();
        for mut block in std::mem::take(&mut document.blocks) {
            let package = self.package_of(&block)?;
            let Some(node) = nodes.get(&package) else {
                continue;
            };
            if let Some(release) = &node.release {
                self.change(&mut block, release, &targets)?;
            }
            kept.push(block);
        }
        document.blocks = kept;
        inherited::check(self.lockfile, self.target, &document, targets.inherits)?;
        self.add_new(&mut document, &targets)?;
        if targets.inherits {
            self.inherit_markers(&mut document)?;
        }
        for (name, marker) in self::lacking(&document)?.difference(&lacking) {
            if targets.may_apply(marker) {
                return Err(format!("it needs `{name}`, which nothing needed before"));
            }
        }
        if let Some(digest) = hash::new(self.input, self.lockfile, self.target, &document)? {
            document.set_hash(&digest)?;
        }

        let changed = document.finish();
        verify(
            self.input,
            &changed,
            super::parse,
            self.lockfile,
            self.target,
        )?;
        Ok(plain.restore(&changed))
    }

    /// The package that was read from an entry.
    fn package_of(&self, block: &Block) -> Result<PackageIndex, String> {
        let (name, version) = (block.text("name")?, block.text("version")?);
        let mut found = self.lockfile.indexed().filter(|(_, package)| {
            normalize(&package.name) == normalize(&name) && package.version == version
        });
        match (found.next(), found.next()) {
            (Some((index, _)), None) => Ok(index),
            _ => Err(format!("`{name}` {version} is not one package")),
        }
    }

    /// Gives an entry another release.
    fn change(
        &self,
        block: &mut Block,
        release: &Release,
        targets: &Targets,
    ) -> Result<(), String> {
        let name = block.text("name")?;
        release_files::check(&name, &release.version)?;
        if !block.has("files") {
            return Err(format!("the hashes of `{name}` are not in its entry"));
        }
        let extras = block.list("extras")?;
        let old = block.list("dependencies")?;
        let new = dependencies::lines(&name, release, &extras, &old)?;

        block.set_text("version", Some(&release.version));
        block.set_text("requires_python", files::python(release).as_deref());
        block.set_text("summary", Some(files::summary(&name, release)?));
        block.set_list("dependencies", &new);
        block.set_rows("files", &targets.rows(&name, release)?);
        dependencies::same_conditions(&name, &old, &new, targets.inherits)
    }

    /// Gives the packages that the file did not have the marker of the lines that require them.
    ///
    /// # Errors
    /// If PDM would join several markers, which is its own.
    fn inherit_markers(&self, document: &mut Document) -> Result<(), String> {
        let new = self.target.nodes.iter().filter(|node| node.was.is_none());
        let new: BTreeSet<String> = new.map(|node| normalize(&node.name).into_owned()).collect();
        let mut markers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for block in &document.blocks {
            for line in block.list("dependencies")? {
                let parsed = Requirement::parse(&line);
                let parsed = parsed.ok_or_else(|| format!("`{line}` is not a requirement"))?;
                let name = normalize(parsed.name).into_owned();
                if !new.contains(&name) {
                    continue;
                }
                let dependent = normalize(&block.text("name")?).into_owned();
                let is_conditional = !parsed.marker.is_empty();
                if block.has("marker") || (is_conditional && new.contains(&dependent)) {
                    return Err(format!("`{name}` would get a marker"));
                }
                let known = markers.entry(name).or_default();
                known.insert(parsed.marker.to_owned());
            }
        }

        for block in &mut document.blocks {
            let name = normalize(&block.text("name")?).into_owned();
            let mut markers = markers.remove(&name).unwrap_or_default().into_iter();
            match (markers.next(), markers.next()) {
                (None, _) => {}
                (Some(none), None) if none.is_empty() => {}
                (Some(one), None) if !one.contains(" and ") && !one.contains(" or ") => {
                    block.set_text("marker", Some(&one));
                }
                _ => return Err(format!("`{name}` would get a marker of several")),
            }
        }
        Ok(())
    }

    /// Adds the packages that the file did not have, sorted by name.
    fn add_new(&self, document: &mut Document, targets: &Targets) -> Result<(), String> {
        for (number, node) in self.target.nodes.iter().enumerate() {
            if node.was.is_some() {
                continue;
            }
            let name = normalize(&node.name).into_owned();
            let release = node.release.as_ref();
            let release = release.ok_or_else(|| format!("the release of `{name}` is not known"))?;
            release_files::check(&name, &release.version)?;
            let lines = dependencies::lines(&name, release, &[], &[])?;

            let mut block = Block::new(document);
            block.set_text("name", Some(&name));
            block.set_text("version", Some(&release.version));
            block.set_text("requires_python", files::python(release).as_deref());
            block.set_text("summary", Some(files::summary(&name, release)?));
            if targets.inherits {
                let groups = inherited::groups(self.lockfile, self.target, number)?;
                block.set_short_list("groups", &groups);
            }
            block.set_list("dependencies", &lines);
            block.set_rows("files", &targets.rows(&name, release)?);
            document.insert(block)?;
        }

        Ok(())
    }
}

/// The dependencies without an entry, each with its marker: those that no target of the file needs.
fn lacking(document: &Document) -> Result<BTreeSet<(String, String)>, String> {
    let mut names = BTreeSet::new();
    for block in &document.blocks {
        names.insert(normalize(&block.text("name")?).into_owned());
    }
    let mut lacking = BTreeSet::new();
    for block in &document.blocks {
        for line in block.list("dependencies")? {
            let parsed = Requirement::parse(&line);
            let parsed = parsed.ok_or_else(|| format!("`{line}` is not a requirement"))?;
            let name = normalize(parsed.name).into_owned();
            if !names.contains(&name) {
                lacking.insert((name, parsed.marker.to_owned()));
            }
        }
    }

    Ok(lacking)
}

#[cfg(test)]
mod tests;
