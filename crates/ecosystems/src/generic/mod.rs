//! Git repositories outside all package ecosystems: hooks of pre-commit and inputs of Nix flakes.
//! No advisory names them, so they are part of the inventory only. The tags of hooks have the order of
//! the tags of actions.

mod flake_lock;
mod pre_commit;
mod upgrade;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, generic_package_url, package_url};

use crate::github::version;
use crate::{Ecosystem, FileReader, Format, Upgradable, VersionError};

/// Patchgate's own name. OSV identifies such sources by commit and has no name for them.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Git");

/// Git repositories, named by their address.
#[derive(Debug, Clone, Copy)]
pub struct Git;

impl Ecosystem for Git {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "generic"
    }

    /// The address of a repository is its name. An address without a scheme (`git@host:path`) is not
    /// changed.
    fn purl(&self, name: &str, version: &str) -> String {
        let Some((scheme, _)) = name.split_once("://") else {
            return package_url(self.purl_type(), name, version);
        };
        let tool = if scheme.starts_with("git") {
            ""
        } else {
            "git+"
        };
        let revision = if version.is_empty() { "" } else { "@" };
        let address = format!("{tool}{name}{revision}{version}");
        let name = name.trim_end_matches('/');
        let name = name.strip_suffix(".git").unwrap_or(name);

        generic_package_url("vcs_url", &address, name, version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// Tags with numbers have an order; commits and branches have none.
    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(parse_tag(a)?.cmp(&parse_tag(b)?))
    }

    fn release_of(&self, version: &str) -> Option<String> {
        version::parse(version).ok()?.release()
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Git)
    }
}

fn parse_tag(text: &str) -> Result<version::Tag<'_>, VersionError> {
    version::parse(text).map_err(|error| VersionError {
        ecosystem: NAME,
        ..error
    })
}

impl FileReader for Git {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "pre-commit-config",
                files: &[".pre-commit-config.yaml", ".pre-commit-config.yml"],
                versions: "",
                fixable: true,
                writer: Some(&write::PreCommitWriter),
                parse: pre_commit::parse,
            },
            Format {
                id: "flake-lock",
                files: &["flake.lock"],
                versions: "v5-v7",
                fixable: false,
                writer: None,
                parse: flake_lock::parse,
            },
        ]
    }
}
