//! The difference of two commits by their trees: exact, with modes, at fixed ids.
//!
//! Only directories with different ids are read, so a change of a lockfile at the root costs two calls.
//! A rename is a removed and an added file.

use std::collections::BTreeMap;
use std::future::Future;

use patchgate_model::{ChangedFile, FileStatus};

use sha1::Sha1;
use sha2::{Digest, Sha256};

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

/// The id of a directory's object, computed from its entries as git does
/// (<https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>). `None` when an entry has no id of git.
///
/// A forge that does not state the id of a tree states what it is made of. A list that is cut or
/// altered gives another id, so that it is never that of a signed plan.
pub(crate) fn id_of(directory: &Directory) -> Option<String> {
    let mut entries: Vec<(&String, &Entry)> = directory.iter().collect();
    // Git sorts a directory as if its name ended in a slash.
    let key = |(name, entry): &(&String, &Entry)| {
        let end = if entry.is_directory() { "/" } else { "" };
        format!("{name}{end}")
    };
    entries.sort_by_cached_key(|entry| key(entry).into_bytes());

    let mut content = Vec::new();
    let mut length = None;
    for (name, entry) in entries {
        let id = hex_bytes(&entry.id)?;
        if length.is_some_and(|length| length != id.len()) {
            return None;
        }
        length = Some(id.len());
        content.extend(entry.mode.trim_start_matches('0').bytes());
        content.push(b' ');
        content.extend(name.bytes());
        content.push(0);
        content.extend(id);
    }

    let header = format!("tree {}\0", content.len());
    match length {
        Some(20) => Some(hash::<Sha1>(&header, &content)),
        Some(32) => Some(hash::<Sha256>(&header, &content)),
        _ => None,
    }
}

fn hash<D: Digest>(header: &str, content: &[u8]) -> String {
    let hash = D::new()
        .chain_update(header)
        .chain_update(content)
        .finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pairs = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?));
    rest.is_empty().then(|| pairs.collect()).flatten()
}

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

    /// The id is that which `git write-tree` prints: the directory `a` is after the file `a.b`, and its
    /// mode has no leading zero.
    #[test]
    fn the_id_of_a_directory_is_that_of_git() {
        let blob = "32f95c0d1244a78b2be1bab8de17906fabb2c4a8";
        let tree = "f7a4e5c87386591c261e31d740717071f4450bf1";
        let entries = [
            ("a", "040000", tree),
            ("a.b", "100644", blob),
            ("f", "100644", blob),
        ];
        let whole = directory(&entries);
        assert_eq!(
            id_of(&whole).unwrap(),
            "0f79954ced9d5747f44d28eb1a418af1886cedde"
        );

        assert_ne!(id_of(&directory(&entries[1..])), id_of(&whole));
        assert_eq!(id_of(&directory(&[("f", "100644", "32f9")])), None);
        assert_eq!(id_of(&Directory::new()), None);
    }

    #[tokio::test]
    async fn an_endless_tree_is_refused() {
        let read = async |id: String| Ok(directory(&[("d", "040000", &format!("{id}x"))]));
        let error = difference("a", "b", read).await.unwrap_err();
        assert!(error.to_string().contains("directories"), "{error}");
    }
}
