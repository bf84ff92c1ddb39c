//! Where the packages of a `poetry.lock` come from: the source that the lockfile names for a package,
//! and for others those of the manifest (<https://python-poetry.org/docs/repositories/>).
//!
//! Poetry has a default index of its own that it does not print. pip's is asked instead: a mirror of
//! it has the same files. Poetry itself is not run: its lock command builds source archives, and
//! loads plugins that the manifest names.

use std::path::Path;

use patchgate_model::{Lockfile, Origin};
use patchgate_syntax::{Node, toml};

use super::address::{of_package, plain};
use super::pip;
use crate::manager::configuration_next_to;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// The key of packages from Poetry's default index.
const DEFAULT: &str = "default";

/// Poetry, which writes `poetry.lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poetry;

impl RegistryLocator for Poetry {
    fn name(&self) -> &'static str {
        "poetry"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["poetry-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_next_to(root, lockfile, &["pyproject.toml"])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&["pyproject.toml"])
    }

    /// Poetry installs a yanked release that is locked.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The address that the lockfile names for the package. A locked package without one is from the
    /// default index, and one that is not locked has an empty key.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        let address = of_package(lockfile, package);
        let is_locked = lockfile
            .packages
            .iter()
            .any(|one| one.name == package && one.origin == Origin::Registry(None));
        match address.is_empty() && is_locked {
            true => DEFAULT.to_owned(),
            false => address,
        }
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            match key {
                DEFAULT => pip::index(options).await.map(Some),
                "" => match configuration.first().map(primary).transpose()?.flatten() {
                    Some(address) => Ok(Some(address)),
                    None => pip::index(options).await.map(Some),
                },
                address => plain("poetry.lock", address).map(Some),
            }
        })
    }
}

/// The first source of a manifest that all packages may come from. Supplemental sources are only
/// asked for what others do not have, and explicit ones only for the packages that name them.
fn primary(file: &ConfigurationFile) -> Result<Option<String>, RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: file.path.clone(),
        reason,
    };
    let text =
        std::str::from_utf8(&file.content).map_err(|_| unusable("it is not UTF-8".to_owned()))?;
    let document = toml(text.trim_start_matches('\u{feff}'))
        .map_err(|error| unusable(format!("it {error}")))?;
    let poetry = document.get("tool").and_then(|tool| tool.get("poetry"));
    let sources = poetry.and_then(|poetry| poetry.get("source"));
    let is_primary = |source: &&Node<'_>| {
        let priority = source.get("priority").and_then(Node::text);
        let is_secondary = source.get("secondary").and_then(Node::bool) == Some(true);
        matches!(priority, None | Some("primary" | "default")) && !is_secondary
    };
    let mut sources = sources.map(Node::items).unwrap_or_default().iter();
    match sources
        .find(is_primary)
        .and_then(|source| source.get("url"))
    {
        Some(url) => plain(&file.path, url.text().unwrap_or_default()).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::{EcosystemName, Package};

    use super::*;

    fn file(content: &str) -> ConfigurationFile {
        ConfigurationFile {
            path: "pyproject.toml".to_owned(),
            content: content.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_first_primary_source_counts() {
        let source = |priority: &str, host: &str| {
            format!(
                "[[tool.poetry.source]]\nname = \"x\"\nurl = \"https://{host}.invalid/simple\"\n{priority}\n"
            )
        };
        for (text, expected) in [
            (source("", "a"), Some("https://a.invalid/simple")),
            (
                source("priority = \"explicit\"", "a") + &source("priority = \"primary\"", "b"),
                Some("https://b.invalid/simple"),
            ),
            (source("priority = \"supplemental\"", "a"), None),
            (source("secondary = true", "a"), None),
            (String::new(), None),
        ] {
            assert_eq!(
                primary(&file(&text)).unwrap().as_deref(),
                expected,
                "{text}"
            );
        }
        for url in ["file:///etc", "https://${TOKEN}.invalid/"] {
            let text = format!("[[tool.poetry.source]]\nname = \"x\"\nurl = \"{url}\"\n");
            assert!(primary(&file(&text)).is_err(), "{url}");
        }
    }

    #[test]
    fn locked_packages_keep_their_index() {
        let package = |name: &str, address: Option<&str>| Package {
            origin: Origin::Registry(address.map(str::to_owned)),
            ..Package::new(EcosystemName::new("PyPI"), name.to_owned(), "1".to_owned())
        };
        let lockfile = Lockfile {
            packages: vec![package("a", None), package("b", Some("https://b.invalid/"))],
            ..Lockfile::default()
        };
        assert_eq!(Poetry.registry_key(&lockfile, "a"), DEFAULT);
        assert_eq!(Poetry.registry_key(&lockfile, "b"), "https://b.invalid/");
        assert_eq!(Poetry.registry_key(&lockfile, "new"), "");
    }
}
