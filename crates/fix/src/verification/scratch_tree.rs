//! A scratch copy of the repository, in which the tests run.
//!
//! A copy has the files of the working tree that git does not ignore, without `.git`: whatever the
//! tests do, they do not change the repository, its branches or its index. Each run gets a copy of
//! its own, so that nothing of one run decides another.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use patchgate_model::{FileChange, UserError};

use crate::git;

/// Most files of a copy.
const MAX_FILES: usize = 200_000;

/// Most bytes of a copy.
const MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Most bytes of git's list of files.
const MAX_LIST_BYTES: usize = 64 * 1024 * 1024;

/// Directories that are not copied where there is no git to say what is ignored: installed
/// packages, build outputs and histories.
const SKIPPED: [&str; 9] = [
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "target",
    "vendor/bundle",
    ".venv",
    "__pycache__",
    ".tox",
];

/// The files that a copy has.
#[derive(Debug)]
pub(super) struct SourceTree {
    /// The top of the repository.
    top: PathBuf,
    /// The scanned directory, from the top.
    prefix: PathBuf,
    /// Paths of files and links, from the top.
    files: BTreeSet<PathBuf>,
}

/// A copy, which is removed with the value.
#[derive(Debug)]
pub(super) struct ScratchTree {
    temporary: tempfile::TempDir,
    prefix: PathBuf,
}

impl SourceTree {
    /// Lists the files of the repository that contains a directory.
    ///
    /// # Errors
    /// When the directory cannot be read or has too many files.
    pub(super) async fn of(root: &Path) -> Result<Self, UserError> {
        let root = root.canonicalize().map_err(|error| unread(root, &error))?;
        let top = git::ask(&root, &["rev-parse", "--show-toplevel"], b"", 64 * 1024).await;
        let top = top
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| Path::new(text.trim_end_matches('\n')).canonicalize().ok())
            .filter(|top| root.starts_with(top));
        let listed = match &top {
            Some(top) => {
                let list = [
                    "ls-files",
                    "-z",
                    "--cached",
                    "--others",
                    "--exclude-standard",
                ];
                git::ask(top, &list, b"", MAX_LIST_BYTES).await
            }
            None => None,
        };

        let (top, files) = match (top, listed) {
            (Some(top), Some(listed)) => (top, paths_of(&listed)),
            _ => {
                let mut files = BTreeSet::new();
                walk(&root, Path::new(""), &mut files)?;
                (root.clone(), files)
            }
        };
        if files.len() > MAX_FILES {
            return Err(too_large());
        }
        let prefix = root.strip_prefix(&top).unwrap_or(Path::new("")).to_owned();

        Ok(Self { top, prefix, files })
    }

    /// A copy with changes, whose paths are from the scanned directory.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub(super) fn copy(&self, changes: &[FileChange]) -> Result<ScratchTree, UserError> {
        let failed = |error: std::io::Error| {
            UserError::failure(format!("the scratch copy cannot be written: {error}"))
        };
        let temporary = tempfile::Builder::new()
            .prefix("patchgate-verify-")
            .tempdir()
            .map_err(failed)?;
        let to = temporary.path();
        let mut bytes: u64 = 0;
        for path in &self.files {
            let from = self.top.join(path);
            // A file of the index that is deleted in the working tree.
            let Ok(metadata) = std::fs::symlink_metadata(&from) else {
                continue;
            };
            let target = to.join(path);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent).map_err(failed)?;
            }
            if metadata.is_symlink() {
                copy_link(&from, &target).map_err(failed)?;
            } else if metadata.is_file() {
                bytes = bytes.saturating_add(metadata.len());
                if bytes > MAX_BYTES {
                    return Err(too_large());
                }
                std::fs::copy(&from, &target).map_err(|error| unread(&from, &error))?;
            }
        }

        let scratch = ScratchTree {
            temporary,
            prefix: self.prefix.clone(),
        };
        std::fs::create_dir_all(scratch.directory()).map_err(failed)?;
        for change in changes {
            scratch.write(change)?;
        }

        Ok(scratch)
    }
}

impl ScratchTree {
    /// The copy of the scanned directory.
    pub(super) fn directory(&self) -> PathBuf {
        self.temporary.path().join(&self.prefix)
    }

    /// Writes a changed file. A link on the way could lead out of the copy and is refused.
    fn write(&self, change: &FileChange) -> Result<(), UserError> {
        let failed = |reason: String| {
            UserError::failure(format!(
                "`{}` cannot be changed in the scratch copy: {reason}",
                change.path
            ))
        };
        let mut target = self.directory();
        for part in Path::new(&change.path).components() {
            let Component::Normal(part) = part else {
                return Err(failed("it is outside of it".to_owned()));
            };
            target.push(part);
            if std::fs::symlink_metadata(&target).is_ok_and(|of| of.is_symlink()) {
                return Err(failed("a link is on the way".to_owned()));
            }
        }

        let written = target
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&target, &change.after));
        written.map_err(|error| failed(error.to_string()))
    }
}

#[cfg(unix)]
fn copy_link(from: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(std::fs::read_link(from)?, to)
}

#[cfg(not(unix))]
fn copy_link(_from: &Path, _to: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The paths of git's list. Those that would lead out of the repository are left out.
fn paths_of(listed: &[u8]) -> BTreeSet<PathBuf> {
    listed
        .split(|byte| *byte == 0)
        .filter_map(|path| std::str::from_utf8(path).ok())
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .filter(|path| {
            let mut parts = path.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        })
        .collect()
}

/// Lists the files of a directory that is not in a clone. Links are not followed.
fn walk(root: &Path, inside: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), UserError> {
    let directory = root.join(inside);
    let listed = std::fs::read_dir(&directory).map_err(|error| unread(&directory, &error))?;
    for entry in listed {
        let entry = entry.map_err(|error| unread(&directory, &error))?;
        let path = inside.join(entry.file_name());
        if SKIPPED.iter().any(|skipped| path.ends_with(skipped)) {
            continue;
        }
        let kind = entry.file_type().map_err(|error| unread(&path, &error))?;
        if kind.is_dir() {
            walk(root, &path, files)?;
        } else {
            files.insert(path);
        }
        if files.len() > MAX_FILES {
            return Err(too_large());
        }
    }

    Ok(())
}

fn unread(path: &Path, error: &std::io::Error) -> UserError {
    UserError::failure(format!("failed to read `{}`: {error}", path.display()))
}

fn too_large() -> UserError {
    UserError::failure(format!(
        "the repository is too large to be copied for `--verify`: more than {MAX_FILES} files or {} GiB",
        MAX_BYTES / (1024 * 1024 * 1024)
    ))
    .with_hint("let git ignore files that the tests do not need")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::tests::git;

    fn change(path: &str) -> FileChange {
        FileChange {
            path: path.to_owned(),
            before: b"1".to_vec(),
            after: b"2".to_vec(),
        }
    }

    #[tokio::test]
    async fn a_copy_has_the_working_tree_without_what_git_ignores() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir_all(root.join("app/out")).unwrap();
        for (path, content) in [
            ("app/lock", "1"),
            ("app/new", "n"),
            ("app/out/built", "x"),
            ("above", "a"),
            (".gitignore", "out/\n"),
        ] {
            std::fs::write(root.join(path), content).unwrap();
        }
        git(root, &["init", "-q"]);
        git(root, &["add", "app/lock", "above"]);

        let tree = SourceTree::of(&root.join("app")).await.unwrap();
        let scratch = tree.copy(&[change("lock")]).unwrap();
        let read = |path: &str| std::fs::read_to_string(scratch.directory().join(path)).ok();
        assert_eq!(read("lock").as_deref(), Some("2"));
        assert_eq!(read("new").as_deref(), Some("n"));
        assert_eq!(read("../above").as_deref(), Some("a"));
        assert_eq!(read("out/built"), None);
        assert_eq!(read("../.git/HEAD"), None);
        assert_eq!(std::fs::read_to_string(root.join("app/lock")).unwrap(), "1");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn no_change_is_written_through_a_link() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("lock"), "1").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();

        let tree = SourceTree::of(root).await.unwrap();
        assert!(tree.copy(&[]).is_ok());
        for path in ["link/lock", "../lock", "/lock"] {
            assert!(tree.copy(&[change(path)]).is_err(), "{path}");
        }
        let kept = std::fs::read_to_string(outside.path().join("lock")).unwrap();
        assert_eq!(kept, "1");
    }
}
