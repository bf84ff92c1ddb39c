//! Where the packages of a Gradle build come from. Gradle itself is not run: a build script is a
//! program of the repository.
//!
//! Only what a script states literally is known: `mavenCentral()`, whose address is the one that
//! Maven's settings and installation name, and `maven { url = uri("https://…") }`
//! (<https://docs.gradle.org/current/userguide/supported_repository_types.html>). Scripts that take a
//! repository from a variable, a plugin or an init script are an error.

use std::path::Path;

use patchgate_http::Environment;
use patchgate_model::Lockfile;

use crate::manager::{configuration_file, directories_down_to, join};
use crate::maven;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Names of the scripts, the ones that decide for all projects last.
const SCRIPTS: [&str; 4] = [
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "settings.gradle.kts",
];

/// Gradle's repositories.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gradle;

impl RegistryLocator for Gradle {
    fn name(&self) -> &'static str {
        "Gradle"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["gradle-version-catalog", "gradle-lock"]
    }

    /// The scripts in the file's directory and above it. A catalog is in a directory of its own below
    /// that of its build.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        directories_down_to(lockfile)
            .iter()
            .flat_map(|directory| SCRIPTS.map(|name| join(directory, name)))
            .filter_map(|path| configuration_file(root, &path))
            .collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&SCRIPTS)
    }

    fn installs_yanked(&self) -> bool {
        false
    }

    fn registry_key(&self, _lockfile: &Lockfile, _package: &str) -> String {
        String::new()
    }

    fn registry<'a>(
        &'a self,
        _key: &'a str,
        configuration: &'a [ConfigurationFile],
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move { address(&Environment::of_process(), configuration).map(Some) })
    }
}

/// The address that the scripts state.
fn address(
    environment: &Environment,
    configuration: &[ConfigurationFile],
) -> Result<String, RelockError> {
    let mut stated = None;
    for file in configuration {
        let Ok(text) = std::str::from_utf8(&file.content) else {
            continue;
        };
        let script = without_comments(text);
        if script.contains("mavenCentral()") {
            return maven::address(environment, &[]);
        }
        stated = stated.or_else(|| literal(&script));
    }

    stated.ok_or_else(|| RelockError::Failed {
        command: "gradle".to_owned(),
        reason: "the build scripts state no repository as a literal address".to_owned(),
    })
}

/// The first address of HTTPS that a script states for a repository: `url = uri("…")`, `url '…'`,
/// `maven("…")`. An address with anything but a host and a path is left out, and so is one in which
/// the script puts a value.
fn literal(script: &str) -> Option<String> {
    script.match_indices("https://").find_map(|(at, _)| {
        let before = script.get(..at)?;
        let quote = before
            .chars()
            .next_back()
            .filter(|one| "\"'".contains(*one))?;
        let rest = script.get(at..)?;
        let address = rest.get(..rest.find(quote)?)?;
        let is_plain = address.len() > "https://".len()
            && !address.contains(['@', '?', '#', '$', '\\'])
            && !address.contains(char::is_whitespace);

        let call = before.get(..before.len() - quote.len_utf8())?;
        let call = call.trim_end_matches([' ', '=', '(']);
        let call = call.strip_suffix("uri").unwrap_or(call);
        let call = call.trim_end_matches([' ', '=', '(']);
        let is_repository = ["url", "setUrl", "maven"]
            .iter()
            .any(|name| is_word_at_end(call, name));
        (is_plain && is_repository).then(|| address.trim_end_matches('/').to_owned())
    })
}

fn is_word_at_end(text: &str, word: &str) -> bool {
    let before = text.strip_suffix(word).map(|rest| rest.chars().next_back());
    before.is_some_and(|last| last.is_none_or(|one| !one.is_alphanumeric() && one != '_'))
}

/// A script without its comments. Text in quotes stays.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut quote = None;
    while let Some(next) = rest.chars().next() {
        let skipped = match quote {
            None if rest.starts_with("//") => Some(rest.find('\n').unwrap_or(rest.len())),
            None if rest.starts_with("/*") => {
                Some(rest.find("*/").map_or(rest.len(), |end| end + 2))
            }
            _ => None,
        };
        if let Some(skipped) = skipped {
            rest = rest.get(skipped..).unwrap_or_default();
            continue;
        }

        let mut length = next.len_utf8();
        match quote {
            Some(_) if next == '\\' => {
                length += rest.chars().nth(1).map_or(0, char::len_utf8);
            }
            // A text in one line ends with it at the latest.
            Some(open) if next == open || next == '\n' => quote = None,
            None if matches!(next, '"' | '\'') => quote = Some(next),
            _ => {}
        }
        kept.push_str(rest.get(..length).unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }

    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(script: &str) -> Option<String> {
        let file = ConfigurationFile {
            path: "build.gradle".to_owned(),
            content: script.as_bytes().to_vec(),
        };
        address(&Environment::new(Default::default(), []), &[file]).ok()
    }

    #[test]
    fn a_literal_address_is_the_repository() {
        let expected = Some("https://own.invalid/maven".to_owned());
        for script in [
            "repositories { maven { url = uri(\"https://own.invalid/maven/\") } }",
            "repositories { maven { url 'https://own.invalid/maven' } }",
            "repositories { maven(\"https://own.invalid/maven\") }",
            "repositories { maven { setUrl(\"https://own.invalid/maven\") } }",
            "// maven { url 'https://old.invalid' }\nmaven { url = 'https://own.invalid/maven' }",
            "/* maven('https://old.invalid') */ maven('https://own.invalid/maven')",
        ] {
            assert_eq!(found(script), expected, "{script}");
        }
    }

    #[test]
    fn other_repositories_are_not_known() {
        for script in [
            "",
            "repositories { google() }",
            "repositories { maven { url = uri(mirror) } }",
            "repositories { maven { url = uri(\"https://$host/maven\") } }",
            "repositories { maven { url = uri(\"http://own.invalid/maven\") } }",
            "repositories { maven { url = uri(\"https://me:secret@own.invalid\") } }",
            "repositories { maven { url = uri(\"https://own.invalid?token=${System.getenv('T')}\") } }",
            "// repositories { mavenCentral() }",
            "homepage = 'https://own.invalid'",
            // Without settings or an installation of Maven its address is not known.
            "repositories { mavenCentral() }",
        ] {
            assert_eq!(found(script), None, "{script}");
        }
    }

    #[test]
    fn the_scripts_above_a_file_count() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("app/gradle")).unwrap();
        for path in ["settings.gradle.kts", "app/build.gradle"] {
            std::fs::write(root.path().join(path), "").unwrap();
        }
        let files = Gradle.configuration(root.path(), "app/gradle/libs.versions.toml");
        let paths: Vec<&str> = files.iter().map(|file| &*file.path).collect();
        assert_eq!(paths, ["settings.gradle.kts", "app/build.gradle"]);
    }
}
