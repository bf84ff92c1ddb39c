//! Where the packages of a `Pipfile.lock` come from: the sources that it lists
//! (<https://pipenv.pypa.io/en/stable/indexes.html>).
//!
//! A package without an index of its own comes from the first source. Pipenv itself is not run.

use std::path::Path;

use patchgate_ecosystems::limits;
use patchgate_model::Lockfile;

use super::address::{of_package, plain};
use super::pip;
use crate::manager::configuration_file_up_to;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Pipenv, which writes `Pipfile.lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pipenv;

impl RegistryLocator for Pipenv {
    fn name(&self) -> &'static str {
        "pipenv"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pipfile-lock"]
    }

    /// The lockfile itself, which lists its sources.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_file_up_to(root, lockfile, limits::MAX_FILE_BYTES as u64)
            .into_iter()
            .collect()
    }

    /// Pipenv installs what is locked, with pip.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The address that the lockfile names for the package.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        of_package(lockfile, package)
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let file = configuration.first();
            let path = file.map_or("Pipfile.lock", |file| file.path.as_str());
            if !key.is_empty() {
                return plain(path, key).map(Some);
            }
            match file.map(first_source).transpose()?.flatten() {
                Some(address) => Ok(Some(address)),
                None => pip::index(options).await.map(Some),
            }
        })
    }
}

/// The address of the first source of a `Pipfile.lock`.
fn first_source(file: &ConfigurationFile) -> Result<Option<String>, RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: file.path.clone(),
        reason,
    };
    let text =
        std::str::from_utf8(&file.content).map_err(|_| unusable("it is not UTF-8".to_owned()))?;
    let document = patchgate_syntax::json(text.trim_start_matches('\u{feff}'))
        .map_err(|error| unusable(format!("it {error}")))?;
    let sources = document.get("_meta").and_then(|meta| meta.get("sources"));
    let first = sources.and_then(|sources| sources.items().first());
    let address = first.and_then(|source| source.get("url"));

    match address.and_then(|address| address.text()) {
        Some(address) => plain(&file.path, address).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::pypi::PyPi;
    use patchgate_ecosystems::{Ecosystem as _, Input, Siblings};

    use super::*;

    const LOCK: &str = r#"{
    "_meta": {
        "hash": {"sha256": "00"},
        "pipfile-spec": 6,
        "requires": {},
        "sources": [
            {"name": "main", "url": "https://main.invalid/simple", "verify_ssl": true},
            {"name": "own", "url": "https://own.invalid/simple", "verify_ssl": true}
        ]
    },
    "default": {
        "a": {"hashes": [], "index": "own", "version": "==1.0"},
        "b": {"hashes": [], "version": "==1.0"}
    },
    "develop": {}
}
"#;

    fn file(content: &str) -> ConfigurationFile {
        ConfigurationFile {
            path: "Pipfile.lock".to_owned(),
            content: content.as_bytes().to_vec(),
        }
    }

    #[tokio::test]
    async fn sources_of_the_lockfile_count() {
        let siblings = Siblings::new();
        let input = Input {
            path: "Pipfile.lock",
            bytes: LOCK.as_bytes(),
            siblings: &siblings,
        };
        let formats = PyPi.files().unwrap().formats();
        let format = formats.iter().find(|format| format.id == "pipfile-lock");
        let lockfile = (format.unwrap().parse)(&input).unwrap();
        for (package, expected) in [
            ("a", "https://own.invalid/simple"),
            ("b", "https://main.invalid/simple"),
            ("new", "https://main.invalid/simple"),
        ] {
            let key = Pipenv.registry_key(&lockfile, package);
            let address = Pipenv
                .registry(&key, &[file(LOCK)], RunOptions::default())
                .await
                .unwrap();
            assert_eq!(address.as_deref(), Some(expected), "{package}");
        }
    }

    #[test]
    fn a_source_with_a_variable_is_an_error() {
        for address in [
            "https://u:$TOKEN@main.invalid/",
            "https://${HOST}/",
            "file:///etc",
        ] {
            let text = LOCK.replace("https://main.invalid/simple", address);
            assert!(first_source(&file(&text)).is_err(), "{address}");
        }
        assert!(first_source(&file("{")).is_err());
        assert_eq!(first_source(&file("{}")).unwrap(), None);
    }
}
