//! Python packages: lockfiles, requirements files, manifests and versions
//! (<https://packaging.python.org/>).
//!
//! Names are compared as the index does (`name.rs`), versions by PEP 440 (`version.rs`). Only an
//! exact pin gives a package a version: a lower bound, a wildcard or a repository without a version
//! becomes [`patchgate_model::Unresolved`]. No code of a project is run, so dependencies that only
//! `setup.py` or a build backend knows are missing.
//!
//! Credentials in the addresses of private indexes are removed.

mod address;
mod admitted;
mod canonical;
mod edit;
mod edited_manifest;
mod graph;
mod index;
mod manifest;
mod marker;
mod name;
mod pdm_lock;
mod pipfile_lock;
mod poetry_lock;
mod pylock;
mod python_json;
mod python_range;
mod raise;
mod release_files;
mod requirement;
mod requirements_txt;
mod roots;
mod specifier;
mod upgrade;
mod uv_lock;
mod version;
mod written;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use patchgate_model::{EcosystemName, Purl, package_url};

use self::version::Version;
use crate::{
    Ecosystem, FileReader, Format, Input, ManifestFormat, RequirementError, Upgradable,
    VersionError, VersionSet,
};
pub(crate) use address::without_credentials;
pub(crate) use name::normalize;
pub(crate) use requirements_txt::{Pinned, pinned};

/// OSV's name for the ecosystem.
pub(crate) const NAME: EcosystemName = EcosystemName::new("PyPI");

/// The ecosystem of the Python Package Index.
///
/// ```
/// use std::cmp::Ordering;
///
/// use patchgate_ecosystems::{Ecosystem as _, pypi::PyPi};
///
/// assert_eq!(PyPi.normalize_name("Zope.Interface"), "zope-interface");
/// assert_eq!(PyPi.compare_versions("1.0rc1", "1.0"), Ok(Ordering::Less));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct PyPi;

impl Ecosystem for PyPi {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "pypi"
    }

    fn advisory_id_prefix(&self) -> &'static str {
        "PYSEC-"
    }

    /// Names have no namespace; one that a tool adds is not part of the name.
    fn name_from_purl(&self, purl: &Purl) -> String {
        purl.name.clone()
    }

    /// The name in its normal form, as the type's definition in the specification says.
    fn purl(&self, name: &str, version: &str) -> String {
        package_url(self.purl_type(), &name::normalize(name), version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        name::normalize(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn release_of(&self, version: &str) -> Option<String> {
        admitted::release_of(version)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        admitted::admitted(requirement)
    }

    /// A lower bound has no local version.
    fn at_least(&self, version: &str) -> String {
        format!(">={}", version.split('+').next().unwrap_or(version))
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&PyPi)
    }
}

impl FileReader for PyPi {
    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "pip-requirements",
                files: &[
                    "*requirements*.txt",
                    "requirements/*.txt",
                    "constraints*.txt",
                    "*constraints.txt",
                ],
                versions: "",
                fixable: true,
                writer: Some(&requirements_txt::RequirementsWriter),
                parse: requirements_txt::parse,
            },
            Format {
                id: "pipfile-lock",
                files: &["Pipfile.lock"],
                versions: "v5-v6",
                fixable: true,
                writer: Some(&pipfile_lock::PipfileLockWriter),
                parse: pipfile_lock::parse,
            },
            Format {
                id: "poetry-lock",
                files: &["poetry.lock"],
                versions: "v0-v2",
                fixable: true,
                writer: Some(&poetry_lock::PoetryLockWriter),
                parse: poetry_lock::parse,
            },
            Format {
                id: "uv-lock",
                files: &["uv.lock", "*.py.lock"],
                versions: "v1",
                fixable: true,
                writer: Some(&uv_lock::UvLockWriter),
                parse: uv_lock::parse,
            },
            Format {
                id: "pdm-lock",
                files: &["pdm.lock"],
                versions: "v1-v4",
                fixable: true,
                writer: Some(&pdm_lock::PdmLockWriter),
                parse: pdm_lock::parse,
            },
            Format {
                id: "pylock",
                files: &["pylock.toml", "pylock.*.toml"],
                versions: "v1",
                fixable: true,
                writer: Some(&pylock::PylockWriter),
                parse: pylock::parse,
            },
        ]
    }

    fn manifests(&self) -> &'static [ManifestFormat] {
        &[ManifestFormat {
            files: &[
                "pyproject.toml",
                "Pipfile",
                "setup.cfg",
                "*requirements*.in",
                "requirements/*.in",
            ],
            unresolved: manifest::unresolved,
        }]
    }

    fn included(&self, input: &Input<'_>) -> Vec<String> {
        requirements_txt::included(input)
    }
}
