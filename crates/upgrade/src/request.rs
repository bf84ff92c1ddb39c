//! Input and output of the planner.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Release, RequirementEdit, Upgradable};
use patchgate_model::{Bump, Lockfile, PackageIndex};

/// The ids of the findings that a version of a package would have, by name and version. `None` when
/// the package's advisories have not been looked up yet.
pub type Judge<'a> = dyn Fn(&str, &str) -> Option<BTreeSet<String>> + 'a;

/// One question to the planner.
pub struct Request<'a> {
    /// The lockfile to fix, with its graph.
    pub lockfile: &'a Lockfile,
    /// The ecosystem of the lockfile.
    pub ecosystem: &'a dyn Upgradable,
    /// The copies to fix, with the ids of their findings.
    pub vulnerable: &'a BTreeMap<PackageIndex, BTreeSet<String>>,
    /// The releases that were fetched so far.
    pub releases: &'a Releases,
    /// The look-up of findings.
    pub judge: &'a Judge<'a>,
    /// Versions, by package name, that must not be chosen: the package manager or the scan of an
    /// earlier result refused them.
    pub refused: &'a BTreeMap<String, BTreeSet<String>>,
    /// Copies that must not move, with the reason for a person.
    pub frozen: &'a BTreeMap<PackageIndex, String>,
    /// Whether a yanked release can be installed at all: npm's deprecated ones can, Cargo's yanked
    /// ones cannot.
    pub yanked_installable: bool,
}

/// The releases of packages, each list in ascending order of versions.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    packages: BTreeMap<String, Result<Vec<Release>, String>>,
}

impl Releases {
    /// Adds the releases of a package, or why they could not be fetched (a fragment for a person).
    ///
    /// Releases whose version is invalid in the ecosystem are left out: they could neither be
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

    /// The releases of a package, or why they could not be fetched. `None` when nothing was added
    /// for it yet.
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

/// The result of [`crate::plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// The planner needs the releases and all advisories of these packages first.
    Missing(BTreeSet<String>),
    /// The complete plan; no fact is missing.
    Ready(Proposal),
}

/// Upgrades, and findings that remain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Upgrades, dependents before their dependencies.
    pub moves: Vec<PlannedUpgrade>,
    /// Findings that remain, with the reasons.
    pub left: Vec<Left>,
}

/// The upgrade of one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedUpgrade {
    /// Index of the copy in the lockfile.
    pub copy: PackageIndex,
    /// Name of the upgraded package.
    pub name: String,
    /// Version before the upgrade.
    pub from: String,
    /// The release that is installed after the upgrade.
    pub release: Release,
    /// The size of the step.
    pub bump: Bump,
    /// Ids of the findings that this fixes, including those of copies that nothing needs any more
    /// afterwards. Sorted.
    pub fixes: Vec<String>,
    /// The package that requires the upgrade, when this one has no finding itself.
    pub because_of: Option<String>,
    /// Requirements in manifests of the repository that must change for the upgrade.
    pub edits: Vec<ManifestEdit>,
}

impl PlannedUpgrade {
    /// Version after the upgrade.
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
    /// The requirement before and after.
    pub edit: RequirementEdit,
}

/// Findings of one copy that remain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Index of the copy in the lockfile.
    pub copy: PackageIndex,
    /// Ids of the findings, sorted.
    pub ids: Vec<String>,
    /// The obstacle, as a fragment for a person.
    pub reason: String,
}
