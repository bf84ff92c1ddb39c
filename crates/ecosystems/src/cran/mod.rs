//! CRAN: R's packages, as renv locks them (<https://rstudio.github.io/renv/>).

mod description;
mod renv_lock;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::Unresolved;

pub(crate) use self::version::parse as parse_version;
use crate::{Ecosystem, Format, Input, ParseError, VersionError};

/// OSV's name for the ecosystem.
const NAME: &str = "CRAN";

/// CRAN's packages.
#[derive(Debug, Clone, Copy)]
pub struct Cran;

impl Ecosystem for Cran {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "cran"
    }

    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "renv-lock",
            files: &["renv.lock"],
            versions: "1-2",
            fixable: false,
            parse: renv_lock::parse,
        }]
    }

    fn manifests(&self) -> &'static [&'static str] {
        &["DESCRIPTION"]
    }

    fn unresolved(&self, manifest: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
        description::requirements(manifest.text()?)
    }

    /// R tells the letters of names apart.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, version::parse, a, b)
    }
}
