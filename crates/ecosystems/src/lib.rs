//! One folder an ecosystem: lockfiles, manifests, version order, requirements, edits, and the wire
//! format of its registry.
//!
//! Everything here is pure: bytes come in, values go out. No file is opened, no process is started,
//! no address is known. To add an ecosystem, add its folder and its line in [`ALL`]; the contract
//! tests in `tests/contract.rs` and `tests/version_orders.rs` and the support table in the README
//! pick it up from there. Distributions of operating systems share the folder [`distribution`], and
//! `version` holds what the version orders of several ecosystems share.

pub mod bioconductor;
pub mod bitnami;
pub mod cargo;
pub mod cocoapods;
pub mod composer;
pub mod conan;
pub mod conda;
pub mod cpan;
pub mod cran;
pub mod deno;
pub mod distribution;
pub mod docker;
mod format;
pub mod gem;
pub mod generic;
pub mod github;
pub mod golang;
pub mod hackage;
pub mod hex;
mod intervals;
pub mod julia;
mod lookup;
pub mod maven;
pub mod npm;
pub mod nuget;
pub mod opam;
#[path = "pub/mod.rs"]
pub mod pub_dart;
pub mod pypi;
mod release;
mod scope;
#[cfg(test)]
mod shown;
pub mod swift;
pub mod terraform;
mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{Bump, Package, Unresolved, package_url};

pub use format::{
    Format, fixable_format, format_by_id, formats_of, is_fixable_manifest, is_sibling, manifest_of,
    parse,
};
pub use intervals::intervals;
pub use patchgate_syntax::{self as syntax, Input, ParseError, Siblings, limits};
pub use release::{MetadataRequest, Release, Requirement};

/// Every ecosystem that Patchgate reads, in the order of the support table.
pub const ALL: &[&dyn Ecosystem] = &[
    &npm::Npm,
    &pypi::PyPi,
    &cargo::Cargo,
    &golang::Go,
    &maven::Maven,
    &gem::RubyGems,
    &composer::Composer,
    &nuget::NuGet,
    &pub_dart::Pub,
    &hex::Hex,
    &conan::Conan,
    &swift::Swift,
    &cocoapods::CocoaPods,
    &cran::Cran,
    &hackage::Hackage,
    &julia::Julia,
    &opam::Opam,
    &cpan::Cpan,
    &github::GitHubActions,
    &docker::Docker,
    &terraform::Terraform,
    &generic::Git,
    &distribution::DEBIAN,
    &distribution::UBUNTU,
    &distribution::ECHO,
    &distribution::ALPINE,
    &distribution::WOLFI,
    &distribution::CHAINGUARD,
    &distribution::MINIMOS,
    &distribution::ALPAQUITA,
    &distribution::BELLSOFT,
    &distribution::CLEANSTART,
    &distribution::RED_HAT,
    &distribution::ROCKY_LINUX,
    &distribution::ALMA_LINUX,
    &distribution::SUSE,
    &distribution::OPEN_SUSE,
    &distribution::MAGEIA,
    &distribution::OPEN_EULER,
    &distribution::PHOTON_OS,
    &distribution::AZURE_LINUX,
    &bitnami::Bitnami,
    &deno::Deno,
    &bioconductor::Bioconductor,
    &conda::Conda,
];

/// The ecosystem with this name, compared exactly.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Ecosystem> {
    ALL.iter()
        .copied()
        .find(|ecosystem| ecosystem.name() == name)
}

/// The ecosystem with this type in package URLs, compared exactly. `None` also for a type that
/// several share: which distribution a package is of, its namespace says.
#[must_use]
pub fn by_purl_type(purl_type: &str) -> Option<&'static dyn Ecosystem> {
    let mut known = ALL
        .iter()
        .copied()
        .filter(|ecosystem| ecosystem.purl_type() == purl_type);
    known.next().filter(|_| known.next().is_none())
}

/// The package URL of a package: the one that its file states, else the one that follows from its
/// ecosystem, name and version.
#[must_use]
pub fn purl(package: &Package) -> String {
    if let Some(purl) = &package.purl {
        return purl.clone();
    }
    match by_name(package.ecosystem) {
        Some(ecosystem) => ecosystem.purl(&package.name, &package.version),
        None => package_url("generic", &package.name, &package.version),
    }
}

/// What Patchgate knows about one ecosystem.
pub trait Ecosystem: Sync {
    /// Name in OSV (<https://ossf.github.io/osv-schema/#defined-ecosystems>), or Patchgate's own
    /// for an ecosystem that OSV does not have.
    fn name(&self) -> &'static str;

    /// Whether OSV has advisories for it. The packages of one that it does not have are part of
    /// the inventory and are never called clean.
    fn has_advisories(&self) -> bool {
        true
    }

    /// Type in package URLs (<https://github.com/package-url/purl-spec>).
    fn purl_type(&self) -> &'static str;

    /// The files with exact versions that are read.
    fn formats(&self) -> &'static [Format];

    /// Patterns of the manifests, which state requirements; see [`Format::files`]. They are handed
    /// to the parser of a lockfile as siblings.
    fn manifests(&self) -> &'static [&'static str];

    /// Patterns of other files that parsers need beside a lockfile: `go.sum`, a workspace's list
    /// of members.
    fn companions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Files of the repository that a file of this ecosystem takes over by name, whatever they are
    /// called: `-r base.txt`. Paths from the repository's root; they need not exist.
    fn included(&self, _input: &Input<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What a manifest asks for, for one that no lockfile pins. Empty where it asks for nothing
    /// from outside the repository.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    fn unresolved(&self, manifest: &Input<'_>) -> Result<Vec<Unresolved>, ParseError>;

    /// The package URL for a name as this ecosystem writes it.
    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), name, version)
    }

    /// The name as the registry compares it: two spellings of one package give one text.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str>;

    /// Orders two versions as the ecosystem does.
    ///
    /// # Errors
    /// When one of them is not a version of this ecosystem.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError>;

    /// Whether files write a version in the same way as its registry, so that a server that
    /// compares texts knows it. Where they may not (`6.0` for `6.0.0`), advisories are asked for by
    /// name alone and versions are compared here.
    fn writes_registry_versions(&self) -> bool {
        true
    }

    /// The same ecosystem as one that `patchgate fix` can change, where it can.
    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        None
    }
}

/// What it takes to move the packages of an ecosystem to other versions.
pub trait Upgradable: Ecosystem {
    /// Whether the version is a pre-release.
    ///
    /// # Errors
    /// When it is not a version of this ecosystem.
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError>;

    /// How far a move goes.
    ///
    /// # Errors
    /// When one of them is not a version of this ecosystem.
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError>;

    /// Whether a requirement admits a version, by the package manager's own rules.
    ///
    /// # Errors
    /// When the requirement names no versions (a tag, an address, a path) or cannot be read.
    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError>;

    /// The requirement in the same style (exact, caret, tilde, …) that admits `version` as its
    /// smallest version.
    ///
    /// # Errors
    /// When the requirement names no versions or its style cannot be kept.
    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError>;

    /// Changes one requirement in a manifest and nothing else, keeping every other byte.
    ///
    /// # Errors
    /// When the manifest cannot be read or does not hold that requirement.
    fn edit_manifest(&self, manifest: &str, edit: &RequirementEdit) -> Result<String, EditError>;

    /// The request that fetches what a registry knows about a package.
    ///
    /// `registry` is the base address as the package manager gives it, with or without a trailing
    /// slash (for Cargo the sparse index, without its `sparse+` prefix).
    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest;

    /// Reads the registry's answer to [`Upgradable::metadata_request`].
    ///
    /// # Errors
    /// When the answer is not of the registry's format. An empty list is never an answer to
    /// unreadable bytes.
    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError>;
}

/// One requirement to change in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementEdit {
    /// The name under which the manifest asks for the package: an alias or a Cargo rename's key.
    pub name: String,
    /// The requirement as it stands there.
    pub from: String,
    /// The requirement to put in its place.
    pub to: String,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a version of {ecosystem}")]
pub struct VersionError {
    /// The text.
    pub version: String,
    /// OSV name of the ecosystem.
    pub ecosystem: &'static str,
}

/// A requirement that cannot be judged or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("requirement `{requirement}` {reason}")]
pub struct RequirementError {
    /// The requirement as written.
    pub requirement: String,
    /// Why: `names a tag, not versions`, `is not a requirement of crates.io`, ….
    pub reason: String,
}

/// A manifest that cannot be changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The manifest is not of its format.
    #[error("the manifest cannot be read: {0}")]
    Unreadable(String),
    /// The change would do something else than was asked.
    #[error("the manifest cannot be changed: {0}")]
    Refused(String),
    /// The requirement is not there.
    #[error("the manifest does not ask for `{name}` as `{requirement}`")]
    NotFound {
        /// The name that was looked for.
        name: String,
        /// The requirement that was looked for.
        requirement: String,
    },
}
