//! Mirrors in Bundler's settings: those of the repository count before the environment, and that
//! before those of the user.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::ConfigurationFile;
use crate::manager::user_file;

/// Start of the names of settings for mirrors.
const MIRROR: &str = "BUNDLE_MIRROR__";

/// The mirror of all sources.
const ALL: &str = "BUNDLE_MIRROR__ALL";

/// Mirrors by the names of their settings.
#[derive(Debug, Default)]
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads the settings of a repository, of the environment and of the user.
    pub(super) fn read(configuration: &[ConfigurationFile]) -> Self {
        let user = user_configuration().and_then(|path| user_file(&path));
        let mut settings = Self::default();
        settings.add(&user.unwrap_or_default());
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        settings
            .0
            .extend(variables.filter(|(name, _)| name.starts_with(MIRROR)));
        for file in configuration {
            settings.add(&String::from_utf8_lossy(&file.content));
        }

        settings
    }

    /// Reads lines such as `BUNDLE_MIRROR__HTTPS://GEMS__INVALID/: "https://mirror.invalid"`.
    fn add(&mut self, text: &str) {
        for line in text.lines() {
            if let Some((name, value)) = line.split_once(": ")
                && name.starts_with(MIRROR)
            {
                let value = value.trim().trim_matches(['"', '\'']);
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The mirror of a source.
    pub(super) fn mirror(&self, source: &str) -> Option<String> {
        let mirror = self.0.get(&setting(source)).or_else(|| self.0.get(ALL));
        mirror.cloned()
    }
}

/// The name of the setting for the mirror of a source (Bundler's `Settings#key_for`).
fn setting(source: &str) -> String {
    let source = source
        .trim_end_matches('/')
        .replace('.', "__")
        .replace('-', "___");
    format!("{MIRROR}{}/", source.to_uppercase())
}

fn user_configuration() -> Option<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("BUNDLE_USER_CONFIG")
        .or_else(|| Some(variable("BUNDLE_USER_HOME")?.join("config")))
        .or_else(|| Some(variable("HOME")?.join(".bundle/config")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_found_by_the_name_of_their_setting() {
        let mut settings = Settings::default();
        settings.add(
            "---\nBUNDLE_PATH: \"vendor\"\n\
             BUNDLE_MIRROR__HTTPS://MY___GEMS__INVALID/: \"https://mirror.invalid/\"\n\
             BUNDLE_GEMS__INVALID: \"user:password\"\n",
        );
        let mirror = |source| settings.mirror(source);
        assert_eq!(
            mirror("https://my-gems.invalid").as_deref(),
            Some("https://mirror.invalid/")
        );
        assert_eq!(
            mirror("https://my-gems.invalid/").as_deref(),
            Some("https://mirror.invalid/")
        );
        assert_eq!(mirror("https://gems.invalid/"), None);

        settings.add("BUNDLE_MIRROR__ALL: https://all.invalid\n");
        assert_eq!(
            settings.mirror("https://gems.invalid/").as_deref(),
            Some("https://all.invalid")
        );
    }
}
