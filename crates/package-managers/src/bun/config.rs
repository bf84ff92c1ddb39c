//! The settings in bun's configuration files that say where packages come from
//! (<https://bun.com/docs/runtime/bunfig#package-manager>).

use std::collections::BTreeMap;

use patchgate_syntax::{Node, toml};

use crate::manager::is_web_address;
use crate::{ConfigurationFile, RelockError};

/// Kinds of dependencies that can be left out, which changes the lockfile.
const KINDS: [&str; 3] = ["dev", "optional", "peer"];

/// Most scopes that are read.
const MAX_SCOPES: usize = 1_000;

/// The settings of one file that count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// The registries by scope, with its `@`; that of all other packages has no scope.
    pub(super) registries: BTreeMap<String, String>,
    kinds: BTreeMap<&'static str, bool>,
}

impl Settings {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// When it cannot be read, or an address in it is not a plain one: bun puts variables of the
    /// environment into `$NAME`, which could send a secret to another host.
    pub(super) fn read(file: &ConfigurationFile) -> Result<Self, RelockError> {
        let unusable = |reason: &str| RelockError::Unusable {
            path: file.path.clone(),
            reason: reason.to_owned(),
        };
        let text = String::from_utf8_lossy(&file.content);
        let document = toml(&text).map_err(|error| unusable(&format!("it {}", error.reason)))?;
        let Some(install) = document.get("install") else {
            return Ok(Self::default());
        };

        let plain = |node: &Node<'_>| {
            let address = node.text().or_else(|| node.get("url").and_then(Node::text));
            let address = address.unwrap_or_default();
            match is_web_address(address) && !address.contains(['$', '"', '\\']) {
                true => Ok(address.to_owned()),
                false => Err(unusable("a registry in it is not a plain web address")),
            }
        };
        let mut settings = Self::default();
        if let Some(address) = install.get("registry") {
            settings.registries.insert(String::new(), plain(address)?);
        }
        let scopes = install.get("scopes").map(Node::entries).unwrap_or_default();
        if scopes.len() > MAX_SCOPES {
            return Err(unusable("it has too many scopes"));
        }
        for (scope, address) in scopes {
            let scope = format!("@{}", scope.name.trim_start_matches('@'));
            if scope.contains(['"', '\\']) || scope.contains(char::is_control) {
                return Err(unusable("the name of a scope in it is unusual"));
            }
            settings.registries.insert(scope, plain(address)?);
        }
        for kind in KINDS {
            if let Some(value) = install.get(kind).and_then(Node::bool) {
                settings.kinds.insert(kind, value);
            }
        }

        Ok(settings)
    }

    /// The settings as a `bunfig.toml`.
    pub(super) fn text(&self) -> String {
        let mut text = "[install]\n".to_owned();
        for (kind, value) in &self.kinds {
            text += &format!("{kind} = {value}\n");
        }
        if let Some(address) = self.registries.get("") {
            text += &format!("registry = \"{address}\"\n");
        }
        text += "[install.scopes]\n";
        for (scope, address) in self
            .registries
            .iter()
            .filter(|(scope, _)| !scope.is_empty())
        {
            text += &format!("\"{scope}\" = \"{address}\"\n");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<Settings, RelockError> {
        Settings::read(&ConfigurationFile {
            path: "bunfig.toml".to_owned(),
            content: content.as_bytes().to_vec(),
        })
    }

    #[test]
    fn only_addresses_and_kinds_are_kept() {
        let settings = read(
            "preload = [\"./evil.ts\"]\n[run]\nshell = \"./evil\"\n[install]\npeer = false\ncache = \"/\"\nregistry = { url = \"https://r.invalid/\", token = \"secret\" }\n[install.scopes]\nown = \"https://own.invalid/npm\"\n\"@two\" = { url = \"https://two.invalid\", password = \"x\" }\n[install.security]\nscanner = \"evil\"\n",
        );
        assert_eq!(
            settings.unwrap().text(),
            "[install]\npeer = false\nregistry = \"https://r.invalid/\"\n[install.scopes]\n\"@own\" = \"https://own.invalid/npm\"\n\"@two\" = \"https://two.invalid\"\n"
        );
        assert_eq!(read("[run]\nbun = true\n").unwrap(), Settings::default());
    }

    #[test]
    fn addresses_with_variables_are_refused() {
        for text in [
            "[install]\nregistry = \"https://r.invalid/$TOKEN\"",
            "[install]\nregistry = \"./here\"",
            "[install.scopes]\na = { token = \"x\" }",
            "[install.scopes]\n\"a\\\"b\" = \"https://r.invalid\"",
            "[install",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
