//! The part of a repository's `.npmrc` that npm may see, and where packages come from.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use crate::process;
use crate::scratch::Scratch;
use crate::{ConfigurationFile, RelockError, RunOptions};

/// Settings that say where packages come from and how the tree is laid out. Everything else in a
/// repository's `.npmrc` is dropped: shells, programs, caches, certificates, proxies and options
/// of Node are a way to run code or to listen in.
const KEPT: &[&str] = &[
    "registry",
    "legacy-peer-deps",
    "strict-peer-deps",
    "install-strategy",
    "install-links",
    "legacy-bundling",
    "omit-lockfile-registry-resolved",
    "replace-registry-host",
    "before",
    "min-release-age",
];

/// Variables of every run of npm. Without them, npm asks the registry for a newer npm, even offline.
pub(super) const ENVIRONMENT: &[(&str, &str)] = &[("npm_config_update_notifier", "false")];

/// Keeps the lines of an `.npmrc` that are safe to follow.
///
/// Lines with credentials are dropped too: a repository's own would be a secret in the open, or a
/// reference to a variable that npm does not get. The user's own `.npmrc` is read by npm itself.
#[must_use]
pub(super) fn filter_npmrc(npmrc: &str) -> String {
    // npm ends a line at a lone carriage return too, where a setting could hide behind a kept one.
    npmrc
        .split(['\r', '\n'])
        .filter(|line| {
            let Some((key, value)) = line.split_once('=') else {
                return false;
            };
            let key = key.trim();
            let kept = KEPT.contains(&key) || (key.starts_with('@') && key.ends_with(":registry"));
            // `${NAME}` would carry a variable of the environment into an address.
            kept && !value.contains("${") && !key.contains('[')
        })
        .fold(String::new(), |mut kept, line| {
            kept.push_str(line.trim());
            kept.push('\n');
            kept
        })
}

/// The base address of the registry that npm takes packages from, those of scopes with a registry
/// of their own aside.
///
/// # Errors
/// When npm is not installed or does not say.
pub(crate) async fn registry(
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<String, RelockError> {
    setting("registry", configuration, options)
        .await?
        .ok_or_else(|| RelockError::Failed {
            command: "npm config ls --json".to_owned(),
            reason: "it names no registry".to_owned(),
        })
}

/// The base address of the registry that npm takes the packages of a scope (`@example`) from, where
/// the scope has one of its own.
///
/// # Errors
/// When npm is not installed or fails.
pub(crate) async fn scope_registry(
    scope: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<Option<String>, RelockError> {
    setting(&format!("{scope}:registry"), configuration, options).await
}

/// The addresses of registries in npm's settings, by their key.
type Registries = BTreeMap<String, String>;

/// The registries that npm named for a filtered configuration. A project asks for each scope, and npm
/// starts in a third of a second or more, so it is run once for all of them. The environment of a
/// process stays the same, so the configuration is the whole key.
static REGISTRIES: Mutex<BTreeMap<String, Registries>> = Mutex::const_new(BTreeMap::new());

/// The address under a key of npm's settings. An answer that is not an address counts as none.
async fn setting(
    key: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<Option<String>, RelockError> {
    let filtered = filtered(configuration);

    // Held while npm runs, because any caller that asks for another scope needs the same answer.
    let mut known = REGISTRIES.lock().await;
    if let Some(registries) = known.get(&filtered) {
        return Ok(registries.get(key).cloned());
    }

    let registries = registries(configuration, options).await?;
    let address = registries.get(key).cloned();
    known.insert(filtered, registries);

    Ok(address)
}

/// All registries in npm's settings, from one run of npm.
async fn registries(
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<Registries, RelockError> {
    let scratch = Scratch::new()?;
    write_configuration(&scratch, configuration)?;
    scratch.write("package.json", b"{}")?;

    let arguments = ["config", "ls", "--json", "--loglevel=error"];
    let output = process::run(
        "npm",
        &arguments,
        scratch.path(),
        ENVIRONMENT,
        options.timeout,
    )
    .await?;
    let failed = |reason: String| RelockError::Failed {
        command: process::shown("npm", &arguments),
        reason,
    };
    if !output.success {
        return Err(failed(super::explain::reason(&output)));
    }

    read_registries(&output.stdout)
        .ok_or_else(|| failed("its settings are not a JSON object".to_owned()))
}

/// The settings that name a registry, with an address as their value.
fn read_registries(settings: &str) -> Option<Registries> {
    let settings: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(settings.trim()).ok()?;
    let registries = settings.into_iter().filter_map(|(key, value)| {
        let address = value.as_str()?.trim();
        let is_registry = key == "registry" || (key.starts_with('@') && key.ends_with(":registry"));
        let is_address = address.starts_with("https://") || address.starts_with("http://");
        (is_registry && is_address).then(|| (key, address.to_owned()))
    });

    Some(registries.collect())
}

/// The part of the configuration that npm sees.
fn filtered(configuration: &[ConfigurationFile]) -> String {
    configuration
        .iter()
        .map(|file| filter_npmrc(&String::from_utf8_lossy(&file.content)))
        .collect()
}

/// Writes the filtered configuration; later files win, as npm reads only the project's own.
pub(crate) fn write_configuration(
    scratch: &Scratch,
    configuration: &[ConfigurationFile],
) -> Result<(), RelockError> {
    let filtered = filtered(configuration);
    if filtered.is_empty() {
        return Ok(());
    }
    scratch.write(".npmrc", filtered.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_where_packages_come_from_and_nothing_that_runs() {
        insta::assert_snapshot!(
            filter_npmrc(
                "registry=https://registry.invalid/\n\
                 @ours:registry = https://ours.invalid/npm/\n\
                 //ours.invalid/npm/:_authToken=${NPM_TOKEN}\n\
                 //ours.invalid/npm/:_password=hunter2\n\
                 @leak:registry=https://leak.invalid/${GITHUB_TOKEN}/\n\
                 script-shell=./evil.sh\n\
                 git=./evil.sh\n\
                 node-options=--require ./evil.js\n\
                 cafile=evil.pem\n\
                 proxy=http://evil.invalid\n\
                 prefix=/\n\
                 cache=/\n\
                 legacy-peer-deps=true\n\
                 ; comment=1\n\
                 ignore-scripts=false\n"
            ),
            @r"
        registry=https://registry.invalid/
        @ours:registry = https://ours.invalid/npm/
        legacy-peer-deps=true
        "
        );
    }

    #[test]
    fn reads_every_registry_from_one_answer() {
        let settings = r#"{
            "registry": "https://registry.invalid/",
            "@ours:registry": "https://ours.invalid/npm/",
            "@path:registry": "file:///etc",
            "@none:registry": null,
            "proxy": "http://proxy.invalid/"
        }
"#;
        let registries: Vec<(String, String)> =
            read_registries(settings).unwrap().into_iter().collect();
        assert_eq!(
            registries,
            [
                ("@ours:registry", "https://ours.invalid/npm/"),
                ("registry", "https://registry.invalid/"),
            ]
            .map(|(key, address)| (key.to_owned(), address.to_owned()))
        );
        assert_eq!(read_registries("undefined"), None);
    }

    #[test]
    fn no_setting_hides_behind_a_lone_carriage_return() {
        assert_eq!(
            filter_npmrc(
                "registry=https://registry.invalid/\rscript-shell=/evil\rproxy=http://evil.invalid\r\n\
                 @ours:registry=https://ours.invalid/\r//ours.invalid/:_authToken=${NPM_TOKEN}"
            ),
            "registry=https://registry.invalid/\n@ours:registry=https://ours.invalid/\n"
        );
    }
}
