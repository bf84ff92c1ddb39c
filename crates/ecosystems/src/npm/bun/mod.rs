//! `bun.lock` (<https://bun.com/docs/pm/lockfile>): JSON with trailing commas and one line per
//! package. The key of a package is the path of names under which it is installed.
//!
//! `bun.lockb`, the binary file that bun wrote before 1.2, is not supported: its layout is that of
//! bun's memory and changes without notice. The error says how to convert the file to text.

mod entry;
mod write;

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root, Unresolved,
};

use self::entry::{Dependencies, Entry, entry, needs};
use super::tree::{self, Count, project_at, shortened};
use crate::fast_hash::{FastHashMap, fast_hash_map};
use crate::later_version::later_version;
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys};

pub(super) use self::write::BunWriter;

/// The expected kind of file, for error texts.
const WHAT: &str = "a bun.lock";

/// Hint for an incomplete file.
const REGENERATE: &str = "run `bun install --lockfile-only` to re-create the file";

/// Maximum number of names in a path. Resolving a dependency tries all of them.
const MAX_PARTS: usize = 64;

/// Reads a `bun.lock`. A `bun.lockb` is always an error.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    if input.path.ends_with(".lockb") {
        return Err(binary(input));
    }

    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::jsonc(input.text()?, &mut skipped)?;
    if !document.is_map() {
        return Err(ParseError::new(format!(
            "is not {WHAT}: it is {}",
            document.describe()
        )));
    }

    let format = format(&document, &mut skipped)?;
    let workspaces = workspaces(&document, &mut skipped)?;
    let entries: Vec<Entry<'_>> = document
        .optional_map("packages")?
        .iter()
        .filter_map(|(key, node)| {
            let read = entry(key, node, &mut skipped);
            skipped.recover(Loss::Package, key.line, read)
        })
        .collect();
    let by_directory: HashMap<&str, &Workspace<'_>> = workspaces
        .iter()
        .map(|workspace| (workspace.directory, workspace))
        .collect();

    let mut tree = Tree::new(&entries, skipped)?;
    let mut packages = Vec::with_capacity(entries.len());
    let mut roots = Vec::with_capacity(workspaces.len());
    for workspace in &workspaces {
        roots.push(tree.root(input, workspace)?);
    }
    for entry in &entries {
        if !entry.is_root {
            packages.push(tree.package(entry, &by_directory)?);
        }
    }

    // Packages from directories are roots as well. Workspace members are already among them.
    for package in &packages {
        if let Origin::Path(Some(directory)) = &package.origin
            && !by_directory.contains_key(directory.as_str())
        {
            roots.extend(tree::folder_root(input, "", directory, &package.edges));
        }
    }

    Ok(Lockfile {
        unresolved: tree.unresolved,
        skipped: tree.skipped.into_entries(),
        ..tree::lockfile(input, format, packages, roots)
    })
}

/// The error for a `bun.lockb`, with the way to a text file.
fn binary(input: &Input<'_>) -> ParseError {
    let error = ParseError::new("is a binary lockfile of bun, which Patchgate cannot read");
    match input.sibling(&input.beside("bun.lock")) {
        Some(_) => error.with_hint("remove it: bun reads the `bun.lock` next to it"),
        None => error.with_hint(
            "run `bun install --save-text-lockfile --frozen-lockfile --lockfile-only` and commit `bun.lock` instead",
        ),
    }
}

/// The name of the format. A later version than the known ones is read like the last of these.
fn format(document: &Node<'_>, skipped: &mut SkippedEntries) -> Result<FormatId, ParseError> {
    let version = document.get("lockfileVersion").and_then(Node::scalar);
    match version {
        Some("0") => Ok(FormatId::new("bun-lock-v0")),
        Some("1") => Ok(FormatId::new("bun-lock-v1")),
        Some("2") => Ok(FormatId::new("bun-lock-v2")),
        Some(other) => {
            let version = document.get("lockfileVersion");
            let line = version.map_or(1, |version| version.line);
            let packages = document.get("packages").map(Node::entries);
            let has_entries = packages.is_some_and(|packages| !packages.is_empty());
            later_version(other, line, has_entries, skipped)?;
            Ok(FormatId::new("bun-lock"))
        }
        None => Err(
            ParseError::new(format!("is not {WHAT}: it lacks `lockfileVersion`"))
                .with_hint(REGENERATE),
        ),
    }
}

/// A project of the repository: the root project or a workspace member.
struct Workspace<'n> {
    /// Relative to the lockfile's directory; empty for the root project.
    directory: &'n str,
    name: &'n str,
    needs: Dependencies<'n>,
    line: u32,
}

fn workspaces<'n>(
    document: &'n Node<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Workspace<'n>>, ParseError> {
    let mut workspaces = Vec::new();
    for (directory, node) in document.optional_map("workspaces")? {
        if !node.is_map() {
            let reason = node.unexpected(&directory.name, "a map").reason;
            skipped.edge(directory.line, reason);
            continue;
        }
        workspaces.push(Workspace {
            directory: &directory.name,
            name: node.get("name").and_then(Node::text).unwrap_or_default(),
            needs: needs(node, true, skipped),
            line: directory.line,
        });
    }
    if workspaces.is_empty() {
        return Err(
            ParseError::new(format!("is not {WHAT}: it lists no project")).with_hint(REGENERATE),
        );
    }

    Ok(workspaces)
}

/// The packages by their paths of names.
struct Tree<'e> {
    /// `None` for the project itself.
    by_path: FastHashMap<&'e str, Option<PackageIndex>>,
    count: Count,
    /// Buffer for the path to look up, reused to avoid allocations.
    candidate: String,
    /// Dependencies on packages that the file does not lock.
    unresolved: Vec<Unresolved>,
    skipped: SkippedEntries,
}

impl<'e> Tree<'e> {
    fn new(entries: &'e [Entry<'_>], skipped: SkippedEntries) -> Result<Self, ParseError> {
        let mut tree = Self {
            by_path: fast_hash_map(entries.len()),
            count: Count::default(),
            candidate: String::new(),
            unresolved: Vec::new(),
            skipped,
        };
        for entry in entries {
            if entry.parts.len() > MAX_PARTS {
                return Err(entry.wrong("is a path of too many names"));
            }
            // A package may depend on the project itself, which is a root and not a package.
            let index = match entry.is_root {
                true => None,
                false => Some(tree.count.package()?),
            };
            tree.by_path.insert(entry.key, index);
        }

        Ok(tree)
    }

    /// Resolves a name for a dependent at a path, nearest directory first, as Node.js does.
    fn find(&mut self, from: &[&str], name: &str) -> Option<Option<PackageIndex>> {
        for depth in (0..=from.len()).rev() {
            self.candidate.clear();
            for part in from.iter().take(depth) {
                self.candidate.push_str(part);
                self.candidate.push('/');
            }
            self.candidate.push_str(name);
            if let Some(index) = self.by_path.get(self.candidate.as_str()) {
                return Some(*index);
            }
        }

        None
    }

    fn edges(
        &mut self,
        from: &[&str],
        needs: &Dependencies<'_>,
        line: u32,
        with_development: bool,
    ) -> Result<Vec<Edge>, ParseError> {
        let mut edges = Vec::with_capacity(needs.0.len());
        for need in &needs.0 {
            if need.kind == DependencyKind::Development && !with_development {
                continue;
            }

            self.count.edge()?;
            match self.find(from, need.name) {
                Some(Some(to)) => {
                    edges.push(tree::edge(to, need.name, Some(need.requirement), need.kind));
                }
                Some(None) => {}
                // Optional peers may be missing, and bun omits packages for other systems.
                None if matches!(need.kind, DependencyKind::Peer | DependencyKind::Optional) => {}
                None => {
                    let shown = shortened(&format!("{}@{}", need.name, need.requirement));
                    self.skipped.edge(
                        line,
                        format!("depends on `{shown}`, which is not in the file"),
                    );
                    self.unresolved.push(tree::unlocked(
                        need.name,
                        need.requirement,
                        need.kind,
                        line,
                    ));
                }
            }
        }

        Ok(edges)
    }

    fn root(&mut self, input: &Input<'_>, workspace: &Workspace<'_>) -> Result<Root, ParseError> {
        let from: &[&str] = match workspace.directory {
            "" => &[],
            _ => &[workspace.name],
        };
        let project = project_at(input, workspace.directory);

        Ok(Root {
            name: workspace.name.to_owned(),
            manifest: project.map(|project| project.path),
            edges: self.edges(from, &workspace.needs, workspace.line, true)?,
        })
    }

    fn package(
        &mut self,
        entry: &Entry<'_>,
        workspaces: &HashMap<&str, &Workspace<'_>>,
    ) -> Result<Package, ParseError> {
        let mut needs = &entry.needs;
        // The dependencies of a workspace member are listed under `workspaces`.
        if let Some(directory) = entry.workspace
            && let Some(workspace) = workspaces.get(directory)
        {
            needs = &workspace.needs;
        }

        Ok(Package {
            origin: entry.origin.clone(),
            line: entry.line,
            integrity: entry.integrity.map(str::to_owned),
            install_path: Some(entry.install_path()),
            alias: entry.alias().map(str::to_owned),
            bundled: entry.bundled,
            edges: self.edges(&entry.parts, needs, entry.line, false)?,
            ..Package::new(super::NAME, entry.name.to_owned(), entry.version.to_owned())
        })
    }
}

#[cfg(test)]
mod tests;
