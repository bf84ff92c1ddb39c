//! npm behind the interface of package managers.

use std::path::Path;

use patchgate_ecosystems::Siblings;
use patchgate_model::Lockfile;

use super::entries::CopyMove;
use crate::manager::configuration_next_to;
use crate::scratch::Project;
use crate::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    Relocked, RunOptions,
};

/// Name of the manifest.
const MANIFEST: &str = "package.json";

/// npm, which writes `package-lock.json` and `npm-shrinkwrap.json`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Npm;

impl RegistryLocator for Npm {
    fn name(&self) -> &'static str {
        "npm"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["npm-lock"]
    }

    /// npm reads the `.npmrc` of the project's own directory, and of no directory above it.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        configuration_next_to(root, lockfile, &[".npmrc"])
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[".npmrc"])
    }

    /// npm knows deprecated releases, which it installs, and unpublished ones, which are gone.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The scope of the package, with its `@`; empty for a package without one.
    fn registry_key(&self, _lockfile: &Lockfile, package: &str) -> String {
        package
            .split_once('/')
            .map(|(scope, _)| scope)
            .filter(|scope| scope.starts_with('@'))
            .unwrap_or_default()
            .to_owned()
    }

    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            if key.is_empty() {
                super::registry(configuration, options).await.map(Some)
            } else {
                super::scope_registry(key, configuration, options).await
            }
        })
    }
}

impl PackageManager for Npm {
    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked> {
        let moves: Vec<CopyMove> = pins
            .iter()
            .filter_map(|pin| {
                Some(CopyMove {
                    install_path: pin.install_path.clone()?,
                    name: pin.name.clone(),
                    from: pin.from.clone(),
                    to: pin.to.clone(),
                })
            })
            .collect();

        Box::pin(async move { super::relock(&scratch_project(project), &moves, options).await })
    }

    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(async move { super::check(&scratch_project(project), options).await })
    }
}

/// The files of a project that npm sees: the manifests below the lockfile's directory, which is the
/// top of the scratch directory.
fn scratch_project(project: LockedProject<'_>) -> Project {
    Project {
        directory: String::new(),
        directory_name: project.directory_name(),
        manifests: below(project.manifests, project.directory()),
        lockfile_name: project.file_name().to_owned(),
        lockfile: project.bytes.to_vec(),
        configuration: project.configuration.to_vec(),
    }
}

/// The manifests below a directory, by path from it.
fn below(manifests: &Siblings, directory: &str) -> Siblings {
    let prefix = if directory.is_empty() {
        String::new()
    } else {
        format!("{directory}/")
    };

    manifests
        .iter()
        .filter(|(path, _)| path.ends_with(MANIFEST))
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone())))
        .collect()
}
