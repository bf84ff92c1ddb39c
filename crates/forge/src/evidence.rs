//! Parts of the evidence that all forges gather alike.

use std::collections::BTreeMap;

use patchgate_model::{
    ChangedFile, CommitEvidence, Evidence, Fetched, FileContents, FileStatus, Missing, Safeguards,
};

use crate::ForgeError;
use crate::forge::{Forge, Wanted};
use crate::tree::{self, Directory};

/// Limit on the files whose content is read.
const MAX_CONTENTS: usize = 200;

/// Limit on the content of a file, in bytes.
const MAX_CONTENT_BYTES: usize = 32 * 1024 * 1024;

/// Name of the status that contains the gate's own verdict, which must not be judged itself.
pub(crate) const OWN_STATUS: &str = "patchgate";

impl From<&ForgeError> for Missing {
    fn from(error: &ForgeError) -> Self {
        Self {
            reason: error.to_string(),
            hint: error.hint(),
        }
    }
}

pub(crate) fn fetched<T>(result: Result<T, ForgeError>) -> Fetched<T> {
    result.map_err(|error| Missing::from(&error))
}

/// Evidence in which every piece is missing.
pub(crate) fn nothing() -> Evidence {
    fn unread<T>() -> Fetched<T> {
        Err(Missing::new("it was not read"))
    }

    Evidence {
        pull_request: unread(),
        base_tip: unread(),
        merge_base: unread(),
        commits: unread(),
        files: unread(),
        contents: BTreeMap::new(),
        check_runs: unread(),
        statuses: unread(),
        branch_checks: unread(),
        changes_requested: unread(),
        findings: Err(Missing::new("it was not computed")),
        head_at_end: unread(),
        own_job: None,
        safeguards: Safeguards::default(),
    }
}

/// The paths of a changed file, before and after.
pub(crate) fn changed_paths(file: &ChangedFile) -> impl Iterator<Item = String> {
    std::iter::once(file.path.clone()).chain(file.previous_path.clone())
}

/// The contents of the changed files that are wanted, on both sides.
pub(crate) async fn contents(
    forge: &impl Forge,
    files: &[ChangedFile],
    merge_base: &Fetched<String>,
    head: &str,
    is_wanted: Wanted<'_>,
) -> BTreeMap<String, FileContents> {
    let mut contents = BTreeMap::new();
    for (count, file) in files
        .iter()
        .filter(|file| is_wanted(&file.path))
        .enumerate()
    {
        let pair = if count < MAX_CONTENTS {
            FileContents {
                base: match merge_base {
                    Ok(commit) => content(forge, &file.path, commit).await,
                    Err(missing) => Err(missing.clone()),
                },
                head: content(forge, &file.path, head).await,
            }
        } else {
            let missing = Missing::new(format!(
                "more than {MAX_CONTENTS} lockfiles and manifests change"
            ));

            FileContents {
                base: Err(missing.clone()),
                head: Err(missing),
            }
        };
        contents.insert(file.path.clone(), pair);
    }

    contents
}

async fn content(forge: &impl Forge, path: &str, commit: &str) -> Fetched<Option<Vec<u8>>> {
    fetched(forge.file(path, commit, MAX_CONTENT_BYTES).await)
}

/// The commit from which a line of commits starts: the parent of its oldest one. `commits` are all
/// commits of the head that the base does not have, oldest first. On such a line it is the only
/// merge base; for any other shape the merge base is not known.
pub(crate) fn merge_base_of(commits: &[CommitEvidence], head: &str) -> Fetched<String> {
    let Some(first) = commits.first() else {
        // The base has every commit of the head.
        return Ok(head.to_owned());
    };
    let is_line = commits
        .windows(2)
        .all(|pair| pair[1].parents == [pair[0].sha.clone()]);

    match &first.parents[..] {
        [parent] if is_line => Ok(parent.clone()),
        _ => Err(Missing::new("the commits do not form one line")),
    }
}

/// The id of a tree, computed from the entries that a forge states.
pub(crate) fn computed_tree(directory: Result<Directory, ForgeError>) -> Fetched<String> {
    let directory = fetched(directory)?;
    tree::id_of(&directory).ok_or_else(|| Missing::new("the head's tree has no id of git"))
}

/// A change of a file's mode, such as from a regular file to a symbolic link.
pub(crate) fn mode_change(from: &str, to: &str) -> FileStatus {
    FileStatus::Other(format!("mode {from} to {to}"))
}
