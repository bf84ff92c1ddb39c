//! All dependency chains from projects to a package.

use std::collections::BTreeSet;

use patchgate_model::{Inventory, Lockfile, PackageIndex};

use super::{WhyChain, WhyReport};

/// Most chains in a report. Graphs with a few hundred packages can have millions.
const MAX_CHAINS: usize = 1_000;

/// Most steps of the search in one file. A hostile graph can have many dead ends.
const MAX_VISITS: usize = 2_000_000;

/// The chains to a package, given as `name`, `name@version` or a package URL.
pub(super) fn chains(inventory: &Inventory, package: &str) -> WhyReport {
    let mut found = BTreeSet::new();
    let mut more = false;
    for lockfile in &inventory.lockfiles {
        for (target, _) in lockfile
            .indexed()
            .filter(|(_, it)| is_requested(it, package))
        {
            let mut search = Search::new(lockfile);
            search.up(target);
            more |= search.more;
            if search.found.is_empty() {
                search.found.push(WhyChain {
                    lockfile: lockfile.path.clone(),
                    root: None,
                    steps: vec![search.step(target)],
                });
            }
            found.extend(
                search
                    .found
                    .into_iter()
                    .map(|chain| (chain.steps.len(), chain)),
            );
        }
    }

    more |= found.len() > MAX_CHAINS;
    WhyReport {
        package: package.to_owned(),
        chains: found
            .into_iter()
            .take(MAX_CHAINS)
            .map(|(_, chain)| chain)
            .collect(),
        more,
    }
}

fn is_requested(package: &patchgate_model::Package, requested: &str) -> bool {
    let same_name = |name: &str| {
        package.name == name
            || package.alias.as_deref() == Some(name)
            || patchgate_ecosystems::by_name(package.ecosystem).is_some_and(|ecosystem| {
                ecosystem.normalize_name(name) == ecosystem.normalize_name(&package.name)
            })
    };

    if requested.starts_with("pkg:") {
        let purl = patchgate_ecosystems::purl(package);
        return purl == requested || purl.split('@').next() == Some(requested);
    }

    same_name(requested)
        || requested
            .rsplit_once('@')
            .is_some_and(|(name, version)| package.version == version && same_name(name))
}

/// A search from a package up to the projects that does not follow cycles.
struct Search<'a> {
    lockfile: &'a Lockfile,
    /// The dependents of each package.
    dependents: Vec<Vec<PackageIndex>>,
    /// The indices of the projects that require each package directly.
    roots: Vec<Vec<usize>>,
    /// The packages from the target up to the current one.
    path: Vec<PackageIndex>,
    visits: usize,
    found: Vec<WhyChain>,
    more: bool,
}

impl<'a> Search<'a> {
    fn new(lockfile: &'a Lockfile) -> Self {
        let mut dependents = vec![BTreeSet::new(); lockfile.packages.len()];
        for (index, package) in lockfile.indexed() {
            for edge in &package.edges {
                if let Some(known) = dependents.get_mut(edge.to.0 as usize) {
                    known.insert(index);
                }
            }
        }

        let mut roots = vec![BTreeSet::new(); lockfile.packages.len()];
        for (root_index, root) in lockfile.roots.iter().enumerate() {
            for edge in &root.edges {
                if let Some(known) = roots.get_mut(edge.to.0 as usize) {
                    known.insert(root_index);
                }
            }
        }

        Self {
            lockfile,
            dependents: dependents.into_iter().map(Vec::from_iter).collect(),
            roots: roots.into_iter().map(Vec::from_iter).collect(),
            path: Vec::new(),
            visits: 0,
            found: Vec::new(),
            more: false,
        }
    }

    /// Walks from `target` to every root, with each package at most once on a path. The stack is
    /// explicit because recursion would overflow on a graph that is one long chain.
    fn up(&mut self, target: PackageIndex) {
        let mut next = vec![0_usize];
        self.path.push(target);
        self.note(target);

        while let (Some(&at), Some(position)) = (self.path.last(), next.last_mut()) {
            let above = self
                .dependents
                .get(at.0 as usize)
                .and_then(|all| all.get(*position));
            *position += 1;
            self.visits += 1;
            if self.visits > MAX_VISITS || self.found.len() > MAX_CHAINS {
                self.more = true;
                return;
            }

            match above.copied() {
                None => {
                    self.path.pop();
                    next.pop();
                }
                Some(above) if self.path.contains(&above) => {}
                Some(above) => {
                    self.path.push(above);
                    next.push(0);
                    self.note(above);
                }
            }
        }
    }

    /// Records the chain from every root that requires the package on top of the path.
    fn note(&mut self, top: PackageIndex) {
        let steps: Vec<String> = self.path.iter().rev().map(|at| self.step(*at)).collect();
        for index in self.roots.get(top.0 as usize).into_iter().flatten() {
            let root = self.lockfile.roots.get(*index);
            self.found.push(WhyChain {
                lockfile: self.lockfile.path.clone(),
                root: root.map(|root| super::tree::root_name(&root.name, root.manifest.as_deref())),
                steps: steps.clone(),
            });
        }
    }

    fn step(&self, index: PackageIndex) -> String {
        self.lockfile
            .package(index)
            .map(|package| format!("{}@{}", package.name, package.version))
            .unwrap_or_default()
    }
}
