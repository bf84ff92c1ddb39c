//! Go modules (<https://go.dev/ref/mod>).
//!
//! Names are module paths, compared byte by byte. Versions stay as the files write them, with `v`.
//! OSV writes them without, and both forms are equal. The standard library is the package `stdlib`,
//! as in OSV.
//!
//! Go has no lockfile besides its manifest. Since Go 1.17, `go.mod` itself lists every module of a
//! build. An older `go.mod` leaves out indirect dependencies, which are in `go.sum`.
//!
//! Its `go` line is a minimum. The release that builds, and with it the standard library, is named
//! by a `toolchain` line, a version file, a workflow or an image; see `installed`.

mod archive;
mod directives;
mod edit;
mod go_mod;
mod go_sum;
mod go_work;
mod installed;
mod module_path;
mod registry;
mod requirement;
mod sums;
mod syntax;
mod upgrade;
mod vendor;
mod version;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;

use self::version::Version;
use crate::{
    Ecosystem, FileReader, Format, RequirementError, Upgradable, VersionError, VersionSet,
};
use patchgate_model::{EcosystemName, Lockfile};

/// Name of the ecosystem in OSV.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Go");

/// Go modules, and the standard library as the module `stdlib`.
#[derive(Debug, Clone, Copy)]
pub struct Go;

impl Ecosystem for Go {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn purl_type(&self) -> &'static str {
        "golang"
    }

    fn advisory_id_prefix(&self) -> &'static str {
        "GO-"
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    fn compare_versions(&self, a: &str, b: &str) -> Result<Ordering, VersionError> {
        crate::version::compare(NAME, Version::parse, a, b)
    }

    fn admitted_versions(&self, requirement: &str) -> Result<VersionSet, RequirementError> {
        match installed::admitted(requirement) {
            Some(set) => Ok(set),
            None => requirement::admitted(requirement),
        }
    }

    fn release_of(&self, version: &str) -> Option<String> {
        version::release_of(version)
    }

    /// A version in `go.mod` is a lower bound.
    fn at_least(&self, version: &str) -> String {
        format!("v{}", version.trim_start_matches('v'))
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }

    fn upgradable(&self) -> Option<&'static dyn Upgradable> {
        Some(&Go)
    }
}

impl FileReader for Go {
    // No manifests: `go.mod` itself states versions, so it is a lockfile format.

    fn formats(&self) -> &'static [Format] {
        &[
            Format {
                id: "go-mod",
                files: &["go.mod"],
                versions: "",
                fixable: true,
                writer: Some(&write::GoModWriter),
                parse: go_mod::parse,
            },
            Format {
                id: "go-work",
                files: &["go.work"],
                versions: "",
                fixable: true,
                writer: Some(&write::GoWorkWriter),
                parse: go_work::parse,
            },
            Format {
                id: "go-vendor",
                files: &["vendor/modules.txt"],
                versions: "",
                fixable: false,
                writer: None,
                parse: vendor::parse,
            },
            Format {
                id: installed::VERSION_FILE,
                files: &[".go-version", ".tool-versions"],
                versions: "",
                fixable: false,
                writer: None,
                parse: installed::version_file,
            },
            Format {
                id: installed::WORKFLOW,
                files: &[".github/workflows/*.yml", ".github/workflows/*.yaml"],
                versions: "",
                fixable: false,
                writer: None,
                parse: installed::workflow,
            },
            Format {
                id: installed::DOCKERFILE,
                files: crate::docker::DOCKERFILES,
                versions: "",
                fixable: false,
                writer: None,
                parse: installed::dockerfile,
            },
        ]
    }

    fn settle(&self, lockfiles: &mut Vec<Lockfile>) {
        installed::settle(lockfiles);
    }

    fn companions(&self) -> &'static [&'static str] {
        &["go.sum", "go.work.sum"]
    }
}
