//! Which package a component is: its ecosystem, name and version.

mod distribution;

use patchgate_ecosystems::distribution::DISTRIBUTIONS;
use patchgate_ecosystems::{Ecosystem, by_purl_type};
use patchgate_model::{EcosystemName, Purl};

/// The ecosystem of packages that have no package URL, or one of a type that Patchgate does not
/// know. It has no advisories.
pub const UNKNOWN: EcosystemName = EcosystemName::new("unknown");

/// The ecosystem that bills of materials belong to: their packages are of others.
pub const ECOSYSTEM: EcosystemName = EcosystemName::new("SBOM");

/// Types of package URLs that no ecosystem of `patchgate_ecosystems` has, and the ecosystems in OSV
/// that they belong to (<https://ossf.github.io/osv-schema/#defined-ecosystems>).
const BY_TYPE: [(&str, EcosystemName); 3] = [
    ("dhi", EcosystemName::new("Docker Hardened Images")),
    // Some tools write it for `github`.
    ("githubactions", EcosystemName::new("GitHub Actions")),
    ("vscode-extension", EcosystemName::new("VSCode")),
];

/// The operating system that a document is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct System {
    /// Its identifier, as `ID` of os-release has it: `debian`, `rocky`.
    pub(crate) id: String,
    /// Its version, as in `VERSION_ID`; empty if the document states none.
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
    pub(crate) ecosystem: EcosystemName,
    pub(crate) distribution: Option<String>,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The binary package's name where `name` is that of its source package.
    pub(crate) alias: Option<String>,
}

/// The package that a package URL names, in a document about `system`.
pub(crate) fn identify(purl: &Purl, system: Option<&System>, source: Option<Source>) -> Identity {
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

fn ecosystem(kind: &str) -> EcosystemName {
    if let Some(ecosystem) = by_purl_type(kind) {
        return ecosystem.name();
    }
    BY_TYPE
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or(UNKNOWN, |(_, name)| *name)
}

/// The ecosystem of a name, where it is one that Patchgate knows.
pub(crate) fn known_ecosystem(name: &str) -> Option<EcosystemName> {
    if name == UNKNOWN {
        return Some(UNKNOWN);
    }
    if let Some(ecosystem) = patchgate_ecosystems::by_name(name) {
        return Some(ecosystem.name());
    }

    let known = BY_TYPE.iter().map(|(_, known)| *known);
    known
        .chain(DISTRIBUTIONS.iter().map(|known| known.name()))
        .find(|known| *known == name)
}

/// The name as registries write it.
fn name(purl: &Purl) -> String {
    match by_purl_type(&purl.kind) {
        Some(ecosystem) => ecosystem.name_from_purl(purl),
        None => purl.full_name(),
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
            ("pkg:rpm/acme/a@1", UNKNOWN.as_str()),
            ("pkg:deb/acme/a@1", UNKNOWN.as_str()),
            ("pkg:apk/a@1", UNKNOWN.as_str()),
            ("pkg:acme/a@1", UNKNOWN.as_str()),
        ] {
            let purl = Purl::parse(purl).unwrap();
            assert_eq!(identify(&purl, None, None).ecosystem, expected, "{purl:?}");
        }
    }

    /// A row whose type some ecosystem has would never be looked at.
    #[test]
    fn every_row_of_types_is_reached() {
        for (kind, expected) in BY_TYPE {
            assert!(by_purl_type(kind).is_none(), "{kind} has an ecosystem");
            let purl = Purl::parse(&format!("pkg:{kind}/acme/a@1")).unwrap();
            assert_eq!(identify(&purl, None, None).ecosystem, expected, "{kind}");
        }
    }

    #[test]
    fn names_are_written_as_registries_write_them() {
        for (purl, expected) in [
            ("pkg:maven/org.acme/tool@1", "org.acme:tool"),
            ("pkg:maven/tool@1", "tool"),
            ("pkg:npm/%40acme/tool@1", "@acme/tool"),
            ("pkg:conan/user/tool@1", "tool"),
            ("pkg:hex/organisation/tool@1", "tool"),
            ("pkg:pypi/acme/tool@1", "tool"),
            ("pkg:cocoapods/Tool@1#Core/Part", "Tool/Core/Part"),
            (
                "pkg:golang/host.invalid/acme/tool@1",
                "host.invalid/acme/tool",
            ),
            ("pkg:acme/maker/tool@1", "maker/tool"),
        ] {
            let parsed = Purl::parse(purl).unwrap();
            assert_eq!(identify(&parsed, None, None).name, expected, "{purl}");
        }
    }
}
