//! Releases of a package as its registry describes them, in one form for every ecosystem.

use std::collections::BTreeMap;

use patchgate_model::DependencyKind;

/// A request for a package's metadata: address and headers. Retries, caps and caching belong to the
/// client that sends it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataRequest {
    /// Address of the metadata document: absolute, or relative to the address of the answer that it
    /// was read from (see [`Release::resolve`]).
    pub url: String,
    /// Value of the `Accept` header, if the registry needs one.
    pub accept: Option<&'static str>,
}

/// One published version of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// Version in the spelling of the registry.
    pub version: String,
    /// Whether the release is yanked (crates.io, PyPI), retracted (Go) or deprecated (npm). It is
    /// only chosen if no other release fits.
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
    /// The features that a dependent can ask for, each with what it turns on, in the ecosystem's
    /// notation. Only Cargo has them; features that it defines implicitly are not among them.
    pub features: BTreeMap<String, Vec<String>>,
    /// The native library that the release links to. A graph has one release at most for each
    /// (Cargo's `links`).
    pub links: Option<String>,
    /// What the registry says about the release that no resolution needs.
    pub facts: ReleaseFacts,
    /// The registry's own description of the release, where a lockfile repeats fields of it.
    pub document: Option<serde_json::Value>,
    /// The request for the rest of the metadata, in registries that describe each release in a
    /// document of its own. `None` when all fields are known.
    pub details: Option<MetadataRequest>,
}

/// Statements of a registry about a release. A person or a rule weighs them; they decide no
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseFacts {
    /// Whether it runs code of its own when it is installed.
    pub install_scripts: Option<bool>,
    /// Whether the registry has an attestation of its provenance.
    pub provenance: Option<bool>,
    /// The account that published it.
    pub publisher: Option<String>,
    /// The accounts that could publish the package when the release was made, sorted.
    pub maintainers: Option<Vec<String>>,
    /// The license that its metadata states, as it writes it.
    pub license: Option<String>,
    /// Size in bytes: unpacked where the registry states that, else of one of its files.
    pub size: Option<u64>,
    /// The commit that it was made from.
    pub commit: Option<String>,
}

/// The archive with the sources of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceArchive {
    /// Its address, absolute once the release was resolved.
    pub url: String,
    /// The algorithm of its hash: `sha256` or `sha512`.
    pub algorithm: &'static str,
    /// The hash that the registry states, in lower-case hexadecimal.
    pub hash: String,
}

impl MetadataRequest {
    /// The same request with an absolute address, where it is relative to `answered`, the address
    /// of the answer that it was read from.
    #[must_use]
    pub fn resolve(mut self, answered: &str) -> Self {
        self.url = absolute(&self.url, answered);
        self
    }
}

impl Release {
    /// The requests for the files of the release.
    pub(crate) fn file_requests(&self) -> Vec<MetadataRequest> {
        let request = |file: &ReleaseFile| MetadataRequest {
            url: file.url.clone(),
            accept: None,
        };
        self.files.iter().map(request).collect()
    }

    /// Makes the addresses of the release absolute, which are relative to the address of the answer
    /// that it was read from: a proxy of Go states none, and an index of Python may state paths.
    pub fn resolve(&mut self, answered: &str) {
        if let Some(details) = &mut self.details {
            details.url = absolute(&details.url, answered);
        }
        for file in &mut self.files {
            file.url = absolute(&file.url, answered);
        }
    }
}

/// An address that is relative to another one, as an absolute one: the parts of RFC 3986, section
/// 5.2, that registries use.
fn absolute(address: &str, base: &str) -> String {
    if address.contains("://") {
        return address.to_owned();
    }

    let base = base.split(['?', '#']).next().unwrap_or(base);
    let path = base.find("://").map_or(0, |scheme| {
        let host = scheme + "://".len();
        base.get(host..)
            .and_then(|rest| rest.find('/'))
            .map_or(base.len(), |slash| host + slash)
    });
    let (origin, path) = base.split_at(path);
    if address.starts_with('/') {
        return format!("{origin}{address}");
    }

    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    let mut rest = address;
    while let Some(above) = rest.strip_prefix("../") {
        // The first part is the empty one before the first slash.
        if parts.len() > 1 {
            parts.pop();
        }
        rest = above;
    }
    parts.push(rest);
    match parts.as_slice() {
        [only] => format!("{origin}/{only}"),
        parts => format!("{origin}{}", parts.join("/")),
    }
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseFile {
    /// Name of the file.
    pub name: String,
    /// Address of the file: absolute, or relative to the address of the answer that it was read
    /// from (see [`Release::resolve`]).
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
    /// The condition under which it applies, as written: an environment marker of Python. Empty if
    /// it always does.
    pub condition: String,
    /// Whether the condition is met in an environment that the lockfile is for, as far as that was
    /// looked at ([`crate::Upgradable::may_apply`]).
    pub applies: bool,
    /// Whether it only bounds the version of a package that is there, and brings none in (a constraint of
    /// Gradle).
    pub only_bounds: bool,
    /// Whether it applies only when a feature turns it on. [`Requirement::kind`] says so for
    /// runtime dependencies, but not for build dependencies.
    pub optional: bool,
    /// The optional parts of the dependency that are asked for: features of a crate, extras of a
    /// Python package.
    pub features: Vec<String>,
    /// Whether the default features of the dependency are not asked for.
    pub no_default_features: bool,
    /// The registry of the dependency, if it is not the one of the release.
    pub registry: Option<String>,
}

impl Requirement {
    /// Name of the package in its registry.
    #[must_use]
    pub fn package_name(&self) -> &str {
        self.package.as_deref().unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_resolved_against_the_answer() {
        let base = "https://proxy.invalid/go/a.invalid/b/@v/list?x=1";
        for (address, expected) in [
            (
                "v1.0.0.mod",
                "https://proxy.invalid/go/a.invalid/b/@v/v1.0.0.mod",
            ),
            ("../@latest", "https://proxy.invalid/go/a.invalid/b/@latest"),
            ("/files/a.zip", "https://proxy.invalid/files/a.zip"),
            ("https://other.invalid/a", "https://other.invalid/a"),
            ("../../../../../../../a", "https://proxy.invalid/a"),
        ] {
            assert_eq!(absolute(address, base), expected);
        }
        assert_eq!(
            absolute("a", "https://proxy.invalid"),
            "https://proxy.invalid/a"
        );
    }
}
