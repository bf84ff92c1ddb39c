//! Where the packages of a `pylock.toml` of uv come from: the index that the settings next to it name,
//! else that of pip. uv itself is not run: its lock command has no frozen form for this format.

use std::path::Path;

use patchgate_model::Lockfile;
use patchgate_syntax::{Node, toml};

use super::address::plain;
use super::pip;
use crate::manager::{configuration_file, next_to};
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Settings that name other places for packages, of uv and of `uv pip`.
const PLACES: [&str; 4] = ["index-url", "extra-index-url", "find-links", "no-index"];

/// The indexes of `pylock.toml`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pylock;

impl RegistryLocator for Pylock {
    fn name(&self) -> &'static str {
        "uv"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pylock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        ["pyproject.toml", "uv.toml"]
            .into_iter()
            .filter_map(|name| configuration_file(root, &next_to(lockfile, name)))
            .collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&["pyproject.toml", "uv.toml"])
    }

    /// uv installs a yanked release that is locked.
    fn installs_yanked(&self) -> bool {
        true
    }

    fn registry_key(&self, _lockfile: &Lockfile, _package: &str) -> String {
        String::new()
    }

    fn registry<'a>(
        &'a self,
        _key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            for file in configuration {
                if let Some(address) = stated(file)? {
                    return Ok(Some(address));
                }
            }
            pip::index(options).await.map(Some)
        })
    }
}

/// The index that a file of settings names.
///
/// # Errors
/// When it names several, or `uv pip` has one of its own.
fn stated(file: &ConfigurationFile) -> Result<Option<String>, RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: file.path.clone(),
        reason,
    };
    let text =
        std::str::from_utf8(&file.content).map_err(|_| unusable("it is not UTF-8".to_owned()))?;
    let document = toml(text.trim_start_matches('\u{feff}'))
        .map_err(|error| unusable(format!("it {error}")))?;
    let own = document.get("tool").and_then(|tool| tool.get("uv"));
    let is_manifest = file.path.ends_with("pyproject.toml");
    let Some(settings) = own.or((!is_manifest).then_some(&document)) else {
        return Ok(None);
    };
    let pip = settings.get("pip").map(Node::entries).unwrap_or_default();
    let own = settings.entries().iter().chain(pip);
    let is_other = |(key, _): &&(patchgate_syntax::Key<'_>, Node<'_>)| PLACES.contains(&&*key.name);
    if let Some((key, _)) = own.into_iter().find(is_other) {
        return Err(unusable(format!(
            "its setting `{}` is not supported",
            key.name
        )));
    }

    let listed = settings.get("index").map(Node::items).unwrap_or_default();
    let is_explicit = |index: &&Node<'_>| index.get("explicit").and_then(Node::bool) == Some(true);
    let mut listed = listed.iter().filter(|index| !is_explicit(index));
    match (listed.next(), listed.next()) {
        (None, _) => Ok(None),
        (Some(only), None) if only.get("default").and_then(Node::bool) == Some(true) => {
            let address = only.get("url").and_then(Node::text);
            plain(&file.path, address.unwrap_or_default()).map(Some)
        }
        _ => Err(unusable(
            "packages may come from several indexes".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_index_of_the_settings_counts() {
        let file = |content: &str| ConfigurationFile {
            path: "pyproject.toml".to_owned(),
            content: content.as_bytes().to_vec(),
        };
        let index = "[[tool.uv.index]]\nurl = \"https://own.invalid/simple\"\ndefault = true\n";
        let named = [file(index)];
        let found = Pylock.registry("", &named, RunOptions::default()).await;
        assert_eq!(
            found.unwrap().as_deref(),
            Some("https://own.invalid/simple")
        );

        let own = [file(
            "[tool.uv.pip]\nindex-url = \"https://other.invalid\"\n",
        )];
        let found = Pylock.registry("", &own, RunOptions::default()).await;
        assert!(found.is_err());
    }
}
