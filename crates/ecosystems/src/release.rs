//! Releases of a package as its registry describes them, in one form for every ecosystem.

use patchgate_model::DependencyKind;

/// A request for a package's metadata: address and headers. Retries, caps and caching belong to the
/// client that sends it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataRequest {
    /// Absolute address of the metadata document.
    pub url: String,
    /// Value of the `Accept` header, if the registry needs one.
    pub accept: Option<&'static str>,
}

/// One published version of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// Version in the spelling of the registry.
    pub version: String,
    /// Whether the release is yanked (crates.io, PyPI), retracted (Go) or deprecated (npm). It is only
    /// chosen if no other release fits.
    pub yanked: bool,
    /// Time of publication as the registry writes it (RFC 3339), where it states one.
    pub published: Option<String>,
    /// Dependencies of the release. Unknown while [`Release::details`] is not `None`.
    pub requirements: Vec<Requirement>,
    /// Names of the dependencies inside its own archive (npm's `bundleDependencies`).
    pub bundled: Vec<String>,
    /// Requirement on the runtime or compiler of the language, in the ecosystem's notation: npm's
    /// `engines.node`, `Requires-Python`, `rust-version`, the `go` line.
    pub runtime: Option<String>,
    /// The files of the release, where a lockfile lists them or their hashes.
    pub files: Vec<ReleaseFile>,
    /// The registry's own description of the release, where a lockfile repeats fields of it.
    pub document: Option<serde_json::Value>,
    /// The request for the rest of the metadata, in registries that describe each release in a
    /// document of its own. `None` when all fields are known.
    pub details: Option<MetadataRequest>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseFile {
    /// Name of the file.
    pub name: String,
    /// Absolute address of the file.
    pub url: String,
    /// Hashes by the name of their algorithm (`sha256`), in hexadecimal, in the registry's order.
    pub hashes: Vec<(String, String)>,
    /// Size in bytes, where the registry states it.
    pub size: Option<u64>,
    /// Time of its upload as the registry writes it (RFC 3339), where it states one.
    pub published: Option<String>,
}

/// One dependency of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    /// Name of the dependency in the release's manifest.
    pub name: String,
    /// Name of the package in its registry, if it differs from `name`.
    pub package: Option<String>,
    /// The requirement as written.
    pub requirement: String,
    /// Kind of the dependency: run time, build, optional and so on.
    pub kind: DependencyKind,
    /// The condition under which it applies, as written: an environment marker of Python. Empty if it
    /// always does.
    pub condition: String,
    /// Names of the dependency's optional parts that are asked for: Python's extras.
    pub extras: Vec<String>,
}

impl Requirement {
    /// Name of the package in its registry.
    #[must_use]
    pub fn package_name(&self) -> &str {
        self.package.as_deref().unwrap_or(&self.name)
    }
}
