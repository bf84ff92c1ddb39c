//! R packages of CRAN, as locked by renv (<https://rstudio.github.io/renv/>).

mod description;
mod renv_lock;
pub(crate) mod requirement;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl};

use crate::version::{self, r};
use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, VersionError, VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("CRAN");

/// R packages of CRAN.
#[derive(Debug, Clone, Copy)]
pub struct Cran;

impl Ecosystem for Cran {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "cran"
    }

    /// Names have no namespace; one that a tool adds is not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    /// Names are case-sensitive in R.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(NAME, r::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(&Cran, requirement)
    }

    fn at_least(&self, version: &str) -> String {
        format!(">= {version}")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Cran {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "renv-lock",
            files: &["renv.lock"],
            versions: "1-2",
            fixable: false,
            writer: None,
            parse: renv_lock::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["DESCRIPTION"],
            unresolved: |manifest| description::requirements(manifest.text()?),
        }]
    }
}
