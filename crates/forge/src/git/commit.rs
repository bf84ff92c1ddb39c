//! Reproducible commits: a base commit with changed files.

use std::path::Path;

use patchgate_model::FileChange;

use super::is_object_id;
use super::process::{Git, GitError};

/// Author and committer of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitIdentity {
    name: String,
    email: String,
}

/// A name or an e-mail address that is invalid in a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a valid name or e-mail address for a commit")]
pub struct CommitIdentityError(String);

impl CommitIdentity {
    /// Creates an identity from a name and an email address.
    ///
    /// # Errors
    /// When a part is empty, longer than 200 bytes, or contains `<`, `>` or control characters.
    pub fn new(name: &str, email: &str) -> Result<Self, CommitIdentityError> {
        for part in [name, email] {
            let is_bad = part.trim().is_empty()
                || part.len() > 200
                || part
                    .chars()
                    .any(|c| c.is_control() || matches!(c, '<' | '>'));
            if is_bad {
                return Err(CommitIdentityError(part.to_owned()));
            }
        }

        Ok(Self {
            name: name.to_owned(),
            email: email.to_owned(),
        })
    }
}

/// A commit that was created in the clone, without a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    /// Id of the new commit.
    pub id: String,
    /// Id of its tree.
    pub tree: String,
    /// Id of the parent commit.
    pub base: String,
    /// The pack of the objects that a server with the base commit lacks.
    pub(super) pack: Vec<u8>,
}

/// The head of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Id of the commit that is checked out.
    pub commit: String,
    /// Branch without `refs/heads/`; `None` for a detached head, as in most CI jobs.
    pub branch: Option<String>,
    /// Path of the directory below the clone's root, with a trailing `/`; empty at the root.
    pub prefix: String,
}

/// Reads the head of the clone that contains `dir`.
///
/// # Errors
/// When `dir` is not in a clone, or the clone has no commit.
pub async fn current_head(dir: &Path) -> Result<Head, GitError> {
    let git = Git::new(dir);
    let commit = git
        .line(&["rev-parse", "--verify", "HEAD^{commit}"], &[], b"")
        .await?;
    if !is_object_id(&commit) {
        return Err(GitError::Unreadable {
            command: "rev-parse".to_owned(),
        });
    }
    // Fails with a detached head, which is allowed.
    let branch = git
        .line(&["symbolic-ref", "--quiet", "--short", "HEAD"], &[], b"")
        .await
        .ok();

    let prefix = git.line(&["rev-parse", "--show-prefix"], &[], b"").await?;
    Ok(Head {
        commit,
        branch,
        prefix,
    })
}

/// The address of the remote `origin` in the clone that contains `dir`; `None` if there is none. It
/// is text from the clone, and may contain a password.
pub async fn origin_url(dir: &Path) -> Option<String> {
    let arguments = ["config", "--local", "--get", "remote.origin.url"];
    Git::new(dir).line(&arguments, &[], b"").await.ok()
}

/// Creates a commit with `changes` on top of `base` in the clone that contains `dir`, and the pack to
/// push it. The working tree, the index and the branches of the clone stay unchanged.
///
/// Equal base, changes, identity and message give the same commit id, because the date is that of the
/// base commit.
///
/// # Errors
/// When git fails, a file is not a regular file at `base`, or its content there is not
/// [`FileChange::before`]. In the last case the plan was made from other files than those of the
/// commit.
pub async fn commit_files(
    dir: &Path,
    base: &str,
    changes: &[FileChange],
    identity: &CommitIdentity,
    message: &str,
) -> Result<NewCommit, GitError> {
    if !is_object_id(base) {
        return Err(GitError::File {
            path: base.to_owned(),
            reason: "is not a full commit id".to_owned(),
        });
    }

    let scratch = tempfile::tempdir().map_err(|source| GitError::Pipe {
        command: "read-tree".to_owned(),
        source,
    })?;
    let git = Git::new(dir).with_index(scratch.path().join("index"));
    git.run(&["read-tree", base], &[], b"").await?;

    // Stage the changes in an index of their own.
    for change in changes {
        let mode = mode_of(&git, base, change).await?;
        let blob = git
            .line(
                &["hash-object", "-w", "--no-filters", "--stdin"],
                &[],
                &change.after,
            )
            .await?;

        // With `-z`, git does not interpret any characters of the path.
        let entry = format!("{mode} {blob}\t{}\0", change.path);
        git.run(
            &["update-index", "-z", "--index-info"],
            &[],
            entry.as_bytes(),
        )
        .await?;
    }

    // Write the commit.
    let tree = git.line(&["write-tree"], &[], b"").await?;
    let date = git
        .line(&["show", "--no-patch", "--format=%ct", base], &[], b"")
        .await?;
    let date = format!("{date} +0000");
    let id = git
        .line(
            &["commit-tree", "-p", base, &tree],
            &[
                ("GIT_AUTHOR_NAME", &identity.name),
                ("GIT_AUTHOR_EMAIL", &identity.email),
                ("GIT_AUTHOR_DATE", &date),
                ("GIT_COMMITTER_NAME", &identity.name),
                ("GIT_COMMITTER_EMAIL", &identity.email),
                ("GIT_COMMITTER_DATE", &date),
            ],
            message.as_bytes(),
        )
        .await?;
    if !is_object_id(&id) {
        return Err(GitError::Unreadable {
            command: "commit-tree".to_owned(),
        });
    }

    // Pack the objects that a server with the base commit lacks.
    let pack = git
        .run(
            &["pack-objects", "--stdout", "--revs", "--quiet"],
            &[],
            format!("{id}\n^{base}\n").as_bytes(),
        )
        .await?;

    Ok(NewCommit {
        id,
        tree,
        base: base.to_owned(),
        pack,
    })
}

/// Mode of a file at the base commit. Verifies that its content is the one that the plan is based on.
async fn mode_of(git: &Git, base: &str, change: &FileChange) -> Result<String, GitError> {
    let error = |reason: &str| GitError::File {
        path: change.path.clone(),
        reason: reason.to_owned(),
    };
    let listed = git
        .line(
            &[
                "--literal-pathspecs",
                "ls-tree",
                "-z",
                "--full-tree",
                base,
                "--",
                &change.path,
            ],
            &[],
            b"",
        )
        .await?;
    let entry = listed
        .trim_end_matches('\0')
        .split_once('\t')
        .filter(|(_, path)| *path == change.path)
        .map(|(entry, _)| entry)
        .ok_or_else(|| error("is not in the commit that the branch would start from"))?;
    let mut parts = entry.split(' ');
    let (mode, kind, blob) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if kind != "blob" || !matches!(mode, "100644" | "100755") {
        return Err(error("is not a regular file in the commit"));
    }

    let content = git.run(&["cat-file", "blob", blob], &[], b"").await?;
    if content != change.before {
        return Err(error(
            "differs from the commit that the branch would start from; commit or undo the local change",
        ));
    }

    Ok(mode.to_owned())
}
