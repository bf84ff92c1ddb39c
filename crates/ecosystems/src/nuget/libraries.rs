//! Packages of the NuGet formats that contain one graph per target framework.

use std::collections::{BTreeMap, HashMap, HashSet};

use patchgate_model::{DependencyKind, Edge, FormatId, Lockfile, Package, PackageIndex};

use crate::{ParseError, limits};

/// Most target frameworks in one file, including those for one platform.
const MAX_TARGETS: usize = 1_000;

/// A lockfile under construction. It has one package per name and version, however many target
/// frameworks contain it.
#[derive(Debug, Default)]
pub(super) struct Libraries {
    pub(super) lockfile: Lockfile,
    indices: HashMap<(String, String), PackageIndex>,
    /// Package by name, for each target.
    targets: BTreeMap<String, HashMap<String, PackageIndex>>,
    /// First package by name, over all targets.
    anywhere: HashMap<String, PackageIndex>,
    edges: HashSet<(PackageIndex, PackageIndex)>,
}

impl Libraries {
    /// Starts a lockfile without packages.
    pub(super) fn new(path: &str, format: FormatId) -> Self {
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

    /// Adds a package of a target, or of none, and returns its index. A package that is already
    /// known from another target is not added twice. The targets become its groups.
    pub(super) fn add(
        &mut self,
        target: Option<&str>,
        package: Package,
    ) -> Result<PackageIndex, ParseError> {
        let name = package.name.to_ascii_lowercase();
        let key = (name.clone(), package.version.clone());
        let index = match self.indices.get(&key) {
            Some(index) => *index,
            None => {
                let count = self.lockfile.packages.len();
                let index = u32::try_from(count)
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
                self.indices.insert(key, index);

                index
            }
        };
        let Some(target) = target else {
            return Ok(index);
        };

        // The target becomes a group of the package.
        if let Some(package) = self.lockfile.packages.get_mut(index.0 as usize)
            && let Err(at) = package
                .groups
                .binary_search_by(|known| known.as_str().cmp(target))
        {
            package.groups.insert(at, target.to_owned());
        }

        self.anywhere.entry(name.clone()).or_insert(index);
        if !self.targets.contains_key(target) && self.targets.len() >= MAX_TARGETS {
            return Err(ParseError::new(format!(
                "has more than {MAX_TARGETS} target frameworks"
            )));
        }

        self.targets
            .entry(target.to_owned())
            .or_default()
            .insert(name, index);
        Ok(index)
    }

    /// The package of a name in a target. A target for one platform (`net8.0/win-x64`) contains
    /// only the differences from the target without a platform.
    pub(super) fn find(&self, target: &str, name: &str) -> Option<PackageIndex> {
        let name = name.to_ascii_lowercase();
        let of = |target: &str| self.targets.get(target)?.get(&name).copied();
        of(target).or_else(|| of(target.split_once('/')?.0))
    }

    /// The package of a name in a target, or in any target if this one has another name here.
    pub(super) fn find_anywhere(&self, target: &str, name: &str) -> Option<PackageIndex> {
        self.find(target, name)
            .or_else(|| self.anywhere.get(&name.to_ascii_lowercase()).copied())
    }

    /// Adds a dependency of a package within a target. A name that the target does not contain is
    /// part of the framework itself and not a package.
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
