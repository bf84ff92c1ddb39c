//! yarn: where the packages of a `yarn.lock` come from.
//!
//! yarn 1 reads `.yarnrc` and npm's `.npmrc`, each in every directory from the project up
//! (<https://classic.yarnpkg.com/en/docs/yarnrc>). Later versions read only `.yarnrc.yml`
//! (<https://yarnpkg.com/configuration/yarnrc>). yarn is asked in a scratch directory that has
//! nothing of these files but addresses: both kinds can name a program that yarn starts instead of
//! itself (`yarn-path`, `yarnPath`), and later versions load plugins. An installation without yarn is
//! possible, because the direct writer of the lockfile does not need it; then npm is asked.
//!
//! Deliberately absent: runs of yarn that lock. Version 1 has no command for it.

mod config;

use std::path::Path;

use patchgate_model::Lockfile;

use crate::manager::{configuration_file, directories_down_to, join};
use crate::process;
use crate::scratch::Scratch;
use crate::{Answer, ConfigurationFile, RegistryLocator, RelockError, RunOptions};

/// Names of the files that configure yarn.
const NAMES: [&str; 3] = [".npmrc", ".yarnrc", ".yarnrc.yml"];

/// The format of yarn 1.
const CLASSIC: &str = "yarn-lock-v1";

/// Start of the keys of later versions, which have settings of their own.
const LATER: &str = "yarnrc.yml:";

/// Variables with the address of a registry, which yarn reads itself.
const VARIABLES: [&str; 3] = ["YARN_REGISTRY", "yarn_registry", "YARN_NPM_REGISTRY_SERVER"];

/// yarn of every version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Yarn;

impl RegistryLocator for Yarn {
    fn name(&self) -> &'static str {
        "yarn"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["yarn-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        directories_down_to(lockfile)
            .into_iter()
            .flat_map(|directory| NAMES.map(|name| join(directory, name)))
            .filter_map(|path| configuration_file(root, &path))
            .collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&NAMES)
    }

    /// yarn installs deprecated releases. Unpublished ones are gone.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The scope of the package, after a prefix for versions that read `.yarnrc.yml`.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        let scope = package
            .split_once('/')
            .map(|(scope, _)| scope)
            .filter(|scope| scope.starts_with('@'))
            .unwrap_or_default();
        match lockfile.format.as_str() {
            CLASSIC => scope.to_owned(),
            _ => format!("{LATER}{scope}"),
        }
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            match key.strip_prefix(LATER) {
                Some(scope) => later(scope, configuration, options).await.map(Some),
                None => classic(key, configuration, options).await,
            }
        })
    }
}

/// The registry of a scope, or of packages without one, for yarn 1.
async fn classic(
    scope: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<Option<String>, RelockError> {
    let setting = match scope {
        "" => "registry".to_owned(),
        scope => format!("{scope}:registry"),
    };
    let yarnrc = config::yarnrc(configuration);
    if let Some(address) = asked(&setting, &yarnrc, configuration, options).await? {
        return Ok(Some(address));
    }

    // yarn is missing, or another version, which does not read these files.
    if let Some(address) = config::stated(&yarnrc, &setting) {
        return Ok(Some(address));
    }
    let npmrc = of_npm(configuration);
    match scope {
        "" => crate::npm::registry(&npmrc, options).await.map(Some),
        scope => crate::npm::scope_registry(scope, &npmrc, options).await,
    }
}

/// The registry of a scope, or of packages without one, for yarn 2 and later. A scope without an
/// address of its own has that of all packages.
async fn later(
    scope: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<String, RelockError> {
    let settings = config::Settings::read(configuration)?;
    if let Some(address) = settings.scopes.get(scope.trim_start_matches('@')) {
        return Ok(address.clone());
    }

    // A variable counts more than every file.
    let variable = std::env::var("YARN_NPM_REGISTRY_SERVER").ok();
    if let Some(address) = variable.filter(|address| config::is_web(address)) {
        return Ok(address);
    }
    if let Some(address) = settings.default {
        return Ok(address);
    }

    for setting in ["npmRegistryServer", "registry"] {
        if let Some(address) = asked(setting, "", &[], options).await? {
            return Ok(address);
        }
    }
    crate::npm::registry(&[], options).await
}

/// The value of a setting as yarn prints it. `None` if yarn is not installed, does not know the
/// setting, or prints no address.
async fn asked(
    setting: &str,
    yarnrc: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<Option<String>, RelockError> {
    let scratch = Scratch::new()?;
    scratch.write("package.json", b"{}")?;
    if !yarnrc.is_empty() {
        scratch.write(".yarnrc", yarnrc.as_bytes())?;
    }
    crate::npm::write_configuration(&scratch, &of_npm(configuration))?;

    let variables: Vec<(&str, String)> = VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    let environment: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let arguments = ["config", "get", setting];
    let output = process::run(
        "yarn",
        &arguments,
        scratch.path(),
        &environment,
        options.timeout,
    )
    .await;

    match output {
        Ok(output) if output.success => {
            let value = output.stdout.trim();
            Ok(config::is_web(value).then(|| value.to_owned()))
        }
        Ok(_) | Err(RelockError::NotInstalled { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files that npm reads, too.
fn of_npm(configuration: &[ConfigurationFile]) -> Vec<ConfigurationFile> {
    configuration
        .iter()
        .filter(|file| file.path.rsplit('/').next() == Some(".npmrc"))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
