//! Cargo behind the interface of package managers.

use std::path::Path;

use patchgate_ecosystems::{Siblings, cargo::resolution_manifest};
use patchgate_model::{Lockfile, Origin};

use super::toolchain;
use crate::manager::{configuration_file, directories_down_to, join, next_to};
use crate::scratch::Project;
use crate::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    Relocked, RunOptions,
};

/// The source of crates.io as `Cargo.lock` names it: Cargo's own name for it, not an address that
/// is asked.
const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";

/// Name of the manifest.
const MANIFEST: &str = "Cargo.toml";

/// Cargo, which writes `Cargo.lock`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cargo;

impl RegistryLocator for Cargo {
    fn name(&self) -> &'static str {
        "cargo"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["cargo-lock"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        let directories = directories_down_to(lockfile);
        let settings = directories.iter().filter_map(|directory| {
            [".cargo/config.toml", ".cargo/config"]
                .into_iter()
                .find_map(|name| configuration_file(root, &join(directory, name)))
        });
        // rustup takes the file nearest to the project.
        let toolchain = directories.iter().rev().find_map(|directory| {
            toolchain::FILES
                .into_iter()
                .find_map(|name| configuration_file(root, &join(directory, name)))
        });

        settings.chain(toolchain).collect()
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[".cargo/config.toml", ".cargo/config"])
    }

    /// Cargo keeps a yanked release that is locked already, and never chooses one.
    fn installs_yanked(&self) -> bool {
        false
    }

    /// The source from which the lockfile takes the package; crates.io for one that it lacks.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String {
        lockfile
            .packages
            .iter()
            .filter(|locked| locked.name == package)
            .find_map(|locked| match &locked.origin {
                Origin::Registry(source) => source.clone(),
                _ => None,
            })
            .unwrap_or_else(|| CRATES_IO.to_owned())
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            if key == CRATES_IO {
                super::registry(key, configuration, options).await.map(Some)
            } else {
                Ok(Some(key.to_owned()))
            }
        })
    }
}

impl PackageManager for Cargo {
    /// A member of a workspace may still have a lockfile from before it was a member.
    fn unused_lockfile<'a>(
        &'a self,
        project: LockedProject<'a>,
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let directory = project.directory();
            if directory.is_empty() || !has_manifest_above(project.manifests, directory) {
                return Ok(None);
            }

            let path = &project.lockfile.path;
            let used = super::workspace_manifest(&scratch_project(project), options).await?;
            Ok(used
                .filter(|manifest| *manifest != next_to(path, MANIFEST))
                .map(|manifest| {
                    format!(
                        "Cargo does not use `{path}`, because `{directory}` belongs to the \
                         workspace of `{manifest}`: delete the file, or put the directory under \
                         `exclude` there"
                    )
                }))
        })
    }

    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked> {
        Box::pin(async move { super::relock(&scratch_project(project), pins, options).await })
    }

    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(async move { super::check(&scratch_project(project), options).await })
    }
}

/// The files of a project that Cargo sees. Cargo may need manifests next to and above the
/// lockfile's own directory, so the scratch directory has the layout of the repository.
fn scratch_project(project: LockedProject<'_>) -> Project {
    Project {
        directory: project.directory().to_owned(),
        directory_name: project.directory_name(),
        manifests: projected(project.manifests),
        lockfile_name: project.file_name().to_owned(),
        lockfile: project.bytes.to_vec(),
        configuration: project.configuration.to_vec(),
    }
}

/// Manifests cut down to what decides the graph, each with an empty library next to it.
fn projected(manifests: &Siblings) -> Siblings {
    let mut projected = Siblings::new();
    for (path, bytes) in manifests {
        if !path.ends_with(MANIFEST) {
            continue;
        }
        // An unreadable manifest matters only when Cargo comes to need it, and then Cargo says so.
        let manifest = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| resolution_manifest(text).ok());
        let Some(manifest) = manifest else {
            continue;
        };

        projected.insert(path.clone(), manifest.into_bytes());
        projected.insert(next_to(path, "src/lib.rs"), Vec::new());
    }

    projected
}

fn has_manifest_above(manifests: &Siblings, directory: &str) -> bool {
    let mut directory = directory;
    while !directory.is_empty() {
        directory = crate::manager::parent(directory);
        if manifests.contains_key(&join(directory, MANIFEST)) {
            return true;
        }
    }

    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_above_is_found_at_the_root_too() {
        let manifests = Siblings::from([("Cargo.toml".to_owned(), Vec::new())]);
        assert!(has_manifest_above(&manifests, "a/b"));
        let manifests = Siblings::from([("a/b/Cargo.toml".to_owned(), Vec::new())]);
        assert!(!has_manifest_above(&manifests, "a/b"));
    }

    #[test]
    fn the_configuration_is_that_of_every_directory_and_the_nearest_toolchain() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        };
        for path in [
            ".cargo/config.toml",
            "a/.cargo/config",
            "rust-toolchain.toml",
            "a/rust-toolchain",
        ] {
            write(path);
        }

        let found = Cargo.configuration(root.path(), "a/Cargo.lock");
        let paths: Vec<&str> = found.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            [".cargo/config.toml", "a/.cargo/config", "a/rust-toolchain"]
        );
    }

    /// A project without dependencies, so that Cargo asks no registry.
    async fn checked(lockfile: &str) -> Result<(), crate::RelockError> {
        let root = tempfile::tempdir().unwrap();
        let manifest = "[package]\nname = \"a\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
        let manifests = Siblings::from([(MANIFEST.to_owned(), manifest.as_bytes().to_vec())]);
        let parsed = Lockfile {
            path: "Cargo.lock".to_owned(),
            ..Lockfile::default()
        };
        let project = LockedProject {
            root: root.path(),
            lockfile: &parsed,
            bytes: lockfile.as_bytes(),
            manifests: &manifests,
            configuration: &[],
        };
        let options = RunOptions {
            offline: true,
            ..RunOptions::default()
        };

        Cargo.check(project, options).await
    }

    #[tokio::test]
    async fn a_lockfile_is_accepted_only_as_cargo_itself_would_write_it() {
        let header = "# This file is automatically @generated by Cargo.\n\
                      # It is not intended for manual editing.\nversion = 4\n\n";
        let own = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        checked(&format!("{header}{own}")).await.unwrap();

        let stale = own.replace("1.0.0", "0.9.0");
        let error = checked(&format!("{header}{stale}")).await.unwrap_err();
        assert!(
            matches!(error, crate::RelockError::Unstable { .. }),
            "{error}"
        );
    }
}
