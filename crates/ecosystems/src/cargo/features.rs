//! Features: what a dependent asks for, and which dependencies of a package that turns on
//! (<https://doc.rust-lang.org/cargo/reference/features.html>).
//!
//! The rules are those of Cargo's resolver for a lockfile, which differ from those of a build: it does
//! not tell kinds and targets apart, and `a?/b` turns the optional dependency `a` on (seen with
//! Cargo 1.95).

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{Project, Workspace};
use crate::{Input, Release, Siblings};

/// A package as its features see it.
#[derive(Debug)]
pub(super) struct Package<'a> {
    /// `[features]`, without the implicit ones.
    stated: &'a BTreeMap<String, Vec<String>>,
    /// Names of the optional dependencies, as the manifest has them.
    optional: BTreeSet<&'a str>,
    /// Names that a feature mentions as `dep:`, which therefore are no features themselves.
    mentioned: BTreeSet<&'a str>,
}

/// What the features of a package turn on.
#[derive(Debug, Default)]
pub(super) struct Active {
    /// The features that are on.
    features: BTreeSet<String>,
    /// The dependencies that a feature turns on, or asks features of, with these features.
    pub(super) dependencies: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Package<'a> {
    fn new(stated: &'a BTreeMap<String, Vec<String>>, optional: BTreeSet<&'a str>) -> Self {
        let mentioned = stated
            .values()
            .flatten()
            .filter_map(|value| value.strip_prefix("dep:"))
            .collect();
        Self {
            stated,
            optional,
            mentioned,
        }
    }

    pub(super) fn of_release(release: &'a Release) -> Self {
        let optional = release.requirements.iter().filter(|one| one.optional);
        Self::new(
            &release.features,
            optional.map(|one| one.name.as_str()).collect(),
        )
    }

    pub(super) fn of_project(project: &'a Project) -> Self {
        let optional = project.dependencies.iter().filter(|one| one.optional);
        Self::new(
            &project.features,
            optional.map(|one| one.name.as_str()).collect(),
        )
    }

    /// Whether it has a feature: a stated one, or that of an optional dependency which no feature
    /// mentions as `dep:`.
    pub(super) fn has(&self, feature: &str) -> bool {
        self.stated.contains_key(feature) || self.is_implicit(feature)
    }

    fn is_implicit(&self, feature: &str) -> bool {
        self.optional.contains(feature) && !self.mentioned.contains(feature)
    }

    /// Every feature of the package.
    pub(super) fn all(&self) -> BTreeSet<String> {
        let implicit = self.optional.iter().filter(|name| self.is_implicit(name));
        self.stated
            .keys()
            .cloned()
            .chain(implicit.map(|name| (*name).to_owned()))
            .collect()
    }

    /// What some features turn on. A feature that the package does not have turns nothing on.
    pub(super) fn activate(&self, asked: &BTreeSet<String>) -> Active {
        let mut active = Active::default();
        let mut queue: Vec<&str> = asked.iter().map(String::as_str).collect();
        while let Some(feature) = queue.pop() {
            if active.features.contains(feature) {
                continue;
            }
            let Some(values) = self.stated.get(feature) else {
                if self.is_implicit(feature) {
                    active.dependencies.entry(feature.to_owned()).or_default();
                    active.features.insert(feature.to_owned());
                }
                continue;
            };

            active.features.insert(feature.to_owned());
            for value in values {
                if let Some(name) = value.strip_prefix("dep:") {
                    active.dependencies.entry(name.to_owned()).or_default();
                    continue;
                }
                let Some((name, of_dependency)) = value.split_once('/') else {
                    queue.push(value);
                    continue;
                };

                let (name, weak) = match name.strip_suffix('?') {
                    Some(name) => (name, true),
                    None => (name, false),
                };
                if !weak && self.optional.contains(name) && self.has(name) {
                    queue.push(name);
                }
                active
                    .dependencies
                    .entry(name.to_owned())
                    .or_default()
                    .insert(of_dependency.to_owned());
            }
        }

        active
    }
}

/// Whether a release has all features of a list. No release has to have `default`.
pub(super) fn has_all(release: &Release, features: &[String]) -> bool {
    let package = Package::of_release(release);
    features
        .iter()
        .all(|feature| feature == "default" || package.has(feature))
}

/// The dependencies that features of a release turn on or ask features of, with these features.
pub(super) fn turned_on(
    release: &Release,
    features: &BTreeSet<String>,
) -> BTreeMap<String, BTreeSet<String>> {
    Package::of_release(release).activate(features).dependencies
}

/// The features that the project of a manifest asks of each package, with all its own features on.
pub(super) fn of_manifest(path: &str, manifests: &Siblings) -> BTreeMap<String, BTreeSet<String>> {
    // The workspace above may state what the manifest inherits.
    let mut directory = Some(super::manifest::directory(path));
    let mut asked = BTreeMap::new();
    while let Some(at) = directory {
        let lockfile = super::manifest::manifest_in(at).replace(".toml", ".lock");
        let input = Input {
            path: &lockfile,
            bytes: b"",
            siblings: manifests,
        };
        let workspace = Workspace::read(&input);
        let project = workspace
            .iter()
            .flat_map(|workspace| &workspace.projects)
            .find(|project| project.manifest == path);
        if let Some(project) = project {
            asked = of_project(project);
        }
        directory = (!at.is_empty()).then(|| super::manifest::directory(at));
    }

    asked
}

fn of_project(project: &Project) -> BTreeMap<String, BTreeSet<String>> {
    let package = Package::of_project(project);
    let active = package.activate(&package.all());

    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for declared in &project.dependencies {
        let features = asked.entry(declared.package.clone()).or_default();
        features.extend(declared.features.iter().cloned());
        if declared.default_features {
            features.insert("default".to_owned());
        }
        features.extend(
            active
                .dependencies
                .get(&declared.name)
                .into_iter()
                .flatten()
                .cloned(),
        );
    }

    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo::Cargo;
    use crate::{Requirement, Upgradable as _};

    fn release(features: &[(&str, &[&str])], optional: &[&str]) -> Release {
        Release {
            features: features
                .iter()
                .map(|(name, values)| {
                    let values = values.iter().map(|value| (*value).to_owned()).collect();
                    ((*name).to_owned(), values)
                })
                .collect(),
            requirements: optional
                .iter()
                .map(|name| Requirement {
                    name: (*name).to_owned(),
                    optional: true,
                    ..Requirement::default()
                })
                .collect(),
            ..Release::default()
        }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_release_that_lacks_a_feature_is_no_candidate() {
        let release = release(&[("full", &["dep:hidden"])], &["hidden", "open"]);
        assert!(Cargo.has_features(&release, &names(&["full", "open", "default"])));
        assert!(!Cargo.has_features(&release, &names(&["runtime"])));
        // `dep:` takes the implicit feature away.
        assert!(!Cargo.has_features(&release, &names(&["hidden"])));
    }

    #[test]
    fn features_turn_on_dependencies_and_their_features() {
        let release = release(
            &[
                ("default", &["std", "weak?/x"]),
                ("std", &["strong/y", "default"]),
            ],
            &["weak", "strong", "off"],
        );
        let package = Package::of_release(&release);
        let active = package.activate(&BTreeSet::from(["default".to_owned(), "no".to_owned()]));

        let dependencies: Vec<String> = active
            .dependencies
            .iter()
            .map(|(name, features)| format!("{name} {features:?}"))
            .collect();
        assert_eq!(dependencies, ["strong {\"y\"}", "weak {\"x\"}"]);
        assert!(!active.features.contains("no"));
        assert!(active.features.contains("strong"));
        assert!(!active.features.contains("weak"));
        assert_eq!(
            Cargo
                .turned_on(&release, &BTreeSet::from(["default".to_owned()]))
                .into_keys()
                .collect::<BTreeSet<_>>(),
            BTreeSet::from(["strong".to_owned(), "weak".to_owned()])
        );
    }

    #[test]
    fn a_manifest_asks_with_all_features_and_what_it_inherits() {
        let siblings = Siblings::from([
            (
                "Cargo.toml".to_owned(),
                b"[workspace]\nmembers = [\"m\"]\n[workspace.dependencies]\n\
                  hyper = { version = \"0.14\", features = [\"http1\"], default-features = false }\n"
                    .to_vec(),
            ),
            (
                "m/Cargo.toml".to_owned(),
                b"[package]\nname = \"m\"\n[features]\nfast = [\"hyper/runtime\"]\n\
                  [dependencies]\nhyper = { workspace = true, features = [\"tcp\"] }\nlog = \"1\"\n"
                    .to_vec(),
            ),
        ]);
        let asked = Cargo.asked_features("m/Cargo.toml", &siblings);
        let hyper: Vec<&String> = asked["hyper"].iter().collect();
        assert_eq!(hyper, ["http1", "runtime", "tcp"]);
        assert!(asked["log"].contains("default"));
    }
}
