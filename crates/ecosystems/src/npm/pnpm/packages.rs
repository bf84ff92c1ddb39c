//! The packages of a document.

use patchgate_model::{DependencyKind, Edge, Loss, Origin, Package, PackageIndex, Unresolved};

use super::REGENERATE;
use super::dep_path::{DepPath, Generation, Paths, Target, dep_path, is_version, without_peers};
use crate::fast_hash::{FastHashMap, fast_hash_map};
use crate::npm::NAME;
use crate::npm::tree::{self, Count, shortened};
use crate::syntax::{Key, Node};
use crate::{ParseError, SkippedEntries};

/// A package as it is installed, with one set of peers.
pub(super) struct Copied<'n> {
    /// Its dependency path, with its peers.
    pub(super) path: &'n Key<'n>,
    /// Its key in `packages`.
    pub(super) key: &'n Key<'n>,
    /// Its entry in `packages`, with the registry's data.
    pub(super) entry: &'n Node<'n>,
    /// The node with its dependencies: the same entry, or in version 9 one of `snapshots`.
    pub(super) snapshot: &'n Node<'n>,
}

/// The packages of a document.
pub(super) struct Entries<'n> {
    pub(super) paths: Paths<'n>,
    pub(super) copies: Vec<Copied<'n>>,
    /// The greatest path. pnpm sorts by path, so a cut file lacks only greater ones.
    last_path: &'n str,
}

/// Collects the packages of a document.
pub(super) fn entries<'n>(
    document: &'n Node<'n>,
    generation: Generation,
    count: &mut Count,
    skipped: &mut SkippedEntries,
) -> Result<Entries<'n>, ParseError> {
    let packages = document.optional_map("packages")?;
    let mut entries = Entries {
        paths: Paths {
            generation,
            by_path: fast_hash_map(packages.len()),
        },
        copies: Vec::with_capacity(packages.len()),
        last_path: "",
    };
    if generation != Generation::Nine {
        let last = packages.last().map(|(key, _)| key.line);
        for (key, entry) in packages {
            let checked = checked(key, entry, entry, generation);
            // The file may end in the last entry.
            let checked = match Some(key.line) == last {
                true => Some(checked?),
                false => skipped.recover(Loss::Package, key.line, checked),
            };
            if checked.is_some() {
                entries.add(key, key, entry, entry, count)?;
            }
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
            // `packages` comes before, so it is not cut.
            let reason = incomplete(key, "is not in `packages`").reason;
            skipped.package(key.line, reason);
            continue;
        };
        *is_installed = true;
        let checked = checked(package_key, entry, snapshot, generation);
        if skipped.recover(Loss::Package, key.line, checked).is_some() {
            entries.add(key, package_key, entry, snapshot, count)?;
        }
    }

    // pnpm sorts both lists. If the last package has no snapshot, the end of the file is missing;
    // any other one without a snapshot is a copy without edges.
    for (number, (key, entry)) in (1..).zip(packages) {
        if by_key.get(&*key.name).is_none_or(|package| package.2) {
            continue;
        }
        let error = incomplete(key, "is not in `snapshots`");
        if number == packages.len() {
            return Err(error.with_hint(REGENERATE));
        }
        skipped.edge(key.line, error.reason);
        let checked = checked(key, entry, entry, generation);
        if skipped.recover(Loss::Package, key.line, checked).is_some() {
            entries.add(key, key, entry, entry, count)?;
        }
    }

    Ok(entries)
}

/// Checks that a package has a name and, unless it is from elsewhere than a registry, a version.
fn checked(
    key: &Key<'_>,
    entry: &Node<'_>,
    snapshot: &Node<'_>,
    generation: Generation,
) -> Result<(), ParseError> {
    for node in [entry, snapshot] {
        if !node.is_map() {
            return Err(node.unexpected(&key.name, "a map"));
        }
    }
    identity(key, entry, generation).map(|_| ())
}

/// The name, the version and the origin of a package. The version may be empty unless the package is
/// from a registry.
fn identity<'n>(
    key: &'n Key<'_>,
    entry: &'n Node<'_>,
    generation: Generation,
) -> Result<(&'n str, &'n str, Origin), ParseError> {
    let path = dep_path(&key.name, generation);

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

    Ok((name, version, origin))
}

fn incomplete(key: &Key<'_>, what: &str) -> ParseError {
    ParseError::new(format!(
        "has the entry `{}`, which {what}",
        shortened(&key.name)
    ))
    .at_line(key.line as usize)
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
        self.paths.by_path.insert(&path.name, count.package()?);
        self.last_path = self.last_path.max(&path.name);
        self.copies.push(Copied {
            path,
            key,
            entry,
            snapshot,
        });

        Ok(())
    }

    /// Whether the package that a dependency refers to would come after the last one.
    fn is_beyond_the_last(&self, name: &str, reference: &str) -> bool {
        let path = self.paths.generation.path(name, reference);
        let is_path = !is_version(reference);
        *path >= *self.last_path || (is_path && reference >= self.last_path)
    }

    /// The package of a copy, with its edges.
    pub(super) fn package(
        &self,
        copy: &Copied<'_>,
        links: &mut Links<'_, '_>,
    ) -> Result<Package, ParseError> {
        let (key, entry) = (copy.key, copy.entry);
        let (name, version, origin) = identity(key, entry, self.paths.generation)?;
        let integrity = entry
            .get("resolution")
            .map(|resolution| resolution.optional_text("integrity"))
            .transpose();
        let integrity = links.recover(Loss::Detail, key.line, integrity)?;

        Ok(Package {
            origin,
            line: key.line,
            integrity: integrity.flatten().flatten().map(str::to_owned),
            edges: links.edges(copy)?,
            ..Package::new(NAME, name.to_owned(), version.to_owned())
        })
    }
}

/// The resolution of dependencies to the packages of a document.
pub(super) struct Links<'r, 'n> {
    pub(super) entries: &'r Entries<'n>,
    pub(super) count: &'r mut Count,
    pub(super) skipped: &'r mut SkippedEntries,
    /// Dependencies on packages that the file does not lock.
    pub(super) unresolved: &'r mut Vec<Unresolved>,
    /// Whether the file may end in the part that is read.
    pub(super) may_be_cut: bool,
}

impl Links<'_, '_> {
    /// The value, or `None` after the error was recorded as a lost edge or detail.
    ///
    /// # Errors
    /// The error itself, if the file may end in the part that is read.
    pub(super) fn recover<T>(
        &mut self,
        loss: Loss,
        line: u32,
        read: Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        match self.may_be_cut {
            true => read.map(Some),
            false => Ok(self.skipped.recover(loss, line, read)),
        }
    }

    fn edges(&mut self, copy: &Copied<'_>) -> Result<Vec<Edge>, ParseError> {
        let mut edges = Vec::new();
        let mut buffer = String::new();
        let peers = copy.entry.get("peerDependencies");

        for (kind, section) in [
            (DependencyKind::Runtime, "dependencies"),
            (DependencyKind::Optional, "optionalDependencies"),
        ] {
            let listed = copy.snapshot.optional_map(section);
            let listed = self.recover(Loss::Edge, copy.snapshot.line, listed)?;
            for (name, reference) in listed.unwrap_or_default() {
                let text = reference
                    .text()
                    .ok_or_else(|| reference.unexpected(&name.name, "a text"));
                let Some(reference) = self.recover(Loss::Edge, name.line, text)? else {
                    continue;
                };
                let Some(to) = self.find(name, reference, kind, &mut buffer)? else {
                    continue;
                };

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

    /// The package that a dependency leads to; `None` for a link, and after the dependency was
    /// skipped because the file does not lock its package.
    ///
    /// # Errors
    /// If the package would come after the last one, because the file is cut, or if there are too
    /// many dependencies.
    pub(super) fn find(
        &mut self,
        name: &Key<'_>,
        reference: &str,
        kind: DependencyKind,
        buffer: &mut String,
    ) -> Result<Option<PackageIndex>, ParseError> {
        self.count.edge()?;
        if name.name.is_empty() {
            let error = Err(incomplete(name, "is a dependency without a name"));
            return self.recover(Loss::Edge, name.line, error);
        }

        match self.entries.paths.target(&name.name, reference, buffer) {
            Target::Package(index) => return Ok(Some(index)),
            Target::Link => return Ok(None),
            Target::Nothing => {}
        }

        let reason = format!(
            "depends on `{}`, which is not in the file",
            shortened(&format!("{}@{reference}", name.name))
        );
        if self.entries.is_beyond_the_last(&name.name, reference) {
            return Err(ParseError::new(reason)
                .at_line(name.line as usize)
                .with_hint(REGENERATE));
        }

        self.skipped.edge(name.line, reason);
        let generation = self.entries.paths.generation;
        let path = dep_path(reference, generation);
        let (real, version) = match path.name {
            Some(real) => (real, path.reference),
            None => (&*name.name, without_peers(reference, generation)),
        };
        self.unresolved.push(Unresolved {
            ecosystem: NAME,
            name: shortened(real),
            requirement: shortened(version),
            kind,
            line: name.line,
        });

        Ok(None)
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
