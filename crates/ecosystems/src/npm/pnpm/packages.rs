//! The packages of a document.

use patchgate_model::{DependencyKind, Edge, Origin, Package, PackageIndex};

use super::dep_path::{DepPath, Generation, Paths, Target, dep_path, is_version, without_peers};
use super::{REGENERATE, WHAT};
use crate::ParseError;
use crate::fast_hash::{FastHashMap, fast_hash_map};
use crate::npm::NAME;
use crate::npm::tree::{self, Count, shortened};
use crate::syntax::{Key, Node};

/// A package as it is installed, with one set of peers.
pub(super) struct Copied<'n> {
    /// Its key in `packages`.
    key: &'n Key<'n>,
    /// Its entry in `packages`, with the registry's data.
    entry: &'n Node<'n>,
    /// The node with its dependencies: the same entry, or in version 9 one of `snapshots`.
    snapshot: &'n Node<'n>,
}

/// The packages of a document.
pub(super) struct Entries<'n> {
    pub(super) paths: Paths<'n>,
    pub(super) copies: Vec<Copied<'n>>,
}

/// Collects the packages of a document.
pub(super) fn entries<'n>(
    document: &'n Node<'n>,
    generation: Generation,
    count: &mut Count,
) -> Result<Entries<'n>, ParseError> {
    let packages = document.optional_map("packages")?;
    let mut entries = Entries {
        paths: Paths {
            generation,
            by_path: fast_hash_map(packages.len()),
        },
        copies: Vec::with_capacity(packages.len()),
    };
    if generation != Generation::Nine {
        for (key, entry) in packages {
            entries.add(key, key, entry, entry, count)?;
        }
        return Ok(entries);
    }

    // Version 9: each entry of `snapshots` belongs to one of `packages`, and each of these to at
    // least one snapshot.
    let mut by_key: FastHashMap<&str, (&Key<'_>, &Node<'_>, bool)> = packages
        .iter()
        .map(|(key, entry)| (&*key.name, (key, entry, false)))
        .collect();
    for (key, snapshot) in document.optional_map("snapshots")? {
        let path = without_peers(&key.name, generation);
        let Some((package_key, entry, is_installed)) = by_key.get_mut(path) else {
            return Err(incomplete(key, "is not in `packages`"));
        };
        *is_installed = true;
        entries.add(key, package_key, entry, snapshot, count)?;
    }

    // A package without a snapshot means that the end of the file is missing.
    match packages
        .iter()
        .find(|(key, _)| by_key.get(&*key.name).is_some_and(|package| !package.2))
    {
        None => Ok(entries),
        Some((key, _)) => Err(incomplete(key, "is not in `snapshots`")),
    }
}

fn incomplete(key: &Key<'_>, what: &str) -> ParseError {
    ParseError::new(format!("is not {WHAT}: `{}` {what}", shortened(&key.name)))
        .at_line(key.line as usize)
        .with_hint(REGENERATE)
}

impl<'n> Entries<'n> {
    fn add(
        &mut self,
        path: &'n Key<'n>,
        key: &'n Key<'n>,
        entry: &'n Node<'n>,
        snapshot: &'n Node<'n>,
        count: &mut Count,
    ) -> Result<(), ParseError> {
        for node in [entry, snapshot] {
            if !node.is_map() {
                return Err(node.unexpected(&path.name, "a map"));
            }
        }

        self.paths.by_path.insert(&path.name, count.package()?);
        self.copies.push(Copied {
            key,
            entry,
            snapshot,
        });

        Ok(())
    }

    /// The package of a copy, with its edges.
    pub(super) fn package(
        &self,
        copy: &Copied<'_>,
        count: &mut Count,
    ) -> Result<Package, ParseError> {
        let (key, entry) = (copy.key, copy.entry);
        let path = dep_path(&key.name, self.paths.generation);

        // The entry has a name and a version if they do not follow from the path.
        let name = entry.optional_text("name")?.or(path.name);
        let name = name
            .filter(|name| !name.is_empty())
            .ok_or_else(|| incomplete(key, "has no name"))?;
        let version = match entry.optional_text("version")? {
            Some(version) => version,
            None if is_version(path.reference) => path.reference,
            None => "",
        };
        let resolution = entry
            .get("resolution")
            .filter(|resolution| resolution.is_map())
            .ok_or_else(|| incomplete(key, "has no `resolution`"))?;
        let origin = origin(resolution, &path)?;
        if version.is_empty() && matches!(origin, Origin::Registry(_)) {
            return Err(incomplete(key, "has no version"));
        }

        Ok(Package {
            origin,
            line: key.line,
            integrity: resolution.optional_text("integrity")?.map(str::to_owned),
            edges: self.edges(copy, count)?,
            ..Package::new(NAME, name.to_owned(), version.to_owned())
        })
    }

    fn edges(&self, copy: &Copied<'_>, count: &mut Count) -> Result<Vec<Edge>, ParseError> {
        let runtime = copy.snapshot.optional_map("dependencies")?;
        let optional = copy.snapshot.optional_map("optionalDependencies")?;
        let peers = copy.entry.get("peerDependencies");
        let mut edges = Vec::with_capacity(runtime.len() + optional.len());
        let mut buffer = String::new();

        for (kind, section) in [
            (DependencyKind::Runtime, runtime),
            (DependencyKind::Optional, optional),
        ] {
            for (name, reference) in section {
                let reference = reference
                    .text()
                    .ok_or_else(|| reference.unexpected(&name.name, "a text"))?;
                let Some(to) = self.find(name, reference, &mut buffer)? else {
                    continue;
                };

                count.edge()?;
                let peer = peers.and_then(|peers| peers.get(&name.name));
                let kind = match peer {
                    Some(_) => DependencyKind::Peer,
                    None => kind,
                };
                edges.push(tree::edge(to, &name.name, peer.and_then(Node::text), kind));
            }
        }

        Ok(edges)
    }

    /// The package that a dependency leads to; `None` for a link.
    pub(super) fn find(
        &self,
        name: &Key<'_>,
        reference: &str,
        buffer: &mut String,
    ) -> Result<Option<PackageIndex>, ParseError> {
        if name.name.is_empty() {
            return Err(incomplete(name, "is a dependency without a name"));
        }

        match self.paths.target(&name.name, reference, buffer) {
            Target::Package(index) => Ok(Some(index)),
            Target::Link => Ok(None),
            Target::Nothing => Err(ParseError::new(format!(
                "depends on `{}`, which is not in the file",
                shortened(&format!("{}@{reference}", name.name))
            ))
            .at_line(name.line as usize)
            .with_hint(REGENERATE)),
        }
    }
}

/// The origin of a package (<https://github.com/pnpm/spec/blob/master/lockfile/5.md>, and for later
/// kinds pnpm's `lockfile.types`).
fn origin(resolution: &Node<'_>, path: &DepPath<'_>) -> Result<Origin, ParseError> {
    let text = |name: &str| resolution.optional_text(name);
    let kind = text("type")?;
    if kind == Some("git") {
        return Ok(Origin::Git {
            url: text("repo")?.unwrap_or_default().to_owned(),
            commit: text("commit")?.map(str::to_owned),
        });
    }
    if let Some(directory) = text("directory")? {
        return Ok(Origin::Path(Some(directory.to_owned())));
    }

    let is_version = is_version(path.reference);
    Ok(match text("tarball")? {
        Some(address) if address.starts_with("file:") => {
            Origin::Path(Some(address.trim_start_matches("file:").to_owned()))
        }
        Some(address) if is_version => Origin::Registry(Some(address.to_owned())),
        Some(address) => Origin::Url(address.to_owned()),
        // Neither from a registry nor an archive, for example `runtime:` for Node.js itself.
        None if !is_version => Origin::Url(path.reference.to_owned()),
        None => Origin::Registry(None),
    })
}
