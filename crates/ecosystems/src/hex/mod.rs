//! Hex, the registry of Elixir, Erlang and Gleam: Mix's `mix.lock` and Gleam's `manifest.toml`.
//!
//! `mix.exs` is a program and never run, so the direct dependencies of a Mix project are unknown.

mod gleam;
mod mix_exs;
mod mix_lock;
mod registry;
mod requirement;
mod tarball;
mod terms;
mod upgrade;
mod version;
mod write;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl};

use crate::{
    Ecosystem, FileReader, Format, ManifestFormat, RequirementError, Upgradable, VersionError,
    VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Hex");

/// Packages of Elixir, Erlang and Gleam.
#[derive(Debug, Clone, Copy)]
pub struct Hex;

impl Ecosystem for Hex {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "hex"
    }

    /// The namespace is an organisation with packages of its own, and not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    /// Names are already in lower case.
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

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Hex)
    }
}

impl FileReader for Hex {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "mix-lock",
                files: &["mix.lock"],
                versions: "",
                fixable: true,
                writer: Some(&write::MixWriter),
                parse: mix_lock::parse,
            },
            Format {
                id: "gleam-manifest",
                files: &["manifest.toml"],
                versions: "",
                fixable: false,
                writer: None,
                parse: gleam::parse,
            },
        ]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["gleam.toml"],
            unresolved: gleam::unresolved,
        }]
    }

    /// The programs whose literal requirements a changed lockfile must satisfy.
    fn companions(&self) -> &'static [&'static str] {
        &["mix.exs"]
    }
}

#[cfg(test)]
mod tests;
