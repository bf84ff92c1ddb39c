//! Releases of a package as its registry describes them, in one form for every ecosystem.

use patchgate_model::DependencyKind;

/// A request for a package's metadata: address and headers. Retries, caps and caching belong to the
/// client that sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRequest {
    /// Absolute address of the metadata document.
    pub url: String,
    /// Value of the `Accept` header, where the registry needs one.
    pub accept: Option<&'static str>,
}

/// One published version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Version as the registry writes it.
    pub version: String,
    /// True when it was yanked (crates.io) or deprecated (npm): never chosen while another will do.
    pub yanked: bool,
    /// What it depends on.
    pub requirements: Vec<Requirement>,
    /// Names of dependencies that it ships inside its own archive (npm's `bundleDependencies`).
    pub bundled: Vec<String>,
}

/// One dependency of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Name under which the release asks for it.
    pub name: String,
    /// Name of the package in its registry, when it differs from `name`.
    pub package: Option<String>,
    /// The requirement as written.
    pub requirement: String,
    /// Which part of the release needs it.
    pub kind: DependencyKind,
}
