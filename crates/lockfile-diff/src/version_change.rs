//! One change of a version, and the size of its step.

use patchgate_ecosystems::Upgradable;
use patchgate_model::Bump;

/// One package with a higher version than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionChange {
    /// Name of the package.
    pub package: String,
    /// Version before; it may stay in the tree.
    pub from: String,
    /// Version after the change.
    pub to: String,
    /// The size of the step, or why it cannot be determined.
    pub bump: Result<Bump, String>,
}

/// The size of a step, or why it cannot be determined. A step from a release to a pre-release has
/// none: the versions of a pre-release promise nothing.
pub(crate) fn bump(ecosystem: &dyn Upgradable, from: &str, to: &str) -> Result<Bump, String> {
    let is_prerelease = |version| {
        let answer = ecosystem.is_prerelease(version);
        answer.map_err(|error| error.to_string())
    };
    if is_prerelease(to)? && !is_prerelease(from)? {
        return Err(format!("{to} is a pre-release"));
    }

    ecosystem.bump(from, to).map_err(|error| error.to_string())
}
