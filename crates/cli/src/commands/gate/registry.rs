//! What the registries say about the entries that a pull request brings.
//!
//! Registries are found from the base commit alone: its lockfile, and the files of it that configure
//! the package manager, written to an empty directory. The manager is only asked where its registry
//! is; nothing of the pull request is near.

use std::path::Path;

use patchgate_config::Config;
use patchgate_ecosystems::{Format, Siblings, Upgradable, fixable_format};
use patchgate_fix::{ChangedLockfile, RegistryQuery, registry_entries};
use patchgate_forge::Forge as _;
use patchgate_http::{Client, ClientOptions};
use patchgate_lockfile_diff::{State, changed_entries};
use patchgate_model::{Evidence, Fetched, Lockfile, Missing, RegistryEntry};
use patchgate_package_managers::{RunOptions, configuration_paths, locator_of};
use patchgate_scan::SourceOptions;

use super::round::Judge;
use super::{Side, hole_as_missing, side_files};

/// Package managers whose lockfiles are compared with their registries. What the entries of others have
/// in common with a registry's answer is not certain enough to block a merge, so a person judges.
const COMPARED: [&str; 7] = ["cargo", "npm", "pnpm", "yarn", "go", "Maven", "Gradle"];

/// Largest configuration file that is read, in bytes.
const MAX_CONFIGURATION: usize = 256 * 1024;

/// Longest time for a package manager to say where its registry is.
const MANAGER_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

impl Judge<'_> {
    /// Compares every entry that is new or has another version with its registry.
    pub(super) async fn registry(
        &self,
        config: &Fetched<Config>,
        evidence: &Evidence,
    ) -> Fetched<Vec<RegistryEntry>> {
        let files = evidence.files.as_ref().map_err(Clone::clone)?;
        let tip = evidence.base_tip.as_ref().map_err(Clone::clone)?;
        let now = evidence.safeguards.now.clone()?;
        let config = config.clone().unwrap_or_default();
        let offline = SourceOptions::from(&self.args.source).offline;
        // A cache on disk may be written by other jobs.
        let client = Client::new(ClientOptions {
            cache_dir: None,
            ..self.context.environment.client_options(offline)
        })
        .map_err(|error| Missing::new(error.to_string()))?;
        let query = RegistryQuery {
            client: &client,
            run: RunOptions {
                offline,
                timeout: MANAGER_TIMEOUT,
            },
            settings: &config.fix,
            now,
        };

        let base = SideFiles::read(evidence, |contents| &contents.base)?;
        let head = SideFiles::read(evidence, |contents| &contents.head)?;
        let mut entries = Vec::new();
        for file in files {
            let Some((ecosystem, format)) = fixable_format(&file.path) else {
                continue;
            };
            let of_file = self.of_file((ecosystem, format), &file.path, (&base, &head), tip, query);
            entries.extend(of_file.await?);
        }
        Ok(entries)
    }

    async fn of_file(
        &self,
        (ecosystem, format): (&'static dyn Upgradable, &'static Format),
        path: &str,
        (base, head): (&SideFiles, &SideFiles),
        tip: &str,
        query: RegistryQuery<'_>,
    ) -> Fetched<Vec<RegistryEntry>> {
        let before = base.lockfile(format, path)?;
        let now = head.lockfile(format, path)?;
        let arrivals: Vec<_> = changed_entries(ecosystem, &before, &now)
            .iter()
            .filter_map(|entry| entry.after)
            .collect();
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }

        let directory = tempfile::tempdir().map_err(|error| Missing::new(error.to_string()))?;
        self.write_configuration(directory.path(), format, path, tip)
            .await?;
        write(directory.path(), path, base.bytes(path)?)?;
        let change = ChangedLockfile {
            ecosystem,
            format: format.id,
            configuration: directory.path(),
            base: &before,
            head: State {
                bytes: head.bytes(path)?,
                lockfile: &now,
                siblings: &head.0,
            },
        };
        registry_entries(change, &arrivals, query).await
    }

    /// Writes the files of the base commit that configure the package manager of a lockfile.
    async fn write_configuration(
        &self,
        directory: &Path,
        format: &Format,
        path: &str,
        tip: &str,
    ) -> Fetched<()> {
        let locator = locator_of(format.id).filter(|one| COMPARED.contains(&one.name()));
        let paths = locator.and_then(|locator| configuration_paths(locator, path));
        let paths = paths.ok_or_else(|| {
            Missing::new(format!(
                "the gate cannot find the registry of `{path}` without a checkout"
            ))
        })?;
        for path in paths {
            let file = self.forge.api.file(&path, tip, MAX_CONFIGURATION).await;
            if let Some(bytes) = file.map_err(|error| Missing::from(&error))? {
                write(directory, &path, &bytes)?;
            }
        }
        Ok(())
    }
}

/// Writes a file below a directory that only this run uses. A path that leads out of it is refused.
fn write(directory: &Path, path: &str, bytes: &[u8]) -> Fetched<()> {
    let is_plain = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', ':']));
    if !is_plain {
        return Err(Missing::new(format!("`{path}` is not a plain path")));
    }

    let file = directory.join(path);
    let failed = |error: std::io::Error| Missing::new(error.to_string());
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(&file, bytes).map_err(failed)
}

/// The files of one side of the pull request.
struct SideFiles(Siblings);

impl SideFiles {
    fn read(evidence: &Evidence, side: Side) -> Fetched<Self> {
        side_files(&evidence.contents, side).map(Self)
    }

    fn bytes(&self, path: &str) -> Fetched<&[u8]> {
        let bytes = self.0.get(path);
        bytes
            .map(Vec::as_slice)
            .ok_or_else(|| Missing::new(format!("`{path}` does not exist on both sides")))
    }

    fn lockfile(&self, format: &'static Format, path: &str) -> Fetched<Lockfile> {
        patchgate_inventory::parse(format, path, self.bytes(path)?, &self.0)
            .map_err(|problem| hole_as_missing(&problem))
    }
}
