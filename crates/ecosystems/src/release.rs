//! Releases of a package as its registry describes them, in one form for every ecosystem.

use patchgate_model::DependencyKind;

/// A request for a package's metadata: address and headers. Retries, caps and caching belong to the
/// client that sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataRequest {
    /// Absolute address of the metadata document.
    pub url: String,
    /// Value of the `Accept` header, if the registry needs one.
    pub accept: Option<&'static str>,
}

/// One published version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Version in the spelling of the registry.
    pub version: String,
    /// Whether the release is yanked (crates.io) or deprecated (npm). It is only chosen if no other
    /// release fits.
    pub yanked: bool,
    /// Dependencies of the release.
    pub requirements: Vec<Requirement>,
    /// Names of the dependencies inside its own archive (npm's `bundleDependencies`).
    pub bundled: Vec<String>,
}

/// One dependency of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Name of the dependency in the release's manifest.
    pub name: String,
    /// Name of the package in its registry, if it differs from `name`.
    pub package: Option<String>,
    /// The requirement as written.
    pub requirement: String,
    /// Kind of the dependency: run time, build, optional and so on.
    pub kind: DependencyKind,
}
