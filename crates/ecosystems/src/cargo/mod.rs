//! Cargo and crates.io: lockfile, manifest, versions, requirements and the sparse index.
//!
//! Names, versions and sources are never guessed: a missing one is an error in `Cargo.lock`, and
//! manifests only add facts that the lockfile lacks. There is no registry address here; it comes
//! from the lockfile or from Cargo's configuration.

mod document;
mod edit;
mod features;
mod lockfile;
mod manifest;
mod projection;
mod registry;
mod requirement;
mod roots;
mod unresolved;
mod version;
mod write;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Bump, EcosystemName, Purl};

pub use projection::resolution_manifest;
pub use write::{with_format_of, with_versions, without_package};

use self::version::Version;
use crate::version::checked;
use crate::{
    Copies, Ecosystem, EditError, FileReader, Format, ManifestFormat, MetadataRequest, ParseError,
    Release, RequirementEdit, RequirementError, Siblings, Upgradable, VersionError, VersionSet,
    runtime,
};

/// OSV's name for the ecosystem.
pub(crate) const NAME: EcosystemName = EcosystemName::new("crates.io");

/// The ecosystem of crates.io.
///
/// ```
/// use patchgate_ecosystems::{Upgradable as _, cargo::Cargo};
///
/// assert_eq!(Cargo.admits("0.3", "0.3.7"), Ok(true));
/// assert_eq!(Cargo.admits("0.3", "0.4.0"), Ok(false));
/// assert_eq!(Cargo.raise_requirement("0.3", "0.4.1").as_deref(), Ok("0.4.1"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cargo;

impl Ecosystem for Cargo {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "cargo"
    }

    fn advisory_id_prefix(&self) -> &'static str {
        "RUSTSEC-"
    }

    /// Names have no namespace; one that a tool adds is not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        normalize_name(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn release_of(&self, version: &str) -> Option<String> {
        let version = semver::Version::parse(version).ok()?;
        (!version.pre.is_empty())
            .then(|| format!("{}.{}.{}", version.major, version.minor, version.patch))
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Cargo)
    }
}

impl FileReader for Cargo {
    fn formats(&self) -> &'static [Format] {
        &[Format {
            id: "cargo-lock",
            files: &["Cargo.lock"],
            versions: "v1-v4",
            fixable: true,
            writer: Some(&write::CargoLockWriter),
            parse: lockfile::parse,
        }]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["Cargo.toml"],
            unresolved: unresolved::unresolved,
        }]
    }
}

impl Upgradable for Cargo {
    /// `rust-version` of the manifest beside the lockfile
    /// (<https://doc.rust-lang.org/cargo/reference/rust-version.html>).
    fn supported_runtime(&self, lockfile: &str, files: &Siblings) -> Option<String> {
        let text = runtime::manifest_beside(lockfile, "Cargo.toml", files)?;
        let manifest = crate::syntax::toml(text).ok()?;
        let of = |package: &crate::syntax::Node<'_>| {
            let version = package.get("package")?.get("rust-version")?.text()?;
            Some(version.to_owned())
        };
        of(&manifest).or_else(|| of(manifest.get("workspace")?))
    }

    fn runtime_name(&self) -> &'static str {
        "Rust"
    }

    fn runs_on(&self, required: &str, supported: &str) -> bool {
        runtime::is_at_least(supported, required)
    }

    fn is_prerelease(&self, version: &str) -> Result<bool, VersionError> {
        Ok(parse_version(version)?.is_prerelease())
    }

    fn bump(&self, from: &str, to: &str) -> Result<Bump, VersionError> {
        Ok(parse_version(from)?.bump_to(&parse_version(to)?))
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

    fn edit_manifest(
        &self,
        _path: &str,
        manifest: &str,
        edit: &RequirementEdit,
    ) -> Result<String, EditError> {
        edit::edit(manifest, edit)
    }

    fn copies(&self) -> Copies {
        Copies::OnePerLine
    }

    fn installs_optional(&self) -> bool {
        false
    }

    fn locks_every_platform(&self) -> bool {
        true
    }

    fn has_feature_graph(&self) -> bool {
        true
    }

    fn turned_on(
        &self,
        release: &Release,
        features: &BTreeSet<String>,
    ) -> BTreeMap<String, BTreeSet<String>> {
        features::turned_on(release, features)
    }

    fn has_features(&self, release: &Release, features: &[String]) -> bool {
        features::has_all(release, features)
    }

    fn asked_features(
        &self,
        path: &str,
        manifests: &Siblings,
    ) -> BTreeMap<String, BTreeSet<String>> {
        features::of_manifest(path, manifests)
    }

    fn archive_settings(&self, registry: &str) -> Option<MetadataRequest> {
        Some(registry::settings_request(registry))
    }

    fn source_archive(
        &self,
        name: &str,
        release: &Release,
        settings: Option<&[u8]>,
    ) -> Option<crate::SourceArchive> {
        registry::archive(name, release, settings?)
    }

    fn metadata_request(&self, registry: &str, name: &str) -> MetadataRequest {
        registry::metadata_request(registry, name)
    }

    fn parse_metadata(&self, name: &str, body: &[u8]) -> Result<Vec<Release>, ParseError> {
        registry::parse_metadata(name, body)
    }
}

fn parse_version(text: &str) -> Result<Version<'_>, VersionError> {
    checked(NAME, text, Version::parse(text))
}

/// crates.io treats names that differ only in case, or in `-` and `_`, as the same.
fn normalize_name(name: &str) -> Cow<'_, str> {
    let differs = |c: char| c == '_' || c.is_ascii_uppercase();
    if name.contains(differs) {
        Cow::Owned(name.to_ascii_lowercase().replace('_', "-"))
    } else {
        Cow::Borrowed(name)
    }
}
