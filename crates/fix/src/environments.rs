//! What a lockfile says about the requirements of releases: which conditional ones apply in the
//! environments that it is for, and which names need no package.

use std::collections::BTreeSet;

use patchgate_ecosystems::{Input, Release, Upgradable};

use crate::lock_state::LockState;
use crate::types::FormatSupport;

/// The environments of one lockfile.
#[derive(Debug, Clone, Default)]
pub(super) struct Environments {
    /// What the project states about the runtime of the language.
    pub(super) runtime: Option<String>,
    /// Whether the lockfile is for all of them, and not for the one in which it was made.
    every: bool,
    /// Names for which another package stands, and of which it has none itself.
    provided: BTreeSet<String>,
}

impl Environments {
    pub(super) fn of(support: FormatSupport, start: &LockState) -> Self {
        let lockfile = &start.lockfile;
        let input = Input {
            path: &lockfile.path,
            bytes: &start.bytes,
            siblings: &start.manifests,
        };
        let mut provided = support
            .writer
            .map(|writer| writer.provided(&input))
            .unwrap_or_default();
        for package in &lockfile.packages {
            provided.remove(support.ecosystem.normalize_name(&package.name).as_ref());
        }

        Self {
            provided,
            runtime: support
                .ecosystem
                .supported_runtime(&lockfile.path, &start.manifests),
            every: support
                .writer
                .is_some_and(|writer| writer.locks_every_environment(lockfile)),
        }
    }

    /// Marks the requirements of a release whose conditions are met, and leaves out those that need
    /// no package.
    pub(super) fn settle(&self, ecosystem: &dyn Upgradable, release: &mut Release) {
        release.requirements.retain(|requirement| {
            let name = ecosystem.normalize_name(requirement.package_name());
            !self.provided.contains(name.as_ref())
        });
        for requirement in &mut release.requirements {
            let condition = requirement.condition.as_str();
            requirement.applies = !condition.is_empty()
                && ecosystem.may_apply(condition, self.runtime.as_deref(), !self.every);
        }
    }
}
