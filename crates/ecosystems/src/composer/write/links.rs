//! The names that packages require, replace and refuse, for the check of a whole graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::composer::Composer;
use crate::composer::package::requirements;
use crate::syntax::Node;
use crate::{Ecosystem as _, Upgradable as _, VersionSet};

/// A package of the graph.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) name: String,
    version: String,
    requires: Vec<(String, String)>,
    conflicts: Vec<(String, String)>,
    /// Names that it provides or replaces, with their versions.
    provides: Vec<(String, String)>,
    replaces: BTreeSet<String>,
    /// Whether the entry is new, so that nothing has accepted it yet.
    pub(super) is_new: bool,
    /// Whether it is the project, which the file does not list.
    is_project: bool,
}

impl Linked {
    /// The names that a project stands for, and those that it refuses.
    pub(super) fn of_project(manifest: &Node<'_>) -> Result<Self, String> {
        let links = |key: &str| -> Result<Vec<(String, String)>, String> {
            let links = requirements(manifest, key).map_err(|error| error.to_string())?;
            let owned =
                |(name, version): (&str, &str)| (name.to_ascii_lowercase(), version.to_owned());
            Ok(links.into_iter().map(owned).collect())
        };
        let replaced = links("replace")?;

        Ok(Self {
            name: "the project".to_owned(),
            version: String::new(),
            requires: Vec::new(),
            conflicts: links("conflict")?,
            replaces: replaced.iter().map(|(name, _)| name.clone()).collect(),
            provides: links("provide")?.into_iter().chain(replaced).collect(),
            is_new: false,
            is_project: true,
        })
    }

    /// Reads an entry of a lockfile.
    pub(super) fn of(entry: &Node<'_>, is_new: bool) -> Result<Self, String> {
        let unreadable = |error: crate::ParseError| error.to_string();
        let text = |key: &str| entry.need_text(key).map(str::to_owned).map_err(unreadable);
        let links = |key: &str| -> Result<Vec<(String, String)>, String> {
            let links = requirements(entry, key).map_err(unreadable)?;
            let owned =
                |(name, version): (&str, &str)| (name.to_ascii_lowercase(), version.to_owned());
            Ok(links.into_iter().map(owned).collect())
        };

        let replaced = links("replace")?;

        Ok(Self {
            is_project: false,
            name: text("name")?.to_ascii_lowercase(),
            version: text("version")?,
            requires: links("require")?,
            conflicts: links("conflict")?,
            replaces: replaced.iter().map(|(name, _)| name.clone()).collect(),
            provides: links("provide")?.into_iter().chain(replaced).collect(),
            is_new,
        })
    }
}

/// The packages of a graph by their names.
#[derive(Debug)]
pub(super) struct Links<'a> {
    packages: &'a [&'a Linked],
    by_name: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Links<'a> {
    pub(super) fn new(packages: &'a [&'a Linked]) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, package) in packages.iter().enumerate() {
            by_name.entry(&package.name).or_default().push(index);
        }
        for (index, package) in packages.iter().enumerate() {
            for (name, _) in &package.provides {
                by_name.entry(name).or_default().push(index);
            }
        }
        Self { packages, by_name }
    }

    fn of(&self, name: &str) -> impl Iterator<Item = (usize, &'a Linked)> {
        let found = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        let packages = self.packages;
        found
            .iter()
            .filter_map(move |index| Some((*index, *packages.get(*index)?)))
    }

    /// The packages that some requirements of the project lead to.
    pub(super) fn reached<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeSet<String> {
        let mut queue: Vec<usize> = names
            .flat_map(|name| {
                self.of(&name.to_ascii_lowercase())
                    .map(|(index, _)| index)
                    .collect::<Vec<_>>()
            })
            .collect();

        let mut seen = BTreeSet::new();
        while let Some(index) = queue.pop() {
            if !seen.insert(index) {
                continue;
            }
            let requires = self
                .packages
                .get(index)
                .map_or(&[][..], |package| &package.requires);
            for (name, _) in requires {
                queue.extend(self.of(name).map(|(index, _)| index));
            }
        }

        let name = |index: &usize| {
            self.packages
                .get(*index)
                .map(|package| package.name.clone())
        };
        seen.iter().filter_map(name).collect()
    }

    /// Checks that no package lacks a requirement or conflicts with another one, as far as the
    /// new entries have a part in it.
    pub(super) fn check(&self) -> Result<(), String> {
        for package in self.packages {
            let shown = match package.is_project {
                true => package.name.clone(),
                false => format!("`{} {}`", package.name, package.version),
            };
            for (name, requirement) in &package.requires {
                let found: Vec<&Linked> = self.of(name).map(|(_, found)| found).collect();
                if found.is_empty() {
                    return Err(format!("{shown} needs `{name}`, which has no version"));
                }
                let matters = package.is_new || found.iter().any(|found| found.is_new);
                let is_met = found
                    .iter()
                    .any(|found| meets(found, name, requirement, package));
                if matters && !is_met {
                    return Err(format!("{shown} requires `{name}` as `{requirement}`"));
                }
            }
            for (name, refused) in &package.conflicts {
                for (_, other) in self.of(name).filter(|(_, other)| other.name == *name) {
                    let matters = package.is_new || other.is_new;
                    if matters && Composer.admits(refused, &other.version).unwrap_or(true) {
                        return Err(format!("{shown} conflicts with `{name} {}`", other.version));
                    }
                }
            }
            for (_, other) in self.of(&package.name) {
                if other.replaces.contains(&package.name) && other.name != package.name {
                    let shown = match other.is_project {
                        true => other.name.clone(),
                        false => format!("`{}`", other.name),
                    };
                    return Err(format!("{shown} replaces `{}`", package.name));
                }
            }
        }

        Ok(())
    }
}

/// Whether a package satisfies a requirement, by itself or for a name that it provides.
fn meets(found: &Linked, name: &str, requirement: &str, dependent: &Linked) -> bool {
    // A package and its parts have the same version.
    let requirement = match requirement {
        "self.version" => dependent.version.as_str(),
        other => other,
    };

    if found.name == name {
        return Composer
            .admits(requirement, &found.version)
            .unwrap_or(false);
    }

    found
        .provides
        .iter()
        .filter(|(provided, _)| provided == name)
        .any(|(_, version)| {
            let version = match version.as_str() {
                "self.version" => found.version.as_str(),
                other => other,
            };
            let sets = |text: &str| -> Option<VersionSet> { Composer.admitted_versions(text).ok() };
            let (Some(wanted), Some(given)) = (sets(requirement), sets(version)) else {
                return false;
            };
            wanted
                .intersection(&Composer, &given)
                .is_ok_and(|common| !common.intervals.is_empty())
        })
}
