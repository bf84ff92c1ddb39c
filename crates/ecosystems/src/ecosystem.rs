//! The identity of an ecosystem: its names, and the order of its versions.
//!
//! Every ecosystem has these, distributions of operating systems included. Reading files
//! ([`FileReader`]) and changing versions ([`Upgradable`]) are traits of their own, for the
//! ecosystems that can.

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::package_url;

use crate::{FileReader, Upgradable};

/// Names and version order of one ecosystem.
pub trait Ecosystem: Sync {
    /// Name in OSV (<https://ossf.github.io/osv-schema/#defined-ecosystems>), or Patchgate's own
    /// for an ecosystem that OSV does not have.
    fn name(&self) -> &'static str;

    /// Whether OSV has advisories for it. The packages of one that it does not have are part of
    /// the inventory and are never called clean.
    fn has_advisories(&self) -> bool {
        true
    }

    /// Type in package URLs (<https://github.com/package-url/purl-spec>).
    fn purl_type(&self) -> &'static str;

    /// The package URL for a name as this ecosystem writes it.
    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), name, version)
    }

    /// The name as the registry compares it: two spellings of one package give one text.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str>;

    /// Orders two versions as the ecosystem does.
    ///
    /// # Errors
    /// When one of them is not a version of this ecosystem.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError>;

    /// Whether files write a version in the same way as its registry, so that a server that
    /// compares texts knows it. Where they may not (`6.0` for `6.0.0`), advisories are asked for by
    /// name alone and versions are compared here.
    fn writes_registry_versions(&self) -> bool {
        true
    }

    /// The same ecosystem as one whose files are read, where it has files.
    fn files(&self) -> Option<&dyn FileReader> {
        None
    }

    /// The same ecosystem as one that `patchgate fix` can change, where it can.
    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        None
    }
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{version}` is not a version of {ecosystem}")]
pub struct VersionError {
    /// The text.
    pub version: String,
    /// OSV name of the ecosystem.
    pub ecosystem: &'static str,
}
