//! RubyGems: the lockfiles of Bundler and, as far as they can be read without running them, Gemfiles and
//! gemspecs.

mod edit;
mod gemfile;
mod gemspec;
mod lockfile;
mod raise;
mod registry;
mod requirement;
mod ruby;
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
use version::Version;

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("RubyGems");

/// Ruby gems of RubyGems.org.
#[derive(Debug, Clone, Copy)]
pub struct RubyGems;

impl Ecosystem for RubyGems {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "gem"
    }

    /// Names have no namespace; one that a tool adds is not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    /// RubyGems compares names exactly, including case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn release_of(&self, version: &str) -> Option<String> {
        requirement::release_of(version)
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
        Some(&RubyGems)
    }
}

impl FileReader for RubyGems {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "gemfile-lock",
            files: &["Gemfile.lock", "gems.locked", "*.gemfile.lock"],
            versions: "",
            fixable: true,
            writer: Some(&write::GemWriter),
            parse: lockfile::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[
            ManifestFormat {
                files: &["Gemfile", "gems.rb", "*.gemfile"],
                unresolved: gemfile::unresolved,
            },
            ManifestFormat {
                files: &["*.gemspec"],
                unresolved: gemspec::unresolved,
            },
        ]
    }
}

#[cfg(test)]
mod tests;
