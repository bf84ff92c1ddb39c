//! uv: where the packages of a `uv.lock` come from, and its lock command
//! (<https://docs.astral.sh/uv/reference/cli/#uv-lock>).
//!
//! uv runs with `--no-build`, so that no build of the project or of a dependency starts, and without
//! downloads of Python. It sees the `pyproject.toml` files with those settings only that say what is
//! locked: others name programs and directories.

mod settings;

use std::path::Path;

use patchgate_ecosystems::limits;
use patchgate_model::Lockfile;

use super::address::{of_package, plain};
use super::pip;
use crate::manager::{configuration_file, configuration_file_up_to, next_to};
use crate::process::{self, Output};
use crate::scratch::Scratch;
use crate::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    RelockError, Relocked, RunOptions,
};

/// Name of the manifest.
const MANIFEST: &str = "pyproject.toml";

/// Name of the lockfile of a project. Those of scripts have other names.
const LOCKFILE: &str = "uv.lock";

/// Variables of the user that say where packages come from and where they are kept.
const VARIABLES: [&str; 6] = [
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
];

/// Longest reason that is passed on, in characters.
const MAX_REASON: usize = 400;

/// uv, which writes `uv.lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uv;

impl RegistryLocator for Uv {
    fn name(&self) -> &'static str {
        "uv"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["uv-lock"]
    }

    /// The lockfile itself, which names the index of each package, and the settings next to it.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        let own = configuration_file_up_to(root, lockfile, limits::MAX_FILE_BYTES as u64);
        let others = [MANIFEST, "uv.toml"]
            .into_iter()
            .filter_map(|name| configuration_file(root, &next_to(lockfile, name)));
        own.into_iter().chain(others).collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[MANIFEST, "uv.toml"])
    }

    /// uv installs a yanked release that is locked.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The index that the lockfile names for the package.
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
            let path = configuration
                .first()
                .map_or(LOCKFILE, |file| file.path.as_str());
            if !key.is_empty() {
                return plain(path, key).map(Some);
            }
            let mut indexes = settings::indexes(configuration)?.into_iter();
            match (indexes.next(), indexes.next()) {
                (None, _) => pip::index(options).await.map(Some),
                (Some(only), None) => plain(path, &only).map(Some),
                (Some(_), Some(_)) => Err(RelockError::Unusable {
                    path: path.to_owned(),
                    reason: "it has several indexes, so that of a new package is not certain"
                        .to_owned(),
                }),
            }
        })
    }
}

impl PackageManager for Uv {
    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked> {
        Box::pin(relock(project, pins, options.into()))
    }

    /// uv compares the lockfile with the manifests. It does not resolve again, so it does not prove
    /// the dependencies of a package of an index.
    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(check(project, options.into()))
    }
}

/// How uv is run.
#[derive(Clone, Copy)]
struct Run {
    options: RunOptions,
    /// The program. Tests run one at a path.
    program: &'static str,
}

impl From<RunOptions> for Run {
    fn from(options: RunOptions) -> Self {
        Self {
            options,
            program: "uv",
        }
    }
}

async fn relock(
    project: LockedProject<'_>,
    pins: &[PinnedVersion],
    with: Run,
) -> Result<Relocked, RelockError> {
    if pins.is_empty() || project.file_name() != LOCKFILE {
        return Err(RelockError::NotExact { program: "uv" });
    }
    let scratch = scratch(project)?;
    let wanted: Vec<String> = pins
        .iter()
        .map(|pin| format!("--upgrade-package={}=={}", pin.name, pin.to))
        .collect();
    run(&scratch, &project, &wanted, with).await?;
    let lockfile = scratch.read(&project.lockfile.path)?;

    // A further run must not change the file again.
    run(&scratch, &project, &["--check".to_owned()], with).await?;
    Ok(Relocked {
        lockfile,
        others: patchgate_ecosystems::Siblings::new(),
        notes: Vec::new(),
    })
}

async fn check(project: LockedProject<'_>, with: Run) -> Result<(), RelockError> {
    if project.file_name() != LOCKFILE {
        return Err(RelockError::Unusable {
            path: project.lockfile.path.clone(),
            reason: "lockfiles of scripts are not checked".to_owned(),
        });
    }
    let scratch = scratch(project)?;
    run(&scratch, &project, &["--check".to_owned()], with).await?;
    match scratch.read(&project.lockfile.path)? == project.bytes {
        true => Ok(()),
        false => Err(RelockError::Unstable {
            command: "uv lock --check".to_owned(),
        }),
    }
}

/// A scratch directory with the lockfile and the manifests, in the layout of the repository.
fn scratch(project: LockedProject<'_>) -> Result<Scratch, RelockError> {
    let scratch = Scratch::new()?;
    for (path, content) in project.manifests {
        if path.rsplit('/').next() == Some(MANIFEST) {
            scratch.write(path, settings::manifest(path, content)?.as_bytes())?;
        }
    }
    for file in project.configuration {
        if file.path.ends_with("uv.toml") {
            let text = settings::file(&file.path, &file.content)?;
            scratch.write(&file.path, text.as_bytes())?;
        }
    }
    scratch.write(&project.lockfile.path, project.bytes)?;
    Ok(scratch)
}

/// Runs `uv lock` in the directory of the lockfile.
async fn run(
    scratch: &Scratch,
    project: &LockedProject<'_>,
    arguments: &[String],
    with: Run,
) -> Result<(), RelockError> {
    let mut all = vec!["lock", "--no-build", "--no-progress"];
    if with.options.offline {
        all.push("--offline");
    }
    all.extend(arguments.iter().map(String::as_str));
    let variables: Vec<(&str, String)> = VARIABLES
        .into_iter()
        .filter_map(|name| Some((name, std::env::var(name).ok()?)))
        .collect();
    let mut environment: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    environment.extend([
        ("UV_PYTHON_DOWNLOADS", "never"),
        ("UV_KEYRING_PROVIDER", "disabled"),
        ("NO_COLOR", "1"),
        // Git asks for no password.
        ("GIT_TERMINAL_PROMPT", "0"),
    ]);

    let directory = scratch.path().join(project.directory());
    let output = process::run(
        with.program,
        &all,
        &directory,
        &environment,
        with.options.timeout,
    )
    .await?;
    match output.success {
        true => Ok(()),
        false => Err(failure(&all, &output)),
    }
}

/// The error of a failed run.
fn failure(arguments: &[&str], output: &Output) -> RelockError {
    let command = process::shown("uv", arguments);
    let text = &output.stderr;
    if text.contains("No interpreter found") {
        return RelockError::NotInstalled { program: "python" };
    }

    let lines = text
        .lines()
        .map(|line| line.trim_matches(|c: char| c.is_whitespace() || "×╰─▶│├".contains(c)))
        .filter(|line| !line.is_empty())
        .filter(|line| !line.starts_with("Using ") && !line.starts_with("warning:"))
        .map(|line| line.trim_start_matches("error: "));
    let reason: String = lines.collect::<Vec<_>>().join(" ");
    let reason: String = match reason.is_empty() {
        true => "it says nothing about why".to_owned(),
        false => reason.chars().take(MAX_REASON).collect(),
    };
    let unreachable = [
        "error sending request",
        "dns error",
        "Failed to fetch",
        "Git operation failed",
        "Network connectivity is disabled",
    ];
    if unreachable.iter().any(|sign| text.contains(sign)) {
        return RelockError::Unreachable { command, reason };
    }
    RelockError::Failed { command, reason }
}

#[cfg(test)]
mod tests;
