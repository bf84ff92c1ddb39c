//! pub, the package manager of Dart and Flutter: `pubspec.lock` and `pubspec.yaml`.

mod edit;
mod lockfile;
mod manifest;
mod registry;
mod requirement;
mod upgrade;
mod version;
mod write;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, Upgradable, VersionError,
    VersionSet,
};
use patchgate_model::EcosystemName;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Pub");

/// Packages of Dart and Flutter.
#[derive(Debug, Clone, Copy)]
pub struct Pub;

impl Ecosystem for Pub {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "pub"
    }

    /// Names are already in lower case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, version::parse, a, b)
    }

    fn release_of(&self, version: &str) -> Option<String> {
        requirement::release_of(version)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Pub)
    }
}

impl FileReader for Pub {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "pubspec-lock",
            files: &["pubspec.lock"],
            versions: "",
            fixable: true,
            writer: Some(&write::PubWriter),
            parse: lockfile::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["pubspec.yaml"],
            unresolved: manifest::unresolved,
        }]
    }

    fn companions(&self) -> &'static [&'static str] {
        &[manifest::OVERRIDES_FILE]
    }
}

#[cfg(test)]
mod tests;
