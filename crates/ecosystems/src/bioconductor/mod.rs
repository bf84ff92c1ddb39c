//! Bioconductor: R's packages for biology. Projects lock them in the files of [`crate::cran`],
//! which are read there.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::version::{self, r};
use crate::{Ecosystem, VersionError};

/// OSV's name for the ecosystem.
pub(crate) const NAME: &str = "Bioconductor";

/// Bioconductor's packages.
#[derive(Debug, Clone, Copy)]
pub struct Bioconductor;

impl Ecosystem for Bioconductor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "bioconductor"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// As R orders all its packages.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(NAME, r::parse, a, b)
    }
}
