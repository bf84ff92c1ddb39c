//! The flags of entries: why a copy is installed (`lib/calc-dep-flags.js` in arborist).

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::entry::Entry;
use super::tree::{Kind, Tree, is_top, parent};

/// The flags of one place. All are set at first, and taken away by what reaches the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) extraneous: bool,
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) dev_optional: bool,
    pub(super) peer: bool,
}

impl Flags {
    const ALL: Self = Self {
        extraneous: true,
        dev: true,
        optional: true,
        dev_optional: true,
        peer: true,
    };

    const NONE: Self = Self {
        extraneous: false,
        dev: false,
        optional: false,
        dev_optional: false,
        peer: false,
    };

    /// The flags that an entry has.
    pub(super) fn read(entry: &Entry) -> Self {
        let has = |flag: &str| entry.get(flag) == Some(&Value::Bool(true));
        Self {
            extraneous: has("extraneous"),
            dev: has("dev"),
            optional: has("optional"),
            dev_optional: has("devOptional"),
            peer: has("peer"),
        }
    }

    /// Replaces the flags of an entry.
    pub(super) fn write(self, entry: &mut Entry) {
        let shown = self.shown();
        let flags = [
            ("extraneous", shown.extraneous),
            ("dev", shown.dev),
            ("optional", shown.optional),
            ("devOptional", shown.dev_optional),
            ("peer", shown.peer),
        ];
        for (name, is_set) in flags {
            if is_set {
                entry.insert(name.to_owned(), Value::Bool(true));
            } else {
                entry.remove(name);
            }
        }
    }

    /// The flags that are written.
    pub(super) fn shown(self) -> Self {
        if self.extraneous {
            return Self {
                extraneous: true,
                ..Self::NONE
            };
        }
        Self {
            dev_optional: self.dev_optional && !self.dev && !self.optional,
            ..self
        }
    }

    /// Takes away what does not hold for a dependency, and returns whether that was anything.
    fn pass(&mut self, from: Self, kind: Kind) -> bool {
        let before = *self;
        let (peer, optional) = (kind.is_peer(), kind.is_optional());
        let dev = kind == Kind::Development;
        if !from.extraneous && kind != Kind::OptionalPeer {
            self.extraneous = false;
        }
        if !from.dev && !dev {
            self.dev = false;
        }
        if !from.optional && !optional {
            self.optional = false;
        }
        if !from.dev_optional && !from.dev && !from.optional && !dev && !optional {
            self.dev_optional = false;
        }
        if !from.peer && !peer {
            self.peer = false;
        }
        *self != before
    }

    /// Takes away what does not hold for the link to a directory.
    fn pass_link(&mut self, link: Self) -> bool {
        let before = *self;
        self.extraneous &= link.extraneous;
        self.dev &= link.dev;
        self.optional &= link.optional;
        self.dev_optional &= link.dev_optional;
        self.peer &= link.peer;
        *self != before
    }
}

/// The flags of every place of a tree, by path.
pub(super) fn flags(tree: &Tree) -> BTreeMap<&str, Flags> {
    let mut all: BTreeMap<&str, Flags> = tree
        .places
        .keys()
        .map(|path| (path.as_str(), Flags::ALL))
        .collect();
    all.insert("", Flags::NONE);

    let mut seen: HashSet<&str> = HashSet::new();
    let mut queue = vec![""];
    while let Some(path) = queue.pop() {
        seen.insert(path);
        let Some((path, place)) = tree.places.get_key_value(path) else {
            continue;
        };
        let Some(own) = all.get(path.as_str()).copied() else {
            continue;
        };
        if !own.extraneous {
            keep_above(&mut all, tree, path);
        }

        if let Some((target, _)) = place.link().and_then(|to| tree.places.get_key_value(to)) {
            let changed = all
                .get_mut(target.as_str())
                .is_some_and(|flags| flags.pass_link(own));
            if changed || !seen.contains(target.as_str()) {
                queue.push(target);
            }
            continue;
        }
        for (to, kind) in edges(tree, path) {
            let changed = all.get_mut(to).is_some_and(|flags| flags.pass(own, kind));
            if changed {
                queue.push(to);
            }
        }
    }

    all
}

/// The copies that a place depends on. The root project depends on its workspaces, too.
fn edges<'a>(tree: &'a Tree, path: &str) -> Vec<(&'a str, Kind)> {
    let mut edges: Vec<(&str, Kind)> = Vec::new();
    let workspaces = if path.is_empty() {
        workspaces(tree)
    } else {
        Vec::new()
    };
    for (name, (_, kind)) in tree.dependencies(path) {
        if let Some(to) = tree.resolve(path, name)
            && !workspaces.contains(&to)
        {
            edges.push((to, kind));
        }
    }
    edges.extend(workspaces.into_iter().map(|to| (to, Kind::Runtime)));
    edges
}

/// The links of the root project to its workspaces.
fn workspaces(tree: &Tree) -> Vec<&str> {
    let root = tree.places.get("").map(|place| &place.entry);
    if !root.is_some_and(|root| root.contains_key("workspaces")) {
        return Vec::new();
    }
    tree.places
        .iter()
        .filter(|(path, place)| parent(path) == Some("") && place.link().is_some_and(is_top))
        .map(|(path, _)| path.as_str())
        .collect()
}

/// A place that is needed keeps those that it is below.
fn keep_above(all: &mut BTreeMap<&str, Flags>, tree: &Tree, path: &str) {
    for above in tree.ancestry(path).skip(1) {
        match all.get_mut(above) {
            Some(flags) if flags.extraneous => flags.extraneous = false,
            _ => return,
        }
    }
}
