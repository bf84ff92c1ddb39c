//! Where the packages of a `pdm.lock` come from: the source `pypi` of the manifest, else the index that
//! PDM is configured with (<https://pdm-project.org/latest/usage/config/#configure-the-package-indexes>).
//!
//! PDM takes a package from any of the sources that a manifest lists, and the lockfile does not say from
//! which. A manifest with other sources is an error. PDM itself locks nothing here: it runs the build
//! backends of source archives and the plugins that a project names.

use std::path::Path;

use patchgate_model::Lockfile;
use patchgate_syntax::{Node, toml};

use super::address::{is_web, plain};
use super::pip;
use crate::manager::configuration_next_to;
use crate::process;
use crate::scratch::Scratch;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// The name of the source that replaces the default one.
const DEFAULT: &str = "pypi";

/// The variable with the address of the default source.
const VARIABLE: &str = "PDM_PYPI_URL";

/// PDM, which writes `pdm.lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pdm;

impl RegistryLocator for Pdm {
    fn name(&self) -> &'static str {
        "pdm"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["pdm-lock"]
    }

    /// The manifest, and the project's settings.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_next_to(root, lockfile, &["pyproject.toml", "pdm.toml"])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&["pyproject.toml", "pdm.toml"])
    }

    /// PDM installs a yanked release that is locked.
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
            if let Some(address) = asked(options).await? {
                return Ok(Some(address));
            }
            pip::index(options).await.map(Some)
        })
    }
}

/// The address in a manifest or in the settings of a project.
fn stated(file: &ConfigurationFile) -> Result<Option<String>, RelockError> {
    let unusable = |reason: String| RelockError::Unusable {
        path: file.path.clone(),
        reason,
    };
    let text =
        std::str::from_utf8(&file.content).map_err(|_| unusable("it is not UTF-8".to_owned()))?;
    let document = toml(text.trim_start_matches('\u{feff}'))
        .map_err(|error| unusable(format!("it {error}")))?;
    if file.path.rsplit('/').next() == Some("pdm.toml") {
        let pypi = document.get("pypi");
        let other = pypi.map(Node::entries).unwrap_or_default();
        if other.iter().any(|(_, value)| value.is_map()) {
            return Err(unusable(
                "packages may come from several sources".to_owned(),
            ));
        }
        let address = pypi.and_then(|pypi| pypi.get("url"));
        return address
            .map(|address| plain(&file.path, address.text().unwrap_or_default()))
            .transpose();
    }

    let pdm = document.get("tool").and_then(|tool| tool.get("pdm"));
    let sources = pdm.and_then(|pdm| pdm.get("source"));
    let mut found = None;
    for source in sources.map(Node::items).unwrap_or_default() {
        if source.get("name").and_then(Node::text) != Some(DEFAULT) {
            return Err(unusable(
                "packages may come from several sources".to_owned(),
            ));
        }
        let address = source.get("url").and_then(Node::text).unwrap_or_default();
        found = Some(plain(&file.path, address)?);
    }
    Ok(found)
}

/// The address that PDM prints outside of the repository. `None` if it is not installed.
async fn asked(options: RunOptions) -> Result<Option<String>, RelockError> {
    let variable = std::env::var(VARIABLE).ok();
    let environment: Vec<(&str, &str)> = variable
        .iter()
        .map(|address| (VARIABLE, address.as_str()))
        .chain([("PDM_CHECK_UPDATE", "false")])
        .collect();
    let scratch = Scratch::new()?;
    let arguments = ["config", "pypi.url"];
    let output = process::run(
        "pdm",
        &arguments,
        scratch.path(),
        &environment,
        options.timeout,
    )
    .await;
    match output {
        Ok(output) if output.success => {
            let address = output.stdout.trim();
            Ok(is_web(address).then(|| address.to_owned()))
        }
        Ok(_) | Err(RelockError::NotInstalled { .. }) => {
            Ok(variable.filter(|address| is_web(address)))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, content: &str) -> Result<Option<String>, RelockError> {
        stated(&ConfigurationFile {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
        })
    }

    #[test]
    fn only_the_default_source_is_certain() {
        let source = |name: &str, url: &str| {
            format!("[[tool.pdm.source]]\nname = \"{name}\"\nurl = \"{url}\"\n")
        };
        let own = "https://own.invalid/simple";
        let text = source("pypi", own);
        assert_eq!(
            found("pyproject.toml", &text).unwrap().as_deref(),
            Some(own)
        );
        assert_eq!(
            found("pyproject.toml", "[project]\nname = \"a\"").unwrap(),
            None
        );
        let text = format!("[pypi]\nurl = \"{own}\"\n");
        assert_eq!(found("pdm.toml", &text).unwrap().as_deref(), Some(own));

        for text in [
            source("own", own),
            source("pypi", "https://${USER}:${TOKEN}@own.invalid/"),
            source("pypi", "file:///etc"),
            source("pypi", own) + &source("own", own),
        ] {
            assert!(found("pyproject.toml", &text).is_err(), "{text}");
        }
        let text = "[pypi]\nurl = \"https://own.invalid/\"\n[pypi.extra]\nurl = \"x\"\n";
        assert!(found("pdm.toml", text).is_err());
    }
}
