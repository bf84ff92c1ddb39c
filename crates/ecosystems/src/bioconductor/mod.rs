//! Bioconductor, R's packages for biology. They have no files of their own: projects lock them in
//! the files of [`crate::cran`].

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::version::{self, r};
use crate::{Ecosystem, RequirementError, VersionError, VersionSet};
use patchgate_model::EcosystemName;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Bioconductor");

/// The Bioconductor project's packages for R.
#[derive(Debug, Clone, Copy)]
pub struct Bioconductor;

impl Ecosystem for Bioconductor {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "bioconductor"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// The order of R's versions, as in CRAN.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(NAME, r::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        crate::cran::requirement::admitted(&Bioconductor, requirement)
    }

    fn at_least(&self, version: &str) -> String {
        format!(">= {version}")
    }
}
