//! Applications of the Bitnami catalog, which occur in SBOMs of its images.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::version::{self, semantic};
use crate::{Ecosystem, VersionError};
use patchgate_model::EcosystemName;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Bitnami");

/// Applications of the Bitnami catalog.
#[derive(Debug, Clone, Copy)]
pub struct Bitnami;

impl Ecosystem for Bitnami {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "bitnami"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// Compares by Semantic Versioning 2.0. The packaging revision (`1.2.3-4`) counts as a
    /// pre-release, as in OSV.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        let parse = |text| semantic::strict(str::strip_prefix(text, 'v').unwrap_or(text));
        version::compare(NAME, parse, a, b)
    }
}
