//! Direct changes of NuGet's files: `packages.lock.json` and the files of MSBuild that state versions.
//!
//! NuGet takes the lowest version that a requirement admits. So a changed version is always stated: at
//! the reference of a project, in the central list, or, for a package that only others require, by a
//! new entry of the list or a new reference. All lockfiles that repeat a statement change with it. A
//! `packages.config` changes with the paths of its project. MSBuild is never run: it would run code of
//! the repository.
//!
//! The rules are those of `PackagesLockFileBuilder`, `PackagesLockFileFormat` and
//! `PackagesLockFileUtilities` in <https://github.com/NuGet/NuGet.Client>. They were compared with
//! files that NuGet 5.8 wrote for the same graphs; a newer SDK was not at hand.

mod content_hash;
mod document;
mod flat;
mod framework;
mod lock;
mod package;
mod project;
mod relock;
mod stated;

pub(super) use flat::PackagesConfigWriter;
pub(super) use lock::NuGetLockWriter;
pub(super) use project::MsBuildWriter;

/// Whether a file is a lockfile of NuGet.
fn is_lockfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with("packages.") && name.ends_with(".lock.json")
}

#[cfg(test)]
mod tests;
