//! Changing the versions of an ecosystem's packages: requirements, manifest edits, and the
//! registry's wire format.
//!
//! The choice of versions is not here (that is `patchgate-upgrade`), and neither is running a
//! package manager (that is `patchgate-package-managers`).

use patchgate_model::Bump;

use crate::{Ecosystem, MetadataRequest, ParseError, Release, VersionError};

/// An ecosystem whose packages `patchgate fix` can change to other versions.
pub trait Upgradable: Ecosystem {
    /// Whether the version is a pre-release.
    ///
    /// # Errors
    /// When it is not a version of this ecosystem.
    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError>;

    /// How much may break when a version changes to a higher one.
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

    /// Whether a path of keys in a manifest leads to the versions of a requirement, such as
    /// `dependencies`, `serde`, `version`. Everything else in a manifest may be code or settings.
    fn is_requirement_key(&self, path: &[&str]) -> bool;

    /// Changes one requirement in a manifest and nothing else, keeping every other byte.
    ///
    /// # Errors
    /// When the manifest cannot be read or does not contain that requirement.
    fn edit_manifest(&self, manifest: &str, edit: &RequirementEdit) -> Result<String, EditError>;

    /// The request for a package's releases.
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
    /// The requirement as the manifest has it.
    pub from: String,
    /// The new requirement.
    pub to: String,
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
