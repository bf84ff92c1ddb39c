//! Where copies go: as high as they can without hiding a version from a package that needs another
//! one (`lib/place-dep.js` and `lib/can-place-dep.js` in arborist).
//!
//! Arborist asks whether a version satisfies a dependent; here the target graph says which one each
//! dependent gets. So a copy is never placed where it would satisfy a dependent that keeps another
//! one, and may then be deeper than where npm would put it. npm leaves it there.

use patchgate_model::{DependencyKind, Lockfile};

use super::entry::Entry;
use super::order;
use super::tree::{Place, Tree, child, depth, is_top, name_of, parent};
use crate::{TargetEdge, TargetGraph};

/// Places a graph in a tree.
pub(super) struct Placer<'a> {
    pub(super) tree: Tree,
    target: &'a TargetGraph,
    /// Name and version of each package of the graph.
    identities: Vec<(&'a str, &'a str)>,
    /// The entry of each package, without flags.
    entries: Vec<Entry>,
    queue: Vec<String>,
}

/// A dependency that has no place yet.
struct Wanted<'a> {
    from: &'a str,
    name: &'a str,
    kind: DependencyKind,
    node: usize,
}

/// The answer for one directory.
#[derive(PartialEq, Eq)]
enum Verdict {
    /// It has the version.
    Present,
    Free,
    /// Its peers are other ones here than higher up.
    Peers,
    Conflict,
}

impl<'a> Placer<'a> {
    pub(super) fn new(
        tree: Tree,
        lockfile: &'a Lockfile,
        target: &'a TargetGraph,
        entries: Vec<Entry>,
    ) -> Self {
        let identity = |index: usize| {
            let node = target.nodes.get(index);
            let name = node.map(|node| &*node.name).unwrap_or_default();
            (name, target.version(lockfile, index).unwrap_or_default())
        };
        Self {
            identities: (0..target.nodes.len()).map(identity).collect(),
            tree,
            target,
            entries,
            queue: Vec::new(),
        }
    }

    /// Places every package for every dependent.
    ///
    /// # Errors
    /// If a package has no place, as a fragment.
    pub(super) fn run(&mut self, moved: &[String]) -> Result<(), String> {
        self.raise(moved)?;

        self.queue = self.broken_below("");
        // Each step places one dependent's packages; only cycles of conflicts need many steps.
        let mut steps = 100 + 20 * (self.target.nodes.len() + self.tree.places.len());
        while let Some(from) = self.pop() {
            steps = steps.checked_sub(1).ok_or("its packages find no place")?;
            for (name, kind, node) in self.missing(&from) {
                let wanted = Wanted {
                    from: &from,
                    name: &name,
                    kind,
                    node,
                };
                self.place(&wanted)?;
            }
        }

        Ok(())
    }

    /// Moves changed copies up, as far as npm would have put their new version.
    fn raise(&mut self, moved: &[String]) -> Result<(), String> {
        let mut moved: Vec<&String> = moved.iter().collect();
        moved.sort_by(|a, b| depth(a).cmp(&depth(b)).then_with(|| order::texts(a, b)));
        for path in moved {
            let (Some(place), Some(directory)) = (self.tree.places.get(path), parent(path)) else {
                continue;
            };
            let Some(node) = place
                .node
                .filter(|_| !place.is_bundled() && depth(path) > 1)
            else {
                continue;
            };
            let wanted = Wanted {
                from: directory,
                name: name_of(path),
                kind: DependencyKind::Runtime,
                node,
            };
            let mut best = None;
            for at in self.tree.ancestry(directory).skip(1) {
                if !is_top(at) && self.is_peer(at, wanted.name) {
                    continue;
                }
                match self.check(at, &wanted, &mut Vec::new()) {
                    Verdict::Conflict => break,
                    Verdict::Peers => {}
                    verdict => best = Some((at.to_owned(), verdict)),
                }
            }
            let Some((at, verdict)) = best else {
                continue;
            };
            let name = wanted.name.to_owned();
            self.tree.remove(path);
            if verdict == Verdict::Free {
                self.insert(&at, &name, node)?;
            }
        }

        Ok(())
    }

    /// The next dependent: npm takes shallow ones first, then by path.
    fn pop(&mut self) -> Option<String> {
        let first = self
            .queue
            .iter()
            .enumerate()
            .min_by(|(_, a), (_, b)| depth(a).cmp(&depth(b)).then_with(|| order::texts(a, b)))
            .map(|(index, _)| index)?;
        Some(self.queue.swap_remove(first))
    }

    /// What the graph gives the package at a path, by the name that it uses.
    fn wants(&self, path: &str) -> impl Iterator<Item = &'a TargetEdge> {
        let place = self.tree.places.get(path);
        let target = self.target;
        let of_root = place
            .and_then(|place| target.roots.get(place.root?))
            .map_or(&[][..], Vec::as_slice);
        let of_node = place
            .filter(|place| place.link().is_none())
            .and_then(|place| target.nodes.get(place.node?))
            .map_or(&[][..], |node| node.edges.as_slice());
        let is_new = move |edge: &&TargetEdge| !of_root.iter().any(|other| other.name == edge.name);
        of_root.iter().chain(of_node.iter().filter(is_new))
    }

    fn want(&self, path: &str, name: &str) -> Option<&'a TargetEdge> {
        self.wants(path).find(|edge| edge.name == name)
    }

    fn is_peer(&self, path: &str, name: &str) -> bool {
        self.want(path, name)
            .is_some_and(|edge| edge.kind == DependencyKind::Peer)
    }

    /// Whether two packages of the graph are the same release.
    fn is_same(&self, a: usize, b: usize) -> bool {
        a == b
            || self.identities.get(a).is_some_and(|identity| {
                !identity.1.is_empty() && self.identities.get(b) == Some(identity)
            })
    }

    /// Whether a dependent does not get what the graph says.
    fn is_broken(&self, path: &str, edge: &TargetEdge) -> bool {
        let found = self
            .tree
            .resolve(path, &edge.name)
            .and_then(|to| self.tree.node(to));
        !found.is_some_and(|found| self.is_same(found, edge.to))
    }

    fn missing(&self, path: &str) -> Vec<(String, DependencyKind, usize)> {
        let mut missing: Vec<(String, DependencyKind, usize)> = self
            .wants(path)
            .filter(|edge| self.is_broken(path, edge))
            .map(|edge| (edge.name.clone(), edge.kind, edge.to))
            .collect();
        missing.sort_by(|a, b| order::texts(&a.0, &b.0));
        missing
    }

    fn broken_below(&self, directory: &str) -> Vec<String> {
        self.tree
            .below(directory)
            .into_iter()
            .filter(|path| self.wants(path).any(|edge| self.is_broken(path, edge)))
            .map(str::to_owned)
            .collect()
    }

    /// The first dependent that does not get what the graph says.
    pub(super) fn unmet(&self) -> Option<String> {
        self.broken_below("").into_iter().next()
    }

    fn place(&mut self, wanted: &Wanted<'_>) -> Result<(), String> {
        // An earlier step may have placed it.
        let found = self.tree.resolve(wanted.from, wanted.name);
        if found
            .and_then(|to| self.tree.node(to))
            .is_some_and(|found| self.is_same(found, wanted.node))
        {
            return Ok(());
        }

        let mut best = None;
        let mut deepest = None;
        for at in self.tree.ancestry(wanted.from) {
            if !is_top(at) && self.is_peer(at, wanted.name) {
                continue;
            }
            deepest = deepest.or_else(|| Some(at.to_owned()));
            match self.check(at, wanted, &mut Vec::new()) {
                Verdict::Conflict => break,
                Verdict::Peers => {}
                verdict => best = Some((at.to_owned(), verdict)),
            }
        }
        match (best, deepest) {
            (Some((_, Verdict::Present)), _) => Ok(()),
            (Some((at, _)), _) => self.insert(&at, wanted.name, wanted.node),
            // The dependent's own directory has another version, which goes deeper.
            (None, Some(at)) if at == wanted.from && wanted.kind != DependencyKind::Peer => {
                let path = child(&at, wanted.name);
                let is_free = self
                    .tree
                    .places
                    .get(&path)
                    .is_some_and(|place| place.link().is_none() && !place.is_bundled());
                if !is_free {
                    return Err(format!("`{}` has no place for `{}`", at, wanted.name));
                }
                self.tree.remove(&path);
                self.insert(&at, wanted.name, wanted.node)?;
                self.queue = self.broken_below("");
                Ok(())
            }
            _ => Err(format!(
                "`{}` and what it is a peer of need different versions of `{}`",
                wanted.from, wanted.name
            )),
        }
    }

    /// Whether a package can be in a directory's `node_modules`.
    fn check(&self, at: &str, wanted: &Wanted<'_>, seen: &mut Vec<usize>) -> Verdict {
        if let Some(place) = self.tree.follow(&child(at, wanted.name)) {
            return match place.1.node {
                Some(node) if self.is_same(node, wanted.node) => Verdict::Present,
                _ => Verdict::Conflict,
            };
        }

        // Those that use the name from here on and get another version. In the dependent's own
        // directory it has to be anyway, and they get copies of their own.
        let hidden = self.tree.resolve(at, wanted.name);
        let below = match at == wanted.from {
            true => Vec::new(),
            false => self.tree.below(at),
        };
        for path in below {
            let Some(edge) = self.want(path, wanted.name) else {
                continue;
            };
            let is_hidden = hidden.is_some() && self.tree.resolve(path, wanted.name) == hidden;
            if !self.is_same(edge.to, wanted.node) && (path == at || is_hidden) {
                return Verdict::Conflict;
            }
        }

        // Its peers must be the same from here.
        seen.push(wanted.node);
        let edges = self.target.nodes.get(wanted.node).map(|node| &node.edges);
        for peer in edges.into_iter().flatten() {
            if peer.kind != DependencyKind::Peer || seen.contains(&peer.to) {
                continue;
            }
            let found = self.tree.resolve(at, &peer.name);
            let is_met = match found.and_then(|to| self.tree.node(to)) {
                Some(node) => self.is_same(node, peer.to),
                None => true,
            };
            let wanted = Wanted {
                from: wanted.from,
                name: &peer.name,
                kind: peer.kind,
                node: peer.to,
            };
            let top = self
                .tree
                .ancestry(at)
                .find(|above| is_top(above) || !self.is_peer(above, &peer.name));
            let fits = is_met
                || top.is_some_and(|top| {
                    matches!(
                        self.check(top, &wanted, seen),
                        Verdict::Present | Verdict::Free
                    )
                });
            if !fits {
                return Verdict::Peers;
            }
        }

        Verdict::Free
    }

    fn insert(&mut self, at: &str, name: &str, node: usize) -> Result<(), String> {
        let path = child(at, name);
        let entry = self.entries.get(node).filter(|entry| !entry.is_empty());
        let mut entry = entry.cloned().ok_or_else(|| {
            format!("`{name}` would have to be installed a second time, which is not possible")
        })?;
        let package = self.identities.get(node).map(|identity| identity.0);
        if let Some(package) = package.filter(|package| *package != name) {
            entry.insert("name".to_owned(), package.into());
        } else {
            entry.remove("name");
        }
        self.tree.places.insert(
            path.clone(),
            Place {
                node: Some(node),
                root: None,
                entry,
            },
        );

        // Copies below that the new one makes unnecessary.
        let mut is_shallower = false;
        let below: Vec<String> = self.tree.below(at).into_iter().map(str::to_owned).collect();
        for other in below {
            let Some(place) = self.tree.places.get(&other) else {
                continue;
            };
            let is_copy = other != path
                && name_of(&other) == name
                && place.link().is_none()
                && !place.is_bundled()
                && place.node.is_some_and(|found| self.is_same(found, node));
            let above = parent(&other).and_then(crate::npm::lockfile::graph::above);
            if is_copy && above.and_then(|above| self.tree.resolve(above, name)) == Some(&*path) {
                self.tree.remove(&other);
                is_shallower = true;
            }
        }

        let affected = match is_shallower {
            true => self.broken_below(""),
            false => self
                .tree
                .below(at)
                .into_iter()
                .filter(|other| **other == *path || self.want(other, name).is_some())
                .filter(|other| self.wants(other).any(|edge| self.is_broken(other, edge)))
                .map(str::to_owned)
                .collect(),
        };
        for broken in affected {
            if !self.queue.contains(&broken) {
                self.queue.push(broken);
            }
        }
        Ok(())
    }
}
