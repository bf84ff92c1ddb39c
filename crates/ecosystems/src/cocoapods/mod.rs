//! CocoaPods: `Podfile.lock`.
//!
//! A `Podfile` is a program and never run; the lockfile repeats its requirements. OSV has no
//! ecosystem for pods, so they are part of the inventory only.

mod podfile_lock;
mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl};

use crate::{Ecosystem, FileReader, Format, VersionError};
use version::Version;

/// Patchgate's own name for the ecosystem, because OSV has none.
pub(crate) const NAME: EcosystemName = EcosystemName::new("CocoaPods");

/// Pods and their subspecs.
#[derive(Debug, Clone, Copy)]
pub struct CocoaPods;

impl Ecosystem for CocoaPods {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "cocoapods"
    }

    fn name_from_purl(&self, purl: &Purl) -> String {
        match (purl.namespace.as_str(), purl.subpath.as_str()) {
            // A subspec is named by the path within its pod.
            ("", subspec) if !subspec.is_empty() => format!("{}/{subspec}", purl.name),
            _ => purl.full_name(),
        }
    }

    /// A subspec (`Pod/Part`) becomes the subpath of the package URL.
    fn purl(&self, name: &str, version: &str) -> String {
        let (pod, part) = name.split_once('/').unwrap_or((name, ""));
        let purl = Purl {
            subpath: part.to_owned(),
            ..Purl::new(self.purl_type(), pod, version)
        };
        purl.to_string()
    }

    /// CocoaPods compares names exactly, including case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for CocoaPods {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "podfile-lock",
            files: &["Podfile.lock"],
            versions: "",
            fixable: false,
            writer: None,
            parse: podfile_lock::parse,
        }]
    }
}

#[cfg(test)]
mod tests;
