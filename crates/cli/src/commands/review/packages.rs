//! The packages that a pull request brings, described by their registries.
//!
//! The registries are those of the base: its configuration and its lockfile. A pull request could
//! name a server of its author's.

use std::path::{Component, Path};
use std::time::Duration;

use patchgate_fix::{ChangedPackage, PackageChanges, changed_packages, registry_configuration};
use patchgate_forge::Forge as _;
use patchgate_model::{Evidence, Inventory, Lockfile};
use patchgate_report::ReviewPackage;
use tempfile::TempDir;

use crate::context::Context;
use crate::forge::OpenForge;

/// Most packages that registries are asked about.
const MAX_PACKAGES: usize = 100;

/// Most configuration files that are read from the base.
const MAX_FILES: usize = 60;

/// Largest configuration file, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Longest time for one run of a package manager, which says where its registry is.
const MANAGER_TIMEOUT: Duration = Duration::from_secs(60);

/// The lockfiles of both sides of a pull request.
pub(super) struct Change<'a> {
    pub(super) forge: &'a OpenForge,
    pub(super) evidence: &'a Evidence,
    pub(super) base: &'a Inventory,
    pub(super) head: &'a Inventory,
    /// Whether registries are not asked.
    pub(super) offline: bool,
}

impl Change<'_> {
    /// The packages that come. What cannot be read is unknown, and fails nothing.
    pub(super) async fn describe(&self, context: &Context) -> Vec<ReviewPackage> {
        let mut packages = Vec::new();
        let mut files_left = MAX_FILES;
        let mut asked = 0;
        for after in &self.head.lockfiles {
            let before = self
                .base
                .lockfiles
                .iter()
                .find(|one| (&one.path, one.ecosystem) == (&after.path, after.ecosystem));
            let configuration = self.configuration(after, &mut files_left).await;
            let unreadable = configuration.as_ref().err().cloned();
            let changes = PackageChanges {
                before,
                after,
                configuration: configuration.as_ref().map_or(Path::new(""), TempDir::path),
                offline: self.offline || unreadable.is_some(),
                most: MAX_PACKAGES.saturating_sub(asked),
                timeout: MANAGER_TIMEOUT,
            };
            let found = changed_packages(&changes, &context.environment).await;
            asked += found
                .iter()
                .filter(|package| package.signals.is_ok())
                .count();
            packages.extend(found.into_iter().map(|mut package| {
                if let Some(reason) = unreadable.as_ref().filter(|_| !self.offline) {
                    package.signals = Err(reason.clone());
                }
                review_package(&package, &after.path, context)
            }));
        }

        packages
    }

    /// A directory with the files of the base that say where the packages of a lockfile come from.
    async fn configuration(
        &self,
        lockfile: &Lockfile,
        files_left: &mut usize,
    ) -> Result<TempDir, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        if self.offline {
            return Ok(directory);
        }
        let base = self.evidence.merge_base.as_ref().map_err(|missing| {
            format!(
                "the configuration of the base is unknown: {}",
                missing.reason
            )
        })?;

        for path in registry_configuration(&lockfile.path) {
            *files_left = files_left
                .checked_sub(1)
                .ok_or_else(|| format!("more than {MAX_FILES} configuration files"))?;
            let content = self.forge.api.file(&path, base, MAX_BYTES).await;
            match content {
                Ok(Some(content)) => write(directory.path(), &path, &content)?,
                Ok(None) => {}
                Err(error) => return Err(format!("`{path}` of the base: {error}")),
            }
        }
        // Some lockfiles name their registries themselves.
        if let Some(contents) = self.evidence.contents.get(&lockfile.path)
            && let Ok(Some(bytes)) = &contents.base
        {
            write(directory.path(), &lockfile.path, bytes)?;
        }

        Ok(directory)
    }
}

/// Writes a file below a directory. A path that leads elsewhere is refused.
fn write(directory: &Path, path: &str, content: &[u8]) -> Result<(), String> {
    let relative = Path::new(path);
    let is_below = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !is_below {
        return Err(format!("`{path}` is not a path below the repository"));
    }

    let target = directory.join(relative);
    let parent = target.parent().unwrap_or(directory);
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(&target, content))
        .map_err(|error| format!("a copy of `{path}` cannot be written: {error}"))
}

fn review_package(package: &ChangedPackage, file: &str, context: &Context) -> ReviewPackage {
    ReviewPackage {
        ecosystem: package.ecosystem.as_str().to_owned(),
        package: package.name.clone(),
        before: package.before.clone(),
        version: package.version.clone(),
        file: file.to_owned(),
        line: package.line,
        age_days: None,
        signals: None,
        unknown: None,
        similar_to: package.similar_to.clone(),
    }
    .with_signals(&package.signals, context.environment.now())
}
