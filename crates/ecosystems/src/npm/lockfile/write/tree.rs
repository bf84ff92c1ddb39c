//! The tree of installed copies: which copy a dependent gets, as Node.js and arborist find it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::Entry;
use crate::npm::lockfile::graph::{above, directory_of};
use crate::npm::lockfile::installed_at;

/// One entry of the lockfile: the root project, a directory, a link or an installed copy.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its package in the target graph. The root project has none, nor has a link to a directory with
    /// an entry of its own.
    pub(super) node: Option<usize>,
    /// Index of its project among the lockfile's roots.
    pub(super) root: Option<usize>,
    pub(super) entry: Entry,
}

/// The kind of a dependency, as arborist distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Runtime,
    Development,
    Optional,
    Peer,
    OptionalPeer,
}

impl Kind {
    pub(super) fn is_peer(self) -> bool {
        matches!(self, Self::Peer | Self::OptionalPeer)
    }

    pub(super) fn is_optional(self) -> bool {
        matches!(self, Self::Optional | Self::OptionalPeer)
    }
}

/// The places of a lockfile by their path.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) places: BTreeMap<String, Place>,
}

impl Place {
    /// For a link, the path of its directory.
    pub(super) fn link(&self) -> Option<&str> {
        match self.entry.get("link") {
            Some(Value::Bool(true)) => {
                Some(self.entry.get("resolved")?.as_str().unwrap_or_default())
            }
            _ => None,
        }
    }

    pub(super) fn is_bundled(&self) -> bool {
        self.entry.get("inBundle") == Some(&Value::Bool(true))
    }
}

impl Tree {
    /// The path of the copy that a package in a directory gets for a name.
    pub(super) fn resolve(&self, from: &str, name: &str) -> Option<&str> {
        let mut directory = Some(from);
        while let Some(at) = directory {
            if let Some((path, _)) = self.places.get_key_value(&child(at, name)) {
                return Some(path);
            }
            directory = above(at);
        }
        None
    }

    /// The place at a path, or the directory that a link there points to.
    pub(super) fn follow<'a>(&'a self, path: &'a str) -> Option<(&'a str, &'a Place)> {
        let (path, place) = self.places.get_key_value(path)?;
        match place.link().and_then(|to| self.places.get_key_value(to)) {
            Some((to, target)) => Some((to, target)),
            None => Some((path, place)),
        }
    }

    /// The package of the copy at a path.
    pub(super) fn node(&self, path: &str) -> Option<usize> {
        self.follow(path)?.1.node
    }

    /// A directory and those above it in which a dependency of its package can be installed, nearest
    /// first.
    pub(super) fn ancestry<'a>(&'a self, from: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::successors(Some(from), |at| above(at)).filter(|at| self.places.contains_key(*at))
    }

    /// The places in a directory and below it.
    pub(super) fn below<'a>(&'a self, directory: &str) -> Vec<&'a str> {
        let is_below = |path: &str| {
            directory.is_empty()
                || path
                    .strip_prefix(directory)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.places
            .range(directory.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(|path| path.starts_with(directory))
            .filter(|path| is_below(path))
            .collect()
    }

    /// Removes a place and all that is installed below it.
    pub(super) fn remove(&mut self, path: &str) {
        let gone: Vec<String> = self.below(path).into_iter().map(str::to_owned).collect();
        for path in gone {
            self.places.remove(&path);
        }
    }

    /// The dependencies of a place as its entry states them: name, requirement and kind. A name in
    /// several sections counts once (`_loadDeps` in arborist's `lib/node.js`).
    pub(super) fn dependencies<'a>(&'a self, path: &str) -> BTreeMap<&'a str, (&'a str, Kind)> {
        let Some(place) = self.places.get(path) else {
            return BTreeMap::new();
        };
        dependencies(&place.entry, is_top(path))
    }
}

/// See [`Tree::dependencies`].
pub(super) fn dependencies(entry: &Entry, is_top: bool) -> BTreeMap<&str, (&str, Kind)> {
    let mut all = BTreeMap::new();
    let meta = entry.get("peerDependenciesMeta");
    let sections = [
        ("peerDependencies", Kind::Peer),
        ("dependencies", Kind::Runtime),
        ("optionalDependencies", Kind::Optional),
        ("devDependencies", Kind::Development),
    ];
    for (section, kind) in sections {
        if kind == Kind::Development && !is_top {
            continue;
        }
        let listed = entry.get(section).and_then(Value::as_object);
        for (name, requirement) in listed.into_iter().flatten() {
            let is_optional = kind == Kind::Peer
                && meta
                    .and_then(|meta| meta.get(name)?.get("optional"))
                    .is_some_and(|optional| *optional == true);
            let kind = if is_optional {
                Kind::OptionalPeer
            } else {
                kind
            };
            all.insert(
                name.as_str(),
                (requirement.as_str().unwrap_or_default(), kind),
            );
        }
    }
    all
}

/// The path of a package in a directory's `node_modules`.
pub(super) fn child(directory: &str, name: &str) -> String {
    match directory {
        "" => format!("node_modules/{name}"),
        _ => format!("{directory}/node_modules/{name}"),
    }
}

/// The name of an installed copy.
pub(super) fn name_of(path: &str) -> &str {
    installed_at(path)
        .and_then(|at| path.get(at..))
        .unwrap_or_default()
}

/// The directory in whose `node_modules` a copy is installed. `None` for one that is not installed.
pub(super) fn parent(path: &str) -> Option<&str> {
    installed_at(path).map(|at| directory_of(path, at))
}

/// Whether a directory is not installed: the root project, or one that a link points to.
pub(super) fn is_top(path: &str) -> bool {
    installed_at(path).is_none()
}

/// The number of packages that a copy is installed below.
pub(super) fn depth(path: &str) -> usize {
    path.split('/')
        .filter(|part| *part == "node_modules")
        .count()
}
