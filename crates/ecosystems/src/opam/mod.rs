//! OCaml packages of opam, as described in its manual.
//!
//! `opam lock` writes a copy of a project's opam file in which every direct and transitive
//! dependency has one version.

mod file;
mod locked;
mod requirement;
mod syntax;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use self::version::Version;
use crate::{
    Ecosystem, FileReader, Format, Input, ManifestFormat, ParseError, RequirementError,
    VersionError, VersionSet,
};
use patchgate_model::{EcosystemName, Unresolved};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("opam");

/// OCaml packages of opam.
#[derive(Debug, Clone, Copy)]
pub struct Opam;

impl Ecosystem for Opam {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "opam"
    }

    /// Names are case-sensitive in opam.
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
        format!(">= \"{version}\"")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

/// The requirements of an opam file. An empty `*.opam` is valid: it only tells dune the name of the
/// package.
fn unresolved(manifest: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    if manifest.bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    file::requirements(manifest.text()?)
}

impl FileReader for Opam {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "opam-locked",
            files: &["opam.locked", "*.opam.locked"],
            versions: "2.0",
            fixable: false,
            writer: None,
            parse: locked::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["opam", "*.opam"],
            unresolved,
        }]
    }
}
