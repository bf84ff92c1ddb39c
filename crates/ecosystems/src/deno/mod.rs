//! Deno: `deno.lock`, and `deno.json` with its imports.
//!
//! A `deno.lock` locks packages of npm, which are npm's here too, packages of JSR, and modules that
//! are imported by their address. The last two are of no ecosystem that OSV has: they are part of
//! the inventory under Patchgate's own name for them, and are never called clean.

mod lockfile;
mod manifest;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{generic_package_url, package_url};

use crate::version::{self, semantic};
use crate::{Ecosystem, FileReader, Format, ManifestFormat, VersionError};

/// Patchgate's own name: OSV has none.
const NAME: &str = "Deno";

/// What Deno gets from elsewhere than npm.
#[derive(Debug, Clone, Copy)]
pub struct Deno;

impl Ecosystem for Deno {
    fn name(&self) -> &'static str {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "deno"
    }

    /// The specification of package URLs has a type for neither: a package of JSR is of the type
    /// that JSR's own name suggests, a module is a generic file at an address.
    fn purl(&self, name: &str, version: &str) -> String {
        if !name.contains("://") {
            return package_url("jsr", name, version);
        }
        generic_package_url("download_url", name, name, version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// JSR's versions are semantic versions (<https://semver.org>).
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
