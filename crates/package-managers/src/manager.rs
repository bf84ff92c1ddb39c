//! The interface of a package manager, as far as a fix needs one.
//!
//! A fix asks a manager few things: which of a repository's configuration counts, where packages
//! come from, whether it uses a lockfile at all, and above all to lock a project again with some
//! packages at given versions. Everything else (what should change, how manifests are edited, how
//! registries answer) is pure and lives in `patchgate-upgrade` and `patchgate-ecosystems`.

use std::path::Path;
use std::pin::Pin;

use patchgate_ecosystems::Siblings;
use patchgate_model::{Lockfile, Origin};

use crate::{RelockError, Relocked, RunOptions};

/// The answer of a manager that has to be run.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, RelockError>> + Send + 'a>>;

/// A file of the repository that configures a manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationFile {
    /// Path from the root of the repository.
    pub path: String,
    /// The content, which is hostile input. Managers see only the filtered part of it.
    pub content: Vec<u8>,
}

/// A lockfile with the files around it.
#[derive(Debug, Clone, Copy)]
pub struct LockedProject<'a> {
    /// The root of the scanned repository.
    pub root: &'a Path,
    /// The lockfile, read. Its path is relative to the root.
    pub lockfile: &'a Lockfile,
    /// The bytes of the lockfile.
    pub bytes: &'a [u8],
    /// Every manifest of the ecosystem in the repository, edits included, by path from the root.
    pub manifests: &'a Siblings,
    /// The configuration that [`RegistryLocator::configuration`] found.
    pub configuration: &'a [ConfigurationFile],
}

impl LockedProject<'_> {
    /// The directory of the lockfile, relative to the root. Empty for the root itself.
    pub fn directory(&self) -> &str {
        parent(&self.lockfile.path)
    }

    /// The file name of the lockfile.
    pub fn file_name(&self) -> &str {
        let path = &self.lockfile.path;
        path.rsplit_once('/')
            .map_or(path.as_str(), |(_, name)| name)
    }

    /// The name of the lockfile's directory, also when the root is given as `.`.
    pub(crate) fn directory_name(&self) -> String {
        let path = self.root.join(self.directory());
        path.canonicalize()
            .unwrap_or(path)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// One package that gets another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedVersion {
    /// The location of the installed copy, for managers that install a package more than once.
    pub install_path: Option<String>,
    /// Name of the package in its registry.
    pub name: String,
    /// The version in the lockfile.
    pub from: String,
    /// The version that the lockfile should get.
    pub to: String,
}

/// Where the packages of a lockfile come from: the registries, as the format's package manager finds
/// them in the lockfile, its configuration and its environment.
pub trait RegistryLocator: Sync {
    /// The package manager's name, for messages.
    fn name(&self) -> &'static str;

    /// Ids of the formats whose packages are found in this way.
    fn formats(&self) -> &'static [&'static str];

    /// The files of a repository that configure the manager for one lockfile, the outermost
    /// directory first. Links are not followed, and large files are left out.
    fn configuration(&self, root: &Path, lockfile: &str) -> Vec<ConfigurationFile>;

    /// The paths of the files that [`RegistryLocator::configuration`] reads to find registries,
    /// relative to the directory of the lockfile and to each one above it. A caller without a
    /// checkout reads these. `None` when the content of other files decides which ones count.
    fn configuration_names(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// Whether the manager installs a release that was yanked from its registry, when a requirement
    /// names it exactly.
    fn installs_yanked(&self) -> bool;

    /// The name by which the manager finds the registry of a package: a scope, a source. Packages
    /// with the same key have the same registry.
    fn registry_key(&self, lockfile: &Lockfile, package: &str) -> String;

    /// The base address of a registry, as the manager itself finds it. `None` when the key has no
    /// registry of its own, and the one of the empty key counts.
    ///
    /// # Errors
    /// When the manager is not installed, fails, or names no address.
    fn registry<'a>(
        &'a self,
        key: &'a str,
        configuration: &'a [ConfigurationFile],
        options: RunOptions,
    ) -> Answer<'a, Option<String>>;
}

/// A package manager, as far as a fix runs one.
///
/// Every method that runs the manager does so in a scratch directory, with scripts off and a
/// scrubbed environment. None of them writes to the repository.
#[doc = include_str!("../MANAGERS.md")]
pub trait PackageManager: RegistryLocator {
    /// The reason why the manager does not use the lockfile at all, when it does not. Most managers
    /// use every lockfile that lies next to a manifest.
    ///
    /// # Errors
    /// When the manager is not installed, fails, or takes too long.
    fn unused_lockfile<'a>(
        &'a self,
        _project: LockedProject<'a>,
        _options: RunOptions,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }

    /// Locks the project again with packages at given versions, in the order given: dependents
    /// first. The result is one that a further run of the manager does not change.
    ///
    /// # Errors
    /// When the manager is not installed, fails, takes too long, refuses a version, or has no way to
    /// lock exact versions ([`RelockError::NotExact`]).
    fn relock<'a>(
        &'a self,
        project: LockedProject<'a>,
        pins: &'a [PinnedVersion],
        options: RunOptions,
    ) -> Answer<'a, Relocked>;

    /// Checks that an installation from the lockfile would accept it as it is, as `npm ci` and
    /// `cargo --locked` do.
    ///
    /// # Errors
    /// When the manager would refuse or change the lockfile, or cannot be asked.
    fn check<'a>(&'a self, project: LockedProject<'a>, options: RunOptions) -> Answer<'a, ()>;
}

/// The paths from the root of a repository of every file that configures a manager for one lockfile:
/// its [`RegistryLocator::configuration_names`] in each directory from the root down to that of the
/// lockfile. `None` if they cannot be named.
pub fn configuration_paths(locator: &dyn RegistryLocator, lockfile: &str) -> Option<Vec<String>> {
    let names = locator.configuration_names()?;
    let directories = directories_down_to(lockfile).into_iter();
    let paths = directories.flat_map(|directory| names.iter().map(|name| join(directory, name)));
    Some(paths.collect())
}

/// The directory of a path with `/` between its parts. Empty for a file of the root.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The path of a file in the directory of another one.
pub(crate) fn next_to(path: &str, name: &str) -> String {
    join(parent(path), name)
}

/// The path of a file in a directory.
pub(crate) fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// The directory of a file and those above it, the root first.
pub(crate) fn directories_down_to(path: &str) -> Vec<&str> {
    let mut directories = vec![parent(path)];
    while let Some(directory) = directories.last().filter(|one| !one.is_empty()) {
        directories.push(parent(directory));
    }

    directories.reverse();
    directories
}

/// Largest configuration file that is read, in bytes.
const MAX_CONFIGURATION_BYTES: u64 = 256 * 1024;

/// Reads a configuration file of the repository. One that is a link, or lies behind one, is left
/// out: it would come from a hostile repository.
pub(crate) fn configuration_file(root: &Path, path: &str) -> Option<ConfigurationFile> {
    configuration_file_up_to(root, path, MAX_CONFIGURATION_BYTES)
}

/// The same for a file of up to `most` bytes.
pub(crate) fn configuration_file_up_to(
    root: &Path,
    path: &str,
    most: u64,
) -> Option<ConfigurationFile> {
    let mut at = root.to_owned();
    for part in path.split('/') {
        at.push(part);
        if std::fs::symlink_metadata(&at).ok()?.is_symlink() {
            return None;
        }
    }

    let content = patchgate_fs::read_inside(root, path, most).ok()?;
    Some(ConfigurationFile {
        path: path.to_owned(),
        content,
    })
}

/// The configuration files with these names in the directory of a lockfile.
pub(crate) fn configuration_next_to(
    root: &Path,
    lockfile: &str,
    names: &[&str],
) -> Vec<ConfigurationFile> {
    names
        .iter()
        .filter_map(|name| configuration_file(root, &next_to(lockfile, name)))
        .collect()
}

/// Reads a configuration file of the user, which can be a link. `None` if it is missing or too large.
pub(crate) fn user_file(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?.len();
    if size > MAX_CONFIGURATION_BYTES {
        return None;
    }
    std::fs::read_to_string(path).ok()
}

/// The address of a package's registry that a lockfile states. A package that is not in it yet has
/// that of all packages, if there is one.
pub(crate) fn stated_address<'l>(lockfile: &'l Lockfile, package: &str) -> Option<&'l str> {
    stated_address_of(lockfile, |name| name == package)
}

/// The same for the package whose name in the lockfile `is_package` accepts.
pub(crate) fn stated_address_of(
    lockfile: &Lockfile,
    is_package: impl Fn(&str) -> bool,
) -> Option<&str> {
    let mut stated = lockfile.packages.iter().filter_map(|package| {
        let Origin::Registry(Some(address)) = &package.origin else {
            return None;
        };
        Some((package.name.as_str(), address.as_str()))
    });
    let own = stated.clone().find(|(name, _)| is_package(name));
    match own {
        Some((_, address)) => Some(address),
        None => stated
            .next()
            .map(|(_, first)| first)
            .filter(|first| stated.all(|(_, other)| other == *first)),
    }
}

/// Whether a text is an address that metadata can be requested from.
pub(crate) fn is_web_address(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://"))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_lead_from_the_root_to_the_file() {
        assert_eq!(directories_down_to("Cargo.lock"), [""]);
        assert_eq!(directories_down_to("a/b/Cargo.lock"), ["", "a", "a/b"]);
    }

    #[test]
    fn a_configuration_file_that_is_a_link_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("real"), "registry=https://r.invalid").unwrap();
        std::os::unix::fs::symlink("real", root.path().join(".npmrc")).unwrap();
        assert_eq!(configuration_file(root.path(), ".npmrc"), None);
        assert!(configuration_file(root.path(), "real").is_some());
    }
}
