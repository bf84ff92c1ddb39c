//! Package URLs as patterns, and the packages that a pattern covers.
//!
//! Reading and writing a package URL is in `patchgate-model`. Here are the rules for comparing two.

use patchgate_ecosystems::{Ecosystem, by_name, by_purl_type};
use patchgate_model::{EcosystemName, Purl};

use crate::vers::Versions;
use crate::version_eq::same_version;

/// Types of package URLs for packages of operating systems. The identified package is the binary
/// package, never the source package that it is built from.
const SYSTEMS: [&str; 6] = ["alpm", "apk", "deb", "ipk", "opkg", "rpm"];

/// A package URL, with the ecosystem and the name of the package that it identifies.
///
/// ```
/// use patchgate_vex::{PackageIdentity, Versions};
///
/// let pattern = PackageIdentity::parse("pkg:pypi/Foo_Bar@1.0").unwrap();
/// let package = PackageIdentity::parse("pkg:pypi/foo-bar@1.0.0").unwrap();
/// assert!(pattern.covers(&package, &Versions::Any));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageIdentity {
    text: String,
    parts: Purl,
    /// Name in the notation of the ecosystem, including the namespace if that is part of the name.
    name: String,
    /// Name of the ecosystem; `None` for an unknown type.
    ecosystem: Option<EcosystemName>,
}

impl PackageIdentity {
    /// Reads a package URL; `None` for a text that is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = Purl::parse(text)?;
        let package = patchgate_sbom::package(text);
        let is_system = SYSTEMS.contains(&parts.kind.as_str());
        let name = match &package {
            Some(package) if !is_system => package.name.clone(),
            _ => parts.name.clone(),
        };

        Some(Self {
            text: text.to_owned(),
            name,
            ecosystem: package.map(|package| package.ecosystem),
            parts,
        })
    }

    /// The text that was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The version; empty if it has none.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.parts.version
    }

    /// The name in the notation of the ecosystem.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The type: `npm`, `deb`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.parts.kind
    }

    /// Whether this pattern covers the package `other`: equal type and namespace, a name that is
    /// equal by the rules of the ecosystem, and the same version, qualifiers and subpath as far as
    /// the pattern has them. The version must also be in `versions`.
    ///
    /// A version that cannot be compared is not covered.
    #[must_use]
    pub fn covers(&self, other: &Self, versions: &Versions) -> bool {
        self.parts.kind == other.parts.kind
            && self
                .parts
                .namespace
                .eq_ignore_ascii_case(&other.parts.namespace)
            && self.has_name_of(other)
            && (self.parts.subpath.is_empty() || self.parts.subpath == other.parts.subpath)
            && self.has_version_of(other, versions)
            && self.qualifiers_are_in(other)
    }

    pub(crate) fn ecosystem(&self) -> Option<&'static dyn Ecosystem> {
        self.ecosystem.and_then(by_name)
    }

    fn has_name_of(&self, other: &Self) -> bool {
        match other.ecosystem() {
            Some(ecosystem) => {
                ecosystem.normalize_name(&self.name) == ecosystem.normalize_name(&other.name)
            }
            None => self.name == other.name,
        }
    }

    fn has_version_of(&self, other: &Self, versions: &Versions) -> bool {
        let named = self.parts.version.as_str();
        if named.is_empty() && *versions == Versions::Any {
            return true;
        }

        let version = other.parts.version.as_str();
        if version.is_empty() || self.epoch() != other.epoch() {
            return false;
        }

        let ecosystem = other.ecosystem();
        (named.is_empty() || same_version(ecosystem, named, version))
            && versions.contain(ecosystem, other.kind(), version)
    }

    /// The epoch, which package URLs of some distributions state apart from the version.
    fn epoch(&self) -> &str {
        self.parts.qualifier("epoch").unwrap_or("0")
    }

    fn qualifiers_are_in(&self, other: &Self) -> bool {
        self.parts.qualifiers.iter().all(|(key, value)| {
            key == "epoch"
                || other.parts.qualifier(key) == Some(value)
                || is_default(&self.parts.kind, key, value) && other.parts.qualifier(key).is_none()
        })
    }
}

/// Whether a qualifier has the default value of its type, such as `type=jar` of a Maven package. Some
/// tools write it, others omit it.
fn is_default(kind: &str, key: &str, value: &str) -> bool {
    by_purl_type(kind)
        .is_some_and(|ecosystem| ecosystem.default_qualifiers().contains(&(key, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, package: &str) -> bool {
        let parse = |text| PackageIdentity::parse(text).unwrap_or_else(|| panic!("{text}"));
        parse(pattern).covers(&parse(package), &Versions::Any)
    }

    #[test]
    fn covers_what_it_names_and_nothing_else() {
        for (pattern, package, expected) in [
            ("pkg:npm/qs@6.5.2", "pkg:npm/qs@6.5.2", true),
            ("pkg:npm/qs", "pkg:npm/qs@6.5.2", true),
            ("pkg:npm/qs@6.5.2", "pkg:npm/qs@6.5.3", false),
            ("pkg:npm/qs@6.5.2", "pkg:npm/qs", false),
            ("pkg:npm/qs@6.5.2", "pkg:npm/%40a/qs@6.5.2", false),
            ("pkg:npm/%40a/qs@1.0.0", "pkg:npm/@a/qs@1.0.0", true),
            ("pkg:npm/%40a/qs@1.0.0", "pkg:npm/%40b/qs@1.0.0", false),
            ("pkg:npm/QS@1.0.0", "pkg:npm/qs@1.0.0", false),
            ("pkg:NPM/qs@1.0.0", "pkg:npm/qs@1.0.0", true),
            ("pkg:cargo/qs@1.0.0", "pkg:npm/qs@1.0.0", false),
            // PyPI compares names without regard to case, `-`, `_` and `.` (PEP 503), and
            // versions without regard to zeros at the end (PEP 440).
            ("pkg:pypi/Foo_Bar@1.0", "pkg:pypi/foo-bar@1.0.0", true),
            ("pkg:pypi/foo-bar@1.0.1", "pkg:pypi/foo-bar@1.0.0", false),
            ("pkg:maven/g/a@1.0", "pkg:maven/g/a@1.0.0", true),
            ("pkg:maven/g/a@1.0", "pkg:maven/h/a@1.0", false),
            ("pkg:maven/g/a@1?type=jar", "pkg:maven/g/a@1", true),
            (
                "pkg:maven/g/a@1?type=jar",
                "pkg:maven/g/a@1?type=war",
                false,
            ),
            ("pkg:maven/g/a@1?classifier=x", "pkg:maven/g/a@1", false),
            ("pkg:maven/g/a@1", "pkg:maven/g/a@1?classifier=x", true),
            ("pkg:hex/acme/foo@1.0.0", "pkg:hex/foo@1.0.0", false),
            (
                "pkg:golang/a.invalid/b@v1.0.0#sub",
                "pkg:golang/a.invalid/b@v1.0.0",
                false,
            ),
            (
                "pkg:deb/debian/curl@7.88.1-10?distro=debian-12",
                "pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12",
                true,
            ),
            (
                "pkg:deb/debian/curl@7.88.1-10?distro=debian-11",
                "pkg:deb/debian/curl@7.88.1-10?distro=debian-12",
                false,
            ),
            // A statement about one binary package is not about the others of the same source.
            (
                "pkg:deb/debian/libssl3@3.0?upstream=openssl",
                "pkg:deb/debian/openssl@3.0",
                false,
            ),
            (
                "pkg:deb/debian/openssl@3.0",
                "pkg:deb/debian/libssl3@3.0?upstream=openssl",
                false,
            ),
            (
                "pkg:rpm/redhat/a@1-2",
                "pkg:rpm/redhat/a@1-2?epoch=1",
                false,
            ),
            (
                "pkg:rpm/redhat/a@1-2?epoch=1",
                "pkg:rpm/redhat/a@1-2?epoch=1",
                true,
            ),
            ("pkg:generic/app@1", "pkg:generic/app@1", true),
            ("pkg:oci/app@1", "pkg:oci/app@2", false),
        ] {
            assert_eq!(covers(pattern, package), expected, "{pattern} {package}");
        }
    }
}
