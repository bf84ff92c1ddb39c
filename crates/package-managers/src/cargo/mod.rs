//! Cargo: changes versions in `Cargo.lock`.
//!
//! The versions are written into the lockfile, without checksums and with the dependencies of the
//! versions before. `cargo update --workspace` keeps them, because it keeps everything that is locked,
//! and completes the rest in one run, whatever the number of changes and their order.
//! `cargo update --precise` changes one package in each run, and only where all others stay; it is used
//! where Cargo's answer does not say which version it refuses.
//!
//! The scratch copy contains manifests, reduced to the keys that decide the graph, and an empty
//! library for each. Nothing of the repository can be built or run, and `cargo update` builds
//! nothing anyway.
//!
//! Not here: substitutes for git and path dependencies that are unreachable. A lockfile says
//! neither which features of a package are on, nor which requirements and features the package
//! states for its own dependencies. With a guess for those, Cargo would drop and add optional
//! packages all over the lockfile, and nothing could check whether the real package admits the new
//! versions. The error names the unreachable source instead.

mod config;
mod explain;
mod locked;
mod manager;
mod registry;
mod toolchain;

pub(crate) use manager::Cargo;

use config::filter_config;
use registry::registry;

use std::path::Path;

use locked::Locked;
use patchgate_ecosystems::cargo::{with_format_of, with_versions, without_package};

use crate::process::{self, Output};
use crate::scratch::{Project, Scratch};
use crate::{ConfigurationFile, PinnedVersion, RelockError, Relocked, RunOptions};

/// Changes versions in a Cargo workspace's lockfile, in the order given: dependents first.
///
/// # Errors
/// When Cargo is missing, fails, takes too long, or cannot choose a version as asked.
async fn relock(
    project: &Project,
    pins: &[PinnedVersion],
    options: RunOptions,
) -> Result<Relocked, RelockError> {
    let mut run = Run::new(project, options).await?;
    if !run.apply_together(pins).await? {
        run.write_lockfile(&project.lockfile)?;
        run.settle().await?;
        for step in pins {
            run.apply(step).await?;
        }
    }
    run.keep_format()?;

    let lockfile = run.lockfile()?;
    run.settle().await?;
    unchanged("cargo update --workspace", run.lockfile()? == lockfile)?;
    run.nothing_came_back(pins)?;

    Ok(Relocked {
        others: patchgate_ecosystems::Siblings::new(),
        lockfile,
        notes: run.notes,
    })
}

/// Checks that `cargo --locked` accepts the lockfile.
async fn check(project: &Project, options: RunOptions) -> Result<(), RelockError> {
    let run = Run::new(project, options).await?;
    run.settle().await?;
    unchanged(
        "cargo update --workspace",
        run.lockfile()? == project.lockfile,
    )
}

/// The manifest at the top of the workspace to which a project's directory belongs, by its path
/// from the top of the project's files. Cargo uses the lockfile next to that manifest and no other.
/// `None` when Cargo does not know.
///
/// # Errors
/// When Cargo is missing, cannot be started or takes too long.
async fn workspace_manifest(
    project: &Project,
    options: RunOptions,
) -> Result<Option<String>, RelockError> {
    let run = Run::new(project, options).await?;
    let output = run
        .cargo(&["locate-project", "--workspace", "--message-format=plain"])
        .await?;
    let top = run.scratch.path();
    let found = Path::new(output.stdout.trim());
    let inside = found.strip_prefix(top).ok().or_else(|| {
        let top = top.canonicalize().ok()?;
        found.strip_prefix(top).ok()
    });

    Ok(inside
        .filter(|_| output.success)
        .and_then(Path::to_str)
        .map(|path| path.replace(std::path::MAIN_SEPARATOR, "/")))
}

/// Has Cargo choose new dependencies that the toolchain can build, whatever the resolver. Repositories
/// that pin a toolchain want no others. Known since Cargo 1.84; older ones ignore it.
const FITTING: (&str, &str) = ("CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS", "fallback");

struct Run<'a> {
    project: &'a Project,
    scratch: Scratch,
    options: RunOptions,
    before: Vec<Locked>,
    /// The toolchain that the repository pins, when it is installed.
    toolchain: Option<String>,
    notes: Vec<String>,
}

impl<'a> Run<'a> {
    async fn new(project: &'a Project, options: RunOptions) -> Result<Self, RelockError> {
        let scratch = Scratch::new()?;
        for (path, content) in &project.manifests {
            scratch.write(path, content)?;
        }

        scratch.write(&project.inside(&project.lockfile_name), &project.lockfile)?;
        write_configuration(
            &scratch,
            &project.inside(".cargo/config.toml"),
            &project.configuration,
        )?;

        let mut run = Self {
            project,
            scratch,
            options,
            before: locked::read(&project.lockfile_name, &project.lockfile)?,
            toolchain: None,
            notes: Vec::new(),
        };
        run.choose_toolchain().await?;

        Ok(run)
    }

    /// Uses the toolchain that the repository pins, because another one may choose other versions
    /// and write another version of the lockfile's format. Nothing is downloaded for it.
    async fn choose_toolchain(&mut self) -> Result<(), RelockError> {
        let Some(pinned) = toolchain::pinned(&self.project.configuration) else {
            return Ok(());
        };
        // A toolchain that the user chose for this run counts more than the file.
        if std::env::var_os("RUSTUP_TOOLCHAIN").is_some() {
            return Ok(());
        }

        let asked = process::run(
            "cargo",
            &["--version"],
            self.scratch.path(),
            &[
                ("RUSTUP_TOOLCHAIN", pinned.as_str()),
                ("RUSTUP_AUTO_INSTALL", "0"),
            ],
            self.options.timeout,
        )
        .await?;
        if asked.success {
            self.toolchain = Some(pinned);
        } else {
            self.notes.push(format!(
                "the repository pins Rust {pinned}, which is not installed here: the lockfile was \
                 resolved with the default toolchain"
            ));
        }

        Ok(())
    }

    /// Brings the lockfile in line with the manifests and changes nothing else.
    async fn settle(&self) -> Result<(), RelockError> {
        let output = self.cargo(&["update", "--workspace"]).await?;
        if output.success {
            return Ok(());
        }
        Err(settle_error(&output))
    }

    /// Applies all changes in one run, or in some more where locked packages are in the way: Cargo then
    /// chooses their versions again. False when they have to be tried one by one: the lockfile has
    /// an unusual layout, or Cargo refuses the whole without a word about one of them.
    async fn apply_together(&self, pins: &[PinnedVersion]) -> Result<bool, RelockError> {
        let changes: Vec<(&str, &str, &str)> = pins
            .iter()
            .map(|pin| (pin.name.as_str(), pin.from.as_str(), pin.to.as_str()))
            .collect();
        let lockfile = std::str::from_utf8(&self.project.lockfile).ok();
        let Some(changed) = lockfile.and_then(|text| with_versions(text, &changes)) else {
            return Ok(false);
        };

        let mut seed = changed;
        let mut output;
        loop {
            self.write_lockfile(seed.as_bytes())?;
            output = self.cargo(&["update", "--workspace"]).await?;
            if output.success {
                return Ok(true);
            }
            if explain::is_unreachable(&output) {
                return Err(settle_error(&output));
            }

            // Each round has one entry less. A change that is in the way was only the smallest one.
            let without = explain::in_the_way(&output)
                .and_then(|(name, version)| without_package(&seed, name, version));
            match without {
                Some(without) => seed = without,
                None => break,
            }
        }
        let wanted = pins.iter().map(|pin| (pin.name.as_str(), pin.to.as_str()));
        match explain::mentioned(&output, wanted) {
            None => Ok(false),
            Some((package, version)) => Err(RelockError::Refused {
                package: package.to_owned(),
                version: version.to_owned(),
                reason: explain::reason(&output),
            }),
        }
    }

    /// Writes the lockfile in the version of the format that the project has. A new Cargo writes the
    /// newest version, which an older one cannot read.
    fn keep_format(&mut self) -> Result<(), RelockError> {
        let after = self.lockfile()?;
        let texts = std::str::from_utf8(&self.project.lockfile)
            .ok()
            .zip(std::str::from_utf8(&after).ok());
        let Some((before, after)) = texts else {
            return Ok(());
        };
        if let Some(kept) = with_format_of(before, after) {
            return self.write_lockfile(kept.as_bytes());
        }

        let version = |text: &str| {
            text.lines()
                .find(|line| line.starts_with("version = "))
                .map(str::to_owned)
        };
        if version(before) != version(after) {
            self.notes.push(format!(
                "Cargo changed the version of the format of `{}`",
                self.project.inside(&self.project.lockfile_name)
            ));
        }
        Ok(())
    }

    async fn apply(&self, step: &PinnedVersion) -> Result<(), RelockError> {
        let Some(now) = self.current_version(step)? else {
            // An earlier change removed it.
            return Ok(());
        };
        if now == step.to {
            return Ok(());
        }

        let already_moved = now != step.from;
        let name = format!("{}@{now}", step.name);
        let output = self
            .cargo(&["update", &name, "--precise", &step.to])
            .await?;

        // Cargo replaced the old version while it made room for another change, and the version
        // that it chose is needed now. The smaller one is only preferred.
        if output.success || already_moved {
            return Ok(());
        }

        Err(RelockError::Refused {
            package: step.name.clone(),
            version: step.to.clone(),
            reason: explain::reason(&output),
        })
    }

    /// The current version of a package to change. An earlier change or an edit of a manifest may
    /// have changed it already.
    fn current_version(&self, step: &PinnedVersion) -> Result<Option<String>, RelockError> {
        let now = self.now()?;
        let versions: Vec<&str> = now
            .iter()
            .filter(|package| package.name == step.name && package.source.is_some())
            .map(|package| package.version.as_str())
            .collect();
        if versions.contains(&step.from.as_str()) {
            return Ok(Some(step.from.clone()));
        }

        if versions.contains(&step.to.as_str()) {
            return Ok(Some(step.to.clone()));
        }
        // Among the versions that are new in the lockfile, the one that is compatible with the
        // target has replaced it.
        Ok(versions
            .into_iter()
            .find(|version| {
                compatibility(version) == compatibility(&step.to)
                    && !self
                        .before
                        .iter()
                        .any(|before| before.name == step.name && before.version == **version)
            })
            .map(str::to_owned))
    }

    fn nothing_came_back(&self, pins: &[PinnedVersion]) -> Result<(), RelockError> {
        let now = self.now()?;
        for step in pins {
            let back = now.iter().any(|package| {
                package.name == step.name
                    && package.version == step.from
                    && package.source.is_some()
            });
            if back {
                return Err(RelockError::Refused {
                    package: step.name.clone(),
                    version: step.to.clone(),
                    reason: format!("something still needs {}", step.from),
                });
            }
        }

        Ok(())
    }

    fn now(&self) -> Result<Vec<Locked>, RelockError> {
        locked::read(&self.project.lockfile_name, &self.lockfile()?)
    }

    fn write_lockfile(&self, bytes: &[u8]) -> Result<(), RelockError> {
        let path = self.project.inside(&self.project.lockfile_name);
        self.scratch.write(&path, bytes)
    }

    fn lockfile(&self) -> Result<Vec<u8>, RelockError> {
        self.scratch
            .read(&self.project.inside(&self.project.lockfile_name))
    }

    async fn cargo(&self, arguments: &[&str]) -> Result<Output, RelockError> {
        let mut arguments = arguments.to_vec();
        arguments.push("--color=never");
        if self.options.offline {
            arguments.push("--offline");
        }

        let environment: Vec<(&str, &str)> = self
            .toolchain
            .iter()
            .flat_map(|toolchain| [("RUSTUP_TOOLCHAIN", toolchain.as_str()), FITTING])
            .collect();
        let mut output = process::run(
            "cargo",
            &arguments,
            &self.scratch.path().join(&self.project.directory),
            &environment,
            self.options.timeout,
        )
        .await?;
        explain::toolchain_error(&output)?;

        output.stderr = without_scratch(&output.stderr, self.scratch.path());

        Ok(output)
    }
}

/// The error of a run that brings the lockfile in line with the manifests.
fn settle_error(output: &Output) -> RelockError {
    let command = "cargo update --workspace".to_owned();
    let reason = explain::reason(output);
    if explain::is_unreachable(output) {
        RelockError::Unreachable { command, reason }
    } else {
        RelockError::Failed { command, reason }
    }
}

/// A message in which paths are those of the repository, not of the scratch directory.
fn without_scratch(text: &str, scratch: &Path) -> String {
    let mut text = text.to_owned();
    let real = scratch.canonicalize().ok();
    for top in [Some(scratch), real.as_deref()].into_iter().flatten() {
        let top = top.display().to_string();
        text = text
            .replace(&format!("{top}/"), "")
            .replace(&format!(" ({top})"), "")
            .replace(&top, ".");
    }
    text
}

/// Refuses a lockfile that is not the one Cargo would write.
fn unchanged(command: &str, same: bool) -> Result<(), RelockError> {
    if same {
        Ok(())
    } else {
        Err(RelockError::Unstable {
            command: command.to_owned(),
        })
    }
}

/// The part of a version that Cargo keeps unique in a graph: the first number that is not zero,
/// with the zeros before it.
fn compatibility(version: &str) -> Vec<&str> {
    let numbers = version.split(['.', '-', '+']).take(3);
    let mut part = Vec::new();
    for number in numbers {
        part.push(number);
        if number != "0" {
            break;
        }
    }

    part
}

fn write_configuration(
    scratch: &Scratch,
    path: &str,
    configuration: &[ConfigurationFile],
) -> Result<(), RelockError> {
    let texts: Vec<_> = configuration
        .iter()
        .filter(|file| file.path.contains(".cargo/"))
        .map(|file| String::from_utf8_lossy(&file.content))
        .collect();
    let filtered = filter_config(texts.iter().map(AsRef::as_ref));
    if filtered.is_empty() {
        return Ok(());
    }

    scratch.write(path, filtered.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_do_not_name_the_scratch_directory() {
        assert_eq!(
            without_scratch(
                "`a v0.1.0 (/tmp/x)` in `/tmp/x/b/Cargo.toml`, /tmp/x",
                Path::new("/tmp/x")
            ),
            "`a v0.1.0` in `b/Cargo.toml`, ."
        );
    }

    #[test]
    fn compatibility_is_cargos() {
        assert_eq!(compatibility("1.2.3"), ["1"]);
        assert_eq!(compatibility("0.2.3"), ["0", "2"]);
        assert_eq!(compatibility("0.0.3"), ["0", "0", "3"]);
    }
}
