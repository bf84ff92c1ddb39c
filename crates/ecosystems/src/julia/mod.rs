//! Julia packages of registries, as locked by Pkg (<https://pkgdocs.julialang.org>).
//!
//! A package is identified by its UUID, which is in its package URL; two packages can have the same
//! name. Dependencies of tests only (`[extras]` with `[targets]`) are in no lockfile, except in a
//! workspace.

mod manifest_toml;
mod project_toml;
mod requirement;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, VersionError, VersionSet,
};
use patchgate_model::EcosystemName;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Julia");

/// Julia packages of the General registry.
#[derive(Debug, Clone, Copy)]
pub struct Julia;

impl Ecosystem for Julia {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "julia"
    }

    /// Names are case-sensitive in Julia.
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

    /// Bounds have no pre-release and no build, so those of the version are left out.
    fn at_least(&self, version: &str) -> String {
        let end = version.find(|c: char| !c.is_ascii_digit() && c != '.' && c != 'v');
        let numbers = end.and_then(|end| version.get(..end)).unwrap_or(version);
        format!(">= {numbers}")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Julia {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "julia-manifest",
            files: &["Manifest.toml", "JuliaManifest.toml", "Manifest-v*.toml"],
            versions: "v1-v2",
            fixable: false,
            writer: None,
            parse: manifest_toml::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["Project.toml", "JuliaProject.toml"],
            unresolved: project_toml::unresolved,
        }]
    }
}
