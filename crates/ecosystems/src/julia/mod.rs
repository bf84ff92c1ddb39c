//! Julia: packages of registries, as Pkg locks them (<https://pkgdocs.julialang.org>).
//!
//! A package is known by its UUID, which is in its package URL; two packages may have one name.
//! What only tests need (`[extras]` with `[targets]`) is locked in no file, unless it is a part of
//! a workspace.

mod manifest_toml;
mod project_toml;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::{Ecosystem, FileReader, Format, ManifestFormat, VersionError};

/// OSV's name for the ecosystem.
const NAME: &str = "Julia";

/// Julia's packages.
#[derive(Debug, Clone, Copy)]
pub struct Julia;

impl Ecosystem for Julia {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "julia"
    }

    /// Julia tells the letters of names apart.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, version::parse, a, b)
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
