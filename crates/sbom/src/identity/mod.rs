//! Which package a component is: its ecosystem, name and version.

mod distribution;

use patchgate_ecosystems::by_purl_type;

use crate::purl::PackageUrl;

/// The ecosystem of packages that have no package URL, or one of a type that Patchgate does not
/// know. It has no advisories.
pub const UNKNOWN: &str = "unknown";

/// The ecosystem that bills of materials belong to: their packages are of others.
pub const ECOSYSTEM: &str = "SBOM";

/// Types of package URLs and what OSV calls their ecosystems, for those that no lockfile that
/// Patchgate reads belongs to (<https://ossf.github.io/osv-schema/#defined-ecosystems>).
const BY_TYPE: [(&str, &str); 22] = [
    ("bitnami", "Bitnami"),
    ("cargo", "crates.io"),
    ("cocoapods", "CocoaPods"),
    ("composer", "Packagist"),
    ("conan", "ConanCenter"),
    ("cran", "CRAN"),
    ("dhi", "Docker Hardened Images"),
    ("gem", "RubyGems"),
    ("github", "GitHub Actions"),
    ("githubactions", "GitHub Actions"),
    ("golang", "Go"),
    ("hackage", "Hackage"),
    ("hex", "Hex"),
    ("julia", "Julia"),
    ("maven", "Maven"),
    ("npm", "npm"),
    ("nuget", "NuGet"),
    ("opam", "opam"),
    ("pub", "Pub"),
    ("pypi", "PyPI"),
    ("swift", "SwiftURL"),
    ("vscode-extension", "VSCode"),
];

/// The operating system that a document is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct System {
    /// Its identifier, as `ID` of os-release has it: `debian`, `rocky`.
    pub(crate) id: String,
    /// Its version, as `VERSION_ID` has it; empty where there is none.
    pub(crate) version: String,
}

/// The source package that a binary package of a distribution is built from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    /// Empty where it is the binary package's.
    pub(crate) version: String,
}

/// Which package a component is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) ecosystem: &'static str,
    pub(crate) distribution: Option<String>,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The binary package's name where `name` is that of its source package.
    pub(crate) alias: Option<String>,
}

/// The package that a package URL names, in a document about `system`.
pub(crate) fn identify(
    purl: &PackageUrl,
    system: Option<&System>,
    source: Option<Source>,
) -> Identity {
    if let Some(identity) = distribution::identify(purl, system, source) {
        return identity;
    }

    Identity {
        ecosystem: ecosystem(&purl.kind),
        distribution: None,
        name: name(purl),
        version: purl.version.clone(),
        alias: None,
    }
}

fn ecosystem(kind: &str) -> &'static str {
    if let Some(ecosystem) = by_purl_type(kind) {
        return ecosystem.name();
    }
    BY_TYPE
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or(UNKNOWN, |(_, name)| name)
}

/// The ecosystem of a name, where it is one that Patchgate knows.
pub(crate) fn known_ecosystem(name: &str) -> Option<&'static str> {
    if name == UNKNOWN {
        return Some(UNKNOWN);
    }
    if let Some(ecosystem) = patchgate_ecosystems::by_name(name) {
        return Some(ecosystem.name());
    }

    let known = BY_TYPE.iter().map(|(_, known)| *known);
    known
        .chain(distribution::names())
        .find(|known| *known == name)
}

/// The name as registries write it.
fn name(purl: &PackageUrl) -> String {
    if purl.namespace.is_empty() {
        return match purl.kind.as_str() {
            // A subspec is named by the path within its pod.
            "cocoapods" if !purl.subpath.is_empty() => {
                format!("{}/{}", purl.name, purl.subpath)
            }
            _ => purl.name.clone(),
        };
    }

    match purl.kind.as_str() {
        "maven" => format!("{}:{}", purl.namespace, purl.name),
        // The namespace of a Conan package is its user, that of a Hex package its organisation.
        "conan" | "hex" | "pypi" | "gem" | "nuget" | "cran" | "hackage" | "cargo" => {
            purl.name.clone()
        }
        _ => format!("{}/{}", purl.namespace, purl.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_no_ecosystem_has_alone_name_none() {
        for (purl, expected) in [
            ("pkg:npm/a@1", "npm"),
            ("pkg:dhi/nginx@1", "Docker Hardened Images"),
            ("pkg:vscode-extension/acme/tool@1", "VSCode"),
            ("pkg:rpm/azurelinux/a@1", "Azure Linux"),
            ("pkg:rpm/acme/a@1", UNKNOWN),
            ("pkg:deb/acme/a@1", UNKNOWN),
            ("pkg:apk/a@1", UNKNOWN),
            ("pkg:acme/a@1", UNKNOWN),
        ] {
            let purl = PackageUrl::parse(purl).unwrap();
            assert_eq!(identify(&purl, None, None).ecosystem, expected, "{purl:?}");
        }
    }
}
