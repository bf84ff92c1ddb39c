//! `pnpm-lock.yaml` of versions 5 to 9 (<https://github.com/pnpm/spec/blob/master/lockfile/>).
//!
//! Versions 5 and 6 keep all that is known of a package in one entry; version 9 keeps what the
//! registry says in `packages` and the copies that are installed, one for each set of peers, in
//! `snapshots`. pnpm 11 and later put a second document before the project's own: what pnpm itself
//! needs to run for the project.

mod dep_path;
mod importers;
mod packages;

use std::collections::HashSet;

use patchgate_model::{Lockfile, Origin, Package, Root};

use self::dep_path::Generation;
use super::tree::{self, Count, shortened};
use crate::syntax::{self, Node};
use crate::{Input, ParseError};

/// What the file should have been, for error texts.
const WHAT: &str = "a pnpm-lock.yaml";

/// What to do with a file that is not whole.
const REGENERATE: &str = "run `pnpm install --lockfile-only` to write it anew";

/// Most documents in one file. pnpm writes at most two.
const MAX_DOCUMENTS: usize = 8;

/// Reads a lockfile.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    // pnpm ends every line, and what is lost in the last one may leave YAML behind.
    if !text.ends_with('\n') {
        return Err(ParseError::new("ends in the middle of a line")
            .at_line(text.lines().count())
            .with_hint(REGENERATE));
    }

    let documents = syntax::yaml_documents(text)?;
    if let Some(document) = documents.get(MAX_DOCUMENTS) {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it holds more than {MAX_DOCUMENTS} documents"
        ))
        .at_line(document.line as usize));
    }

    let mut reader = Reader {
        input,
        count: Count::default(),
        packages: Vec::new(),
        roots: Vec::new(),
    };
    let mut newest = None;
    for document in &documents {
        newest = newest.max(Some(reader.document(document)?));
    }

    let Some(generation) = newest else {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it holds no document"
        )));
    };

    reader.name_aliases();
    let folders = reader.folders();
    let mut roots: Vec<Root> = reader.roots.into_iter().map(|(_, root)| root).collect();
    roots.extend(folders);

    Ok(tree::lockfile(
        input,
        generation.format(),
        reader.packages,
        roots,
    ))
}

struct Reader<'i, 'a> {
    input: &'i Input<'a>,
    count: Count,
    packages: Vec<Package>,
    /// By the folder of the project, from the lockfile's own.
    roots: Vec<(String, Root)>,
}

impl Reader<'_, '_> {
    /// Reads one document, with indices that go on from those of the document before.
    fn document(&mut self, document: &Node<'_>) -> Result<Generation, ParseError> {
        let generation = generation(document)?;
        let entries = packages::entries(document, generation, &mut self.count)?;
        self.packages.reserve(entries.copies.len());

        for copy in &entries.copies {
            let package = entries.package(copy, &mut self.count)?;
            self.packages.push(package);
        }

        importers::read(
            document,
            &entries,
            self.input,
            &mut self.count,
            &mut self.roots,
        )?;
        if self.roots.is_empty() {
            return Err(
                ParseError::new(format!("is not {WHAT}: it names no project"))
                    .at_line(document.line as usize)
                    .with_hint(REGENERATE),
            );
        }

        Ok(generation)
    }

    /// Gives a package that is asked for under other names only the first of these.
    fn name_aliases(&mut self) {
        let edges = || {
            self.roots
                .iter()
                .flat_map(|(_, root)| &root.edges)
                .chain(self.packages.iter().flat_map(|package| &package.edges))
        };
        let mut aliases: Vec<(usize, String)> = Vec::new();

        let mut known = vec![false; self.packages.len()];
        for edge in edges() {
            let index = edge.to.0 as usize;
            let Some(package) = self.packages.get(index) else {
                continue;
            };

            if package.name == edge.name {
                if let Some(known) = known.get_mut(index) {
                    *known = true;
                }
            } else {
                aliases.push((index, edge.name.to_string()));
            }
        }

        for (index, alias) in aliases {
            if known.get(index) == Some(&false)
                && let Some(package) = self.packages.get_mut(index)
                && package.alias.is_none()
            {
                package.alias = Some(alias);
            }
        }
    }

    /// Roots for the folders that are installed like packages: `file:` and injected workspaces. A
    /// workspace member is a root already.
    fn folders(&self) -> Vec<Root> {
        let mut known: HashSet<String> = self
            .roots
            .iter()
            .filter_map(|(_, root)| root.manifest.clone())
            .collect();
        let mut found = Vec::new();
        for package in &self.packages {
            if let Origin::Path(Some(folder)) = &package.origin
                && let Some(root) = tree::folder_root(self.input, "", folder, &package.edges)
                && root
                    .manifest
                    .clone()
                    .is_some_and(|manifest| known.insert(manifest))
            {
                found.push(root);
            }
        }

        found
    }
}

/// Which generation of the format a document is of.
fn generation(document: &Node<'_>) -> Result<Generation, ParseError> {
    if !document.is_map() {
        return Err(
            ParseError::new(format!("is not {WHAT}: it is {}", document.describe()))
                .at_line(document.line as usize),
        );
    }

    let version = document.need_text("lockfileVersion")?;
    Generation::of(version).ok_or_else(|| {
        ParseError::new(format!(
            "has lockfileVersion {}; versions 5, 6 and 9 are read",
            shortened(version)
        ))
        .at_line(document.line as usize)
        .with_hint("install with a current pnpm to bring the file to its version")
    })
}

#[cfg(test)]
mod tests;
