//! What the planner is given and what it answers.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Release, RequirementEdit, Upgradable};
use patchgate_model::{Bump, Lockfile, PackageIndex};

/// Which findings a version of a package would have, by the ids that the findings carry. `None`
/// when the package's advisories have not been looked up yet.
pub type Judge<'a> = dyn Fn(&str, &str) -> Option<BTreeSet<String>> + 'a;

/// One question to the planner.
pub struct Request<'a> {
    /// The graph.
    pub lockfile: &'a Lockfile,
    /// The ecosystem of the lockfile.
    pub ecosystem: &'a dyn Upgradable,
    /// The copies to repair with the ids of their findings.
    pub vulnerable: &'a BTreeMap<PackageIndex, BTreeSet<String>>,
    /// What the registries said so far.
    pub releases: &'a Releases,
    /// The advisories.
    pub judge: &'a Judge<'a>,
    /// Versions, by package name, that must not be chosen: the package manager or the scan of an
    /// earlier result refused them.
    pub refused: &'a BTreeMap<String, BTreeSet<String>>,
    /// Copies that must not move, with the reason for a person.
    pub frozen: &'a BTreeMap<PackageIndex, String>,
    /// Whether a yanked release can be installed at all: npm's deprecated ones can, Cargo's
    /// yanked ones cannot.
    pub yanked_installable: bool,
}

/// What the registries said about packages, each list in ascending order of versions.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    packages: BTreeMap<String, Result<Vec<Release>, String>>,
}

impl Releases {
    /// Adds what a registry said, or why it said nothing (a fragment for a person).
    ///
    /// Releases whose version the ecosystem cannot place are left out: they could neither be
    /// ordered nor chosen.
    pub fn insert(
        &mut self,
        ecosystem: &dyn Upgradable,
        name: &str,
        releases: Result<Vec<Release>, String>,
    ) {
        let releases = releases.map(|mut releases| {
            releases.retain(|release| ecosystem.is_prerelease(&release.version).is_ok());
            releases.sort_by(|a, b| {
                ecosystem
                    .compare_versions(&a.version, &b.version)
                    .unwrap_or(Ordering::Equal)
            });
            releases
        });
        self.packages
            .insert(ecosystem.normalize_name(name).into_owned(), releases);
    }

    /// What is known about a package: nothing yet, its releases, or why they are out of reach.
    #[must_use]
    pub fn releases(
        &self,
        ecosystem: &dyn Upgradable,
        name: &str,
    ) -> Option<Result<&[Release], &str>> {
        self.packages
            .get(ecosystem.normalize_name(name).as_ref())
            .map(|known| match known {
                Ok(releases) => Ok(releases.as_slice()),
                Err(reason) => Err(reason.as_str()),
            })
    }
}

/// The planner's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// It needs the releases and all the advisories of these packages first.
    Missing(BTreeSet<String>),
    /// What to do.
    Ready(Proposal),
}

/// What to move and what stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Moves, dependents before what they depend on.
    pub moves: Vec<PlannedUpgrade>,
    /// Findings that stay.
    pub left: Vec<Left>,
}

/// One copy that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedUpgrade {
    /// The copy.
    pub copy: PackageIndex,
    /// Package name.
    pub name: String,
    /// Version before.
    pub from: String,
    /// What it moves to.
    pub release: Release,
    /// How far it moves.
    pub bump: Bump,
    /// Ids of the findings that this ends, also those of copies that nothing needs any more
    /// afterwards. Sorted.
    pub fixes: Vec<String>,
    /// The package for which it moves, when it has no finding itself.
    pub because_of: Option<String>,
    /// Requirements in manifests of the repository that must change for it.
    pub edits: Vec<ManifestEdit>,
}

impl PlannedUpgrade {
    /// Version after.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.release.version
    }
}

/// One requirement to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestEdit {
    /// Path of the manifest from the repository root.
    pub manifest: String,
    /// The change.
    pub edit: RequirementEdit,
}

/// Findings of one copy that stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The copy.
    pub copy: PackageIndex,
    /// Ids that stay, sorted.
    pub ids: Vec<String>,
    /// What stands in the way, as a fragment for a person.
    pub reason: String,
}
