//! Hex: where the packages of a `mix.lock` come from.
//!
//! The address is that of a mirror in Hex's own environment or in the configuration of the user
//! (<https://hexdocs.pm/hex/Mix.Tasks.Hex.Config.html>). Hex's default is in no file, so without a
//! mirror there is no address. Deliberately absent: every run of Mix, which runs the project's
//! `mix.exs`, and the repositories of organisations, which need a key.

use std::path::{Path, PathBuf};

use patchgate_model::{Lockfile, Origin};

use crate::manager::{is_web_address, user_file};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Variables with the address of a mirror, the one that counts first.
const VARIABLES: [&str; 2] = ["HEX_MIRROR_URL", "HEX_MIRROR"];

/// The name of Hex's own repository in lockfiles.
const PUBLIC: &str = "hexpm";

/// Hex of every version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hex;

impl RegistryLocator for Hex {
    fn name(&self) -> &'static str {
        "Hex"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["mix-lock"]
    }

    fn configuration(&self, _root: &Path, _lockfile: &str) -> Vec<ConfigurationFile> {
        Vec::new()
    }

    /// A retired release stays installable
    /// (<https://hexdocs.pm/hex/Mix.Tasks.Hex.Retire.html>).
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The repository of the package. A new package is from Hex's own.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        let mut packages = lockfile.packages.iter();
        let own = packages.find(|one| one.name == package);
        match own.map(|one| &one.origin) {
            Some(Origin::Registry(Some(repository))) => repository.clone(),
            _ => PUBLIC.to_owned(),
        }
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        _configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let mut variables = VARIABLES.iter().filter_map(|name| std::env::var(name).ok());
            let mirror = variables.find(|value| !value.is_empty());
            let file = config_file().and_then(|path| user_file(&path));
            address(key, mirror.as_deref(), file.as_deref())
                .map(Some)
                .map_err(|reason| RelockError::Failed {
                    command: "hex".to_owned(),
                    reason,
                })
        })
    }
}

/// The address of a repository, from a variable and the text of the user's configuration.
fn address(repository: &str, variable: Option<&str>, file: Option<&str>) -> Result<String, String> {
    if repository != PUBLIC {
        return Err(format!(
            "the repository `{repository}` is not supported: it needs a key"
        ));
    }
    let stated = variable.or_else(|| mirror(file?));
    let stated = stated.ok_or(
        "no mirror of Hex is configured: set `HEX_MIRROR_URL` or run `mix hex.config mirror_url`",
    )?;
    match is_web_address(stated) {
        true => Ok(stated.to_owned()),
        false => Err("the mirror of Hex is not a web address".to_owned()),
    }
}

/// The mirror in a file of Erlang's terms: `{mirror_url,<<"https://mirror.invalid">>}.`.
fn mirror(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("{mirror_url,")?;
    let (value, _) = rest.trim_start().strip_prefix("<<\"")?.split_once('"')?;
    Some(value)
}

fn config_file() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let home = variable("HEX_HOME").or_else(|| Some(variable("HOME")?.join(".hex")))?;
    Some(home.join("hex.config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_of_the_user_is_asked() {
        let file = "{'$write_key',nil}.\n{mirror_url,<<\"https://m.invalid/repo\">>}.\n";
        let own = Ok("https://m.invalid/repo".to_owned());
        assert_eq!(address("hexpm", None, Some(file)), own);
        let other = Ok("https://v.invalid".to_owned());
        assert_eq!(
            address("hexpm", Some("https://v.invalid"), Some(file)),
            other
        );
        for (repository, variable, file) in [
            ("hexpm", None, None),
            ("hexpm", None, Some("{mirror_url,nil}.")),
            ("hexpm", Some("file:///etc"), None),
            ("acme", Some("https://v.invalid"), None),
        ] {
            assert!(address(repository, variable, file).is_err(), "{repository}");
        }
    }
}
