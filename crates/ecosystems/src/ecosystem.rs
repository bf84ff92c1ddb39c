//! Identity of an ecosystem: its names, and the order of its versions.
//!
//! Every ecosystem has these, including distributions of operating systems. Reading files
//! ([`FileReader`]) and changing versions ([`Upgradable`]) are separate traits, for the ecosystems
//! that support them.

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl, package_url};

use crate::{FileReader, RequirementError, Upgradable, VersionSet};

/// Names and version order of one ecosystem.
pub trait Ecosystem: Sync {
    /// Name in OSV (<https://ossf.github.io/osv-schema/#defined-ecosystems>), or a name of
    /// Patchgate's own for an ecosystem that OSV does not have.
    fn name(&self) -> EcosystemName;

    /// Whether OSV has advisories for the ecosystem. Packages of other ecosystems are part of the
    /// inventory and are never reported as clean.
    fn has_advisories(&self) -> bool {
        true
    }

    /// Prefix of the ids of the database that OSV imports this ecosystem's advisories from, the
    /// preferred one where a vulnerability has ids of several databases
    /// (<https://ossf.github.io/osv-schema/#id-modified-fields>). GitHub's where the ecosystem has
    /// no database of its own.
    fn advisory_id_prefix(&self) -> &'static str {
        "GHSA-"
    }

    /// Type in package URLs (<https://github.com/package-url/purl-spec>).
    fn purl_type(&self) -> &'static str;

    /// The package URL for a name in the spelling of this ecosystem.
    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), name, version)
    }

    /// The reverse of [`Ecosystem::purl`]: the name as this ecosystem writes it.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.full_name()
    }

    /// Qualifiers that a package URL of this type has when it does not state them, as keys and
    /// values.
    fn default_qualifiers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The name in the form that the registry compares: two spellings of one package have the same
    /// form.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str>;

    /// Compares two versions by the rules of the ecosystem. The order is total; where a package
    /// manager's own order is not, the implementation documents the difference.
    ///
    /// # Errors
    /// If one of them is not a version of this ecosystem.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError>;

    /// The release that a pre-release precedes: `1.2.0` for `1.2.0-rc.1`. `None` for a version that
    /// is no pre-release, and in ecosystems that have none.
    fn release_of(&self, _version: &str) -> Option<String> {
        None
    }

    /// The versions that a requirement admits, by the package manager's own rules. An empty
    /// requirement admits every version.
    ///
    /// # Errors
    /// If the requirement names no versions (an address, a path), or the text is no requirement of
    /// this ecosystem.
    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        match requirement {
            "" => Ok(VersionSet::all()),
            _ => Err(RequirementError::new(
                requirement,
                format!("has a notation that is not known for {}", self.name()),
            )),
        }
    }

    /// Whether a version in a lockfile names no single release: a branch, or a tag that moves, such
    /// as `v4` of a GitHub Action. It is then judged by [`Ecosystem::admitted_versions`].
    fn is_moving(&self, _version: &str) -> bool {
        false
    }

    /// A requirement that admits a version and all later ones, in the notation of the ecosystem.
    fn at_least(&self, version: &str) -> String {
        format!(">={version}")
    }

    /// Whether an advisory for one release of a distribution (`12` of `Debian:12`) is about the
    /// packages of another. Ecosystems without releases do not ask.
    fn covers_release(&self, advisory: &str, package: &str) -> bool {
        advisory == package
    }

    /// Whether files write a version in the same way as its registry, so that a server that
    /// compares texts finds it. When they may not (`6.0` for `6.0.0`), advisories are requested by
    /// name alone, and versions are compared by [`Ecosystem::compare_versions`].
    fn writes_registry_versions(&self) -> bool {
        true
    }

    /// The reader of the ecosystem's files; `None` if it has no files of its own.
    fn files(&self) -> Option<&dyn FileReader> {
        None
    }

    /// The operations for `patchgate fix`; `None` if it does not support the ecosystem.
    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        None
    }
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a version of {ecosystem}")]
pub struct VersionError {
    /// The text, as it was given.
    pub version: String,
    /// Name of the ecosystem, as in [`Ecosystem::name`].
    pub ecosystem: EcosystemName,
}
