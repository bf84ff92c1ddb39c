//! Composer: where packages come from, the check of a lockfile, and the lock of exact versions.
//!
//! Composer runs without plugins and scripts, and with its directories inside of the scratch directory,
//! because a `composer.json` can name others. A project with repositories that Composer would read
//! itself (directories, version control, archives) is not locked again: their addresses can name
//! programs.

mod repositories;

use std::path::Path;

use patchgate_model::Lockfile;

use crate::manager::{configuration_next_to, next_to, stated_address_of};
use crate::process::{self, Output};
use crate::scratch::Scratch;
use crate::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    RelockError, Relocked, RunOptions,
};
use repositories::Stated;

const MANIFEST: &str = "composer.json";
const LOCKFILE: &str = "composer.lock";

/// Prints the repositories.
const CONFIG: [&str; 3] = ["config", "repositories", "--no-plugins"];

/// Reads the lockfile as an installation does, and changes nothing.
const CHECK: [&str; 7] = [
    "install",
    "--dry-run",
    "--no-plugins",
    "--no-scripts",
    "--no-autoloader",
    "--no-progress",
    "--ignore-platform-reqs",
];

/// Locks again and installs nothing.
const UPDATE: [&str; 7] = [
    "update",
    "--no-install",
    "--no-plugins",
    "--no-scripts",
    "--no-autoloader",
    "--no-progress",
    "--ignore-platform-reqs",
];

/// Settings that count more than those of a `composer.json`.
const ENVIRONMENT: [(&str, &str); 10] = [
    ("COMPOSER_NO_INTERACTION", "1"),
    // Root may run it, because plugins and scripts are off.
    ("COMPOSER_ALLOW_SUPERUSER", "1"),
    ("COMPOSER_NO_AUDIT", "1"),
    ("COMPOSER_VENDOR_DIR", "vendor"),
    ("COMPOSER_BIN_DIR", "vendor/bin"),
    ("COMPOSER_DATA_DIR", "composer-data"),
    ("COMPOSER_CACHE_DIR", "composer-cache"),
    ("COMPOSER_CACHE_FILES_DIR", "composer-cache/files"),
    ("COMPOSER_CACHE_REPO_DIR", "composer-cache/repo"),
    ("COMPOSER_CACHE_VCS_DIR", "composer-cache/vcs"),
];

/// A part of Composer's warning about a lockfile with the hash of another `composer.json`.
const OUTDATED: &str = "lock file is not up to date";

/// The `composer` command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Composer;

impl RegistryLocator for Composer {
    fn name(&self) -> &'static str {
        "composer"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["composer-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_next_to(root, lockfile, &[MANIFEST])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[MANIFEST])
    }

    /// A release that was removed from its repository is gone.
    fn installs_yanked(&self) -> bool {
        false
    }

    /// The address to which installations of the package are reported: the only trace of its
    /// repository in a lockfile. A new package has that of all packages, if there is one.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        stated_address_of(lockfile, |name| name.eq_ignore_ascii_case(package))
            .unwrap_or_default()
            .to_owned()
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move { registry(key, configuration, options).await.map(Some) })
    }
}

async fn registry(
    key: &str,
    configuration: &[ConfigurationFile],
    options: RunOptions,
) -> Result<String, RelockError> {
    let stated = Stated::read(configuration)?;
    let scratch = Scratch::new()?;
    scratch.write(MANIFEST, stated.manifest().as_bytes())?;
    let addresses = match run(&CONFIG, scratch.path(), options, true).await {
        Ok(output) if output.success => repositories::printed(&output.stdout)?,
        Ok(output) => return Err(failed(&CONFIG, &output)),
        // Without Composer only the repositories of the project are known.
        Err(RelockError::NotInstalled { .. }) if !stated.addresses.is_empty() => stated.addresses,
        Err(error) => return Err(error),
    };

    let found = repositories::of_notification(&addresses, key);
    found.map(str::to_owned).ok_or_else(|| RelockError::Failed {
        command: "composer config repositories".to_owned(),
        reason: match addresses.is_empty() {
            true => "it names no repository of packages".to_owned(),
            false => "it is not clear which of its repositories a package is from".to_owned(),
        },
    })
}

impl PackageManager for Composer {
    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked> {
        Box::pin(relock(project, pins, options))
    }

    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(async move {
            let scratch = prepare(project)?;
            let output = run(&CHECK, scratch.path(), options, true).await?;
            let said = format!("{}{}", output.stdout, output.stderr);
            match output.success && !said.contains(OUTDATED) {
                true => Ok(()),
                false => Err(failed(&CHECK, &output)),
            }
        })
    }
}

async fn relock(
    project: LockedProject<'_>,
    pins: &[PinnedVersion],
    options: RunOptions,
) -> Result<Relocked, RelockError> {
    let path = &project.lockfile.path;
    let unusable = |reason: &str| RelockError::Unusable {
        path: path.clone(),
        reason: reason.to_owned(),
    };
    if Stated::read(project.configuration)?.has_others {
        return Err(unusable(
            "its project has repositories that are not of packages",
        ));
    }

    let is_safe = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == ':')
    };
    let mut arguments: Vec<String> = UPDATE
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect();
    for pin in pins {
        if !is_safe(&pin.name) || !is_safe(&pin.to) {
            return Err(unusable("it names a package that Composer does not allow"));
        }
        arguments.extend(["--with".to_owned(), format!("{}:{}", pin.name, pin.to)]);
    }
    let moved = pins.iter().filter(|pin| !pin.from.is_empty());
    arguments.push("--".to_owned());
    arguments.extend(moved.map(|pin| pin.name.clone()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();

    let scratch = prepare(project)?;
    let output = run(&arguments, scratch.path(), options, options.offline).await?;
    if !output.success {
        return Err(failed(&UPDATE, &output));
    }
    let lockfile = scratch.read(LOCKFILE)?;
    check_pins(project, &lockfile, pins)?;
    Ok(Relocked {
        lockfile,
        others: patchgate_ecosystems::Siblings::new(),
        notes: Vec::new(),
    })
}

/// Refuses a result in which a package has another version than asked for.
fn check_pins(
    project: LockedProject<'_>,
    bytes: &[u8],
    pins: &[PinnedVersion],
) -> Result<(), RelockError> {
    let path = &project.lockfile.path;
    let lockfile = patchgate_ecosystems::parse(&patchgate_ecosystems::Input {
        path,
        bytes,
        siblings: project.manifests,
    })
    .map_err(|error| RelockError::Unusable {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let is_met = |pin: &&PinnedVersion| {
        let mut packages = lockfile.packages.iter();
        packages.any(|one| one.name.eq_ignore_ascii_case(&pin.name) && one.version == pin.to)
    };
    match pins.iter().find(|pin| !is_met(pin)) {
        None => Ok(()),
        Some(pin) => Err(RelockError::Refused {
            package: pin.name.clone(),
            version: pin.to.clone(),
            reason: "Composer locks another version".to_owned(),
        }),
    }
}

/// A scratch directory with the manifest and the lockfile of a project.
fn prepare(project: LockedProject<'_>) -> Result<Scratch, RelockError> {
    let path = next_to(&project.lockfile.path, MANIFEST);
    let manifest = project
        .manifests
        .get(&path)
        .ok_or_else(|| RelockError::Unusable {
            path: project.lockfile.path.clone(),
            reason: format!("`{path}` is missing"),
        })?;
    let scratch = Scratch::new()?;
    scratch.write(MANIFEST, manifest)?;
    scratch.write(LOCKFILE, project.bytes)?;
    Ok(scratch)
}

async fn run(
    arguments: &[&str],
    directory: &Path,
    options: RunOptions,
    is_offline: bool,
) -> Result<Output, RelockError> {
    let mut environment = ENVIRONMENT.to_vec();
    if is_offline {
        environment.push(("COMPOSER_DISABLE_NETWORK", "1"));
    }
    let home = std::env::var("COMPOSER_HOME").ok();
    if let Some(home) = &home {
        environment.push(("COMPOSER_HOME", home));
    }
    process::run(
        "composer",
        arguments,
        directory,
        &environment,
        options.timeout,
    )
    .await
}

/// The error of a run: the lines in which Composer names problems, else its last line.
fn failed(arguments: &[&str], output: &Output) -> RelockError {
    let text = format!("{}\n{}", output.stdout, output.stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let problems: Vec<&str> = lines
        .clone()
        .filter(|line| line.starts_with("- ") || line.contains(OUTDATED))
        .take(3)
        .collect();
    let reason = match problems.is_empty() {
        true => lines.next_back().unwrap_or("it says nothing").to_owned(),
        false => problems.join("; "),
    };
    RelockError::Failed {
        command: process::shown("composer", arguments),
        reason: reason.chars().take(600).collect(),
    }
}

#[cfg(test)]
mod tests {
    use patchgate_model::Package;

    use patchgate_model::Origin;

    use super::*;

    #[test]
    fn the_notification_address_is_the_key() {
        let name = patchgate_ecosystems::by_name("Packagist").unwrap().name();
        let package = |own: &str, address: &str| Package {
            origin: Origin::Registry(Some(address.to_owned())),
            ..Package::new(name, own.to_owned(), "1".to_owned())
        };
        let (a, b) = ("https://a.invalid/d/", "https://b.invalid/d/");
        let lockfile = |packages: Vec<Package>| Lockfile {
            packages,
            ..Lockfile::default()
        };
        let one = lockfile(vec![package("x/a", a), package("x/b", a)]);
        assert_eq!(Composer.registry_key(&one, "x/new"), a);
        let two = lockfile(vec![package("x/a", a), package("x/b", b)]);
        assert_eq!(Composer.registry_key(&two, "X/B"), b);
        assert_eq!(Composer.registry_key(&two, "x/new"), "");
    }

    #[test]
    fn a_failure_says_what_composer_objects_to() {
        let output = Output {
            success: false,
            stdout: String::new(),
            stderr: "Loading\n- Required package \"a/b\" is not in the lock file.\nRead more\n"
                .to_owned(),
        };
        assert_eq!(
            failed(&["install"], &output).to_string(),
            "`composer install` failed: - Required package \"a/b\" is not in the lock file."
        );
    }
}
