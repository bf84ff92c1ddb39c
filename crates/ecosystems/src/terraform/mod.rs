//! Terraform and OpenTofu: providers in `.terraform.lock.hcl`. OSV has no advisories for them, so
//! they are part of the inventory only.

mod lockfile;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, package_url};

use crate::version::{self, semantic};
use crate::{Ecosystem, FileReader, Format, VersionError};

/// Patchgate's own name for the ecosystem, because OSV has none.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Terraform");

/// Providers of Terraform and OpenTofu.
#[derive(Debug, Clone, Copy)]
pub struct Terraform;

impl Ecosystem for Terraform {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "terraform"
    }

    /// The host before a provider's name is its origin and not part of its identity.
    fn purl(&self, name: &str, version: &str) -> String {
        let own = match name.split_once('/') {
            Some((host, rest)) if host.contains('.') && rest.contains('/') => rest,
            _ => name,
        };
        package_url(self.purl_type(), own, version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// Providers follow Semantic Versioning 2.0.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        version::compare(NAME, semantic::strict, a, b)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Terraform {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "terraform-lock",
            files: &[".terraform.lock.hcl"],
            versions: "",
            fixable: false,
            writer: None,
            parse: lockfile::parse,
        }]
    }
}
