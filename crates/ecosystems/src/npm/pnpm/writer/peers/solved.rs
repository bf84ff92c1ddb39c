//! What follows from a graph: the copies that each copy's dependents have to provide.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_PEERS, MAX_STEPS, Shape};

/// A point of the graph at which a peer does not follow from the rules.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub(super) enum Site {
    Copy(Option<usize>),
    Project(usize),
}

/// What follows from a graph.
pub(super) struct Solved {
    /// The copies that satisfy the peers of each copy and of what it depends on, where they come
    /// from above.
    pub(super) bound: Vec<BTreeMap<String, usize>>,
    /// The peers that nothing satisfies, and whether each is optional.
    pub(super) missing: Vec<BTreeMap<String, bool>>,
    pub(super) doubts: BTreeSet<(Site, String)>,
    /// Peers that pnpm installed itself, by project and name.
    pub(super) installed: BTreeMap<(usize, String), BTreeSet<usize>>,
    /// Peers that a project leaves open.
    pub(super) open: BTreeMap<(usize, String), bool>,
}

impl Solved {
    pub(super) fn of(shape: &Shape) -> Result<Self, String> {
        let count = shape.nodes.len();
        let mut solved = Self {
            bound: Vec::with_capacity(count),
            missing: Vec::with_capacity(count),
            doubts: BTreeSet::new(),
            installed: BTreeMap::new(),
            open: BTreeMap::new(),
        };
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (number, node) in shape.nodes.iter().enumerate() {
            let (mut bound, mut missing) = (BTreeMap::new(), BTreeMap::new());
            for (peer, is_optional) in &node.declared {
                match node.edges.get(peer) {
                    Some(to) => {
                        bound.insert(peer.clone(), *to);
                    }
                    None if node.links.contains(peer) => {}
                    None => {
                        missing.insert(peer.clone(), *is_optional);
                    }
                }
            }
            solved.bound.push(bound);
            solved.missing.push(missing);
            for to in node.needed() {
                if let Some(dependents) = dependents.get_mut(to) {
                    dependents.push(number);
                }
            }
        }

        // Peers that a copy does not provide to its dependencies are left to its dependents.
        let mut open: Vec<usize> = (0..count).collect();
        let mut is_open = vec![true; count];
        let mut total = 0;
        while let Some(number) = open.pop() {
            is_open[number] = false;
            let added = solved.take_over(shape, number);
            total += added;
            if total > MAX_PEERS {
                return Err("it has too many peers".to_owned());
            }
            for dependent in dependents.get(number).into_iter().flatten() {
                if added > 0 && !is_open[*dependent] {
                    is_open[*dependent] = true;
                    open.push(*dependent);
                }
            }
        }

        solved.find_doubts(shape);
        Ok(solved)
    }

    /// Adds what the dependencies of a copy leave to it, and says how much is new.
    fn take_over(&mut self, shape: &Shape, number: usize) -> usize {
        let Some(node) = shape.nodes.get(number) else {
            return 0;
        };
        let mut added = 0;
        for to in node.needed() {
            let bound = self.bound.get(to).cloned().unwrap_or_default();
            for (peer, copy) in bound {
                if node.provides(&peer) {
                    continue;
                }
                if let Some(own) = self.bound.get_mut(number)
                    && !own.contains_key(&peer)
                {
                    own.insert(peer, copy);
                    added += 1;
                }
            }
            let missing = self.missing.get(to).cloned().unwrap_or_default();
            for (peer, is_optional) in missing {
                if node.provides(&peer) {
                    continue;
                }
                let Some(own) = self.missing.get_mut(number) else {
                    continue;
                };
                let known = own.get(&peer).copied();
                let is_optional = known.unwrap_or(true) && is_optional;
                if known != Some(is_optional) {
                    own.insert(peer, is_optional);
                    added += 1;
                }
            }
        }

        added
    }

    /// The copies that need themselves as a peer, directly or not.
    pub(super) fn cyclic(&self) -> Result<BTreeSet<usize>, String> {
        let mut cyclic = BTreeSet::new();
        let mut steps = 0;
        for number in 0..self.bound.len() {
            let mut seen = BTreeSet::new();
            let mut open = vec![number];
            while let Some(at) = open.pop() {
                for to in self.bound.get(at).into_iter().flat_map(BTreeMap::values) {
                    steps += 1;
                    if steps > MAX_STEPS {
                        return Err("it has too many peers".to_owned());
                    }
                    if seen.insert(*to) {
                        open.push(*to);
                    }
                }
            }
            if seen.contains(&number) {
                cyclic.insert(number);
            }
        }

        Ok(cyclic)
    }

    fn find_doubts(&mut self, shape: &Shape) {
        for (number, node) in shape.nodes.iter().enumerate() {
            let site = Site::Copy(node.was);
            for to in node.needed() {
                for (peer, copy) in self.bound.get(to).into_iter().flatten() {
                    let provided = match node.edges.get(peer) {
                        Some(own) => Some(*own),
                        None if node.name == *peer => Some(number),
                        None if node.links.contains(peer) => None,
                        None => self
                            .bound
                            .get(number)
                            .and_then(|own| own.get(peer))
                            .copied(),
                    };
                    if provided != Some(*copy) {
                        self.doubts.insert((site, peer.clone()));
                    }
                }
                for peer in self.missing.get(to).into_iter().flat_map(BTreeMap::keys) {
                    let is_bound = self
                        .bound
                        .get(number)
                        .is_some_and(|own| own.contains_key(peer));
                    if node.provides(peer) || is_bound {
                        self.doubts.insert((site, peer.clone()));
                    }
                }
            }
        }

        for (number, project) in shape.projects.iter().enumerate() {
            let above = shape.root.and_then(|root| shape.projects.get(root));
            let provider = |peer: &str| {
                [Some(project), above]
                    .into_iter()
                    .flatten()
                    .find_map(|project| {
                        let is_link = project.links.contains(peer);
                        let own = project.edges.get(peer).copied();
                        (is_link || own.is_some()).then_some(own)
                    })
            };
            for to in project.edges.values() {
                for (peer, copy) in self.bound.get(*to).into_iter().flatten() {
                    match provider(peer) {
                        Some(own) if own == Some(*copy) => {}
                        Some(_) => {
                            self.doubts.insert((Site::Project(number), peer.clone()));
                        }
                        None => {
                            let key = (number, peer.clone());
                            self.installed.entry(key).or_default().insert(*copy);
                        }
                    }
                }
                for (peer, is_optional) in self.missing.get(*to).into_iter().flatten() {
                    if provider(peer).is_some() {
                        self.doubts.insert((Site::Project(number), peer.clone()));
                    } else {
                        let open = self.open.entry((number, peer.clone())).or_insert(true);
                        *open &= is_optional;
                    }
                }
            }
        }
    }
}
