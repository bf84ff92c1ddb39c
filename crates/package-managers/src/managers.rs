//! Lists of the package managers, and of the ways to find registries.

use crate::bun::Bun;
use crate::bundler::Bundler;
use crate::cargo::Cargo;
use crate::composer::Composer;
use crate::forge_tags::{ForgeActions, PreCommitHooks};
use crate::golang::Go;
use crate::gradle::Gradle;
use crate::hex::Hex;
use crate::manager::{PackageManager, RegistryLocator};
use crate::maven::Maven;
use crate::npm::Npm;
use crate::nuget::NuGet;
use crate::pnpm::Pnpm;
use crate::pub_dart::Pub;
use crate::python::{Pdm, PipRequirements, Pipenv, Poetry, Pylock, Uv};
use crate::yarn::Yarn;

/// Every way to find the registries of a format.
static LOCATORS: [&dyn RegistryLocator; 21] = [
    &Npm,
    &Bun,
    &Cargo,
    &Go,
    &ForgeActions,
    &PreCommitHooks,
    &Yarn,
    &Pnpm,
    &PipRequirements,
    &Pdm,
    &Pylock,
    &Pipenv,
    &Uv,
    &Poetry,
    &Maven,
    &Gradle,
    &Bundler,
    &Composer,
    &NuGet,
    &Pub,
    &Hex,
];

/// Every package manager that Patchgate can run.
static MANAGERS: [&dyn PackageManager; 7] = [&Npm, &Bun, &Cargo, &Go, &Uv, &Pnpm, &Composer];

/// The package manager of a lockfile format.
///
/// ```
/// use patchgate_package_managers::manager_of;
///
/// assert_eq!(manager_of("cargo-lock").unwrap().name(), "cargo");
/// assert!(manager_of("maven-pom").is_none());
/// ```
pub fn manager_of(format: &str) -> Option<&'static dyn PackageManager> {
    MANAGERS
        .into_iter()
        .find(|manager| manager.formats().contains(&format))
}

/// The way to find the registries of a lockfile format.
///
/// ```
/// assert!(patchgate_package_managers::locator_of("npm-lock").is_some());
/// ```
pub fn locator_of(format: &str) -> Option<&'static dyn RegistryLocator> {
    LOCATORS
        .into_iter()
        .find(|locator| locator.formats().contains(&format))
}

/// The way to find the registries of an ecosystem's packages that no lockfile names: that of the
/// ecosystem's first format that has one.
///
/// ```
/// let locator = patchgate_package_managers::locator_of_ecosystem("npm").unwrap();
/// assert_eq!(locator.name(), "npm");
/// ```
pub fn locator_of_ecosystem(name: &str) -> Option<&'static dyn RegistryLocator> {
    let files = patchgate_ecosystems::by_name(name)?.files()?;
    let formats: Vec<&str> = files.formats().iter().map(|format| format.id).collect();
    LOCATORS.into_iter().find(|locator| {
        let mut located = locator.formats().iter();
        located.any(|format| formats.contains(format))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_that_can_be_fixed_has_registries_and_a_writer_or_a_manager() {
        for ecosystem in patchgate_ecosystems::ALL {
            for format in ecosystem
                .files()
                .into_iter()
                .flat_map(|files| files.formats())
            {
                let managers = MANAGERS
                    .iter()
                    .filter(|manager| manager.formats().contains(&format.id))
                    .count();
                // Not by path: a workflow has several formats, of which one is changed.
                let fixable = format.fixable;
                assert!(managers <= 1, "{}", format.id);
                let is_located = locator_of(format.id).is_some();
                assert_eq!(fixable, is_located, "{}", format.id);
                let is_changed = managers == 1 || format.writer.is_some();
                assert_eq!(fixable, is_changed, "{}", format.id);
            }
        }
    }
}
