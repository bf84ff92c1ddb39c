//! Container images by name: `FROM` in Dockerfiles, and `image:` in Compose files, GitLab CI
//! configurations and GitHub workflows.
//!
//! Only an SBOM lists the contents of an image, so images are part of the inventory and are not
//! matched with advisories.

mod dockerfile;
mod image;
mod yaml_files;

use std::borrow::Cow;
use std::cmp::Ordering;

pub(crate) use self::dockerfile::parse as images_of_dockerfile;

use crate::{Ecosystem, FileReader, Format, Input, ParseError, VersionError};
use patchgate_model::EcosystemName;

/// Patchgate's own name for the ecosystem, because OSV has none.
pub(crate) const NAME: EcosystemName = EcosystemName::new("Docker");

/// Container images, by name and tag or digest.
#[derive(Debug, Clone, Copy)]
pub struct Docker;

impl Ecosystem for Docker {
    fn name(&self) -> EcosystemName {
        NAME
    }

    fn has_advisories(&self) -> bool {
        false
    }

    fn purl_type(&self) -> &'static str {
        "docker"
    }

    fn purl(&self, name: &str, version: &str) -> String {
        image::purl(name, version)
    }

    fn normalize_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(name)
    }

    /// Always an error, because tags are names without an order.
    fn compare_versions(&self, a: &str, _: &str) -> Result<Ordering, VersionError> {
        Err(VersionError {
            version: a.to_owned(),
            ecosystem: NAME,
        })
    }

    fn files(&self) -> Option<&dyn FileReader> {
        Some(self)
    }
}

/// Names of Dockerfiles.
pub(crate) const DOCKERFILES: &[&str] = &[
    "Dockerfile",
    "Dockerfile.*",
    "*.Dockerfile",
    "*.dockerfile",
    "Containerfile",
    "Containerfile.*",
];

impl FileReader for Docker {
    fn formats(&self) -> &'static [Format] {
        const fn format(
            id: &'static str,
            files: &'static [&'static str],
            parse: fn(&Input<'_>) -> Result<patchgate_model::Lockfile, ParseError>,
        ) -> Format {
            Format {
                id,
                files,
                versions: "",
                fixable: false,
                writer: None,
                parse,
            }
        }
        const {
            &[
                format("dockerfile", DOCKERFILES, dockerfile::parse),
                format(
                    "compose",
                    &[
                        "compose.yml",
                        "compose.yaml",
                        "compose.*.yml",
                        "compose.*.yaml",
                        "docker-compose*.yml",
                        "docker-compose*.yaml",
                    ],
                    yaml_files::compose,
                ),
                format(
                    "gitlab-ci",
                    &[".gitlab-ci.yml", ".gitlab-ci.yaml", "*.gitlab-ci.yml"],
                    yaml_files::gitlab_ci,
                ),
                format(
                    "github-workflow-images",
                    &[".github/workflows/*.yml", ".github/workflows/*.yaml"],
                    yaml_files::workflow,
                ),
            ]
        }
    }
}
