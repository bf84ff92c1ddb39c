//! What the inventory says about a package: by which names it is imported, whether the project needs
//! it itself, and which other packages need it.

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{Inventory, Lockfile, Origin, Package, PackageIndex};

/// Formats whose files list the dependencies of every package. In the others, it is not known which
/// packages need a package.
const WITH_GRAPH: [&str; 9] = [
    "cargo-lock",
    "npm-lock",
    "yarn-lock",
    "pnpm-lock",
    "bun-lock",
    "poetry-lock",
    "uv-lock",
    "pdm-lock",
    "pylock",
];

/// Most names of dependents that are shown.
const MAX_DEPENDENTS: usize = 3;

/// What the lockfiles say about one package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The names that the project's manifests give it: npm aliases and Cargo renames.
    pub(crate) aliases: BTreeSet<String>,
    /// Whether a project of the repository needs it itself.
    pub(crate) is_direct: bool,
    /// Names of other packages that need it, a few of many.
    pub(crate) dependents: BTreeSet<String>,
    /// Whether a lockfile has it without the dependencies of packages.
    pub(crate) lacks_graph: bool,
}

/// The packages of an inventory, by ecosystem and name.
#[derive(Debug, Default)]
pub(crate) struct Packages<'i> {
    by_name: HashMap<&'i str, HashMap<&'i str, Dependency>>,
    /// Names of packages that are directories of the repository, by ecosystem.
    pub(crate) own: BTreeSet<(&'i str, &'i str)>,
}

impl<'i> Packages<'i> {
    pub(crate) fn of(inventory: &'i Inventory) -> Self {
        let mut packages = Self::default();
        for lockfile in &inventory.lockfiles {
            packages.add(lockfile);
        }
        for manifest in &inventory.unlocked {
            for one in &manifest.unresolved {
                let dependency = packages.entry(one.ecosystem.as_str(), &one.name);
                dependency.is_direct = true;
                dependency.lacks_graph = true;
            }
        }

        packages
    }

    /// A package; `None` if no lockfile has it.
    pub(crate) fn get(&self, ecosystem: &str, name: &str) -> Option<&Dependency> {
        self.by_name.get(ecosystem)?.get(name)
    }

    /// The names of an ecosystem's packages, aliases included.
    pub(crate) fn names(&self, ecosystem: &str) -> impl Iterator<Item = &str> {
        self.by_name
            .get(ecosystem)
            .into_iter()
            .flatten()
            .flat_map(|(name, dependency)| {
                std::iter::once(*name).chain(dependency.aliases.iter().map(String::as_str))
            })
    }

    fn entry(&mut self, ecosystem: &'i str, name: &'i str) -> &mut Dependency {
        let of_ecosystem = self.by_name.entry(ecosystem).or_default();
        of_ecosystem.entry(name).or_default()
    }

    fn add(&mut self, lockfile: &'i Lockfile) {
        let has_graph = WITH_GRAPH
            .iter()
            .any(|known| lockfile.format.is_version_of(known))
            && !lockfile.direct_only
            && lockfile.gap().is_none();
        let is_own = |package: &Package| matches!(package.origin, Origin::Path(_));

        for package in &lockfile.packages {
            let key = (package.ecosystem.as_str(), package.name.as_str());
            let dependency = self.entry(key.0, key.1);
            dependency.lacks_graph |= !has_graph;
            dependency.aliases.extend(package.alias.clone());
            if is_own(package) {
                self.own.insert(key);
            }
        }
        let roots = lockfile.roots.iter().flat_map(|root| &root.edges);
        for edge in roots {
            self.edge(lockfile, edge.to, &edge.name, None);
        }
        for package in &lockfile.packages {
            let dependent = (!is_own(package)).then_some(package);
            for edge in &package.edges {
                self.edge(lockfile, edge.to, &edge.name, dependent);
            }
        }
    }

    /// Adds an edge, from the project itself or from a package.
    fn edge(
        &mut self,
        lockfile: &'i Lockfile,
        to: PackageIndex,
        name: &str,
        dependent: Option<&Package>,
    ) {
        let Some(package) = lockfile.package(to) else {
            return;
        };
        let dependency = self.entry(package.ecosystem.as_str(), &package.name);
        match dependent {
            None => {
                dependency.is_direct = true;
                if name != package.name {
                    dependency.aliases.insert(name.to_owned());
                }
            }
            Some(dependent) if dependency.dependents.len() < MAX_DEPENDENTS => {
                dependency.dependents.insert(dependent.name.clone());
            }
            Some(_) => {}
        }
    }
}
