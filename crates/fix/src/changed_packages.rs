//! What the registries say about the packages that a change of a lockfile brings, for a review.
//!
//! The address of a registry comes from the state before the change: a change could name a server of
//! its author's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use patchgate_ecosystems::{Release, by_name, fixable_format};
use patchgate_evidence::{signals, similar_name};
use patchgate_http::Environment;
use patchgate_model::{EcosystemName, Lockfile, Origin, Package, ReleaseSignals};
use patchgate_package_managers::{RunOptions, locator_of};

use crate::registries::Registries;

/// A package that is new in a lockfile, or that has another version than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPackage {
    /// Ecosystem by its OSV name.
    pub ecosystem: EcosystemName,
    /// Name of the package.
    pub name: String,
    /// The versions that the lockfile had before, sorted as texts. Empty for a new package.
    pub before: Vec<String>,
    /// The version that comes.
    pub version: String,
    /// Line of its first entry in the lockfile, from 1.
    pub line: u32,
    /// What the registry says, or why that is unknown: a fragment.
    pub signals: Result<ReleaseSignals, String>,
    /// The name of a package that the lockfile had before, and that this new one is easily mistaken
    /// for.
    pub similar_to: Option<String>,
}

/// The change of one lockfile.
#[derive(Debug, Clone, Copy)]
pub struct PackageChanges<'a> {
    /// The state before; `None` when the file is new.
    pub before: Option<&'a Lockfile>,
    /// The state after.
    pub after: &'a Lockfile,
    /// A directory with the files of the state before that configure the package manager.
    pub configuration: &'a Path,
    /// Whether registries are not asked.
    pub offline: bool,
    /// Most packages that registries are asked about. The signals of the others are unknown.
    pub most: usize,
    /// Longest time for one run of a package manager, which says where its registry is.
    pub timeout: Duration,
}

/// The files next to a lockfile, and above it, that say where its packages come from, by path. The
/// lockfile itself may include others.
#[must_use]
pub fn registry_configuration(lockfile: &str) -> Vec<String> {
    let names = fixable_format(lockfile)
        .and_then(|(_, format)| locator_of(format.id))
        .and_then(|locator| locator.configuration_names())
        .unwrap_or_default();
    let mut directory = lockfile;
    let mut paths = Vec::new();
    while let Some((above, _)) = directory.rsplit_once('/') {
        directory = above;
        paths.extend(names.iter().map(|name| format!("{directory}/{name}")));
    }
    paths.extend(names.iter().map(|name| (*name).to_owned()));

    paths
}

/// The packages that come, by name and version, with what their registries say.
pub async fn changed_packages(
    changes: &PackageChanges<'_>,
    environment: &Environment,
) -> Vec<ChangedPackage> {
    let mut packages = differences(changes);
    let asked: Vec<(String, Vec<String>)> = asked(&packages, changes.most);
    let answers = ask(changes, environment, asked).await;

    for package in &mut packages {
        if package.signals.as_ref().is_err_and(String::is_empty) {
            package.signals = match &answers {
                Err(reason) => Err(reason.clone()),
                Ok(answers) => match answers.get(&package.name) {
                    Some(answer) => described(package, answer),
                    None => Err(format!("more than {} packages change", changes.most)),
                },
            };
        }
    }

    packages
}

/// The packages that come. Those whose registry can be asked have an empty reason.
fn differences(changes: &PackageChanges<'_>) -> Vec<ChangedPackage> {
    let mut before: BTreeMap<(EcosystemName, String), BTreeSet<&str>> = BTreeMap::new();
    let key = |package: &Package| {
        let name = by_name(package.ecosystem.as_str()).map_or_else(
            || package.name.clone(),
            |ecosystem| ecosystem.normalize_name(&package.name).into_owned(),
        );
        (package.ecosystem, name)
    };
    let old = changes
        .before
        .map_or(&[][..], |lockfile| &lockfile.packages);
    for package in old {
        let versions = before.entry(key(package)).or_default();
        versions.insert(&package.version);
    }
    let known: BTreeSet<&str> = old.iter().map(|package| package.name.as_str()).collect();

    let mut found: BTreeMap<(&str, &str), ChangedPackage> = BTreeMap::new();
    for package in &changes.after.packages {
        let versions = before.get(&key(package));
        if versions.is_some_and(|versions| versions.contains(package.version.as_str()))
            || matches!(package.origin, Origin::Path(_))
        {
            continue;
        }
        found
            .entry((&package.name, &package.version))
            .or_insert_with(|| ChangedPackage {
                ecosystem: package.ecosystem,
                name: package.name.clone(),
                before: versions
                    .map(|versions| versions.iter().map(|one| (*one).to_owned()).collect())
                    .unwrap_or_default(),
                version: package.version.clone(),
                line: package.line,
                signals: match &package.origin {
                    Origin::Registry(_) => Err(String::new()),
                    _ => Err("it is not from a registry".to_owned()),
                },
                similar_to: match versions {
                    None => similar_name(&package.name, known.iter().copied()).map(str::to_owned),
                    Some(_) => None,
                },
            });
    }

    found.into_values().collect()
}

/// The first `most` packages to ask about, each with its versions.
fn asked(packages: &[ChangedPackage], most: usize) -> Vec<(String, Vec<String>)> {
    let mut names: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in packages {
        if package.signals.as_ref().is_err_and(String::is_empty) {
            names
                .entry(&package.name)
                .or_default()
                .push(package.version.clone());
        }
    }

    let named = names.into_iter().take(most);
    named
        .map(|(name, versions)| (name.to_owned(), versions))
        .collect()
}

/// The answers of the registries by package, or why none can be asked.
async fn ask(
    changes: &PackageChanges<'_>,
    environment: &Environment,
    packages: Vec<(String, Vec<String>)>,
) -> Result<BTreeMap<String, Result<Vec<Release>, String>>, String> {
    if packages.is_empty() {
        return Ok(BTreeMap::new());
    }
    if changes.offline {
        return Err("offline, no registry is asked".to_owned());
    }
    let path = &changes.after.path;
    let (ecosystem, locator) = fixable_format(path)
        .and_then(|(ecosystem, format)| Some((ecosystem, locator_of(format.id)?)))
        .ok_or_else(|| format!("the registry of `{}` is not asked", changes.after.ecosystem))?;

    let client = environment
        .client(false)
        .map_err(|error| error.to_string())?;
    let run = RunOptions {
        offline: false,
        timeout: changes.timeout,
    };
    let configuration = locator.configuration(changes.configuration, path);
    let mut registries = Registries::new(&client, locator, configuration, run);
    // The addresses that the lockfile states after the change are its author's.
    let none = Lockfile {
        path: path.clone(),
        ecosystem: changes.after.ecosystem,
        ..Lockfile::default()
    };
    let trusted = changes.before.unwrap_or(&none);
    let answers = registries.described(ecosystem, trusted, packages).await;

    Ok(answers
        .into_iter()
        .map(|(name, answer)| (name, answer.map_err(|unanswered| unanswered.reason)))
        .collect())
}

fn described(
    package: &ChangedPackage,
    answer: &Result<Vec<Release>, String>,
) -> Result<ReleaseSignals, String> {
    let releases = answer.as_ref().map_err(Clone::clone)?;
    let find = |version: &str| releases.iter().find(|release| release.version == version);
    let after = find(&package.version)
        .ok_or_else(|| "the registry does not have this version".to_owned())?;
    // With several versions before, none of them is the one that is replaced.
    let before = match &package.before[..] {
        [only] => find(only),
        _ => None,
    };

    Ok(signals(before, after))
}
