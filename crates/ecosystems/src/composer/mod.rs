//! PHP's Composer: its lockfile, its record of installed packages, and its manifest.

mod edit;
mod installed;
mod lockfile;
mod manifest;
mod package;
mod php_json;
mod raise;
mod registry;
mod requirement;
mod upgrade;
mod version;
mod write;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, package_url};

use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, Upgradable, VersionError,
    VersionSet,
};
use version::Version;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Packagist");

/// Packages of PHP, named `vendor/name`.
#[derive(Debug, Clone, Copy)]
pub struct Composer;

impl Ecosystem for Composer {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "composer"
    }

    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), &self.normalize_name(name), version)
    }

    /// Names are compared without case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
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
        Some(&Composer)
    }
}

impl FileReader for Composer {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "composer-lock",
                files: &["composer.lock"],
                versions: "",
                fixable: true,
                writer: Some(&write::ComposerWriter),
                parse: lockfile::parse,
            },
            Format {
                id: "composer-installed",
                files: &["composer/installed.json"],
                versions: "v1-v2",
                fixable: false,
                writer: None,
                parse: installed::parse,
            },
        ]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["composer.json"],
            unresolved: manifest::unresolved,
        }]
    }
}

/// Whether the platform satisfies a requirement instead of a package: `php`, `ext-json`,
/// `composer-plugin-api`. Package names contain a slash.
fn is_platform(name: &str) -> bool {
    !name.contains('/')
}

#[cfg(test)]
mod tests;
