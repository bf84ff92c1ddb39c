//! Go behind the interface of package managers.

use std::path::Path;

use patchgate_model::Lockfile;

use super::environment::{Settings, settings};
use crate::{
    Answer, ConfigurationFile, LockedProject, PackageManager, PinnedVersion, RegistryLocator,
    RelockError, Relocked, RunOptions,
};

/// The `go` command, which writes `go.mod`, `go.sum` and `go.work`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Go;

impl RegistryLocator for Go {
    fn name(&self) -> &'static str {
        "go"
    }

    fn formats(&self) -> &'static [&'static str] {
        &["go-mod", "go-work"]
    }

    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
        super::files::around(root, lockfile)
    }

    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    /// Go installs a retracted version that a requirement names, with a warning.
    fn installs_yanked(&self) -> bool {
        true
    }

    /// The module path: whether a module is private is decided by patterns of paths.
    fn registry_key(&self, _lockfile: &Lockfile, package: &str) -> String {
        package.to_owned()
    }

    /// The first proxy of the list for the empty key. A module that is private has none: Go fetches
    /// it from its repository, and its name must not get to a proxy.
    fn registry<'a>(
        &'a self,
        key: &'a str,
        _configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move { registry(settings(options).await?, key) })
    }
}

pub(super) fn registry(settings: &Settings, key: &str) -> Result<Option<String>, RelockError> {
    if key.is_empty() {
        return settings.proxy().map(Some);
    }
    match settings.is_private(key) {
        false => Ok(None),
        true => Err(RelockError::Failed {
            command: "go env GONOPROXY".to_owned(),
            reason: format!(
                "`{key}` is private, and Go fetches it from its repository, which Patchgate does not do"
            ),
        }),
    }
}

impl PackageManager for Go {
    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked> {
        Box::pin(super::relock(project, pins, options.into()))
    }

    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()> {
        Box::pin(super::check(project, options.into()))
    }
}
