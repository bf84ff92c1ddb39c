//! Conan: C and C++ packages (<https://docs.conan.io>).
//!
//! A recipe in Python (`conanfile.py`) is code and never run, so its requirements are unknown. The
//! user and channel of a reference are in the package URL and not in the name, because advisories
//! name packages without them.

mod conanfile;
mod graph_lock;
mod lockfile;
mod reference;
mod requirement;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use self::version::Version;
use patchgate_model::{EcosystemName, Purl};

use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, VersionError, VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("ConanCenter");

/// C and C++ packages of Conan.
#[derive(Debug, Clone, Copy)]
pub struct Conan;

impl Ecosystem for Conan {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "conan"
    }

    /// The namespace is the user of the recipe, and not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    /// Conan 2 allows small letters only; in Conan 1 names are case-sensitive.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn at_least(&self, version: &str) -> String {
        format!("[>={version}]")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Conan {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "conan-lock",
            files: &["conan.lock"],
            versions: "0.0-0.5 (Conan 1 and 2)",
            fixable: false,
            writer: None,
            parse: lockfile::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["conanfile.txt"],
            unresolved: |manifest| conanfile::requirements(manifest.text()?),
        }]
    }
}
