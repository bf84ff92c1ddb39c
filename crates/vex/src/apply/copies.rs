//! The package URLs of all copies of a package version.

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{EcosystemName, Inventory, PackageRef};

use crate::identity::PackageIdentity;

/// Ecosystem, release of the distribution, name and version.
type Key<'a> = (EcosystemName, Option<&'a str>, &'a str, &'a str);

/// The package URLs of every package version. Copies can differ in their qualifiers, and a statement
/// about one copy does not apply to the others.
#[derive(Debug, Default)]
pub struct Copies<'a>(HashMap<Key<'a>, BTreeSet<String>>);

impl<'a> Copies<'a> {
    /// The copies of every package of an inventory.
    #[must_use]
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut copies: HashMap<Key<'a>, BTreeSet<String>> = HashMap::new();
        let packages = inventory.lockfiles.iter().flat_map(|file| &file.packages);
        for package in packages {
            let key = (
                package.ecosystem,
                package.distribution.as_deref(),
                package.name.as_str(),
                package.version.as_str(),
            );
            let purls = copies.entry(key).or_default();
            purls.insert(patchgate_ecosystems::purl(package));
        }

        Self(copies)
    }

    /// The package URLs of all copies of a finding's package; its own if it has no copies.
    #[must_use]
    pub fn texts(&self, package: &PackageRef) -> Vec<String> {
        match self.0.get(&key(package)) {
            Some(copies) => copies.iter().cloned().collect(),
            None => vec![package.purl.clone()],
        }
    }

    /// Like [`Copies::texts`], parsed. `None` if one of them is not a package URL.
    pub(super) fn purls(&self, package: &PackageRef) -> Option<Vec<PackageIdentity>> {
        self.texts(package)
            .iter()
            .map(|purl| PackageIdentity::parse(purl))
            .collect()
    }
}

fn key(package: &PackageRef) -> Key<'_> {
    (
        package.ecosystem,
        package.distribution.as_deref(),
        package.name.as_str(),
        package.version.as_str(),
    )
}
