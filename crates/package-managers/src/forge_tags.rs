//! Where the tags of git repositories are listed: actions at the git server of the forge, hooks of
//! pre-commit at the address that their configuration names.
//!
//! No manager is run for either, and no credentials are sent.

use std::path::Path;

use patchgate_ecosystems::github;
use patchgate_model::Lockfile;

use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// The variable with the address of the forge's git server, as workflows have it
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).
const SERVER: &str = "GITHUB_SERVER_URL";

/// The git server of the actions in workflows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForgeActions;

/// The git servers of pre-commit's hooks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PreCommitHooks;

impl RegistryLocator for ForgeActions {
    fn name(&self) -> &'static str {
        "GitHub Actions"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["github-workflow", "github-action"]
    }

    /// A repository has no say in where actions come from.
    fn configuration(&self, _root: &Path, _lockfile: &str) -> Vec<ConfigurationFile> {
        Vec::new()
    }

    /// A tag that is gone cannot be used, and others are never yanked.
    fn installs_yanked(&self) -> bool {
        false
    }

    fn registry_key(&self, _lockfile: &Lockfile, _package: &str) -> String {
        String::new()
    }

    fn registry<'a>(
        &'a self,
        _key: &'a str,
        _configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async { server(std::env::var(SERVER).ok().as_deref()).map(Some) })
    }
}

/// The address of the forge's git server: the one of the environment, otherwise the usual one.
fn server(stated: Option<&str>) -> Result<String, RelockError> {
    let address = stated
        .filter(|one| !one.is_empty())
        .unwrap_or(github::SERVER);
    let is_plain = !address.contains(['?', '#', '@']) && !address.contains(char::is_whitespace);
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .filter(|rest| !rest.is_empty() && is_plain);
    match rest {
        Some(_) => Ok(address.to_owned()),
        None => Err(RelockError::Failed {
            command: SERVER.to_owned(),
            reason: "it is not an address of the form `https://HOST`".to_owned(),
        }),
    }
}

impl RegistryLocator for PreCommitHooks {
    fn name(&self) -> &'static str {
        "pre-commit"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pre-commit-config"]
    }

    fn configuration(&self, _root: &Path, _lockfile: &str) -> Vec<ConfigurationFile> {
        Vec::new()
    }

    fn installs_yanked(&self) -> bool {
        false
    }

    /// The address of the repository, which is its name.
    fn registry_key(&self, _lockfile: &Lockfile, package: &str) -> String {
        package.to_owned()
    }

    /// The address itself. The scanned repository names it, so it is asked over HTTPS only.
    fn registry<'a>(
        &'a self,
        key: &'a str,
        _configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        let is_asked = key.starts_with("https://") && !key.contains(['?', '#', '@']);
        Box::pin(async move {
            match is_asked {
                true => Ok(Some(key.to_owned())),
                false => Err(RelockError::Failed {
                    command: "pre-commit".to_owned(),
                    reason: format!("`{key}` is not an address of HTTPS, so it is not asked"),
                }),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_the_one_of_the_environment() {
        assert_eq!(
            server(Some("https://forge.invalid")).unwrap(),
            "https://forge.invalid"
        );
        assert_eq!(server(None).unwrap(), github::SERVER);
        assert_eq!(server(Some("")).unwrap(), github::SERVER);
        for address in [
            "forge.invalid",
            "https://",
            "ssh://git@forge.invalid",
            "https://a@b.invalid",
            "https://b.invalid?x",
        ] {
            assert!(server(Some(address)).is_err(), "{address}");
        }
    }

    #[tokio::test]
    async fn a_repository_of_hooks_is_asked_over_https_only() {
        let registry = async |key: &str| {
            PreCommitHooks
                .registry(key, &[], RunOptions::default())
                .await
                .ok()
                .flatten()
        };
        let address = "https://git.invalid/a/b";
        assert_eq!(registry(address).await.as_deref(), Some(address));
        for address in [
            "http://git.invalid/a",
            "git@git.invalid:a/b",
            "file:///etc",
            "https://a@git.invalid/b",
        ] {
            assert_eq!(registry(address).await, None, "{address}");
        }
    }
}
