//! Choices that the planner must not make again.

use std::collections::BTreeMap;

use patchgate_model::PackageVersion;

/// Versions that must not be chosen, and copies that must not change.
#[derive(Debug, Clone, Default)]
pub(super) struct Exclusions {
    /// Versions that must not be chosen, by package, each with the reason.
    pub(super) refused: BTreeMap<String, BTreeMap<String, String>>,
    /// Reasons why a copy must not change, by [`crate::lock_state::LockState::describe`].
    pub(super) frozen: BTreeMap<String, String>,
}

impl Exclusions {
    /// Excludes one version of a package. A reason that is known already stays.
    pub(super) fn refuse(&mut self, package: PackageVersion, reason: String) {
        let versions = self.refused.entry(package.name).or_default();
        versions.entry(package.version).or_insert(reason);
    }
}
