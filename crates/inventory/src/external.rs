//! Files from outside of a repository on which its lockfiles and manifests build.

use std::path::Path;

use patchgate_model::{Inventory, Problem, ProblemKind};

use crate::contents::Contents;

/// A source of files from outside of the repository, such as the parents of Maven projects.
pub trait ExternalFiles {
    /// Gets the files that are missing, and reads the lockfiles that need them again. A file that
    /// cannot be had stays in [`patchgate_model::Lockfile::missing`], with the reason.
    ///
    /// `root` is the scanned directory, which the source must not trust.
    fn complete(&mut self, contents: &mut Contents, root: &Path)
    -> impl Future<Output = ()> + Send;
}

/// No source at all: every missing file stays missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoExternalFiles;

impl ExternalFiles for NoExternalFiles {
    async fn complete(&mut self, _: &mut Contents, _: &Path) {}
}

/// Problems of an inventory: files from outside of the repository that are missing, so that it is
/// not known which versions a file asks for.
pub fn missing(inventory: &Inventory) -> impl Iterator<Item = Problem> {
    inventory.lockfiles.iter().flat_map(|lockfile| {
        lockfile.missing.iter().map(|file| Problem {
            kind: ProblemKind::Unresolved,
            subject: lockfile.path.clone(),
            line: Some(file.line),
            reason: format!(
                "needs its {} `{}` {}, which {}",
                file.role,
                file.name,
                file.version,
                file.reason.as_deref().unwrap_or("is not in the repository")
            ),
            hint: Some(file.hint.clone().unwrap_or_else(|| {
                "make the file available in the local repository or in one that can be reached"
                    .to_owned()
            })),
        })
    })
}
