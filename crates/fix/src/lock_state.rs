//! State of a lockfile and its manifests at one point of the work, and the findings in it.

use std::collections::BTreeMap;
use std::path::Path;

use patchgate_advisories::{NoSignals, find};
use patchgate_ecosystems::{Format, Input, Siblings};
use patchgate_model::{Finding, Inventory, Lockfile, Origin, PackageIndex};
use patchgate_package_managers::{ConfigurationFile, LockedProject};
use patchgate_scan::AdvisorySource;
use patchgate_upgrade::Judged;

use crate::context::Failure;

/// A lockfile with its manifests at one point of the work.
#[derive(Debug, Clone)]
pub(super) struct LockState {
    pub(super) lockfile: Lockfile,
    pub(super) bytes: Vec<u8>,
    /// Every manifest in the repository, and what else the format's writer reads, edits included.
    pub(super) manifests: Siblings,
    /// The overrides that the fix wrote, by package.
    pub(super) overrides: BTreeMap<String, Override>,
}

/// A version that a manifest gives to every dependent of a package, whatever they require.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Override {
    pub(super) manifest: String,
    pub(super) version: String,
}

impl LockState {
    /// Reads a lockfile that was changed.
    ///
    /// # Errors
    /// When it cannot be read, or only in part.
    pub(super) fn read(
        format: &Format,
        path: &str,
        bytes: Vec<u8>,
        manifests: Siblings,
    ) -> Result<Self, Failure> {
        let input = Input {
            path,
            bytes: &bytes,
            siblings: &manifests,
        };
        // A path can have several formats: a workflow is read for its actions and for its images.
        let lockfile = (format.parse)(&input)
            .map_err(|error| Failure::new(format!("the new lockfile {error}")))?;
        if let Some(gap) = lockfile.gap() {
            return Err(Failure::new(format!(
                "the new lockfile was read in part: line {} {}",
                gap.line, gap.reason
            )));
        }

        Ok(Self {
            lockfile,
            bytes,
            manifests,
            overrides: BTreeMap::new(),
        })
    }

    /// The lockfile with the files around it, as package managers are given it.
    pub(super) fn project<'a>(
        &'a self,
        root: &'a Path,
        configuration: &'a [ConfigurationFile],
    ) -> LockedProject<'a> {
        LockedProject {
            root,
            lockfile: &self.lockfile,
            bytes: &self.bytes,
            manifests: &self.manifests,
            configuration,
        }
    }

    /// The findings in it.
    ///
    /// # Errors
    /// When something could not be looked up or judged: a result that was checked in part counts as
    /// not checked.
    pub(super) async fn findings(&self, source: &AdvisorySource) -> Result<Vec<Finding>, Failure> {
        findings(&self.lockfile, source).await
    }

    /// The copies that a finding is about.
    pub(super) fn copies<'a>(
        &'a self,
        finding: &'a Finding,
    ) -> impl Iterator<Item = PackageIndex> + 'a {
        self.lockfile
            .indexed()
            .filter(|(_, package)| {
                package.name == finding.package.name
                    && package.version == finding.package.version
                    && !matches!(package.origin, Origin::Path(_))
            })
            .map(|(copy, _)| copy)
    }

    /// The findings of every copy.
    pub(super) fn judged<'f>(
        &self,
        findings: impl IntoIterator<Item = &'f Finding>,
    ) -> BTreeMap<PackageIndex, Judged> {
        let mut judged: BTreeMap<PackageIndex, Judged> = BTreeMap::new();
        for finding in findings {
            for copy in self.copies(finding) {
                let own = judged.entry(copy).or_default();
                match finding.is_notice() {
                    true => own.notices.insert(finding.id.clone()),
                    false => own.vulnerabilities.insert(finding.id.clone()),
                };
            }
        }

        judged
    }

    /// A key of a copy that stays the same when other copies change: its name, version and install
    /// path. Indexes of packages differ from one state to the next.
    pub(super) fn describe(&self, copy: PackageIndex) -> String {
        self.lockfile
            .package(copy)
            .map_or_else(String::new, |package| {
                format!(
                    "{}@{} {}",
                    package.name,
                    package.version,
                    package.install_path.as_deref().unwrap_or_default()
                )
            })
    }
}

/// The findings about the locked versions of a lockfile. Requirements that it leaves open are judged
/// and raised on their own.
///
/// # Errors
/// When something could not be looked up or judged.
pub(super) async fn findings(
    lockfile: &Lockfile,
    source: &AdvisorySource,
) -> Result<Vec<Finding>, Failure> {
    let inventory = Inventory {
        lockfiles: vec![Lockfile {
            unresolved: Vec::new(),
            ..lockfile.clone()
        }],
        ..Inventory::default()
    };
    let lookup = source.lookup_inventory(&inventory).await;
    let mut found = find(&inventory, &lookup, &NoSignals);
    found
        .findings
        .retain(|finding| finding.requirement.is_none());

    match lookup.problems.into_iter().chain(found.problems).next() {
        Some(problem) => Err(problem.into()),
        None => Ok(found.findings),
    }
}

/// Every id of a finding.
pub(super) fn ids(finding: &Finding) -> impl Iterator<Item = &str> {
    std::iter::once(finding.id.as_str()).chain(finding.aliases.iter().map(String::as_str))
}
