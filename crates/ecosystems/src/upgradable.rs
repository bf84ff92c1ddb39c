//! Operations that change the versions of packages: requirements, manifest edits, and the
//! registry's wire format.
//!
//! Choosing versions is in `patchgate-upgrade`, and running a package manager in
//! `patchgate-package-managers`.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::Bump;

use crate::{
    Ecosystem, MetadataRequest, ParseError, Release, RequirementError, Siblings, SourceArchive,
    VersionError,
};

/// An ecosystem whose packages `patchgate fix` can change to other versions.
pub trait Upgradable: Ecosystem {
    /// Whether the version is a pre-release.
    ///
    /// # Errors
    /// If it is not a version of this ecosystem.
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError>;

    /// How much may break when a version changes to a higher one.
    ///
    /// # Errors
    /// If one of them is not a version of this ecosystem.
    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError>;

    /// Whether a requirement admits a version, by the package manager's own rules.
    ///
    /// # Errors
    /// If the requirement names no versions (a tag, an address, a path) or cannot be parsed.
    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError>;

    /// The requirement in the same style (exact, caret, tilde, …) that admits `version` as its
    /// smallest version.
    ///
    /// # Errors
    /// If the requirement names no versions, or its style cannot be kept.
    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError>;

    /// Whether a path of keys in a manifest leads to the versions of a requirement, such as
    /// `dependencies`, `serde`, `version`. Everything else in a manifest may be code or settings.
    fn is_requirement_key(&self, path: &[&str]) -> bool;

    /// Names of files besides the manifests that have requirements or overrides, such as the
    /// catalogs of a workspace. They are edited like manifests.
    fn settings(&self) -> &'static [&'static str] {
        &[]
    }

    /// Changes one requirement in a manifest. All other bytes stay the same. The path says which
    /// kind of manifest it is, in ecosystems that have several.
    ///
    /// # Errors
    /// If the manifest cannot be parsed or does not contain the requirement.
    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        edit: &RequirementEdit,
    ) -> Result<String, EditError>;

    /// How many versions of a package may be in one graph.
    fn copies(&self) -> Copies;

    /// Whether a dependency of kind [`patchgate_model::DependencyKind::Optional`] is installed
    /// unless that fails (npm), or only where a feature asks for it (Cargo).
    fn installs_optional(&self) -> bool {
        true
    }

    /// The name of the runtime or compiler that releases require, for a person: `Node.js`.
    fn runtime_name(&self) -> &'static str {
        "a runtime"
    }

    /// What a project states about the runtimes or compilers of the language that it supports, in
    /// the ecosystem's notation: `engines.node`, `requires-python`, `rust-version`, the `go` line.
    /// `None` where it states nothing. `files` are by path.
    fn supported_runtime(&self, _lockfile: &str, _files: &Siblings) -> Option<String> {
        None
    }

    /// Whether a release that requires a runtime works with the oldest one that a project supports.
    fn runs_on(&self, _required: &str, _supported: &str) -> bool {
        true
    }

    /// Whether a package that comes in gets its newest release that fits. Go takes the oldest one
    /// (<https://go.dev/ref/mod#minimal-version-selection>).
    fn prefers_newest(&self) -> bool {
        true
    }

    /// The release that a requirement names without the registry's list having it: a commit of a Go
    /// module. Its addresses are relative to that of the list.
    fn unlisted_release(&self, _requirement: &str) -> Option<Release> {
        None
    }

    /// Whether a lockfile has the dependencies of every platform (Cargo), whatever their
    /// conditions.
    fn locks_every_platform(&self) -> bool {
        false
    }

    /// Whether a condition of a requirement is met in an environment of a project, whatever optional
    /// parts are asked for. `runtime` is what the project states about the language's runtime.
    /// With `always`, it has to be met in all of them. A condition that is not understood is not met.
    fn may_apply(&self, _condition: &str, _runtime: Option<&str>, _always: bool) -> bool {
        false
    }

    /// Whether features decide which dependencies a package has. The dependents of a package state
    /// them, so the metadata of all of them is needed (Cargo).
    fn has_feature_graph(&self) -> bool {
        false
    }

    /// The dependencies that features of a release turn on or ask features of, each with these
    /// features.
    fn turned_on(
        &self,
        _release: &Release,
        _features: &BTreeSet<String>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        BTreeMap::new()
    }

    /// Whether a release has every feature that a dependent asks for. One that lacks a feature is
    /// no candidate for that dependent, whatever its requirement admits.
    fn has_features(&self, _release: &Release, _features: &[String]) -> bool {
        true
    }

    /// The features, or extras, that the project of a manifest asks of each package, by the name of the
    /// package in its registry. `manifests` are those of the whole repository, by path.
    fn asked_features(
        &self,
        _path: &str,
        _manifests: &Siblings,
    ) -> BTreeMap<String, BTreeSet<String>> {
        BTreeMap::new()
    }

    /// The request for a package's releases.
    ///
    /// `registry` is the base address as configured in the package manager, with or without a
    /// trailing slash. For Cargo it is the sparse index, without the `sparse+` prefix.
    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest;

    /// Parses the registry's response to [`Upgradable::metadata_request`]. Addresses in the
    /// releases may be relative to the address of the response; [`Release::resolve`] makes them
    /// absolute.
    ///
    /// # Errors
    /// If the response is not in the registry's format. Unreadable bytes never result in an empty
    /// list.
    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError>;

    /// Requests for the rest of the metadata, which the registry has in further documents. Each is
    /// parsed by [`Upgradable::parse_metadata`], and can lead to more documents itself.
    ///
    /// # Errors
    /// If the response is not in the registry's format.
    fn metadata_pages(
        &self,
        _name: &str,
        _body: &[u8],
    ) -> Result<Vec<MetadataRequest>, ParseError> {
        Ok(Vec::new())
    }

    /// Completes a release from the response to [`Release::details`], which becomes `None`, or the
    /// request for a further document. Without the latter, the release is as complete as it gets.
    ///
    /// # Errors
    /// If the response is not in the registry's format.
    fn parse_details(
        &self,
        _name: &str,
        release: &mut Release,
        _body: &[u8],
    ) -> Result<(), ParseError> {
        release.details = None;
        Ok(())
    }

    /// The request for the document that says which releases are yanked, in registries where their
    /// list does not (Go: the newest `go.mod` retracts versions). Its address may be relative to
    /// the address of the list.
    fn yanks_request(&self, _releases: &[Release]) -> Option<MetadataRequest> {
        None
    }

    /// Marks the releases that the response to [`Upgradable::yanks_request`] yanks.
    ///
    /// # Errors
    /// If the response is not in the registry's format.
    fn parse_yanks(&self, _releases: &mut [Release], _body: &[u8]) -> Result<(), ParseError> {
        Ok(())
    }

    /// The request for the time at which a release was published, in registries that state it in a
    /// document of its own (Go). Its address may be relative to the address of the list.
    fn published_request(&self, _release: &Release) -> Option<MetadataRequest> {
        None
    }

    /// The request for a longer form of the response to [`Upgradable::metadata_request`], with facts
    /// that the usual one lacks: npm's has the publisher and the time of each release, and ten times
    /// the size. [`Upgradable::parse_metadata`] parses it too.
    fn long_metadata_request(&self, _registry: &str, _name: &str) -> Option<MetadataRequest> {
        None
    }

    /// The request for the document of a registry that says where archives are, if the description
    /// of a release does not.
    fn archive_settings(&self, _registry: &str) -> Option<MetadataRequest> {
        None
    }

    /// The archive with the sources of a release, as its users import them. `settings` is the
    /// response to [`Upgradable::archive_settings`]. `None` if the registry states no address, or
    /// no hash to check it by.
    fn source_archive(
        &self,
        _name: &str,
        _release: &Release,
        _settings: Option<&[u8]>,
    ) -> Option<SourceArchive> {
        None
    }

    /// Sets [`Release::published`] from the response to [`Upgradable::published_request`].
    ///
    /// # Errors
    /// If the response is not in the registry's format.
    fn parse_published(&self, _release: &mut Release, _body: &[u8]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// [`Upgradable::admits`] for ecosystems in which [`Ecosystem::admitted_versions`] decides it alone.
pub(crate) fn admits(
    ecosystem: &dyn Ecosystem,
    requirement: &str,
    version: &str,
) -> Result<bool, RequirementError> {
    let refused = |_| RequirementError::new(requirement, "cannot be compared with the version");
    ecosystem
        .admitted_versions(requirement)?
        .contains(ecosystem, version)
        .map_err(refused)
}

/// The number of versions of one package that a graph may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// One: every dependent gets the same version (PyPI, Go, RubyGems, Maven).
    One,
    /// One for each range of compatible versions: `1.x`, `0.2.x` (Cargo).
    OnePerLine,
    /// Any number (npm).
    Any,
}

/// A change of one requirement in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementEdit {
    /// The name of the package in the manifest: its own, an alias, or the key of a Cargo rename.
    pub name: String,
    /// The requirement as the manifest has it.
    pub from: String,
    /// The new requirement, in the ecosystem's own notation.
    pub to: String,
}

/// The reason why a manifest was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The manifest is not valid in its format.
    #[error("the manifest cannot be read: {0}")]
    Unreadable(String),
    /// The change would have other effects than the requested one.
    #[error("the manifest cannot be changed: {0}")]
    Refused(String),
    /// The manifest does not contain the requirement.
    #[error("the manifest does not require `{name}` as `{requirement}`")]
    NotFound {
        /// Name of the package in the edit.
        name: String,
        /// Current requirement in the edit.
        requirement: String,
    },
}
