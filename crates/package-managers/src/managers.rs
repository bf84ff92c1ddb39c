//! List of the package managers.

use crate::cargo::Cargo;
use crate::manager::PackageManager;
use crate::npm::Npm;

/// Every package manager that Patchgate can run.
static MANAGERS: [&dyn PackageManager; 2] = [&Npm, &Cargo];

/// The package manager of a lockfile format.
///
/// ```
/// use patchgate_package_managers::manager_of;
///
/// assert_eq!(manager_of("cargo-lock").unwrap().name(), "cargo");
/// assert!(manager_of("go-mod").is_none());
/// ```
pub fn manager_of(format: &str) -> Option<&'static dyn PackageManager> {
    MANAGERS
        .into_iter()
        .find(|manager| manager.formats().contains(&format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_that_can_be_fixed_has_one_manager_and_no_other_format_has_any() {
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
                let fixable = format
                    .files
                    .iter()
                    .any(|file| patchgate_ecosystems::fixable_format(file).is_some());
                assert_eq!(managers, usize::from(fixable), "{}", format.id);
            }
        }
    }
}
