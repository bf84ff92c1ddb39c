//! Commits, created with the git command line, and pushes, which are not.
//!
//! The git command line gets no token and no network. Hooks, filters, and global and system settings
//! are disabled, so that the repository cannot influence it. This process pushes over HTTP, in git's
//! protocol (<https://git-scm.com/docs/http-protocol>, <https://git-scm.com/docs/pack-protocol>).

mod commit;
mod packet;
mod process;
mod push;
mod uncommitted;

use patchgate_model::CommitId;

pub use commit::{CommitIdentity, Head, NewCommit, commit_files, current_head, origin_url};
pub use process::GitError;
pub use push::{Lease, PushError, PushTarget, remote_branches, remote_head};
pub use uncommitted::uncommitted;

/// Prefix of every branch that Patchgate may write.
pub const BRANCH_PREFIX: &str = "patchgate/";

/// The name of a branch that Patchgate may write. The type cannot have any other name as its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatchgateBranch(String);

/// A branch that Patchgate must not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a branch that Patchgate writes")]
pub struct ForeignBranch(String);

impl PatchgateBranch {
    /// The branch for a plan. Its name depends only on the version changes of the plan.
    #[must_use]
    pub fn for_decision(decision_digest: &str) -> Self {
        let short: String = decision_digest
            .chars()
            .filter(char::is_ascii_hexdigit)
            .take(12)
            .collect();
        Self(format!("{BRANCH_PREFIX}fix-{short}"))
    }

    /// A branch that already exists.
    ///
    /// # Errors
    /// When the name does not start with [`BRANCH_PREFIX`], or is malformed.
    pub fn existing(name: &str) -> Result<Self, ForeignBranch> {
        let rest = name.strip_prefix(BRANCH_PREFIX).unwrap_or_default();
        let is_plain = !rest.is_empty()
            && rest.len() <= 200
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));

        if is_plain {
            Ok(Self(name.to_owned()))
        } else {
            Err(ForeignBranch(name.to_owned()))
        }
    }

    /// The name without `refs/heads/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The full name of the reference.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl std::fmt::Display for PatchgateBranch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the text is the full id of an object, written as git writes it.
pub(crate) fn is_object_id(text: &str) -> bool {
    CommitId::parse(text).is_some_and(|id| id.is_lower_case())
}

#[cfg(test)]
mod tests {
    use super::PatchgateBranch;

    #[test]
    fn only_own_branches_have_a_name() {
        let digest = "0123456789abcdef".repeat(4);
        let branch = PatchgateBranch::for_decision(&digest);

        assert_eq!(branch.reference(), "refs/heads/patchgate/fix-0123456789ab");
        assert_eq!(PatchgateBranch::existing(branch.name()), Ok(branch));

        for foreign in [
            "main",
            "patchgate/",
            "patchgate/../main",
            "patchgate/a b",
            "refs/heads/patchgate/a",
            "patchgate/a\0b",
            "patchgate/a\n",
        ] {
            assert!(PatchgateBranch::existing(foreign).is_err(), "{foreign:?}");
        }
    }
}
