//! Conversion of copies by install path to packages with edges.

use std::collections::{HashMap, HashSet};
use std::mem;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root, Scope,
};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use super::super::NAME;
use super::super::json::{Map, Text};
use super::super::manifest::Manifest;
use super::{Installed, installed_at, origin};
use crate::fast_hash::{FastHashMap, FastHashSet, PACKAGES_A_TASK};
use crate::{Input, ParseError, limits};

/// Builds the lockfile from its copies. With `infer_root` neither the lockfile nor a manifest states
/// the dependencies of the root project, so they are derived from the graph.
pub(super) fn lockfile(
    input: &Input<'_>,
    format: FormatId,
    mut copies: Vec<Installed<'_>>,
    infer_root: bool,
) -> Result<Lockfile, ParseError> {
    // Moved out of the copies, so that the packages can own them.
    let origins = copies
        .iter_mut()
        .map(|copy| mem::replace(&mut copy.origin, Origin::Registry(None)));
    let origins: Vec<Origin> = origins.collect();
    let paths: String = copies.iter().map(|copy| &*copy.path).collect();
    let graph = Graph::new(&copies, &paths)?;

    let roots: Vec<Root> = copies
        .iter()
        .filter(|copy| copy.installed_at.is_none())
        .map(|copy| graph.root(input, copy))
        .collect();
    let of_packages: Vec<(&Installed<'_>, Origin)> = copies
        .iter()
        .zip(origins)
        .zip(&graph.packages)
        .filter_map(|(copy, index)| index.map(|_| copy))
        .collect();
    let mut packages = Vec::new();
    of_packages
        .into_par_iter()
        .with_min_len(PACKAGES_A_TASK)
        .map(|(copy, origin)| graph.package(copy, origin))
        .collect_into_vec(&mut packages);

    let of_roots = roots.iter().map(|root| root.edges.len());
    let edges: usize = packages
        .iter()
        .map(|package: &Package| package.edges.len())
        .sum();
    if edges + of_roots.sum::<usize>() > limits::MAX_EDGES {
        return Err(ParseError::new(format!(
            "has more than {} dependencies",
            limits::MAX_EDGES
        )));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format,
        packages,
        roots,
        ..Lockfile::default()
    };
    settle_addresses(&mut lockfile);
    if infer_root {
        infer_direct(&mut lockfile);
    }

    Ok(lockfile)
}

struct Graph<'a, 'b> {
    copies: &'b [Installed<'a>],
    /// Indices of installed copies, by the directory whose `node_modules` they are in, then by name.
    installed: FastHashMap<&'b str, Names<'b>>,
    /// Indices of directories that are not installed, by path.
    directories: FastHashMap<&'b str, usize>,
    /// The package of each copy. The root project has none, nor has a link to a directory with an
    /// entry of its own.
    packages: Vec<Option<PackageIndex>>,
}

/// Indices of copies by name.
type Names<'b> = FastHashMap<&'b str, usize>;

impl<'a, 'b> Graph<'a, 'b> {
    /// `paths` is the paths of the copies, concatenated: comparing tens of thousands of keys is
    /// faster when they are close together in memory.
    ///
    /// A path that is listed twice is an error.
    fn new(copies: &'b [Installed<'a>], paths: &'b str) -> Result<Self, ParseError> {
        let mut graph = Self {
            copies,
            installed: FastHashMap::default(),
            directories: FastHashMap::default(),
            packages: Vec::new(),
        };

        // Lookup tables.
        let mut rest = paths;
        for (index, copy) in copies.iter().enumerate() {
            let (path, after) = rest.split_at(copy.path.len());
            rest = after;
            let earlier = match copy.installed_at {
                Some(at) => {
                    let names = graph.installed.entry(directory_of(path, at)).or_default();
                    names.insert(&path[at..], index)
                }
                None => graph.directories.insert(path, index),
            };
            if earlier.is_some() {
                return Err(ParseError::new(format!(
                    "is not an npm lockfile: duplicate key `{path}`"
                ))
                .at_line(copy.line as usize));
            }
        }

        // Links can only be classified once all entries are in the tables.
        let mut count = 0;
        let packages = copies.iter().map(|copy| {
            let is_package = match &copy.link {
                Some(target) => graph.index(target).is_none(),
                None => !copy.path.is_empty(),
            };
            is_package.then(|| {
                count += 1;
                PackageIndex(count - 1)
            })
        });
        graph.packages = packages.collect();

        Ok(graph)
    }

    /// The index of the copy at a path.
    fn index(&self, path: &str) -> Option<usize> {
        let index = match installed_at(path) {
            Some(at) => self.installed.get(directory_of(path, at))?.get(&path[at..]),
            None => self.directories.get(path),
        };
        index.copied()
    }

    fn package_at(&self, index: usize) -> Option<PackageIndex> {
        self.packages.get(index).copied().flatten()
    }

    /// The root of a project, with requirements from its manifest where there is one.
    fn root(&self, input: &Input<'_>, copy: &Installed<'a>) -> Root {
        let path = joined(&input.beside(""), &copy.path, "package.json");
        let file = path.and_then(|path| input.sibling(&path).map(|bytes| (path, bytes)));
        let manifest = file.as_ref().and_then(|(_, bytes)| Manifest::read(bytes));

        let mut edges = self.edges(copy, true);
        if let Some(manifest) = &manifest {
            for edge in &mut edges {
                if let Some(requirement) = manifest.requirement(&edge.name, edge.kind) {
                    edge.requirement = Some(requirement.into());
                }
            }
        }

        let name = match (&copy.name, manifest.as_ref().and_then(Manifest::name)) {
            (Some(name), _) => name.to_string(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => directory_name(&copy.path).to_owned(),
        };
        Root {
            name,
            manifest: file.map(|(path, _)| path),
            edges,
        }
    }

    fn package(&self, copy: &Installed<'a>, origin: Origin) -> Package {
        let installed = copy.installed_name();
        let in_path = installed.unwrap_or_else(|| directory_name(&copy.path));
        let name = copy.name.as_deref().unwrap_or(in_path);
        let version = copy.version.as_deref().unwrap_or_default();

        Package {
            origin,
            line: copy.line,
            integrity: copy.integrity.as_deref().map(str::to_owned),
            scope: copy.scope,
            install_path: Some(copy.path.to_string()),
            alias: (installed.is_some() && name != in_path).then(|| in_path.to_owned()),
            bundled: copy.bundled,
            edges: self.edges(copy, false),
            ..Package::new(NAME, name.to_owned(), version.to_owned())
        }
    }

    /// The dependencies of a copy. A name under several kinds counts once, in npm's order of
    /// precedence: development, optional, runtime, peer.
    fn edges(&self, copy: &Installed<'a>, with_development: bool) -> Vec<Edge> {
        let needs = &copy.needs;
        if needs.len() == 0 {
            return Vec::new();
        }

        let none = Map::default();
        let development = if with_development {
            &needs.development
        } else {
            &none
        };
        let by_kind = [
            (DependencyKind::Development, development),
            (DependencyKind::Optional, &needs.optional),
            (DependencyKind::Runtime, &needs.runtime),
            (DependencyKind::Peer, &needs.peer),
        ];
        let directories = self.directories_above(&copy.path);

        let mut seen: FastHashSet<&str> = FastHashSet::default();

        let mut edges = Vec::with_capacity(needs.len());
        for (kind, names) in by_kind {
            // Names are unique within a kind, so a copy with only one kind needs no check.
            let may_repeat = !seen.is_empty() || names.0.len() < needs.len();
            for (name, requirement) in &names.0 {
                if may_repeat && !seen.insert(name) {
                    continue;
                }
                let Some(to) = self.resolve(&directories, name) else {
                    continue;
                };

                edges.push(Edge {
                    to,
                    name: (&**name).into(),
                    requirement: requirement.as_ref().map(|Text(text)| (&**text).into()),
                    kind,
                });
            }
        }

        edges
    }

    /// The contents of the `node_modules` directories in which Node.js searches for the dependencies
    /// of a package, nearest first
    /// (<https://nodejs.org/api/modules.html#loading-from-node_modules-folders>).
    fn directories_above(&self, from: &str) -> Vec<&Names<'b>> {
        std::iter::successors(Some(from), |directory| above(directory))
            .filter_map(|directory| self.installed.get(directory))
            .collect()
    }

    fn resolve(&self, directories: &[&Names<'b>], name: &str) -> Option<PackageIndex> {
        let index = directories.iter().find_map(|names| names.get(name))?;
        self.follow(*index)
    }

    /// The package at an index, or the one that a link there points to. A link to a link is not
    /// followed: npm writes none, and a hostile file could make a cycle of them.
    fn follow(&self, index: usize) -> Option<PackageIndex> {
        self.package_at(index).or_else(|| {
            let target = self.copies.get(index)?.link.as_deref()?;
            self.package_at(self.index(target)?)
        })
    }
}

/// The directory whose `node_modules` contains the package with its name at byte offset `at`.
pub(super) fn directory_of(path: &str, at: usize) -> &str {
    let above = path[..at].strip_suffix("node_modules/").unwrap_or_default();
    match above.strip_suffix('/') {
        Some("") | None => above,
        Some(directory) => directory,
    }
}

/// The directory that Node.js searches next. `None` above the lockfile's directory.
pub(super) fn above(directory: &str) -> Option<&str> {
    if directory.is_empty() || directory.ends_with("..") {
        return None;
    }

    // From a package, directly to the directory that its `node_modules` is in.
    if let Some(at) = installed_at(directory) {
        let name = &directory[at..];
        let parts = if name.starts_with('@') { 2 } else { 1 };
        if name.split('/').count() <= parts {
            return Some(directory_of(directory, at));
        }
    }

    Some(directory.rsplit_once('/').map_or("", |(above, _)| above))
}

/// The last part of a directory's path, with the scope before it if there is one. npm uses this name
/// for a directory whose manifest has none.
fn directory_name(path: &str) -> &str {
    let Some((above, last)) = path.rsplit_once('/') else {
        return path;
    };
    let scope = above.rsplit_once('/').map_or(above, |(_, scope)| scope);

    if scope.starts_with('@') {
        &path[path.len() - last.len() - 1 - scope.len()..]
    } else {
        last
    }
}

/// `directory/path/file` with `.` and `..` resolved; `None` outside the repository.
pub(in crate::npm) fn joined(directory: &str, path: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')).chain([file]) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }

    Some(parts.join("/"))
}

/// Makes the top-level copies that no other copy requires the dependencies of the root project:
/// only the project itself can be the reason for them.
fn infer_direct(lockfile: &mut Lockfile) {
    let required: HashSet<PackageIndex> = lockfile
        .packages
        .iter()
        .flat_map(|package| package.edges.iter().map(|edge| edge.to))
        .collect();
    let direct: Vec<Edge> = lockfile
        .indexed()
        .filter(|(index, _)| !required.contains(index))
        .filter_map(|(to, package)| {
            let name = package
                .install_path
                .as_deref()?
                .strip_prefix("node_modules/")?;
            (!name.contains("/node_modules/")).then(|| Edge {
                to,
                name: name.into(),
                requirement: None,
                kind: match package.scope {
                    Scope::Development => DependencyKind::Development,
                    Scope::Optional => DependencyKind::Optional,
                    _ => DependencyKind::Runtime,
                },
            })
        })
        .collect();

    if let Some(root) = lockfile.roots.first_mut() {
        root.edges = direct;
    }
}

/// Corrects the origin of archives at addresses of an unknown layout. If every dependent requires
/// such a package by a range, it is from a registry, because only a registry resolves ranges.
fn settle_addresses(lockfile: &mut Lockfile) {
    let is_url = |package: &Package| matches!(package.origin, Origin::Url(_));
    // For each archive, whether a dependent requires it by address; `None` without dependents. Most
    // lockfiles have no such archive.
    let mut by_address: HashMap<PackageIndex, Option<bool>> = lockfile
        .indexed()
        .filter(|(_, package)| is_url(package))
        .map(|(index, _)| (index, None))
        .collect();
    if by_address.is_empty() {
        return;
    }

    let edges = lockfile
        .roots
        .iter()
        .flat_map(|root| &root.edges)
        .chain(lockfile.packages.iter().flat_map(|package| &package.edges));
    for edge in edges {
        if let Some(by_address) = by_address.get_mut(&edge.to) {
            let asks_by_address = match &edge.requirement {
                Some(requirement) => origin::asks_by_address(requirement),
                None => true,
            };
            *by_address = Some(by_address.unwrap_or(false) || asks_by_address);
        }
    }

    for (index, by_address) in by_address {
        if by_address == Some(false)
            && let Some(package) = lockfile.packages.get_mut(index.0 as usize)
            && let Origin::Url(address) = &mut package.origin
        {
            package.origin = Origin::Registry(Some(mem::take(address)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_up_as_node_does() {
        let walk = |start: &'static str| {
            std::iter::successors(Some(start), |directory| above(directory)).collect::<Vec<_>>()
        };
        assert_eq!(
            walk("node_modules/@a/b/node_modules/c"),
            ["node_modules/@a/b/node_modules/c", "node_modules/@a/b", ""]
        );
        assert_eq!(
            walk("packages/a/node_modules/b"),
            ["packages/a/node_modules/b", "packages/a", "packages", ""]
        );
        assert_eq!(walk("../a/b"), ["../a/b", "../a", ".."]);
    }

    #[test]
    fn different_paths_are_different_locations() {
        let location = |path: &'static str| {
            let at = installed_at(path).expect("it is installed");
            (directory_of(path, at), &path[at..])
        };
        assert_eq!(location("node_modules/@a/b"), ("", "@a/b"));
        assert_eq!(location("a/node_modules/b"), ("a", "b"));
        assert_eq!(location("a//node_modules/b"), ("a/", "b"));
        assert_eq!(location("/node_modules/b"), ("/", "b"));
        assert_eq!(location("node_modules//b"), ("", "/b"));
    }

    #[test]
    fn joins_within_the_repository() {
        assert_eq!(
            joined("frontend/", "../shared", "package.json").as_deref(),
            Some("shared/package.json")
        );
        assert_eq!(joined("/", "../shared", "package.json"), None);
        assert_eq!(
            joined("", "", "package.json").as_deref(),
            Some("package.json")
        );
    }

    #[test]
    fn names_directories_with_their_scope() {
        assert_eq!(directory_name("packages/@a/b"), "@a/b");
        assert_eq!(directory_name("packages/b"), "b");
        assert_eq!(directory_name("b"), "b");
    }
}
