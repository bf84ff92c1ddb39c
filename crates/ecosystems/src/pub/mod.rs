//! Dart's and Flutter's pub: `pubspec.lock` and `pubspec.yaml`.

mod lockfile;
mod manifest;
mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::Unresolved;

use crate::{Ecosystem, Format, Input, ParseError, VersionError};

/// The name in OSV.
const NAME: &str = "Pub";

/// Dart's packages.
#[derive(Debug, Clone, Copy)]
pub struct Pub;

impl Ecosystem for Pub {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "pub"
    }

    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "pubspec-lock",
            files: &["pubspec.lock"],
            versions: "",
            fixable: false,
            parse: lockfile::parse,
        }]
    }

    fn manifests(&self) -> &'static [&'static str] {
        &["pubspec.yaml"]
    }

    fn unresolved(&self, manifest: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
        manifest::unresolved(manifest)
    }

    /// Names are lower case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, version::parse, a, b)
    }
}

#[cfg(test)]
mod tests;
