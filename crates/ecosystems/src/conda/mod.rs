//! Conda packages (<https://docs.conda.io/>).
//!
//! OSV has no advisories for them, so they are part of the inventory and never reported as clean.
//! The files also contain packages of the Python Package Index, which belong to that ecosystem.

mod conda_lock;
mod environment;
mod match_spec;
mod requirement;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use self::version::Version;
use crate::{Ecosystem, FileReader, Format, RequirementError, VersionError, VersionSet};
use patchgate_model::EcosystemName;

/// Patchgate's own name for the ecosystem, because OSV has none.
pub(crate) const NAME: EcosystemName = EcosystemName::new("conda");

/// The ecosystem of the packages that pip installs into an environment.
const PYPI: EcosystemName = EcosystemName::new("PyPI");

/// Packages of conda's channels.
#[derive(Debug, Clone, Copy)]
pub struct Conda;

impl Ecosystem for Conda {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "conda"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(name.to_ascii_lowercase()),
            false => Cow::Borrowed(name),
        }
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Conda {
    // No manifests: an environment file itself states versions, so it is a lockfile format.

    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "conda-lock",
                files: &["conda-lock.yml", "*.conda-lock.yml"],
                versions: "v1",
                fixable: false,
                writer: None,
                parse: conda_lock::parse,
            },
            Format {
                id: "conda-environment",
                files: &["environment.yml", "environment.yaml"],
                versions: "",
                fixable: false,
                writer: None,
                parse: environment::parse,
            },
        ]
    }
}
