//! The difference of two commits by their trees: exact, with modes, at fixed ids.
//!
//! Only directories with different ids are read, so a change of a lockfile at the root costs two calls.
//! A rename is a removed and an added file.

use std::collections::BTreeMap;
use std::future::Future;

use patchgate_model::{ChangedFile, FileStatus};

use crate::ForgeError;
use crate::evidence::mode_change;

/// Limit on the directories that are read.
const MAX_DIRECTORIES: usize = 2_000;

/// Limit on the changed files.
const MAX_FILES: usize = 3_000;

/// An entry of a directory, as git stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `100644`, `100755`, `120000` for a symbolic link, `160000` for a submodule, `040000` for a
    /// directory.
    pub(crate) mode: String,
    /// Id of the object.
    pub(crate) id: String,
}

impl Entry {
    fn is_directory(&self) -> bool {
        self.mode.trim_start_matches('0') == "40000"
    }
}

/// A directory: its entries by name.
pub(crate) type Directory = BTreeMap<String, Entry>;

/// The files that differ between two trees, sorted by path. `read` reads the directory with an id.
///
/// # Errors
/// When a directory cannot be read, or the difference is larger than the limits.
pub(crate) async fn difference<F>(
    base: &str,
    head: &str,
    read: impl Fn(String) -> F,
) -> Result<Vec<ChangedFile>, ForgeError>
where
    F: Future<Output = Result<Directory, ForgeError>>,
{
    let too_large = |what: String| ForgeError::TooLarge {
        call: format!("the difference of {base} and {head}"),
        what,
    };
    let mut files = Vec::new();
    let mut directories = 0;
    let mut open = vec![(String::new(), Some(base.to_owned()), Some(head.to_owned()))];
    while let Some((prefix, before, after)) = open.pop() {
        directories += 1;
        if directories > MAX_DIRECTORIES {
            return Err(too_large(format!(
                "longer than {MAX_DIRECTORIES} directories"
            )));
        }

        let mut sides = [Directory::new(), Directory::new()];
        for (side, id) in sides.iter_mut().zip([before, after]) {
            if let Some(id) = id {
                *side = read(id).await?;
            }
        }
        let [before, mut after] = sides;
        let mut pairs: Vec<(String, Option<Entry>, Option<Entry>)> = before
            .into_iter()
            .map(|(name, entry)| {
                let other = after.remove(&name);
                (name, Some(entry), other)
            })
            .collect();
        pairs.extend(
            after
                .into_iter()
                .map(|(name, entry)| (name, None, Some(entry))),
        );

        for (name, before, after) in pairs {
            if before == after {
                continue;
            }
            let path = format!("{prefix}{name}");
            let directory = |entry: &Option<Entry>| {
                entry
                    .as_ref()
                    .filter(|entry| entry.is_directory())
                    .map(|entry| entry.id.clone())
            };
            let file = |entry: Option<Entry>| entry.filter(|entry| !entry.is_directory());

            let (left, right) = (directory(&before), directory(&after));
            if left != right {
                open.push((format!("{path}/"), left, right));
            }
            if let Some(status) = status(file(before), file(after)) {
                files.push(changed(path, status));
            }
            if files.len() > MAX_FILES {
                return Err(too_large(format!("longer than {MAX_FILES} files")));
            }
        }
    }

    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn status(before: Option<Entry>, after: Option<Entry>) -> Option<FileStatus> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(FileStatus::Added),
        (Some(_), None) => Some(FileStatus::Removed),
        (Some(before), Some(after)) if before.mode != after.mode => {
            Some(mode_change(&before.mode, &after.mode))
        }
        (Some(before), Some(after)) if before.id == after.id => None,
        (Some(_), Some(_)) => Some(FileStatus::Modified),
    }
}

/// A changed file. A tree does not tell the number of lines, and no rule asks for it.
fn changed(path: String, status: FileStatus) -> ChangedFile {
    ChangedFile {
        path,
        previous_path: None,
        status,
        additions: 0,
        deletions: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(entries: &[(&str, &str, &str)]) -> Directory {
        entries
            .iter()
            .map(|(name, mode, id)| {
                let entry = Entry {
                    mode: (*mode).to_owned(),
                    id: (*id).to_owned(),
                };
                ((*name).to_owned(), entry)
            })
            .collect()
    }

    #[tokio::test]
    async fn every_kind_of_change_is_seen_and_equal_directories_are_not_read() {
        let read = async |id: String| {
            Ok(match id.as_str() {
                "base" => directory(&[
                    ("a", "100644", "1"),
                    ("gone", "040000", "g"),
                    ("link", "100644", "1"),
                    ("same", "040000", "s"),
                    ("sub", "040000", "x"),
                    ("turned", "040000", "t"),
                ]),
                "head" => directory(&[
                    ("a", "100644", "2"),
                    ("link", "120000", "1"),
                    ("new", "160000", "n"),
                    ("same", "040000", "s"),
                    ("sub", "40000", "y"),
                    ("turned", "100644", "f"),
                ]),
                "g" | "t" => directory(&[("b", "100644", "1")]),
                "x" => directory(&[("c", "100644", "1"), ("d", "100755", "1")]),
                "y" => directory(&[("c", "100644", "3"), ("d", "100755", "1")]),
                other => panic!("`{other}` is read"),
            })
        };
        let files = difference("base", "head", read).await.unwrap();
        let seen: Vec<(&str, &FileStatus)> = files
            .iter()
            .map(|file| (file.path.as_str(), &file.status))
            .collect();
        assert_eq!(
            seen,
            [
                ("a", &FileStatus::Modified),
                ("gone/b", &FileStatus::Removed),
                ("link", &FileStatus::Other("mode 100644 to 120000".into())),
                ("new", &FileStatus::Added),
                ("sub/c", &FileStatus::Modified),
                ("turned", &FileStatus::Added),
                ("turned/b", &FileStatus::Removed),
            ]
        );
    }

    #[tokio::test]
    async fn an_endless_tree_is_refused() {
        let read = async |id: String| Ok(directory(&[("d", "040000", &format!("{id}x"))]));
        let error = difference("a", "b", read).await.unwrap_err();
        assert!(error.to_string().contains("directories"), "{error}");
    }
}
