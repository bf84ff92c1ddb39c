//! The packages of files that hold a graph for each target framework.

use std::collections::{BTreeMap, HashMap, HashSet};

use patchgate_model::{DependencyKind, Edge, Lockfile, Package, PackageIndex};

use crate::{ParseError, limits};

/// Most target frameworks, platforms included, in one file.
const MAX_TARGETS: usize = 1_000;

/// A lockfile in the making: one package for each name and version, in however many target
/// frameworks it stands.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    pub(super) lockfile: Lockfile,
    places: HashMap<(String, String), PackageIndex>,
    /// The package of each name in each target.
    targets: BTreeMap<String, HashMap<String, PackageIndex>>,
    /// The first package of each name in any target.
    anywhere: HashMap<String, PackageIndex>,
    edges: HashSet<(PackageIndex, PackageIndex)>,
}

impl Libraries {
    /// An empty lockfile.
    pub(super) fn new(path: &str, format: &'static str) -> Self {
        Self {
            lockfile: Lockfile {
                path: path.to_owned(),
                ecosystem: super::NAME,
                format,
                ..Lockfile::default()
            },
            ..Self::default()
        }
    }

    /// Adds a package as it stands in a target, or in none, or finds it where it is known from
    /// another one. The targets are its groups.
    pub(super) fn add(
        &mut self,
        target: Option<&str>,
        package: Package,
    ) -> Result<PackageIndex, ParseError> {
        let name = package.name.to_ascii_lowercase();
        let key = (name.clone(), package.version.clone());
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let count = self.lockfile.packages.len();
                let place = u32::try_from(count)
                    .ok()
                    .filter(|_| count < limits::MAX_PACKAGES)
                    .map(PackageIndex)
                    .ok_or_else(|| {
                        ParseError::new(format!(
                            "locks more than {} packages",
                            limits::MAX_PACKAGES
                        ))
                    })?;

                self.lockfile.packages.push(package);
                self.places.insert(key, place);

                place
            }
        };
        let Some(target) = target else {
            return Ok(place);
        };

        if let Some(package) = self.lockfile.packages.get_mut(place.0 as usize)
            && let Err(at) = package
                .groups
                .binary_search_by(|known| known.as_str().cmp(target))
        {
            package.groups.insert(at, target.to_owned());
        }

        self.anywhere.entry(name.clone()).or_insert(place);
        if !self.targets.contains_key(target) && self.targets.len() >= MAX_TARGETS {
            return Err(ParseError::new(format!(
                "has more than {MAX_TARGETS} target frameworks"
            )));
        }

        self.targets
            .entry(target.to_owned())
            .or_default()
            .insert(name, place);
        Ok(place)
    }

    /// The package of a name in a target. A target of one platform (`net8.0/win-x64`) holds only
    /// what differs from the one of all.
    pub(super) fn find(&self, target: &str, name: &str) -> Option<PackageIndex> {
        let name = name.to_ascii_lowercase();
        let of = |target: &str| self.targets.get(target)?.get(&name).copied();
        of(target).or_else(|| of(target.split_once('/')?.0))
    }

    /// The package of a name in a target; where the target goes by another name, in any.
    pub(super) fn find_anywhere(&self, target: &str, name: &str) -> Option<PackageIndex> {
        self.find(target, name)
            .or_else(|| self.anywhere.get(&name.to_ascii_lowercase()).copied())
    }

    /// Adds a dependency of a package within a target. What the target does not hold comes with the
    /// framework itself and is no package.
    pub(super) fn depend(
        &mut self,
        target: &str,
        from: PackageIndex,
        name: &str,
        requirement: Option<&str>,
    ) -> Result<(), ParseError> {
        let Some(to) = self.find(target, name) else {
            return Ok(());
        };
        if !self.edges.insert((from, to)) {
            return Ok(());
        }
        if self.edges.len() > limits::MAX_EDGES {
            return Err(ParseError::new(format!(
                "has more than {} dependencies",
                limits::MAX_EDGES
            )));
        }

        if let Some(package) = self.lockfile.packages.get_mut(from.0 as usize) {
            package.edges.push(Edge {
                to,
                name: name.into(),
                requirement: requirement.map(Into::into),
                kind: DependencyKind::Runtime,
            });
        }

        Ok(())
    }
}
