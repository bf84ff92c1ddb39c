//! The features that the projects of a repository ask of their dependencies.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Release, Upgradable};

use crate::lock_state::LockState;

/// Features by the name of the package, with the version that the asking project has.
#[derive(Debug, Default)]
pub(super) struct AskedFeatures {
    by_name: BTreeMap<String, Vec<(String, BTreeSet<String>)>>,
}

impl AskedFeatures {
    /// Reads what the projects of a lockfile ask.
    pub(super) fn of(ecosystem: &dyn Upgradable, tree: &LockState) -> Self {
        let mut asked = Self::default();
        for root in &tree.lockfile.roots {
            let Some(manifest) = &root.manifest else {
                continue;
            };
            let features = ecosystem.asked_features(manifest, &tree.manifests);
            for edge in &root.edges {
                let Some(package) = tree.lockfile.package(edge.to) else {
                    continue;
                };
                if let Some(features) = features.get(&package.name) {
                    asked
                        .by_name
                        .entry(package.name.clone())
                        .or_default()
                        .push((package.version.clone(), features.clone()));
                }
            }
        }

        asked
    }

    /// The features that are asked of each package.
    pub(super) fn by_name(&self) -> BTreeMap<String, BTreeSet<String>> {
        let union = |asked: &Vec<(String, BTreeSet<String>)>| {
            let features = asked.iter().flat_map(|(_, features)| features.iter());
            features.cloned().collect()
        };
        let names = self.by_name.iter();
        names
            .map(|(name, asked)| (name.clone(), union(asked)))
            .collect()
    }

    /// Whether a release has the features that are asked of its package. Only releases from the
    /// project's version on are meant: an older one can only be a copy for another dependent.
    ///
    /// # Errors
    /// If it lacks some, as a fragment for a person.
    pub(super) fn check(
        &self,
        ecosystem: &dyn Upgradable,
        name: &str,
        release: &Release,
    ) -> Result<(), String> {
        for (version, features) in self.by_name.get(name).into_iter().flatten() {
            let order = ecosystem.compare_versions(&release.version, version);
            if order.is_ok_and(Ordering::is_lt) {
                continue;
            }
            let lacking: Vec<String> = features
                .iter()
                .filter(|feature| !ecosystem.has_features(release, std::slice::from_ref(feature)))
                .map(|feature| format!("`{feature}`"))
                .collect();
            if !lacking.is_empty() {
                return Err(format!(
                    "it does not have the feature {}, which the project asks for",
                    lacking.join(", ")
                ));
            }
        }

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::{Siblings, cargo::Cargo, fixable_format};

    use super::*;

    #[test]
    fn a_release_that_lost_a_feature_is_no_candidate() {
        let manifest = "[package]\nname = \"app\"\nversion = \"0.1.0\"\n[dependencies]\n\
                        hyper = { version = \"0.14\", features = [\"runtime\"] }\n";
        let lockfile = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\
                        dependencies = [\n \"hyper\",\n]\n\n[[package]]\nname = \"hyper\"\n\
                        version = \"0.14.2\"\nsource = \"registry+https://index.invalid/\"\n";
        let manifests = Siblings::from([("Cargo.toml".to_owned(), manifest.as_bytes().to_vec())]);
        let (_, format) = fixable_format("Cargo.lock").unwrap();
        let bytes = lockfile.as_bytes().to_vec();
        let tree = LockState::read(format, "Cargo.lock", bytes, manifests).unwrap();
        let asked = AskedFeatures::of(&Cargo, &tree);

        let release = |version: &str, features: &[&str]| Release {
            version: version.to_owned(),
            features: features
                .iter()
                .map(|feature| ((*feature).to_owned(), Vec::new()))
                .collect(),
            ..Release::default()
        };
        let check = |release: &Release| asked.check(&Cargo, "hyper", release);
        assert_eq!(check(&release("0.14.9", &["runtime"])), Ok(()));
        assert_eq!(
            check(&release("1.0.0", &["http1"])).unwrap_err(),
            "it does not have the feature `runtime`, which the project asks for"
        );
        // A copy for another dependent.
        assert_eq!(check(&release("0.13.9", &[])), Ok(()));
        assert_eq!(asked.check(&Cargo, "http", &release("1.0.0", &[])), Ok(()));
    }
}
