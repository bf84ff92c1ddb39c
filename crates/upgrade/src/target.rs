//! The graph of a solution.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{TargetEdge, TargetGraph, TargetNode};
use patchgate_model::{Edge, Origin, Package, PackageIndex};

use crate::attempt::{Bindings, Solution, Variable, is_own};
use crate::needs::Needed;
use crate::plan::Planner;
use crate::problem::{Dependency, Problem};
use crate::site::{ANY, Site};
use crate::slot::{Choice, LOCKED, SlotId};

/// A node before it has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Copy(PackageIndex),
    New(SlotId),
}

/// An edge before its node has a number.
pub(crate) struct Pending {
    pub(crate) edge: TargetEdge,
    pub(crate) to: Key,
}

impl<'a> Planner<'_, 'a> {
    /// The choice of a slot.
    pub(crate) fn choice(&self, slot: SlotId) -> Choice {
        self.solved(&self.solution).choice(slot)
    }

    /// The choice of a project's requirement.
    pub(crate) fn site_choice(&self, index: usize) -> Choice {
        self.solved(&self.solution).site_choice(index)
    }

    /// A solution as a graph.
    pub(crate) fn solved<'s>(&'s self, solution: &'s Solution) -> Solved<'s, 'a> {
        Solved {
            problem: self.problem,
            bindings: &self.shared.bindings,
            overridden: &self.overridden,
            solution,
        }
    }

    /// The whole graph of the solution: what the projects reach, and what they did not reach before
    /// either.
    pub(crate) fn graph(&self) -> TargetGraph {
        let solved = self.solved(&self.solution);
        let Connections { roots, nodes } = solved.connections();

        let numbers: BTreeMap<Key, usize> = nodes
            .keys()
            .enumerate()
            .map(|(number, key)| (*key, number))
            .collect();
        let numbered = |edges: Vec<Pending>| -> Vec<TargetEdge> {
            edges
                .into_iter()
                .filter_map(|pending| {
                    Some(TargetEdge {
                        to: *numbers.get(&pending.to)?,
                        ..pending.edge
                    })
                })
                .collect()
        };

        TargetGraph {
            roots: roots.into_iter().map(numbered).collect(),
            nodes: nodes
                .into_iter()
                .map(|(key, edges)| solved.node(key, numbered(edges)))
                .collect(),
        }
    }
}

/// A solution as a graph.
pub(crate) struct Solved<'s, 'a> {
    pub(crate) problem: &'s Problem<'a>,
    bindings: &'s RefCell<Bindings>,
    overridden: &'s BTreeSet<SlotId>,
    solution: &'s Solution,
}

/// The nodes of a graph with their edges, and those of each project.
pub(crate) struct Connections {
    pub(crate) roots: Vec<Vec<Pending>>,
    pub(crate) nodes: BTreeMap<Key, Vec<Pending>>,
}

impl<'a> Solved<'_, 'a> {
    /// The choice of a slot.
    pub(crate) fn choice(&self, slot: SlotId) -> Choice {
        let chosen = self.solution.get(&Variable::Slot(slot));
        chosen.copied().unwrap_or(LOCKED)
    }

    /// Everything that the projects reach, and what they did not reach before either.
    pub(crate) fn connections(&self) -> Connections {
        let lockfile = self.problem.request.lockfile;
        let roots: Vec<Vec<Pending>> = (0..lockfile.roots.len())
            .map(|root| self.edges_of_root(root))
            .collect();
        let unreached = (0u32..)
            .zip(&self.problem.depths)
            .filter(|(_, depth)| **depth == usize::MAX)
            .map(|(copy, _)| Key::Copy(PackageIndex(copy)));

        let mut nodes: BTreeMap<Key, Vec<Pending>> = BTreeMap::new();
        let mut queue: Vec<Key> = roots.iter().flatten().map(|pending| pending.to).collect();
        queue.extend(unreached);
        // A project that is listed among the packages stays.
        queue.extend(
            lockfile
                .indexed()
                .filter(|(_, package)| self.is_member(package))
                .map(|(copy, _)| Key::Copy(copy)),
        );
        while let Some(key) = queue.pop() {
            if nodes.contains_key(&key) {
                continue;
            }
            let edges = self.edges_of(key);
            queue.extend(edges.iter().map(|pending| pending.to));
            nodes.insert(key, edges);
        }

        Connections { roots, nodes }
    }

    fn node(&self, key: Key, edges: Vec<TargetEdge>) -> TargetNode {
        let was = match key {
            Key::Copy(copy) => Some(copy),
            Key::New(_) => None,
        };
        let slot = self
            .slot_of_key(key)
            .map(|id| (self.problem.slot(id), self.choice(id)));

        TargetNode {
            was,
            name: slot
                .as_ref()
                .map_or_else(String::new, |(slot, _)| slot.name.clone()),
            release: slot.and_then(|(slot, choice)| slot.release(choice).cloned()),
            edges,
        }
    }

    /// The slot of a node.
    pub(crate) fn slot_of_key(&self, key: Key) -> Option<SlotId> {
        match key {
            Key::Copy(copy) => self.slot_of(copy),
            Key::New(slot) => Some(slot),
        }
    }

    fn slot_of(&self, copy: PackageIndex) -> Option<SlotId> {
        self.problem.slot_of.get(copy.0 as usize).copied()
    }

    pub(crate) fn is_member(&self, package: &Package) -> bool {
        let roots = &self.problem.request.lockfile.roots;
        matches!(package.origin, Origin::Path(_))
            && roots.iter().any(|root| root.name == package.name)
    }

    fn edges_of_root(&self, root: usize) -> Vec<Pending> {
        let project = self.problem.request.lockfile.roots.get(root);
        let edges = project.into_iter().flat_map(|project| &project.edges);
        edges.map(|edge| self.edge_of_root(root, edge)).collect()
    }

    fn edge_of_root(&self, root: usize, edge: &Edge) -> Pending {
        let site = self
            .problem
            .sites
            .iter()
            .enumerate()
            .find(|(_, site)| site.root == root && std::ptr::eq(site.edge, edge));
        let Some((index, site)) = site else {
            return kept(edge);
        };

        let choice = self.site_choice(index);
        let raised = raised(site, choice);
        let needed = Needed {
            package: self.problem.slot(site.slot).name.clone(),
            name: edge.name.to_string(),
            requirement: match raised {
                Some(requirement) => Some(requirement.to_owned()).filter(|text| text != ANY),
                None => edge.requirement.as_deref().map(str::to_owned),
            },
            features: Vec::new(),
            kind: edge.kind,
            now: Some(edge.to),
        };

        self.pending(&needed, choice, None)
            .unwrap_or_else(|| kept(edge))
    }

    /// The choice of a project's requirement.
    fn site_choice(&self, index: usize) -> Choice {
        let chosen = self.solution.get(&Variable::Site(index));
        chosen.copied().unwrap_or(LOCKED)
    }

    fn edges_of(&self, key: Key) -> Vec<Pending> {
        let copy = match key {
            Key::Copy(copy) => Some(copy),
            Key::New(_) => None,
        };
        let Some(id) = self.slot_of_key(key) else {
            return Vec::new();
        };
        let choice = self.choice(id);
        let package = copy.and_then(|copy| self.problem.request.lockfile.package(copy));
        if let (LOCKED, Some(package)) = (choice, package) {
            return self.edges_of_locked(id, package);
        }

        self.problem
            .dependencies(id, copy, choice)
            .iter()
            .filter_map(|needed| self.pending(needed, choice, Some(id)))
            .collect()
    }

    fn edges_of_locked(&self, id: SlotId, package: &Package) -> Vec<Pending> {
        let lockfile = self.problem.request.lockfile;
        if self.is_member(package) {
            let named = |edge: &Edge| {
                lockfile.roots.iter().enumerate().find_map(|(index, root)| {
                    let own = root.edges.iter().find(|own| {
                        own.name == edge.name && own.kind == edge.kind && own.to == edge.to
                    });
                    own.filter(|_| root.name == package.name)
                        .map(|own| self.edge_of_root(index, own))
                })
            };
            return package
                .edges
                .iter()
                .map(|edge| named(edge).unwrap_or_else(|| kept(edge)))
                .collect();
        }

        let locked = package.edges.iter().map(|edge| {
            let needed = Needed {
                package: lockfile
                    .package(edge.to)
                    .map_or_else(|| edge.name.to_string(), |needed| needed.name.clone()),
                name: edge.name.to_string(),
                requirement: self.problem.locked_requirement(package, edge),
                features: self.problem.locked_features(package, edge),
                kind: edge.kind,
                now: Some(edge.to),
            };
            let pending = self.pending(&needed, LOCKED, None);
            let mut pending = pending.unwrap_or_else(|| kept(edge));
            pending.edge.requirement = edge.requirement.as_deref().map(str::to_owned);
            pending
        });
        let more = self.problem.newly_needed(id, package);
        let more = more
            .iter()
            .filter_map(|needed| self.pending(needed, LOCKED, None));

        locked.chain(more).collect()
    }

    /// The edge for a dependency. `None` when nothing satisfies it and nothing has to.
    fn pending(&self, needed: &Needed, choice: Choice, own: Option<SlotId>) -> Option<Pending> {
        let slot = self.satisfied_by(needed, choice, own)?;
        let now = needed.now.filter(|now| self.slot_of(*now) == Some(slot));
        let to = match now.or_else(|| self.problem.slot(slot).copies.first().copied()) {
            Some(copy) => Key::Copy(copy),
            None => Key::New(slot),
        };

        Some(Pending {
            edge: TargetEdge {
                name: needed.name.clone(),
                requirement: needed.requirement.clone(),
                kind: needed.kind,
                to: 0,
            },
            to,
        })
    }

    /// The slot that satisfies a dependency in the solution.
    fn satisfied_by(&self, needed: &Needed, choice: Choice, own: Option<SlotId>) -> Option<SlotId> {
        let bound = needed.now.and_then(|copy| self.slot_of(copy));
        if let Some(bound) = bound {
            let stays = !self.problem.is_relevant(bound)
                || self.overridden.contains(&bound)
                || !self.problem.is_open(bound)
                || !self.problem.set(bound, needed).contains(&LOCKED);
            if choice == LOCKED && stays {
                return Some(bound);
            }
            if self.overridden.contains(&bound) {
                return Some(bound);
            }
        }

        match self.problem.dependency(needed, bound).ok()? {
            Dependency::Settled(slot) => Some(slot),
            Dependency::Absent | Dependency::Impossible(_) => None,
            Dependency::OneOf(options) if is_own(&options, own.map(|own| (own, choice))) => own,
            Dependency::OneOf(options) if options.len() == 1 => {
                options.first().map(|(slot, _)| *slot)
            }
            Dependency::OneOf(options) => {
                let bindings = self.bindings.borrow();
                let binding = bindings.find(needed, bound);
                let chosen = binding.and_then(|binding| {
                    let choice = self.solution.get(&Variable::Binding(binding))?;
                    bindings.slot(binding, *choice)
                });
                chosen.or_else(|| options.first().map(|(slot, _)| *slot))
            }
        }
    }
}

/// The requirement to which a project's is raised.
pub(crate) fn raised<'s>(site: &'s Site<'_>, choice: Choice) -> Option<&'s str> {
    let index = (choice as usize).checked_sub(1)?;
    site.raised
        .get(index)
        .map(|raised| raised.requirement.as_str())
}

/// An edge of the lockfile that stays as it is.
fn kept(edge: &Edge) -> Pending {
    Pending {
        edge: TargetEdge {
            name: edge.name.to_string(),
            requirement: edge.requirement.as_deref().map(str::to_owned),
            kind: edge.kind,
            to: 0,
        },
        to: Key::Copy(edge.to),
    }
}

/// The copies of a lockfile that a graph has.
pub(crate) fn kept_copies(graph: &TargetGraph) -> BTreeSet<PackageIndex> {
    graph.nodes.iter().filter_map(|node| node.was).collect()
}
