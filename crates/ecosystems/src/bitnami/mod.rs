//! Applications of Bitnami's catalogue, as SBOMs of its images name them.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::version::{self, semantic};
use crate::{Ecosystem, VersionError};

/// Name in OSV.
const NAME: &str = "Bitnami";

/// Bitnami's catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Bitnami;

impl Ecosystem for Bitnami {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "bitnami"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// Semantic Versioning 2.0, with the revision of the packaging (`1.2.3-4`) as OSV orders it: as
    /// a pre-release.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        let parse = |text| semantic::strict(str::strip_prefix(text, 'v').unwrap_or(text));
        version::compare(NAME, parse, a, b)
    }
}
