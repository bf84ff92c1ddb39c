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

/// Number of digits of the digest in a branch's name.
const DIGEST_LENGTH: usize = 12;

/// The name of a branch that Patchgate may write. The type cannot have any other name as its value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PatchgateBranch(String);

/// A branch that Patchgate must not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a branch that Patchgate writes")]
pub struct ForeignBranch(String);

impl PatchgateBranch {
    /// The branch for a plan of a group: `patchgate/<group>-<digest>`. Characters that a branch of
    /// Patchgate cannot have are left out.
    #[must_use]
    pub fn for_plan(group: &str, digest: &str) -> Self {
        let short: String = digest
            .chars()
            .filter(char::is_ascii_hexdigit)
            .take(DIGEST_LENGTH)
            .collect();
        let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let group: String = group.chars().filter(is_allowed).take(100).collect();
        Self(format!("{BRANCH_PREFIX}{group}-{short}"))
    }

    /// The group of the plan, when the name has the form of [`Self::for_plan`].
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let name = self.0.strip_prefix(BRANCH_PREFIX)?;
        let (group, digest) = name.rsplit_once('-')?;
        let is_digest =
            digest.len() == DIGEST_LENGTH && digest.chars().all(|c| c.is_ascii_hexdigit());
        is_digest.then_some(group)
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
        let branch = PatchgateBranch::for_plan("fix", &digest);

        assert_eq!(branch.reference(), "refs/heads/patchgate/fix-0123456789ab");
        assert_eq!(branch.group(), Some("fix"));
        assert_eq!(PatchgateBranch::existing(branch.name()), Ok(branch));
        let odd = PatchgateBranch::for_plan("types-node/../\n", &digest);
        assert_eq!(odd.group(), Some("types-node"));
        assert_eq!(PatchgateBranch::existing(odd.name()), Ok(odd));
        let other = PatchgateBranch::existing("patchgate/work").unwrap();
        assert_eq!(other.group(), None);

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
