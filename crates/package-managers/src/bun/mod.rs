//! bun: where the packages of a `bun.lock` come from, and the check of a lockfile in a scratch copy.
//!
//! bun reads `bunfig.toml` of the project and of the user, and npm's `.npmrc`, for which npm is asked.
//! An address in `bunfig.toml` counts more, and a variable of the environment most of all. bun was seen
//! to read these files only in the directory of the lockfile.
//!
//! Deliberately absent: runs of bun that change versions. It has no command that gives an indirect
//! dependency one version.

mod config;

use std::path::{Path, PathBuf};

use patchgate_model::Lockfile;

use self::config::Settings;
use crate::manager::{configuration_next_to, is_web_address, user_file};
use crate::npm::Npm;
use crate::process;
use crate::scratch::Scratch;
use crate::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    RelockError, Relocked, RunOptions,
};

/// Name of the configuration file.
const CONFIGURATION: &str = "bunfig.toml";

/// Name of the lockfile.
const LOCKFILE: &str = "bun.lock";

/// Name of the manifests.
const MANIFEST: &str = "package.json";

/// Variables with the address of the registry, the first one first. npm reads the others itself.
const VARIABLES: [&str; 3] = [
    "BUN_CONFIG_REGISTRY",
    "NPM_CONFIG_REGISTRY",
    "npm_config_registry",
];

/// Locks without an installation. `--frozen-lockfile` does not compare anything in this mode, so the
/// lockfile is compared after the run.
const LOCK: [&str; 4] = [
    "install",
    "--lockfile-only",
    "--ignore-scripts",
    "--no-progress",
];

/// bun, which writes `bun.lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bun;

impl RegistryLocator for Bun {
    fn name(&self) -> &'static str {
        "bun"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["bun-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_next_to(root, lockfile, &[".npmrc", CONFIGURATION])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[".npmrc", CONFIGURATION])
    }

    /// bun installs deprecated releases, as npm does.
    fn installs_yanked(&self) -> bool {
        true
    }

    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        Npm.registry_key(lockfile, package)
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let variables = VARIABLES.into_iter().filter(|_| key.is_empty());
            let mut variables = variables.filter_map(|name| std::env::var(name).ok());
            if let Some(address) = variables.find(|address| is_web_address(address)) {
                return Ok(Some(address));
            }

            let (own, npmrc) = parted(configuration);
            for file in own.into_iter().chain(of_user()) {
                if let Some(address) = Settings::read(&file)?.registries.remove(key) {
                    return Ok(Some(address));
                }
            }
            Npm.registry(key, &npmrc, options).await
        })
    }
}

impl PackageManager for Bun {
    fn relock<'a>(
        &'a self,
        _project: LockedProject<'a>,
        _pins: &'a [PinnedVersion],
        _options: RunOptions,
    ) -> Answer<'a, Relocked> {
        Box::pin(async { Err(RelockError::NotExact { program: "bun" }) })
    }

    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(check(project, options))
    }
}

/// Checks that bun leaves a lockfile as it is.
async fn check(project: LockedProject<'_>, options: RunOptions) -> Result<(), RelockError> {
    let scratch = Scratch::new()?;
    let prefix = match project.directory() {
        "" => String::new(),
        directory => format!("{directory}/"),
    };
    for (path, bytes) in project.manifests {
        let inner = path.strip_prefix(&prefix);
        let is_manifest = path.rsplit('/').next() == Some(MANIFEST);
        if let Some(inner) = inner.filter(|_| is_manifest) {
            scratch.write(inner, bytes)?;
        }
    }
    let (own, npmrc) = parted(project.configuration);
    for file in &own {
        scratch.write(CONFIGURATION, Settings::read(file)?.text().as_bytes())?;
    }
    crate::npm::write_configuration(&scratch, &npmrc)?;
    scratch.write(LOCKFILE, project.bytes)?;

    let variable = std::env::var("BUN_CONFIG_REGISTRY").ok();
    let environment: Vec<(&str, &str)> = variable
        .iter()
        .map(|address| ("BUN_CONFIG_REGISTRY", address.as_str()))
        .chain([("DO_NOT_TRACK", "1")])
        .collect();
    let mut arguments = LOCK.to_vec();
    if options.offline {
        arguments.push("--offline");
    }
    let output = process::run(
        "bun",
        &arguments,
        scratch.path(),
        &environment,
        options.timeout,
    )
    .await?;
    let command = process::shown("bun", &LOCK);
    if !output.success {
        let lines = output
            .stderr
            .lines()
            .filter(|line| line.starts_with("error"));
        let reason: Vec<&str> = lines.take(3).collect();
        return Err(RelockError::Failed {
            command,
            reason: reason.join("; "),
        });
    }
    match scratch.read(LOCKFILE)? == project.bytes {
        true => Ok(()),
        false => Err(RelockError::Failed {
            command,
            reason: "bun would change the lockfile".to_owned(),
        }),
    }
}

/// The files of bun itself, and those of npm.
fn parted(configuration: &[ConfigurationFile]) -> (Vec<ConfigurationFile>, Vec<ConfigurationFile>) {
    configuration
        .iter()
        .cloned()
        .partition(|file| file.path.ends_with(CONFIGURATION))
}

/// The user's own file.
fn of_user() -> Option<ConfigurationFile> {
    let directory = std::env::var_os("XDG_CONFIG_HOME").or_else(|| std::env::var_os("HOME"))?;
    let path = PathBuf::from(directory).join(format!(".{CONFIGURATION}"));
    let content = user_file(&path)?;
    Some(ConfigurationFile {
        path: format!("~/.{CONFIGURATION}"),
        content: content.into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bunfig_counts_more_than_npmrc() {
        let file = |path: &str, content: &str| ConfigurationFile {
            path: path.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        let configuration = [
            file(".npmrc", "@two:registry=https://npmrc.invalid/\n"),
            file(
                CONFIGURATION,
                "[install.scopes]\ntwo = \"https://two.invalid/\"\n",
            ),
        ];
        let found = Bun
            .registry("@two", &configuration, RunOptions::default())
            .await;
        assert_eq!(found.unwrap().as_deref(), Some("https://two.invalid/"));

        let leaking = [file(
            CONFIGURATION,
            "[install.scopes]\ntwo = \"https://two.invalid/$NPM_TOKEN\"\n",
        )];
        let found = Bun.registry("@two", &leaking, RunOptions::default()).await;
        assert!(found.is_err());
    }
}
