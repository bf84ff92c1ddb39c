//! The shortest dependency chains from direct dependencies to packages.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use patchgate_model::{Edge, Inventory, Lockfile, Origin, PackageIndex};

/// Limit on the chains of a finding.
pub(super) const MAX_CHAINS: usize = 8;

/// Limit on the steps of a chain. A longer one helps no reader, and a hostile lockfile could exhaust
/// memory with it.
const MAX_STEPS: usize = 256;

/// Limit on the edges that the searches over one lockfile follow. Beyond it, the remaining roots are
/// searched together and share one chain per package.
const MAX_EDGE_VISITS: usize = 20_000_000;

/// For each target the shortest chain from every root of its lockfile that reaches it: shortest
/// first, at most [`MAX_CHAINS`]. Each step is `name@version`, and the last one is the target.
pub(super) fn shortest(
    inventory: &Inventory,
    targets: &BTreeSet<(usize, PackageIndex)>,
) -> HashMap<(usize, PackageIndex), Vec<Vec<String>>> {
    let mut found = HashMap::new();
    for (file, lockfile) in inventory.lockfiles.iter().enumerate() {
        let own: Vec<PackageIndex> = targets
            .iter()
            .filter(|(of, _)| *of == file)
            .map(|(_, index)| *index)
            .collect();
        if own.is_empty() {
            continue;
        }

        let mut chains: HashMap<PackageIndex, BTreeSet<(usize, Vec<String>)>> = HashMap::new();
        for starts in start_sets(lockfile) {
            let search = Search::run(lockfile, &starts);
            for target in &own {
                if let Some(chain) = search.chain(lockfile, *target) {
                    let known = chains.entry(*target).or_default();
                    known.insert((chain.len(), chain));
                    if known.len() > MAX_CHAINS {
                        known.pop_last();
                    }
                }
            }
        }

        for (target, chains) in chains {
            let chains = chains.into_iter().map(|(_, chain)| chain).collect();
            found.insert((file, target), chains);
        }
    }

    found
}

/// The direct dependencies to search from: one set per root, and one for all roots that exceed
/// [`MAX_EDGE_VISITS`]. Roots with the same dependencies share a set.
fn start_sets(lockfile: &Lockfile) -> Vec<Vec<PackageIndex>> {
    let edges: usize = lockfile
        .packages
        .iter()
        .map(|package| package.edges.len())
        .sum();
    let cost = edges + lockfile.packages.len();
    let alone = (MAX_EDGE_VISITS / cost.max(1)).max(1);
    let targets = |edges: &[Edge]| edges.iter().map(|edge| edge.to).collect::<BTreeSet<_>>();
    let unique: BTreeSet<BTreeSet<PackageIndex>> = lockfile
        .roots
        .iter()
        .map(|root| targets(&root.edges))
        .collect();
    let mut sets: Vec<Vec<PackageIndex>> = unique
        .iter()
        .take(alone)
        .map(|set| set.iter().copied().collect())
        .collect();
    let rest: BTreeSet<PackageIndex> = unique.iter().skip(alone).flatten().copied().collect();
    if !rest.is_empty() {
        sets.push(rest.into_iter().collect());
    }

    sets
}

/// A breadth-first search over one lockfile's graph.
struct Search {
    /// The parent from which each package was reached first.
    parents: Vec<Option<Parent>>,
}

#[derive(Clone, Copy)]
enum Parent {
    Root,
    Package(PackageIndex),
}

impl Search {
    fn run(lockfile: &Lockfile, starts: &[PackageIndex]) -> Self {
        let members = members(lockfile);
        let mut search = Self {
            parents: vec![None; lockfile.packages.len()],
        };

        let mut queue = VecDeque::new();
        for start in starts {
            search.reach(*start, Parent::Root, &mut queue);
        }
        while let Some(index) = queue.pop_front() {
            let Some(package) = lockfile.package(index) else {
                continue;
            };
            // A workspace member is a root itself, so its dependencies are searched from there.
            if members.contains(&index) {
                continue;
            }

            for edge in &package.edges {
                search.reach(edge.to, Parent::Package(index), &mut queue);
            }
        }

        search
    }

    fn reach(&mut self, index: PackageIndex, parent: Parent, queue: &mut VecDeque<PackageIndex>) {
        if let Some(unreached @ None) = self.parents.get_mut(index.0 as usize) {
            *unreached = Some(parent);
            queue.push_back(index);
        }
    }

    fn chain(&self, lockfile: &Lockfile, target: PackageIndex) -> Option<Vec<String>> {
        let mut steps = Vec::new();
        let mut index = target;
        loop {
            let package = lockfile.package(index)?;
            steps.push(format!("{}@{}", package.name, package.version));
            if steps.len() > MAX_STEPS {
                return None;
            }
            match (*self.parents.get(index.0 as usize)?)? {
                Parent::Root => break,
                Parent::Package(parent) => index = parent,
            }
        }

        steps.reverse();
        Some(steps)
    }
}

/// The packages that are workspace members and have a root of their own.
fn members(lockfile: &Lockfile) -> HashSet<PackageIndex> {
    let roots: HashSet<&str> = lockfile
        .roots
        .iter()
        .map(|root| root.name.as_str())
        .collect();
    lockfile
        .indexed()
        .filter(|(_, package)| {
            matches!(package.origin, Origin::Path(_)) && roots.contains(package.name.as_str())
        })
        .map(|(index, _)| index)
        .collect()
}
