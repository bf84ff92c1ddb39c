//! Perl distributions of CPAN, as locked by Carton.
//!
//! OSV has no advisories for them, so they are part of the inventory only. A `cpanfile` is code and
//! never run, so the direct dependencies are unknown.

mod requirement;
mod snapshot;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::{Ecosystem, FileReader, Format, RequirementError, VersionError, VersionSet};
use patchgate_model::EcosystemName;

/// Patchgate's own name for the ecosystem, because OSV has none.
pub(crate) const NAME: EcosystemName = EcosystemName::new("CPAN");

/// Perl distributions of CPAN.
#[derive(Debug, Clone, Copy)]
pub struct Cpan;

impl Ecosystem for Cpan {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "cpan"
    }

    /// Names are case-sensitive in Perl.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, version::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn at_least(&self, version: &str) -> String {
        format!(">= {version}")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Cpan {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "cpanfile-snapshot",
            files: &["cpanfile.snapshot"],
            versions: "1.0",
            fixable: false,
            writer: None,
            parse: snapshot::parse,
        }]
    }
}
