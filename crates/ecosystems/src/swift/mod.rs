//! Swift Package Manager: `Package.resolved`.
//!
//! `Package.swift` is a program and never run, so the direct dependencies are unknown.

mod requirement;
mod resolved;
mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::{Ecosystem, FileReader, Format, RequirementError, VersionError, VersionSet};
use patchgate_model::EcosystemName;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("SwiftURL");

/// Packages of Swift, identified by their repositories.
#[derive(Debug, Clone, Copy)]
pub struct Swift;

impl Ecosystem for Swift {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "swift"
    }

    /// Names are addresses of repositories without scheme and `.git`. Swift Package Manager compares
    /// them without case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        }
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

    /// The notation of `Package.swift` has no bound without a next major version.
    fn at_least(&self, version: &str) -> String {
        format!("from: \"{version}\"")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Swift {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "swift-resolved",
            files: &["Package.resolved"],
            versions: "v1-v3",
            fixable: false,
            writer: None,
            parse: resolved::parse,
        }]
    }
}

#[cfg(test)]
mod tests;
