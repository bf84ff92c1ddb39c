//! `pnpm-lock.yaml` of versions 5 to 9 (<https://github.com/pnpm/spec/blob/master/lockfile/>).
//!
//! Versions 5 and 6 have one entry per package. Version 9 has the registry's data in `packages`, and
//! the installed copies, one for each set of peers, in `snapshots`. pnpm 11 and later write a second
//! document before the project's own, with the dependencies of pnpm itself.

mod dep_path;
mod importers;
mod packages;
pub(super) mod rush;
mod scalar;
pub(super) mod workspace;
mod writer;

use std::collections::HashSet;

use patchgate_model::{Lockfile, Origin, Package, Root, Unresolved};

use self::dep_path::Generation;
use self::packages::Links;
pub(super) use self::writer::PnpmWriter;
use super::tree::{self, Count, shortened};
use crate::syntax::{self, Node};
use crate::{Input, ParseError, SkippedEntries};

/// The expected kind of file, for error texts.
const WHAT: &str = "a pnpm-lock.yaml";

/// Hint for an incomplete file.
const REGENERATE: &str = "run `pnpm install --lockfile-only` to re-create the file";

/// Maximum number of documents in one file. pnpm writes at most two.
const MAX_DOCUMENTS: usize = 8;

/// Reads all documents of a `pnpm-lock.yaml` into one lockfile.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    // pnpm ends every line. A file that is cut inside its last line may still be valid YAML.
    if !text.ends_with('\n') && !ends_whole(text) {
        return Err(cut(text));
    }

    let documents = syntax::yaml_documents(text)?;
    if let Some(document) = documents.get(MAX_DOCUMENTS) {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it has more than {MAX_DOCUMENTS} documents"
        ))
        .at_line(document.line as usize));
    }

    let path_of_use = rush::path_of_use(input.path);
    let in_use = Input {
        path: path_of_use.as_deref().unwrap_or(input.path),
        ..*input
    };
    let mut reader = Reader {
        input: &in_use,
        count: Count::default(),
        packages: Vec::new(),
        roots: Vec::new(),
        skipped: SkippedEntries::default(),
        unresolved: Vec::new(),
    };
    let mut newest = None;
    for document in &documents {
        newest = newest.max(Some(reader.document(document)?));
    }

    let Some(generation) = newest else {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it has no document"
        )));
    };

    // The packages come last, so a file without them may be cut anywhere.
    if !text.ends_with('\n') && reader.packages.is_empty() {
        return Err(cut(text));
    }

    reader.name_aliases();
    let directories = reader.directories();
    let projects = rush::projects(input, &reader.packages);
    let mut roots: Vec<Root> = reader.roots.into_iter().map(|(_, root)| root).collect();
    roots.extend(directories);
    roots.extend(projects);

    Ok(Lockfile {
        unresolved: reader.unresolved,
        skipped: reader.skipped.into_entries(),
        ..tree::lockfile(input, generation.format(), reader.packages, roots)
    })
}

fn cut(text: &str) -> ParseError {
    ParseError::new("ends in the middle of a line")
        .at_line(text.lines().count())
        .with_hint(REGENERATE)
}

/// Whether the last line of a file is whole without a line break: a collection that is closed, or a
/// truth value under a key that has no other values. A version may go on.
fn ends_whole(text: &str) -> bool {
    let last = text.lines().next_back().unwrap_or_default();
    let Some((key, value)) = last.trim_start().split_once(": ") else {
        return false;
    };
    let is_flag = matches!(key, "dev" | "optional" | "hasBin" | "requiresBuild");

    (value.starts_with('{') && value.ends_with('}'))
        || (value.starts_with('[') && value.ends_with(']'))
        || (is_flag && matches!(value, "true" | "false"))
}

struct Reader<'i, 'a> {
    input: &'i Input<'a>,
    count: Count,
    packages: Vec<Package>,
    /// By the directory of the project, relative to the lockfile's.
    roots: Vec<(String, Root)>,
    skipped: SkippedEntries,
    unresolved: Vec<Unresolved>,
}

impl Reader<'_, '_> {
    /// Reads one document, with indices that go on from those of the document before.
    fn document(&mut self, document: &Node<'_>) -> Result<Generation, ParseError> {
        let generation = generation(document, &mut self.skipped)?;
        let entries = packages::entries(document, generation, &mut self.count, &mut self.skipped)?;
        self.packages.reserve(entries.copies.len());

        let mut links = Links {
            entries: &entries,
            count: &mut self.count,
            skipped: &mut self.skipped,
            unresolved: &mut self.unresolved,
            may_be_cut: false,
        };
        for (number, copy) in (1..).zip(&entries.copies) {
            links.may_be_cut = number == entries.copies.len();
            let package = entries.package(copy, &mut links)?;
            self.packages.push(package);
        }

        // pnpm writes the packages after the projects.
        links.may_be_cut = entries.copies.is_empty();
        importers::read(document, self.input, &mut links, &mut self.roots)?;
        if self.roots.is_empty() {
            return Err(
                ParseError::new(format!("is not {WHAT}: it lists no project"))
                    .at_line(document.line as usize)
                    .with_hint(REGENERATE),
            );
        }

        Ok(generation)
    }

    /// Sets the alias of each package that is never required under its own name, to the first other
    /// name.
    fn name_aliases(&mut self) {
        let edges = || {
            self.roots
                .iter()
                .flat_map(|(_, root)| &root.edges)
                .chain(self.packages.iter().flat_map(|package| &package.edges))
        };

        let mut aliases: Vec<(usize, String)> = Vec::new();
        let mut has_own_name = vec![false; self.packages.len()];
        for edge in edges() {
            let index = edge.to.0 as usize;
            let Some(package) = self.packages.get(index) else {
                continue;
            };

            if package.name == edge.name {
                if let Some(has_own_name) = has_own_name.get_mut(index) {
                    *has_own_name = true;
                }
            } else {
                aliases.push((index, edge.name.to_string()));
            }
        }

        for (index, alias) in aliases {
            if has_own_name.get(index) == Some(&false)
                && let Some(package) = self.packages.get_mut(index)
                && package.alias.is_none()
            {
                package.alias = Some(alias);
            }
        }
    }

    /// Roots for directories that are installed like packages: `file:` dependencies and injected
    /// workspaces. Workspace members are roots already and are left out.
    fn directories(&self) -> Vec<Root> {
        let mut known: HashSet<String> = self
            .roots
            .iter()
            .filter_map(|(_, root)| root.manifest.clone())
            .collect();

        let mut directories = Vec::new();
        for package in &self.packages {
            if let Origin::Path(Some(directory)) = &package.origin
                && let Some(root) = tree::folder_root(self.input, "", directory, &package.edges)
                && root
                    .manifest
                    .clone()
                    .is_some_and(|manifest| known.insert(manifest))
            {
                directories.push(root);
            }
        }

        directories
    }
}

/// The generation of a document's format. A later version than the known ones is read like the last
/// of these.
fn generation(document: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Generation, ParseError> {
    if !document.is_map() {
        return Err(
            ParseError::new(format!("is not {WHAT}: it is {}", document.describe()))
                .at_line(document.line as usize),
        );
    }

    let version = document.need_text("lockfileVersion")?;
    let major = version.split('.').next().unwrap_or(version);
    let has_packages = !document.optional_map("packages")?.is_empty();
    if has_packages && major.parse().is_ok_and(|major: u32| major > 9) {
        let shown = shortened(version);
        skipped.package(
            document.line,
            format!("has the unknown lockfileVersion {shown}, read as version 9: packages may be missing"),
        );
        return Ok(Generation::Nine);
    }
    Generation::of(version).ok_or_else(|| {
        ParseError::new(format!(
            "has lockfileVersion {}; versions 5, 6 and 9 are read",
            shortened(version)
        ))
        .at_line(document.line as usize)
        .with_hint("run `pnpm install` with a current pnpm to convert the file")
    })
}

#[cfg(test)]
mod tests;
