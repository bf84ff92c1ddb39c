//! The features that packages are asked for in a solution, where they decide which dependencies a
//! package has (Cargo).
//!
//! Which features are on depends on the whole graph, and the graph on the features. The search
//! therefore starts with what is likely, and each solution tells what the next one has to assume,
//! until a solution confirms itself.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Release;
use patchgate_model::{DependencyKind, Origin};

use crate::attempt::Solution;
use crate::plan::Planner;
use crate::slot::{LOCKED, SlotId};
use crate::target::{Connections, Key, Pending, Solved};

/// Most solutions of one attempt. Real projects need two or three.
pub(crate) const MAX_ROUNDS: usize = 12;

/// The solutions of one attempt after which features that were asked for stay asked for: two
/// solutions may each ask for what the other needs.
const EXACT_ROUNDS: usize = 4;

/// The features that each slot is asked for.
pub(crate) type Asked = BTreeMap<SlotId, BTreeSet<String>>;

impl Planner<'_, '_> {
    /// Computes the features that are asked for in a solution, and keeps them for the next one. True
    /// when the solution assumed others, or when metadata is missing, which is recorded.
    ///
    /// `round` is the number of solutions before this one.
    pub(crate) fn learn_features(&self, solution: &Solution, round: usize) -> bool {
        if !self.problem.request.ecosystem.has_feature_graph() {
            return false;
        }

        let solved = self.solved(solution);
        let connections = solved.connections();
        let unknown = solved.need_dependents_of_changes(&connections);
        if !self.problem.needs.borrow().is_empty() {
            return true;
        }

        let before = self.asked_before.get_or_init(|| {
            let learned = self.problem.asked.take();
            let nothing = Solution::new();
            let locked = self.solved(&nothing);
            let asked = locked.asked(&locked.connections());
            self.problem.asked.replace(learned);
            asked
        });
        let mut learned = Asked::new();
        for (slot, mut features) in solved.asked(&connections) {
            // A dependent whose metadata is not known may ask for more.
            if unknown.contains(&slot) {
                features.extend(self.problem.likely_features(slot));
            }
            let is_new = before
                .get(&slot)
                .is_none_or(|known| !features.is_subset(known));
            let is_moved = solved.choice(slot) != LOCKED;
            if is_moved || is_new {
                learned.insert(slot, features);
            }
        }

        let mut known = self.problem.asked.borrow_mut();
        if round >= EXACT_ROUNDS {
            for (slot, features) in known.iter() {
                let learned = learned.entry(*slot).or_default();
                learned.extend(features.iter().cloned());
            }
        }
        let is_other = *known != learned;
        *known = learned;
        self.problem.uncertain.replace(unknown);
        is_other
    }
}

impl Solved<'_, '_> {
    /// Asks for the metadata of everything that needs a package which moves or is new, directly or not:
    /// that is where its features come from. Returns the slots that have a dependent without metadata.
    fn need_dependents_of_changes(&self, connections: &Connections) -> BTreeSet<SlotId> {
        let mut dependents: BTreeMap<Key, Vec<Key>> = BTreeMap::new();
        for (key, edges) in &connections.nodes {
            for pending in edges {
                dependents.entry(pending.to).or_default().push(*key);
            }
        }

        let is_changed = |key: &Key| {
            let slot = self.slot_of_key(*key);
            slot.is_some_and(|slot| self.choice(slot) != LOCKED)
        };
        let mut unknown = BTreeSet::new();
        for changed in connections.nodes.keys().filter(|key| is_changed(key)) {
            let mut seen = BTreeSet::new();
            let mut queue = vec![*changed];
            while let Some(key) = queue.pop() {
                if !seen.insert(key) {
                    continue;
                }
                if !self.is_understood(key) {
                    unknown.extend(self.slot_of_key(*changed));
                }
                queue.extend(dependents.get(&key).into_iter().flatten().copied());
            }
        }

        unknown
    }

    /// Whether it is known what a node asks of its dependencies: it is a project, or the registry has
    /// its metadata. Metadata that was not fetched yet is recorded as missing.
    fn is_understood(&self, key: Key) -> bool {
        let slot = self.slot_of_key(key).map(|slot| self.problem.slot(slot));
        let Some(package) = slot.and_then(|slot| slot.package) else {
            return true;
        };
        if self.is_member(package) || self.release(key).is_some() {
            return true;
        }

        let is_registered = matches!(package.origin, Origin::Registry(_));
        is_registered && self.problem.releases(&package.name).is_none()
    }

    /// The features that each slot is asked for, from the projects down.
    fn asked(&self, connections: &Connections) -> Asked {
        let mut asked = Asked::new();
        for pending in connections.roots.iter().flatten() {
            let Some(slot) = self.slot_of_key(pending.to) else {
                continue;
            };
            let name = &self.problem.slot(slot).name;
            let features = match self.problem.request.asked.get(name) {
                Some(features) => features.clone(),
                None => BTreeSet::from(["default".to_owned()]),
            };
            asked.entry(slot).or_default().extend(features);
        }

        let mut keys: BTreeMap<SlotId, Vec<Key>> = BTreeMap::new();
        for key in connections.nodes.keys() {
            if let Some(slot) = self.slot_of_key(*key) {
                keys.entry(slot).or_default().push(*key);
            }
        }

        // Features only ever grow, so every node is visited again when it is asked for more.
        let mut waiting: BTreeSet<Key> = connections.nodes.keys().copied().collect();
        while let Some(key) = waiting.pop_first() {
            let (Some(slot), Some(release)) = (self.slot_of_key(key), self.release(key)) else {
                continue;
            };
            let own = asked.get(&slot).cloned().unwrap_or_default();
            let edges = connections.nodes.get(&key).into_iter().flatten();
            for (child, features) in self.asks(release, &own, edges) {
                let Some(needed) = self.slot_of_key(child) else {
                    continue;
                };
                let known = asked.entry(needed).or_default();
                let count = known.len();
                known.extend(features);
                if known.len() > count {
                    waiting.extend(keys.get(&needed).into_iter().flatten());
                }
            }
        }

        asked
    }

    /// What a release asks of its dependencies when it is asked for some features itself.
    fn asks<'e>(
        &self,
        release: &Release,
        features: &BTreeSet<String>,
        edges: impl Iterator<Item = &'e Pending>,
    ) -> Vec<(Key, BTreeSet<String>)> {
        let turned_on = self.problem.request.ecosystem.turned_on(release, features);

        let mut asks = Vec::new();
        for pending in edges {
            let Some(slot) = self.slot_of_key(pending.to) else {
                continue;
            };
            let package = self.problem.slot(slot).name.clone();
            let stated = release.requirements.iter().filter(|one| {
                one.kind != DependencyKind::Development && one.package_name() == package
            });
            for requirement in stated {
                let mut features: BTreeSet<String> = requirement.features.iter().cloned().collect();
                if !requirement.no_default_features {
                    features.insert("default".to_owned());
                }
                features.extend(
                    turned_on
                        .get(&requirement.name)
                        .into_iter()
                        .flatten()
                        .cloned(),
                );
                asks.push((pending.to, features));
            }
        }

        asks
    }

    /// The registry's metadata of the version that a node has, as far as it is known.
    fn release(&self, key: Key) -> Option<&Release> {
        let id = self.slot_of_key(key)?;
        let slot = self.problem.slot(id);
        match self.choice(id) {
            LOCKED => self.problem.locked_release(slot.package?),
            choice => slot.release(choice),
        }
    }
}
