//! The addresses in yarn's configuration files.

use std::collections::BTreeMap;

use patchgate_syntax::Node;

use crate::{ConfigurationFile, RelockError};

/// Most scopes that are read.
const MAX_SCOPES: usize = 1_000;

/// Whether a text is an address that metadata can be asked from.
pub(super) fn is_web(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn named<'c>(
    configuration: &'c [ConfigurationFile],
    name: &'c str,
) -> impl Iterator<Item = &'c ConfigurationFile> {
    configuration
        .iter()
        .filter(move |file| file.path.rsplit('/').next() == Some(name))
}

/// The addresses of registries in the `.yarnrc` files, one for each line, the outermost directory
/// first.
pub(super) fn yarnrc(configuration: &[ConfigurationFile]) -> String {
    let mut kept = String::new();
    for file in named(configuration, ".yarnrc") {
        let text = String::from_utf8_lossy(&file.content);
        for line in text.split(['\r', '\n']) {
            if let Some((key, value)) = setting(line) {
                kept += &format!("\"{key}\" \"{value}\"\n");
            }
        }
    }

    kept
}

/// The last value of a setting in a text of [`yarnrc`].
pub(super) fn stated(yarnrc: &str, key: &str) -> Option<String> {
    yarnrc
        .lines()
        .filter_map(setting)
        .rfind(|(known, _)| *known == key)
        .map(|(_, value)| value.to_owned())
}

/// The address in a line `registry "…"` or `"@scope:registry" "…"`. Lines that are indented belong
/// to another setting.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, rest) = match line.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => line.split_once(' ')?,
    };
    let value = rest.trim().trim_matches('"');
    let is_registry = key == "registry" || (key.starts_with('@') && key.ends_with(":registry"));
    let is_plain = |text: &str| !text.contains(['"', '\\', ' ', '$']);
    (is_registry && is_plain(key) && is_plain(value) && is_web(value)).then_some((key, value))
}

/// The addresses in the `.yarnrc.yml` files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// That of all packages (`npmRegistryServer`).
    pub(super) default: Option<String>,
    /// Those of scopes (`npmScopes`), by scope without `@`.
    pub(super) scopes: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the files, the outermost directory first; a later file counts more.
    ///
    /// # Errors
    /// When a file cannot be read, or an address is not a plain one: yarn puts variables of the
    /// environment into `${NAME}`, which could send a secret to another host.
    pub(super) fn read(configuration: &[ConfigurationFile]) -> Result<Self, RelockError> {
        let mut settings = Self::default();
        for file in named(configuration, ".yarnrc.yml") {
            let unusable = |reason: String| RelockError::Unusable {
                path: file.path.clone(),
                reason,
            };
            let text = std::str::from_utf8(&file.content)
                .map_err(|_| unusable("it is not UTF-8".to_owned()))?;
            if text.trim().is_empty() {
                continue;
            }
            let document =
                patchgate_syntax::yaml(text).map_err(|error| unusable(format!("it {error}")))?;
            let address = |node: &Node<'_>| -> Result<Option<String>, RelockError> {
                let Some(value) = node.get("npmRegistryServer") else {
                    return Ok(None);
                };
                match value
                    .text()
                    .filter(|text| is_web(text) && !text.contains("${"))
                {
                    Some(text) => Ok(Some(text.to_owned())),
                    None => Err(unusable(
                        "`npmRegistryServer` is not a plain web address".to_owned(),
                    )),
                }
            };

            if let Some(default) = address(&document)? {
                settings.default = Some(default);
            }
            let scopes = document.get("npmScopes").map(Node::entries);
            for (scope, node) in scopes.unwrap_or_default().iter().take(MAX_SCOPES) {
                if let Some(found) = address(node)? {
                    settings.scopes.insert(scope.name.to_string(), found);
                }
            }
        }

        Ok(settings)
    }
}
