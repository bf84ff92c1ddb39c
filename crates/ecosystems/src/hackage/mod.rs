//! Haskell packages of Hackage, as locked by cabal-install (<https://cabal.readthedocs.io>) and
//! Stack (<https://docs.haskellstack.org>). Both files list the packages of a build without a
//! graph.

mod freeze;
mod requirement;
mod stack_lock;
mod version;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl};

use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, VersionError, VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Hackage");

/// Haskell packages of Hackage.
#[derive(Debug, Clone, Copy)]
pub struct Hackage;

impl Ecosystem for Hackage {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "hackage"
    }

    /// Names have no namespace; one that a tool adds is not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    /// Names are case-sensitive on Hackage.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, version::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

impl FileReader for Hackage {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "cabal-freeze",
                files: &["cabal.project.freeze"],
                versions: "",
                fixable: false,
                writer: None,
                parse: freeze::parse,
            },
            Format {
                id: "stack-lock",
                files: &["stack.yaml.lock"],
                versions: "",
                fixable: false,
                writer: None,
                parse: stack_lock::parse,
            },
        ]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["stack.yaml"],
            unresolved: |manifest| stack_lock::requirements(manifest.text()?),
        }]
    }
}
