//! The commits and files between two commits, with the modes of the files.

use std::sync::Arc;

use patchgate_model::{Account, ChangedFile, CommitEvidence, Fetched, FileStatus, Missing};

use super::transport::Call;
use super::{GitHub, encode, wire};
use crate::ForgeError;

/// Number of commits up to which Patchgate reads those of a comparison.
const MAX_COMMITS: usize = 250;
/// Number of changed files up to which GitHub lists those of a comparison.
const MAX_FILES: usize = 300;
/// Entries of a page of commits, GitHub's maximum.
const PER_PAGE: usize = 100;
/// Limit on the files whose mode is read.
const MAX_MODES: usize = 200;

const CONTENTS: &str = "contents: read";

/// What differs between the base branch and the head.
pub(super) struct Difference {
    pub(super) merge_base: Fetched<String>,
    pub(super) head_tree: Fetched<String>,
    pub(super) commits: Fetched<Vec<CommitEvidence>>,
    pub(super) files: Fetched<Vec<ChangedFile>>,
}

impl Difference {
    pub(super) fn missing(missing: &Missing) -> Self {
        Self {
            merge_base: Err(missing.clone()),
            head_tree: Err(missing.clone()),
            commits: Err(missing.clone()),
            files: Err(missing.clone()),
        }
    }
}

impl GitHub {
    /// The commits and files between two commits. They are asked for by their ids: between two
    /// questions by the number of the pull request, its branch may go to another commit and back.
    pub(super) async fn difference(&self, base: &str, head: &str) -> Difference {
        match self.comparison(base, head).await {
            Ok(comparison) => comparison,
            Err(error) => Difference::missing(&Missing::from(&error)),
        }
    }

    async fn comparison(&self, base: &str, head: &str) -> Result<Difference, ForgeError> {
        let path = self.path(&format!("/compare/{}...{}", encode(base), encode(head)));
        let mut commits = Vec::new();
        let mut first: Option<(String, Vec<wire::File>)> = None;
        let mut total = u64::MAX;
        let mut head_tree = None;
        for page in 1.. {
            let call = Call::get(format!("{path}?per_page={PER_PAGE}&page={page}"), CONTENTS);
            let found: wire::Comparison = self.json(&call).await?;
            let count = found.commits.len();

            for wire in found.commits {
                if wire.sha == head {
                    head_tree = wire.commit.tree.as_ref().map(|tree| tree.sha.clone());
                }
                commits.push(commit(wire));
            }
            // Only the first page has the files.
            first.get_or_insert((found.merge_base_commit.sha, found.files));
            total = found.total_commits.unwrap_or(u64::MAX);
            if commits.len() as u64 >= total || count < PER_PAGE || commits.len() >= MAX_COMMITS {
                break;
            }
        }

        let (merge_base, files) = first.unwrap_or_default();
        let is_cut = commits.len() < MAX_COMMITS && (commits.len() as u64) < total;
        if is_cut {
            return Err(ForgeError::TooLarge {
                call: format!("GET {path}"),
                what: format!("cut: {} of {total} commits", commits.len()),
            });
        }
        let complete = |what: &str, count: usize, limit: usize| {
            full(&format!("{path} ({what})"), count, limit).map_err(|error| Missing::from(&error))
        };
        Ok(Difference {
            merge_base: Ok(merge_base),
            head_tree: head_tree
                .ok_or_else(|| Missing::new("the forge does not state the head's tree")),
            commits: complete("commits", commits.len(), MAX_COMMITS).map(|()| commits),
            files: complete("files", files.len(), MAX_FILES)
                .map(|()| files.into_iter().map(changed_file).collect()),
        })
    }

    /// Replaces the kind of change of each wanted file whose mode is not that of a regular file, or
    /// changes. A link has the name of a lockfile, and the forge's contents follow it.
    pub(super) async fn add_modes(
        &self,
        files: &mut [ChangedFile],
        base: &str,
        head: &str,
        is_wanted: &(dyn Fn(&str) -> bool + Sync),
    ) {
        let wanted = files.iter_mut().filter(|file| is_wanted(&file.path));
        let modified = wanted.filter(|file| file.status == FileStatus::Modified);
        for file in modified.take(MAX_MODES) {
            let mut modes = Vec::new();
            for commit in [base, head] {
                modes.push(self.mode(commit, &file.path).await);
            }
            file.status = match &modes[..] {
                [Ok(was), Ok(is)] if was == is && is.starts_with("100") => FileStatus::Modified,
                [Ok(was), Ok(is)] => FileStatus::Other(format!("mode {was} to {is}")),
                _ => FileStatus::Other("of a mode that cannot be read".to_owned()),
            };
        }
    }

    /// The mode of a file at a commit, such as `100644`.
    async fn mode(&self, commit: &str, path: &str) -> Result<String, ForgeError> {
        let mut id = commit.to_owned();
        let mut mode = String::new();
        for name in path.split('/') {
            let tree = self.tree(&id).await?;
            let entry = tree.tree.iter().find(|entry| entry.path == name);
            let Some(entry) = entry.filter(|_| !tree.truncated) else {
                return Err(ForgeError::TooLarge {
                    call: format!("GET {}/git/trees/{id}", self.path("")),
                    what: format!("without the entry `{name}`"),
                });
            };
            (id, mode) = (entry.sha.clone(), entry.mode.clone());
        }
        Ok(mode)
    }

    /// A directory by its id, or the root of a commit by that of the commit.
    pub(super) async fn tree(&self, id: &str) -> Result<Arc<wire::Tree>, ForgeError> {
        if let Some(tree) = self.fixed.tree(id) {
            return Ok(tree);
        }
        let call = Call::get(self.path(&format!("/git/trees/{}", encode(id))), CONTENTS);
        let tree: wire::Tree = self.json(&call).await?;
        Ok(self.fixed.keep_tree(id, tree))
    }
}

/// Refuses a list that is as long as GitHub's limit, because GitHub may have cut it.
fn full(path: &str, count: usize, limit: usize) -> Result<(), ForgeError> {
    if count < limit {
        return Ok(());
    }
    Err(ForgeError::TooLarge {
        call: format!("GET {path}"),
        what: format!("cut at {limit} entries, GitHub's own limit"),
    })
}

fn commit(wire: wire::Commit) -> CommitEvidence {
    let person = |user: Option<wire::MaybeUser>| {
        user.and_then(|user| {
            Some(Account {
                login: user.login?,
                id: user.id,
                kind: user.kind,
            })
        })
    };

    let verification = wire.commit.verification;
    CommitEvidence {
        sha: wire.sha,
        author: person(wire.author),
        committer: person(wire.committer),
        verified: verification.as_ref().is_some_and(|it| it.verified),
        verification: verification.map_or_else(|| "not stated".to_owned(), |it| it.reason),
        parents: wire.parents.into_iter().map(|parent| parent.sha).collect(),
    }
}

fn changed_file(wire: wire::File) -> ChangedFile {
    let status = match wire.status.as_str() {
        "added" => FileStatus::Added,
        // "changed" means another mode or kind, such as a symbolic link instead of a file.
        "modified" => FileStatus::Modified,
        "removed" => FileStatus::Removed,
        "renamed" => FileStatus::Renamed,
        _ => FileStatus::Other(wire.status),
    };

    ChangedFile {
        path: wire.filename,
        previous_path: wire.previous_filename,
        status,
        additions: wire.additions,
        deletions: wire.deletions,
    }
}
