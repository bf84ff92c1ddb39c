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

use std::collections::BTreeMap;

use patchgate_model::{Lockfile, PackageIndex};

use self::block::{Block, Document};
use self::files::Targets;
use crate::pypi::name::normalize;
use crate::pypi::release_files;
use crate::{
    Downloads, Input, LockfileWriter, MetadataRequest, Release, Siblings, TargetGraph, TargetNode,
    WriteError,
};

/// The writer of `pdm.lock`.
#[derive(Debug, Clone, Copy)]
pub(in crate::pypi) struct PdmLockWriter;

impl LockfileWriter for PdmLockWriter {
    /// The metadata of one of the release's files: an entry repeats its summary.
    fn downloads(&self, _name: &str, release: &Release) -> Vec<MetadataRequest> {
        files::metadata(release).into_iter().collect()
    }

    fn write(
        &self,
        input: &Input<'_>,
        lockfile: &Lockfile,
        target: &TargetGraph,
        downloads: &Downloads,
    ) -> Result<Siblings, WriteError> {
        let change = Change {
            input,
            lockfile,
            target,
            downloads,
        };
        let text = change
            .write()
            .map_err(|reason| WriteError::new(input, reason))?;
        let mark = input.bytes.len() - input.text().map_or(0, str::len);
        let mut bytes = input.bytes.get(..mark).unwrap_or_default().to_vec();
        bytes.extend_from_slice(text.as_bytes());
        Ok(Siblings::from([(input.path.to_owned(), bytes)]))
    }
}

/// One change of a file.
struct Change<'a> {
    input: &'a Input<'a>,
    lockfile: &'a Lockfile,
    target: &'a TargetGraph,
    downloads: &'a Downloads,
}

impl Change<'_> {
    fn write(&self) -> Result<String, String> {
        let text = self.input.text().map_err(|error| error.reason)?;
        if *self.target == TargetGraph::unchanged(self.lockfile) {
            return Ok(text.to_owned());
        }

        let mut document = Document::read(text)?;
        let targets = Targets::read(text)?;
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
        if let Some(digest) = hash::new(self.input, self.lockfile, self.target, &document)? {
            document.set_hash(&digest)?;
        }

        let changed = document.finish();
        self.verify(&changed)?;
        Ok(changed)
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
        block.set_text("requires_python", release.runtime.as_deref());
        block.set_text("summary", Some(&files::summary(&name, release, self.downloads)?));
        block.set_list("dependencies", &new);
        block.set_rows("files", &targets.rows(&name, release)?);
        dependencies::same_conditions(&name, &old, &new, targets.inherits)
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
            block.set_text("requires_python", release.runtime.as_deref());
            block.set_text("summary", Some(&files::summary(&name, release, self.downloads)?));
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

    /// Reads the result, and checks that it has the packages of the graph and their dependencies.
    fn verify(&self, text: &str) -> Result<(), String> {
        let after = super::parse(&Input {
            bytes: text.as_bytes(),
            ..*self.input
        })
        .map_err(|error| format!("the result {error}"))?;
        if let Some(gap) = after.skipped.first() {
            return Err(format!("the result {}", gap.reason));
        }

        let mut expected: Vec<(String, &str)> = (0..)
            .zip(&self.target.nodes)
            .map(|(number, node)| {
                let version = self.target.version(self.lockfile, number);
                (
                    normalize(&node.name).into_owned(),
                    version.unwrap_or_default(),
                )
            })
            .collect();
        let mut found: Vec<(String, &str)> = after
            .packages
            .iter()
            .map(|package| (normalize(&package.name).into_owned(), &*package.version))
            .collect();
        expected.sort();
        found.sort();
        match expected == found {
            true => Ok(()),
            false => Err("the result would not have the intended packages".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
