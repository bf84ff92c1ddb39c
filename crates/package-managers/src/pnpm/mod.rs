//! pnpm: where the packages of a `pnpm-lock.yaml` come from, and runs of pnpm in a scratch copy.
//!
//! pnpm reads the addresses of registries from `pnpm-workspace.yaml`
//! (<https://pnpm.io/settings#registry--authentication-settings>), and from the same `.npmrc` files as
//! npm (<https://pnpm.io/npmrc>), for which npm is asked. Registries with names of their own are not
//! read yet: a repository that has some is an error, and never gets packages from another registry.

mod manager;
mod scratch;

use std::collections::BTreeMap;
use std::path::Path;

use patchgate_ecosystems::syntax::{Node, yaml_settings};
use patchgate_model::Lockfile;

use crate::manager::configuration_next_to;
use crate::npm::Npm;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Name of the file with a workspace's settings.
const WORKSPACE: &str = "pnpm-workspace.yaml";

/// Name of the lockfile.
const LOCKFILE: &str = "pnpm-lock.yaml";

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
        configuration_next_to(root, lockfile, &[".npmrc", WORKSPACE])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[".npmrc", WORKSPACE])
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
                if let Some(address) = registries(file)?.remove(key) {
                    return Ok(Some(address));
                }
            }

            Npm.registry(key, &npmrc, options).await
        })
    }
}

/// The registries in a workspace's settings by scope; that of all other packages has no scope.
///
/// # Errors
/// When the settings cannot be read, name registries in another way, or have an address that is not a
/// plain one: pnpm puts variables of the environment into `${NAME}`, which could send a secret to
/// another host.
fn registries(file: &ConfigurationFile) -> Result<BTreeMap<String, String>, RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: file.path.clone(),
        reason,
    };
    let text = String::from_utf8_lossy(&file.content);
    let settings =
        yaml_settings(&text).map_err(|error| unusable(format!("it {}", error.reason)))?;
    let Some(settings) = settings else {
        return Ok(BTreeMap::new());
    };
    if settings.get("namedRegistries").is_some() {
        return Err(unusable(
            "its setting `namedRegistries` is not supported".to_owned(),
        ));
    }

    let plain = |node: &Node<'_>| {
        let address = node.text().unwrap_or_default();
        let is_web = address.starts_with("https://") || address.starts_with("http://");
        let is_plain = !address.contains("${")
            && !address.contains(|c: char| c.is_whitespace() || c.is_control());
        match is_web && is_plain {
            true => Ok(address.to_owned()),
            false => Err(unusable(
                "a registry in it is not a plain web address".to_owned(),
            )),
        }
    };
    let mut found = BTreeMap::new();
    if let Some(address) = settings.get("registry") {
        found.insert(String::new(), plain(address)?);
    }
    let listed = settings.get("registries").map(Node::entries);
    for (scope, address) in listed.unwrap_or_default() {
        let scope = match &*scope.name {
            "default" => String::new(),
            scope => scope.to_owned(),
        };
        found.insert(scope, plain(address)?);
    }

    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn registries_of_the_workspace_count_and_must_be_plain() {
        let file = |content: &str| ConfigurationFile {
            path: WORKSPACE.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        let text =
            "registries:\n  default: https://r.invalid/\n  '@own': https://own.invalid/npm\n";
        for (key, expected) in [
            ("", "https://r.invalid/"),
            ("@own", "https://own.invalid/npm"),
        ] {
            let found = Pnpm
                .registry(key, &[file(text)], RunOptions::default())
                .await;
            assert_eq!(found.unwrap().as_deref(), Some(expected));
        }

        for settings in [
            "registry: https://r.invalid/${NPM_TOKEN}",
            "registry: ./registry",
            "registries: { '@own': [] }",
            "namedRegistries:\n  own: https://r.invalid/",
            "registry: [",
        ] {
            let found = Pnpm
                .registry("", &[file(settings)], RunOptions::default())
                .await;
            assert!(found.is_err(), "{settings}");
        }
        assert!(registries(&file("packages:\n  - a\n")).unwrap().is_empty());
        assert!(registries(&file("")).unwrap().is_empty());
    }
}
