//! GitHub Actions: `uses:` in workflows and composite actions
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>).
//!
//! A package is a repository, `owner/name`. An action in one of its directories and a reusable
//! workflow have the tags of the repository. Images (`uses: docker://…`) are in the `docker`
//! module.

pub(crate) mod reference;
pub(crate) mod refs;
mod requirement;
pub(crate) mod upgrade;
mod uses;
pub(crate) mod version;
pub(crate) mod write;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, package_url};

use crate::{
    Ecosystem, FileReader, Format, RequirementError, Upgradable, VersionError, VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("GitHub Actions");

/// Base address of the git server that workflows take actions from, unless the forge states its own
/// (`GITHUB_SERVER_URL`).
pub const SERVER: &str = "https://github.com";

/// Actions and reusable workflows on GitHub.
#[derive(Debug, Clone, Copy)]
pub struct GitHubActions;

impl Ecosystem for GitHubActions {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "github"
    }

    /// The definition of the package URL type requires lower-case names.
    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), &name.to_lowercase(), version)
    }

    /// Names of repositories are case-insensitive on GitHub.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if name.chars().any(char::is_uppercase) {
            Cow::Owned(name.to_lowercase())
        } else {
            Cow::Borrowed(name)
        }
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(version::parse(a)?.cmp(&version::parse(b)?))
    }

    fn release_of(&self, version: &str) -> Option<String> {
        version::parse(version).ok()?.release()
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn is_moving(&self, version: &str) -> bool {
        requirement::is_moving(version)
    }

    /// A reference has no notation for a lower bound, so this is the tag of the version.
    fn at_least(&self, version: &str) -> String {
        format!("v{}", version.trim_start_matches(['v', 'V']))
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&GitHubActions)
    }
}

impl FileReader for GitHubActions {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "github-workflow",
                files: &[".github/workflows/*.yml", ".github/workflows/*.yaml"],
                versions: "",
                fixable: true,
                writer: Some(&write::UsesWriter),
                parse: uses::workflow,
            },
            Format {
                id: "github-action",
                files: &["action.yml", "action.yaml"],
                versions: "",
                fixable: true,
                writer: Some(&write::UsesWriter),
                parse: uses::action,
            },
        ]
    }
}
