//! Input and output of the planner.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::{Release, RequirementEdit, TargetGraph, Upgradable};
use patchgate_model::{Bump, Lockfile, PackageIndex};

/// The findings that a version of a package would have, by name and version. `None` when the
/// package's advisories have not been looked up yet.
pub type Judge<'a> = dyn Fn(&str, &str) -> Option<Judged> + 'a;

/// Whether a release can be used in the project at all: it is old enough, and the project's runtime
/// or toolchain meets its requirement. The error is a fragment for a person.
pub type Usable<'a> = dyn Fn(&str, &Release) -> Result<(), String> + 'a;

/// The findings of one version of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judged {
    /// Ids of vulnerabilities, malware among them.
    pub vulnerabilities: BTreeSet<String>,
    /// Ids of notices, such as that a package is no longer maintained. A release without them is
    /// preferred, but they are no reason to keep a vulnerability.
    pub notices: BTreeSet<String>,
}

/// One finding to fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Index of the copy in the lockfile.
    pub copy: PackageIndex,
    /// Id of the finding.
    pub id: String,
    /// Whether it is a notice. Only an upgrade that breaks nothing is made for one.
    pub is_notice: bool,
}

/// What a plan may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOptions {
    /// The greatest step that a package may make.
    pub max_bump: Bump,
    /// Whether requirements of the projects may be raised.
    pub raises: bool,
    /// Whether packages without findings may move, so that one with findings can.
    pub moves_parents: bool,
    /// Whether an override may give a package a version that its dependents do not admit. The lockfile's
    /// format must have overrides.
    pub overrides: bool,
    /// Whether the newest release is preferred to the smallest.
    pub newest: bool,
    /// Whether, of findings that cannot all be fixed together, the package with the fewest is left,
    /// instead of the least urgent one.
    pub most_fixed: bool,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            max_bump: Bump::Major,
            raises: true,
            moves_parents: true,
            overrides: false,
            newest: false,
            most_fixed: false,
        }
    }
}

/// One question to the planner.
pub struct Request<'a> {
    /// The lockfile to fix, with its graph.
    pub lockfile: &'a Lockfile,
    /// The ecosystem of the lockfile.
    pub ecosystem: &'a dyn Upgradable,
    /// The findings of every copy, those that need no fix included.
    pub findings: &'a BTreeMap<PackageIndex, Judged>,
    /// The findings to fix, the most urgent first.
    pub targets: &'a [Target],
    /// The releases that were fetched so far.
    pub releases: &'a Releases,
    /// The look-up of findings.
    pub judge: &'a Judge<'a>,
    /// Whether a release can be used in the project.
    pub usable: &'a Usable<'a>,
    /// The greatest step of each package's version, by name.
    pub max_bump: &'a dyn Fn(&str) -> Bump,
    /// The features that the projects ask of packages, by name.
    pub asked: &'a BTreeMap<String, BTreeSet<String>>,
    /// Versions, by package name, that must not be chosen: a writer, the package manager or the scan of
    /// an earlier result refused them. Each with the reason for a person.
    pub refused: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// Copies that must not move, with the reason for a person.
    pub frozen: &'a BTreeMap<PackageIndex, String>,
    /// Whether a yanked release can be installed at all: npm's deprecated ones can, Cargo's yanked
    /// ones cannot.
    pub yanked_installable: bool,
    /// What the plan may change.
    pub options: PlanOptions,
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

    /// Replaces a release whose details were fetched.
    pub fn complete(&mut self, ecosystem: &dyn Upgradable, name: &str, release: Release) {
        let known = self
            .packages
            .get_mut(ecosystem.normalize_name(name).as_ref());
        let known = known
            .and_then(|known| known.as_mut().ok())
            .into_iter()
            .flatten();
        for one in known {
            if one.version == release.version {
                *one = release;
                return;
            }
        }
    }

    /// Adds releases of a package whose others are known. Those that it has already stay.
    pub fn extend(&mut self, ecosystem: &dyn Upgradable, name: &str, more: Vec<Release>) {
        let Some(Ok(known)) = self
            .packages
            .remove(ecosystem.normalize_name(name).as_ref())
        else {
            return;
        };
        let is_new = |release: &Release| known.iter().all(|one| one.version != release.version);
        let more: Vec<Release> = more.into_iter().filter(is_new).collect();
        self.insert(ecosystem, name, Ok(known.into_iter().chain(more).collect()));
    }

    /// Removes a release, for instance because its details cannot be fetched.
    pub fn remove(&mut self, ecosystem: &dyn Upgradable, name: &str, version: &str) {
        let known = self
            .packages
            .get_mut(ecosystem.normalize_name(name).as_ref());
        if let Some(Ok(known)) = known {
            known.retain(|release| release.version != version);
        }
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
    /// The planner needs more facts first.
    Missing(MissingFacts),
    /// The complete plan; no fact is missing.
    Ready(Proposal),
}

/// The facts that the planner needs to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingFacts {
    /// Packages of which the releases and all advisories are needed.
    pub packages: BTreeSet<String>,
    /// Releases, by name and version, of which the details are needed
    /// ([`patchgate_ecosystems::Release::details`]).
    pub details: BTreeSet<(String, String)>,
}

impl MissingFacts {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.details.is_empty()
    }
}

/// Upgrades, and findings that remain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// Upgrades, dependents before their dependencies.
    pub moves: Vec<PlannedUpgrade>,
    /// The whole graph with these upgrades: everything that comes, goes and moves.
    pub graph: TargetGraph,
    /// Packages that get their version by an override, with the version.
    pub overrides: BTreeMap<String, String>,
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
