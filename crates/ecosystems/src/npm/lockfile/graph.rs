//! From copies by install path to packages with edges.

use std::collections::{HashMap, HashSet};
use std::mem;

use patchgate_model::{DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Scope};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use super::super::NAME;
use super::super::json::{Map, Text};
use super::super::manifest::Manifest;
use super::{Installed, installed_at, origin};
use crate::fast_hash::{FastHashMap, FastHashSet, PACKAGES_A_TASK};
use crate::{Input, ParseError, limits};

/// Makes the lockfile's value out of its copies. `infer_root` says that nothing states what the
/// root project asks for.
pub(super) fn lockfile(
    input: &Input<'_>,
    format: &'static str,
    mut copies: Vec<Installed<'_>>,
    infer_root: bool,
) -> Result<Lockfile, ParseError> {
    // Taken out to become the packages' own.
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
            "holds more than {} dependencies",
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
    /// Places among the copies by the folder in whose `node_modules` they are installed, and by the
    /// name there.
    installed: FastHashMap<&'b str, Names<'b>>,
    /// Places of the folders that are not installed, by their path.
    folders: FastHashMap<&'b str, usize>,
    /// For each copy the package that it is: every one but the root project and the links whose
    /// folder has an entry of its own.
    packages: Vec<Option<PackageIndex>>,
}

/// Places among the copies by name.
type Names<'b> = FastHashMap<&'b str, usize>;

impl<'a, 'b> Graph<'a, 'b> {
    /// `paths` holds those of the copies one after the other: the tens of thousands of comparisons
    /// find them nearer to each other there than in the file.
    fn new(copies: &'b [Installed<'a>], paths: &'b str) -> Result<Self, ParseError> {
        let mut graph = Self {
            copies,
            installed: FastHashMap::default(),
            folders: FastHashMap::default(),
            packages: Vec::new(),
        };
        let mut rest = paths;
        for (place, copy) in copies.iter().enumerate() {
            let (path, after) = rest.split_at(copy.path.len());
            rest = after;
            let known = match copy.installed_at {
                Some(at) => {
                    let names = graph.installed.entry(folder_of(path, at)).or_default();
                    names.insert(&path[at..], place)
                }
                None => graph.folders.insert(path, place),
            };
            if known.is_some() {
                return Err(ParseError::new(format!(
                    "is not an npm lockfile: duplicate key `{path}`"
                ))
                .at_line(copy.line as usize));
            }
        }

        let mut count = 0;
        let packages = copies.iter().map(|copy| {
            let is_package = match &copy.link {
                Some(target) => graph.place(target).is_none(),
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

    /// The place of the copy at a path.
    fn place(&self, path: &str) -> Option<usize> {
        let place = match installed_at(path) {
            Some(at) => self.installed.get(folder_of(path, at))?.get(&path[at..]),
            None => self.folders.get(path),
        };
        place.copied()
    }

    fn package_at(&self, place: usize) -> Option<PackageIndex> {
        self.packages.get(place).copied().flatten()
    }

    fn root(&self, input: &Input<'_>, copy: &Installed<'a>) -> Root {
        let path = joined(&input.beside(""), &copy.path, "package.json");
        let found = path.and_then(|path| input.sibling(&path).map(|bytes| (path, bytes)));
        let manifest = found.as_ref().and_then(|(_, bytes)| Manifest::read(bytes));

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
            (None, None) => folder_name(&copy.path).to_owned(),
        };
        Root {
            name,
            manifest: found.map(|(path, _)| path),
            edges,
        }
    }

    fn package(&self, copy: &Installed<'a>, origin: Origin) -> Package {
        let installed = copy.installed_name();
        let in_path = installed.unwrap_or_else(|| folder_name(&copy.path));
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

    /// What a copy depends on. A name that stands under several kinds counts once, under the kind
    /// that npm lets win: development, then optional, then run time, then peer.
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
        let folders = self.folders_above(&copy.path);
        let mut seen: FastHashSet<&str> = FastHashSet::default();

        let mut edges = Vec::with_capacity(needs.len());
        for (kind, names) in by_kind {
            // Names within one kind differ; only a kind after another one needs to look back.
            let look_back = !seen.is_empty() || names.0.len() < needs.len();
            for (name, requirement) in &names.0 {
                if look_back && !seen.insert(name) {
                    continue;
                }
                let Some(to) = self.resolve(&folders, name) else {
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

    /// What is installed in the folders in which Node.js looks for what a dependent asks for,
    /// nearest first
    /// (<https://nodejs.org/api/modules.html#loading-from-node_modules-folders>).
    fn folders_above(&self, from: &str) -> Vec<&Names<'b>> {
        std::iter::successors(Some(from), |folder| above(folder))
            .filter_map(|folder| self.installed.get(folder))
            .collect()
    }

    fn resolve(&self, folders: &[&Names<'b>], name: &str) -> Option<PackageIndex> {
        let place = folders.iter().find_map(|names| names.get(name))?;
        self.follow(*place)
    }

    /// The package at a place, or the one that a link there stands for. A link to a link is nothing
    /// that npm writes; following it could go round.
    fn follow(&self, place: usize) -> Option<PackageIndex> {
        self.package_at(place).or_else(|| {
            let target = self.copies.get(place)?.link.as_deref()?;
            self.package_at(self.place(target)?)
        })
    }
}

/// The folder whose `node_modules` holds the package whose name begins at `at`.
fn folder_of(path: &str, at: usize) -> &str {
    let above = path[..at].strip_suffix("node_modules/").unwrap_or_default();
    match above.strip_suffix('/') {
        Some("") | None => above,
        Some(folder) => folder,
    }
}

/// The folder from which Node.js looks next. `None` above the lockfile's own folder.
fn above(folder: &str) -> Option<&str> {
    if folder.is_empty() || folder.ends_with("..") {
        return None;
    }

    if let Some(at) = installed_at(folder) {
        let name = &folder[at..];
        let parts = if name.starts_with('@') { 2 } else { 1 };
        if name.split('/').count() <= parts {
            return Some(folder_of(folder, at));
        }
    }

    Some(folder.rsplit_once('/').map_or("", |(above, _)| above))
}

/// The last part of a folder's path, with a scope that stands before it, as npm names a folder
/// whose manifest has no name.
fn folder_name(path: &str) -> &str {
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

/// `folder/path/file` without `.` and `..`; `None` outside the repository.
pub(in crate::npm) fn joined(folder: &str, path: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')).chain([file]) {
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

/// Gives the root project the copies at the top that no other copy asks for: nothing but the
/// project itself can have brought them there.
fn infer_direct(lockfile: &mut Lockfile) {
    let asked: HashSet<PackageIndex> = lockfile
        .packages
        .iter()
        .flat_map(|package| package.edges.iter().map(|edge| edge.to))
        .collect();
    let direct: Vec<Edge> = lockfile
        .indexed()
        .filter(|(index, _)| !asked.contains(index))
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

/// An archive whose address has no layout known here is from a registry after all when nobody asks
/// for it by address: only a registry answers a range.
fn settle_addresses(lockfile: &mut Lockfile) {
    let is_url = |package: &Package| matches!(package.origin, Origin::Url(_));
    // Whether it is asked for, and by address, for each of them. Mostly there is none.
    let mut asked: HashMap<PackageIndex, Option<bool>> = lockfile
        .indexed()
        .filter(|(_, package)| is_url(package))
        .map(|(index, _)| (index, None))
        .collect();
    if asked.is_empty() {
        return;
    }

    let edges = lockfile
        .roots
        .iter()
        .flat_map(|root| &root.edges)
        .chain(lockfile.packages.iter().flat_map(|package| &package.edges));
    for edge in edges {
        if let Some(by_address) = asked.get_mut(&edge.to) {
            let asks_by_address = match &edge.requirement {
                Some(requirement) => origin::asks_by_address(requirement),
                None => true,
            };
            *by_address = Some(by_address.unwrap_or(false) || asks_by_address);
        }
    }

    for (index, by_address) in asked {
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
            std::iter::successors(Some(start), |folder| above(folder)).collect::<Vec<_>>()
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
    fn different_paths_are_different_places() {
        let place = |path: &'static str| {
            let at = installed_at(path).expect("it is installed");
            (folder_of(path, at), &path[at..])
        };
        assert_eq!(place("node_modules/@a/b"), ("", "@a/b"));
        assert_eq!(place("a/node_modules/b"), ("a", "b"));
        assert_eq!(place("a//node_modules/b"), ("a/", "b"));
        assert_eq!(place("/node_modules/b"), ("/", "b"));
        assert_eq!(place("node_modules//b"), ("", "/b"));
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
    fn names_folders_with_their_scope() {
        assert_eq!(folder_name("packages/@a/b"), "@a/b");
        assert_eq!(folder_name("packages/b"), "b");
        assert_eq!(folder_name("b"), "b");
    }
}
