//! npm: the lockfiles of npm, yarn, pnpm and bun, `package.json`, node-semver, and the registry's
//! package documents.
//!
//! Deliberately not here: the choice of which copies to upgrade (`patchgate-upgrade`), and running
//! npm (`patchgate-package-managers`).

mod bun;
pub(crate) mod json;
mod json_set;
mod lockfile;
mod manifest;
mod needs;
mod pnpm;
mod registry;
mod requirement;
mod root_manifest;
mod splice;
pub(crate) mod tree;
mod unresolved;
mod version;
mod yarn;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{Bump, EcosystemName};

use crate::{
    Copies, Ecosystem, EditError, FileReader, Format, ManifestFormat, MetadataRequest, ParseError,
    Release, RequirementEdit, RequirementError, Siblings, Upgradable, VersionError, VersionSet,
    runtime,
};

/// OSV's name for the ecosystem.
pub(crate) const NAME: EcosystemName = EcosystemName::new("npm");

/// The ecosystem of npm's registry, for all package managers that use it.
///
/// ```
/// use patchgate_ecosystems::{RequirementEdit, Upgradable as _, npm::Npm};
///
/// let manifest = r#"{ "dependencies": { "semver": "^7.5.0" } }"#;
/// let edit = RequirementEdit {
///     name: "semver".to_owned(),
///     from: "^7.5.0".to_owned(),
///     to: Npm.raise_requirement("^7.5.0", "7.5.2").unwrap(),
/// };
/// assert_eq!(
///     Npm.edit_manifest("package.json", manifest, &edit).unwrap(),
///     r#"{ "dependencies": { "semver": "^7.5.2" } }"#
/// );
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Npm;

impl Ecosystem for Npm {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "npm"
    }

    /// npm's registry compares names exactly: a few old packages differ only in case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(version::parse(a)?.compare(&version::parse(b)?))
    }

    fn release_of(&self, version: &str) -> Option<String> {
        let version = version::parse(version).ok()?;
        (!version.prerelease.is_empty())
            .then(|| format!("{}.{}.{}", version.major, version.minor, version.patch))
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Npm)
    }
}

impl FileReader for Npm {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "npm-lock",
                files: &["package-lock.json", "npm-shrinkwrap.json"],
                versions: "v1-v3",
                fixable: true,
                writer: Some(&lockfile::NpmLockWriter),
                parse: lockfile::parse,
            },
            Format {
                id: "yarn-lock",
                files: &["yarn.lock"],
                versions: "v1, v3-v10",
                fixable: true,
                writer: Some(&yarn::YarnWriter),
                parse: yarn::parse,
            },
            Format {
                id: "pnpm-lock",
                files: &["pnpm-lock.yaml"],
                versions: "v5, v6, v9",
                fixable: true,
                writer: Some(&pnpm::PnpmWriter),
                parse: pnpm::parse,
            },
            Format {
                id: "bun-lock",
                files: &["bun.lock", "bun.lockb"],
                versions: "v0-v2",
                fixable: true,
                writer: Some(&bun::BunWriter),
                parse: bun::parse,
            },
        ]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["package.json"],
            unresolved: unresolved::unresolved,
        }]
    }

    /// Rush's list of projects, the catalogs of a workspace, and the programs that pnpm would run.
    fn companions(&self) -> &'static [&'static str] {
        &[
            pnpm::rush::PROJECTS,
            pnpm::workspace::WORKSPACE,
            ".pnpmfile.cjs",
            "pnpmfile.js",
            ".yarnrc.yml",
        ]
    }
}

impl Upgradable for Npm {
    /// `engines.node` of the `package.json` beside the lockfile
    /// (<https://docs.npmjs.com/cli/v11/configuring-npm/package-json#engines>).
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let text = runtime::manifest_beside(lockfile, "package.json", files)?;
        let manifest = crate::syntax::json(text).ok()?;
        let node = manifest.get("engines")?.get("node")?.text()?;
        Some(node.to_owned())
    }

    fn runtime_name(&self) -> &'static str {
        "Node.js"
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::admits_oldest(&Npm, required, supported, 1)
    }

    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(!version::parse(version)?.prerelease.is_empty())
    }

    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        version::bump(from, to)
    }

    fn admits(&self, requirement: &str, version: &str) -> Result<bool, RequirementError> {
        requirement::admits(requirement, version)
    }

    fn raise_requirement(
        &self,
        requirement: &str,
        version: &str,
    ) -> Result<String, RequirementError> {
        requirement::raise(requirement, version)
    }

    fn is_requirement_key(&self, path: &[&str]) -> bool {
        manifest::is_requirement_key(path)
    }

    fn settings(&self) -> &'static [&'static str] {
        &[pnpm::workspace::WORKSPACE]
    }

    fn edit_manifest(
        &self,
        path: &str,
        manifest: &str,
        edit: &RequirementEdit,
    ) -> Result<String, EditError> {
        match path.rsplit('/').next() {
            Some(pnpm::workspace::WORKSPACE) => pnpm::workspace::edit(manifest, edit),
            _ => manifest::edit(manifest, edit),
        }
    }

    fn copies(&self) -> Copies {
        Copies::Any
    }

    fn long_metadata_request(&self, registry: &str, name: &str) -> Option<MetadataRequest> {
        Some(MetadataRequest {
            accept: Some("application/json"),
            ..registry::request(registry, name)
        })
    }

    fn source_archive(
        &self,
        _name: &str,
        release: &Release,
        _settings: Option<&[u8]>,
    ) -> Option<crate::SourceArchive> {
        registry::archive(release)
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse(name, body)
    }
}
