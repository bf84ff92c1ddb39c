//! pnpm: where the packages of a `pnpm-lock.yaml` come from, and runs of pnpm in a scratch copy.
//!
//! pnpm reads the addresses of registries from the same `.npmrc` files as npm
//! (<https://pnpm.io/npmrc>), so npm is asked. Registries in `pnpm-workspace.yaml` are not read yet:
//! a repository that names some is an error, and never gets packages from another registry.

mod manager;
mod scratch;

use std::path::Path;

use patchgate_ecosystems::syntax::yaml_settings;
use patchgate_model::Lockfile;

use crate::manager::{configuration_file, next_to};
use crate::npm::Npm;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Name of the file with a workspace's settings.
const WORKSPACE: &str = "pnpm-workspace.yaml";

/// Name of the lockfile.
const LOCKFILE: &str = "pnpm-lock.yaml";

/// Settings of the workspace that say where packages come from.
const REGISTRY_SETTINGS: [&str; 3] = ["registry", "registries", "namedRegistries"];

/// pnpm, which writes `pnpm-lock.yaml`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pnpm;

impl RegistryLocator for Pnpm {
    fn name(&self) -> &'static str {
        "pnpm"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pnpm-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        [".npmrc", WORKSPACE]
            .into_iter()
            .filter_map(|name| configuration_file(root, &next_to(lockfile, name)))
            .collect()
    }

    /// pnpm installs deprecated releases, as npm does.
    fn installs_yanked(&self) -> bool {
        true
    }

    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        Npm.registry_key(lockfile, package)
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let (workspaces, npmrc): (Vec<_>, Vec<_>) = configuration
                .iter()
                .cloned()
                .partition(|file| file.path.ends_with(WORKSPACE));
            for file in &workspaces {
                names_no_registry(file)?;
            }

            Npm.registry(key, &npmrc, options).await
        })
    }
}

/// Checks that a workspace's settings leave the registries to `.npmrc`.
fn names_no_registry(file: &ConfigurationFile) -> Result<(), RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: file.path.clone(),
        reason,
    };
    let text = String::from_utf8_lossy(&file.content);
    let settings =
        yaml_settings(&text).map_err(|error| unusable(format!("it {}", error.reason)))?;

    let named = REGISTRY_SETTINGS.into_iter().find(|name| {
        settings
            .as_ref()
            .is_some_and(|settings| settings.get(name).is_some())
    });
    match named {
        Some(name) => Err(unusable(format!("its setting `{name}` is not supported"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registry_in_the_workspace_is_an_error() {
        let file = |content: &str| ConfigurationFile {
            path: WORKSPACE.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        for settings in [
            "registry: https://r.invalid/",
            "registries:\n  default: https://r.invalid/",
        ] {
            let error = Pnpm
                .registry("", &[file(settings)], RunOptions::default())
                .await
                .unwrap_err();
            assert!(error.to_string().contains("is not supported"), "{error}");
        }

        assert!(names_no_registry(&file("packages:\n  - a\n")).is_ok());
        assert!(names_no_registry(&file("")).is_ok());
    }
}
