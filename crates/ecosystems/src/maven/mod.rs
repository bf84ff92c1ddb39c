//! Maven packages, named `group:artifact`, as Maven, Gradle, sbt and Bazel list them.
//!
//! Resolution of transitive dependencies is deliberately absent. A `pom.xml` states direct
//! dependencies; the transitive ones are in a lockfile or an SBOM of the resolver.

mod coordinates;
mod edit;
mod gradle_catalog;
mod gradle_lines;
mod gradle_lockfile;
mod gradle_module;
mod gradle_script;
mod gradle_verification;
mod masked;
mod maven_install;
mod moves;
mod pom;
mod registry;
mod release_pom;
mod requirement;
mod sbt_lock;
mod upgrade;
mod version;
mod words;
mod xml_spans;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl, package_url};

pub use self::masked::{Masked, managed_names, masked};
pub use self::pom::{DeclaredRepository, EXTERNAL, FORMAT as POM, Projects};
use self::version::Version;
use crate::{
    Ecosystem, FileReader, Format, Input, RequirementError, Upgradable, VersionError, VersionSet,
};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Maven");

/// Packages of the Java ecosystem, named `group:artifact`.
#[derive(Debug, Clone, Copy)]
pub struct Maven;

impl Ecosystem for Maven {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "maven"
    }

    fn name_from_purl(&self, purl: &Purl) -> String {
        match purl.namespace.as_str() {
            "" => purl.name.clone(),
            group => format!("{group}:{}", purl.name),
        }
    }

    /// A package is a `jar`, and tools differ on whether they say so
    /// (<https://github.com/package-url/purl-spec/blob/main/types-doc/maven-definition.md>).
    fn default_qualifiers(&self) -> &'static [(&'static str, &'static str)] {
        &[("type", "jar")]
    }

    /// `group:artifact` is namespace and name
    /// (<https://github.com/package-url/purl-spec/blob/main/types-doc/maven-definition.md>).
    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), &name.replacen(':', "/", 1), version)
    }

    /// Maven compares names exactly, including case.
    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        Ok(Version::new(a).compare(&Version::new(b)))
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        requirement::admitted(requirement)
    }

    fn at_least(&self, version: &str) -> String {
        format!("[{version},)")
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Maven)
    }
}

impl FileReader for Maven {
    // No manifests: every file that states requirements also states versions, so it is a lockfile
    // format.

    fn companions(&self) -> &'static [&'static str] {
        // Build scripts are only read to change the versions in them.
        &[pom::CONFIG, "*.gradle", "*.gradle.kts"]
    }

    fn included(&self, input: &Input<'_>) -> Vec<String> {
        pom::included(input).into_iter().collect()
    }

    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: pom::FORMAT,
                files: &["pom.xml"],
                versions: "4.0.0",
                fixable: true,
                writer: Some(&pom::PomWriter),
                parse: pom::parse,
            },
            Format {
                id: "gradle-lock",
                files: &["*gradle.lockfile"],
                versions: "",
                fixable: true,
                writer: Some(&gradle_lockfile::LockWriter),
                parse: gradle_lockfile::parse,
            },
            Format {
                id: "gradle-dependency-locks",
                files: &["gradle/dependency-locks/*.lockfile"],
                versions: "",
                fixable: false,
                writer: None,
                parse: gradle_lockfile::parse_single,
            },
            Format {
                id: "gradle-verification-metadata",
                files: &["gradle/verification-metadata.xml"],
                versions: "",
                fixable: false,
                writer: None,
                parse: gradle_verification::parse,
            },
            Format {
                id: "gradle-version-catalog",
                files: &["gradle/*.versions.toml"],
                versions: "v1.0-v1.1",
                fixable: true,
                writer: Some(&gradle_catalog::CatalogWriter),
                parse: gradle_catalog::parse,
            },
            Format {
                id: "sbt-lock",
                files: &["build.sbt.lock"],
                versions: "v1",
                fixable: false,
                writer: None,
                parse: sbt_lock::parse,
            },
            Format {
                id: "bazel-maven-install",
                files: &["*maven_install.json"],
                versions: "v1-v2",
                fixable: false,
                writer: None,
                parse: maven_install::parse,
            },
        ]
    }
}

#[cfg(test)]
mod tests;
