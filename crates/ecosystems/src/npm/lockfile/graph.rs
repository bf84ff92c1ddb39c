//! From copies by install path to packages with edges.

use std::collections::{HashMap, HashSet};

use patchgate_model::{DependencyKind, Edge, Lockfile, Origin, Package, PackageIndex, Root, Scope};

use super::super::NAME;
use super::super::json::{Map, Text};
use super::super::manifest::Manifest;
use super::{Copy, installed_at, installed_name, origin};
use crate::lookup::{Known, Lookup, lookup};
use crate::{Input, ParseError, limits};

/// Makes the lockfile's value out of its copies. `infer_root` says that nothing states what the
/// root project asks for.
pub(super) fn lockfile(
    input: &Input<'_>,
    format: &'static str,
    copies: &[Copy<'_>],
    infer_root: bool,
) -> Result<Lockfile, ParseError> {
    let mut graph = Graph::new(copies)?;
    let mut roots = Vec::new();
    let mut packages: Vec<Package> = Vec::with_capacity(graph.packages as usize);
    for copy in copies {
        if installed_name(&copy.path).is_none() {
            roots.push(graph.root(input, copy)?);
        }
        if graph.is_package(copy) {
            packages.push(graph.package(copy)?);
        }
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

/// Where a path leads.
#[derive(Clone, Copy)]
enum Place {
    Package(PackageIndex),
    /// A link, by its place among the copies.
    Link(usize),
    /// The root project, which is no package of its own lockfile.
    Root,
}

struct Graph<'a, 'b> {
    copies: &'b [Copy<'a>],
    places: Lookup<&'b str, Place>,
    /// Folders with a `node_modules` in which the lockfile installs something.
    folders: Known<&'b str>,
    packages: u32,
    edges: usize,
    /// Kept between look-ups, so that they need no new memory.
    candidate: String,
}

impl<'a, 'b> Graph<'a, 'b> {
    fn new(copies: &'b [Copy<'a>]) -> Result<Self, ParseError> {
        let mut graph = Self {
            copies,
            places: lookup(copies.len()),
            folders: Known::default(),
            packages: 0,
            edges: 0,
            candidate: String::new(),
        };
        // Links last: whether one is a package depends on whether its folder is listed.
        for copy in copies.iter().filter(|copy| copy.link.is_none()) {
            let place = if copy.path.is_empty() {
                Place::Root
            } else {
                graph.next_package()
            };
            graph.place(copy, place)?;
        }
        for (index, copy) in copies.iter().enumerate() {
            if copy.link.is_some() {
                graph.place(copy, Place::Link(index))?;
            }
        }
        graph.number();
        Ok(graph)
    }

    fn next_package(&mut self) -> Place {
        let place = Place::Package(PackageIndex(self.packages));
        self.packages += 1;
        place
    }

    fn place(&mut self, copy: &'b Copy<'a>, place: Place) -> Result<(), ParseError> {
        if let Some(at) = installed_at(&copy.path) {
            self.folders.insert(folder_of(&copy.path, at));
        }
        match self.places.insert(&copy.path, place) {
            None => Ok(()),
            Some(_) => Err(ParseError::new(format!(
                "is not an npm lockfile: duplicate key `{}`",
                copy.path
            ))
            .at_line(copy.line as usize)),
        }
    }

    /// Gives the packages their indices in the file's order.
    fn number(&mut self) {
        self.packages = 0;
        for copy in self.copies {
            if self.is_package(copy) {
                let place = self.next_package();
                self.places.insert(&copy.path, place);
            }
        }
    }

    /// Whether the copy is one of the lockfile's packages: every entry but the root project and
    /// the links whose folder has an entry of its own.
    fn is_package(&self, copy: &Copy<'_>) -> bool {
        match &copy.link {
            Some(target) => !self.places.contains_key(&**target),
            None => !copy.path.is_empty(),
        }
    }

    fn root(&mut self, input: &Input<'_>, copy: &Copy<'a>) -> Result<Root, ParseError> {
        let path = joined(&input.beside(""), &copy.path, "package.json");
        let found = path.and_then(|path| input.sibling(&path).map(|bytes| (path, bytes)));
        let manifest = found.as_ref().and_then(|(_, bytes)| Manifest::read(bytes));
        let mut edges = self.edges(copy, true)?;
        if let Some(manifest) = &manifest {
            for edge in &mut edges {
                if let Some(requirement) = manifest.requirement(&edge.name, edge.kind) {
                    edge.requirement = Some(requirement.to_owned());
                }
            }
        }
        let name = match (&copy.name, manifest.as_ref().and_then(Manifest::name)) {
            (Some(name), _) => name.to_string(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => folder_name(&copy.path).to_owned(),
        };
        Ok(Root {
            name,
            manifest: found.map(|(path, _)| path),
            edges,
        })
    }

    fn package(&mut self, copy: &Copy<'a>) -> Result<Package, ParseError> {
        let installed = installed_name(&copy.path);
        let in_path = installed.unwrap_or_else(|| folder_name(&copy.path));
        let name = copy.name.as_deref().unwrap_or(in_path);
        let version = copy.version.as_deref().unwrap_or_default();
        Ok(Package {
            origin: copy.origin.clone(),
            line: copy.line,
            integrity: copy.integrity.as_deref().map(str::to_owned),
            scope: copy.scope,
            install_path: Some(copy.path.to_string()),
            alias: (installed.is_some() && name != in_path).then(|| in_path.to_owned()),
            bundled: copy.bundled,
            edges: self.edges(copy, false)?,
            ..Package::new(NAME, name.to_owned(), version.to_owned())
        })
    }

    /// What a copy depends on. A name that stands under several kinds counts once, under the kind
    /// that npm lets win: development, then optional, then run time, then peer.
    fn edges(&mut self, copy: &Copy<'a>, with_development: bool) -> Result<Vec<Edge>, ParseError> {
        let needs = &copy.needs;
        if needs.len() == 0 {
            return Ok(Vec::new());
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
        let mut seen: HashSet<&str> = HashSet::new();
        let mut edges = Vec::new();
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
                    name: name.to_string(),
                    requirement: requirement.as_ref().map(|Text(text)| text.to_string()),
                    kind,
                });
            }
        }
        self.edges += edges.len();
        if self.edges > limits::MAX_EDGES {
            return Err(ParseError::new(format!(
                "holds more than {} dependencies",
                limits::MAX_EDGES
            )));
        }
        Ok(edges)
    }

    /// The folders in which Node.js looks for what a dependent asks for, nearest first, as far as
    /// the lockfile installs anything there
    /// (<https://nodejs.org/api/modules.html#loading-from-node_modules-folders>).
    fn folders_above<'p>(&self, from: &'p str) -> Vec<&'p str> {
        std::iter::successors(Some(from), |folder| above(folder))
            .filter(|folder| self.folders.contains(folder))
            .collect()
    }

    fn resolve(&mut self, folders: &[&str], name: &str) -> Option<PackageIndex> {
        for folder in folders {
            self.candidate.clear();
            if !folder.is_empty() {
                self.candidate.push_str(folder);
                self.candidate.push('/');
            }
            self.candidate.push_str("node_modules/");
            self.candidate.push_str(name);
            if let Some(place) = self.places.get(self.candidate.as_str()) {
                return self.follow(*place);
            }
        }
        None
    }

    fn follow(&self, place: Place) -> Option<PackageIndex> {
        match place {
            Place::Package(index) => Some(index),
            Place::Root => None,
            Place::Link(index) => {
                let target = self.copies.get(index)?.link.as_deref()?;
                match self.places.get(target)? {
                    Place::Package(index) => Some(*index),
                    // A link to a link is nothing that npm writes; following it could go round.
                    Place::Link(_) | Place::Root => None,
                }
            }
        }
    }
}

/// The folder whose `node_modules` holds the package whose name begins at `at`.
fn folder_of(path: &str, at: usize) -> &str {
    path[..at]
        .trim_end_matches('/')
        .trim_end_matches("node_modules")
        .trim_end_matches('/')
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
                name: name.to_owned(),
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
    let mut asked: HashMap<u32, bool> = HashMap::new();
    let edges = lockfile
        .roots
        .iter()
        .flat_map(|root| &root.edges)
        .chain(lockfile.packages.iter().flat_map(|package| &package.edges));
    for edge in edges {
        let is_url = lockfile
            .package(edge.to)
            .is_some_and(|package| matches!(package.origin, Origin::Url(_)));
        if is_url {
            let by_address = match &edge.requirement {
                Some(requirement) => origin::asks_by_address(requirement),
                None => true,
            };
            *asked.entry(edge.to.0).or_default() |= by_address;
        }
    }
    for (index, package) in lockfile.packages.iter_mut().enumerate() {
        let by_address = u32::try_from(index)
            .ok()
            .and_then(|index| asked.get(&index));
        if by_address == Some(&false)
            && let Origin::Url(address) = &mut package.origin
        {
            package.origin = Origin::Registry(Some(std::mem::take(address)));
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
