//! Deno: `deno.lock`, and the imports in `deno.json`.
//!
//! A `deno.lock` contains packages of npm, which belong to that ecosystem, packages of JSR, and
//! modules that are imported by address. OSV has no ecosystem for the last two. They are part of
//! the inventory under a name of Patchgate's own, and never reported as clean.

mod lockfile;
mod manifest;
mod projects;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, generic_package_url, package_url};

use crate::version::{self, semantic};
use crate::{Ecosystem, FileReader, Format, ManifestFormat, VersionError};

/// Patchgate's own name for the ecosystem, because OSV has none.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Deno");

/// Packages of JSR, and modules that Deno imports by address.
#[derive(Debug, Clone, Copy)]
pub struct Deno;

impl Ecosystem for Deno {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "deno"
    }

    /// The package URL specification has no type for either. A package of JSR gets the type `jsr`,
    /// and a module is a generic file with a download address.
    fn purl(&self, name: &str, version: &str) -> String {
        if !name.contains("://") {
            return package_url("jsr", name, version);
        }
        generic_package_url("download_url", name, name, version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// Versions on JSR follow Semantic Versioning (<https://semver.org>).
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(NAME, semantic::strict, a, b)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Deno {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "deno-lock",
            files: &["deno.lock"],
            versions: "v2-v5",
            fixable: false,
            writer: None,
            parse: lockfile::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["deno.json", "deno.jsonc"],
            unresolved: manifest::unresolved,
        }]
    }
}

#[cfg(test)]
mod tests;
