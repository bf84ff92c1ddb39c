//! NuGet (<https://learn.microsoft.com/nuget/>), its lockfiles and manifests, and Paket
//! (<https://fsprojects.github.io/Paket/>).
//!
//! Names are compared without case. A project file with `1.2.3` requires that version or a higher
//! one, and NuGet takes the lowest that exists
//! (<https://learn.microsoft.com/nuget/concepts/dependency-resolution>). Such a requirement
//! therefore counts as the version `1.2.3`; ranges and floating versions (`1.*`) have no version.
//! Project files do not list transitive dependencies.

mod assets;
mod central;
mod dotnet_tools;
mod edit;
mod libraries;
mod lock_json;
mod msbuild;
mod packages_config;
mod paket_dependencies;
mod paket_lock;
mod project;
mod project_files;
mod raise;
mod range;
mod registry;
mod requirement;
mod scopes;
mod text;
mod upgrade;
mod version;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use self::version::Version;
use self::write::{MsBuildWriter, NuGetLockWriter, PackagesConfigWriter};
use patchgate_model::{EcosystemName, Purl};

use crate::{
    Ecosystem, FileReader, Format, Input, LockfileWriter, ManifestFormat, ParseError,
    RequirementError, Upgradable, VersionError, VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("NuGet");

/// .NET packages of NuGet.
#[derive(Debug, Clone, Copy)]
pub struct NuGet;

/// A format that is read only.
const fn format(
    id: &'static str,
    files: &'static [&'static str],
    versions: &'static str,
    parse: fn(&Input<'_>) -> Result<patchgate_model::Lockfile, ParseError>,
) -> Format {
    Format {
        id,
        files,
        versions,
        fixable: false,
        writer: None,
        parse,
    }
}

impl Format {
    const fn written_by(self, writer: &'static dyn LockfileWriter) -> Self {
        Self {
            fixable: true,
            writer: Some(writer),
            ..self
        }
    }
}

const FORMATS: &[Format] = &[
    format(
        "nuget-lock",
        &["packages.lock.json", "packages.*.lock.json"],
        "v1-v2",
        lock_json::parse,
    )
    .written_by(&NuGetLockWriter),
    format(
        "nuget-assets",
        &["project.assets.json"],
        "v2-v4",
        assets::parse_assets,
    ),
    format("dotnet-deps", &["*.deps.json"], "", assets::parse_deps),
    format(
        "nuget-packages-config",
        &["packages.config", "packages.*.config"],
        "",
        packages_config::parse,
    )
    .written_by(&PackagesConfigWriter),
    format(
        "msbuild-project",
        &["*.csproj", "*.fsproj", "*.vbproj"],
        "",
        project::parse,
    )
    .written_by(&MsBuildWriter),
    format(
        "msbuild-props",
        &[
            "Directory.Packages.props",
            "*.Packages.props",
            "Packages.props",
            "Directory.Build.props",
            "Directory.Build.targets",
        ],
        "",
        central::parse,
    )
    .written_by(&MsBuildWriter),
    format(
        "dotnet-tools",
        &["dotnet-tools.json"],
        "v1",
        dotnet_tools::parse,
    ),
    format("paket-lock", &["paket.lock"], "", paket_lock::parse),
];

impl Ecosystem for NuGet {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "nuget"
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

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    /// A version alone is a lower bound.
    fn at_least(&self, version: &str) -> String {
        version.to_owned()
    }

    /// Project files omit trailing zeros that the registry writes.
    fn writes_registry_versions(&self) -> bool {
        false
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&NuGet)
    }
}

impl FileReader for NuGet {
    fn formats(&self) -> &'static [Format] {
        FORMATS
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &["paket.dependencies"],
            unresolved: paket_dependencies::unresolved,
        }]
    }

    /// The files that project files import.
    fn companions(&self) -> &'static [&'static str] {
        &["*.props", "*.targets"]
    }
}

/// The lower-case form of a name, in which NuGet compares it.
fn normalize_name(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Checks a package's name: up to 100 letters, digits, `_`, `-` and `.`
/// (<https://learn.microsoft.com/nuget/reference/nuspec#id>). The check is strict because names
/// become parts of addresses.
fn check_name(name: &str, line: u32) -> Result<(), ParseError> {
    let is_name = !name.is_empty()
        && name.chars().count() <= 100
        && name.chars().any(|c| c != '.')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if is_name {
        return Ok(());
    }

    let shown: String = name.chars().take(80).collect();
    Err(ParseError::new(format!(
        "names the package {shown:?}, which NuGet does not allow"
    ))
    .at_line(line as usize))
}

/// Checks that the locked version of a package is valid.
fn check_version(version: &str, name: &str, line: u32) -> Result<(), ParseError> {
    if Version::parse(version).is_some() {
        return Ok(());
    }
    let shown: String = version.chars().take(80).collect();
    Err(ParseError::new(format!(
        "locks `{name}` at {shown:?}, which is not a version"
    ))
    .at_line(line as usize))
}
