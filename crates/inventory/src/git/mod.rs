//! The parts of a git repository that decide which files belong to it: its root, and the paths that
//! git tracks.
//!
//! Both are read as data. Git itself is not run: the configuration of a scanned repository can make
//! it run programs.

mod index;

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use self::index::EntryKind;

/// Name of git's directory, or of the file that names it.
const GIT: &str = ".git";

/// Largest index, in bytes. That of the Linux kernel has 10 MiB.
const MAX_INDEX_BYTES: u64 = 256 * 1024 * 1024;

/// Largest file that names git's directory, in bytes.
const MAX_LINK_BYTES: u64 = 16 * 1024;

/// Most submodules that are looked into.
const MAX_SUBMODULES: usize = 1_000;

/// Most submodules within each other.
const MAX_NESTING: usize = 8;

/// The root of the repository that a directory belongs to: the nearest directory upwards with
/// `.git`, as a canonical path. `None` outside of any repository.
///
/// A repository above the directory counts only when the directory's owner owns it, as in git's own
/// check (`safe.directory`): otherwise a user of a shared machine could plant settings for others.
pub(crate) fn root_of(directory: &Path) -> Option<PathBuf> {
    let directory = directory.canonicalize().ok()?;
    let owner = std::fs::metadata(&directory).ok()?.uid();
    let root = directory.ancestors().find(|above| is_root(above))?;
    let is_owner = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|of| of.uid() == owner);

    (is_owner(root) && is_owner(&root.join(GIT))).then(|| root.to_owned())
}

/// Whether a directory has a `.git` that is git's directory, or that names one.
fn is_root(directory: &Path) -> bool {
    let git = directory.join(GIT);
    match std::fs::metadata(&git) {
        Ok(metadata) if metadata.is_dir() => git.join("HEAD").exists(),
        Ok(metadata) => metadata.is_file() && git_directory(directory).is_some(),
        Err(_) => false,
    }
}

/// The directory with git's data about a working tree. In a further working tree and in a submodule
/// it is elsewhere, and the file `.git` names it. Nothing but the index is read from there.
fn git_directory(root: &Path) -> Option<PathBuf> {
    let git = root.join(GIT);
    if std::fs::metadata(&git).ok()?.is_dir() {
        return Some(git);
    }

    let text = patchgate_fs::read_inside(root, GIT, MAX_LINK_BYTES).ok()?;
    let text = String::from_utf8(text).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    (!named.is_empty()).then(|| root.join(named))
}

/// The tracked paths of a working tree, those of its submodules included, for which `wanted` is
/// true. `None` when the index cannot be read for certain: then every file may be tracked.
pub(crate) fn tracked(root: &Path, wanted: impl Fn(&str) -> bool) -> Option<BTreeSet<String>> {
    let mut paths = BTreeSet::new();
    let mut open = vec![(String::new(), 0)];
    let mut submodules = 0;
    while let Some((prefix, nesting)) = open.pop() {
        let bytes = patchgate_fs::read_inside(
            &git_directory(&root.join(&prefix))?,
            "index",
            MAX_INDEX_BYTES,
        );
        for (kind, path) in index::read(&bytes.ok()?)? {
            // A path that is not UTF-8 is reported by the walk.
            let Ok(path) = String::from_utf8(path) else {
                continue;
            };
            let path = format!("{prefix}{path}");
            match kind {
                EntryKind::File if wanted(&path) => {
                    paths.insert(path);
                }
                EntryKind::Submodule if has_files(&root.join(&path)) => {
                    submodules += 1;
                    if submodules > MAX_SUBMODULES || nesting == MAX_NESTING {
                        return None;
                    }
                    patchgate_fs::check_inside(root, &root.join(&path)).ok()?;
                    open.push((format!("{path}/"), nesting + 1));
                }
                _ => {}
            }
        }
    }

    Some(paths)
}

/// Whether a directory exists and has an entry. A submodule that was not fetched is empty.
fn has_files(directory: &Path) -> bool {
    std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes a directory a repository that tracks these paths.
    pub(crate) fn track(root: &Path, paths: &[&str]) {
        let git = root.join(GIT);
        std::fs::create_dir_all(&git).unwrap();
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(git.join("index"), index::tests::index(2, 20, paths)).unwrap();
    }

    fn all(root: &Path) -> Option<Vec<String>> {
        tracked(root, |_| true).map(|paths| paths.into_iter().collect())
    }

    #[test]
    fn the_nearest_repository_upwards_is_the_root() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        assert_eq!(root_of(&inner), None);

        // An empty `.git` is no repository.
        std::fs::create_dir(top.path().join("a/.git")).unwrap();
        assert_eq!(root_of(&inner), None);

        track(top.path(), &[]);
        let root = top.path().canonicalize().unwrap();
        assert_eq!(root_of(&inner), Some(root.clone()));
        assert_eq!(root_of(top.path()), Some(root));
    }

    #[test]
    fn a_further_working_tree_has_its_index_elsewhere() {
        let top = tempfile::tempdir().unwrap();
        let tree = top.path().join("tree");
        let data = top.path().join("main/.git/worktrees/tree");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(
            data.join("index"),
            index::tests::index(4, 20, &["Cargo.lock"]),
        )
        .unwrap();
        for named in ["../main/.git/worktrees/tree", data.to_str().unwrap()] {
            std::fs::write(tree.join(GIT), format!("gitdir: {named}\n")).unwrap();
            assert_eq!(all(&tree).unwrap(), ["Cargo.lock"]);
            assert!(root_of(&tree).is_some());
        }
    }

    #[test]
    fn the_files_of_a_submodule_are_tracked() {
        let top = tempfile::tempdir().unwrap();
        let sub = top.path().join("sub");
        track(top.path(), &["absent/", "go.mod", "sub/"]);
        assert_eq!(all(top.path()).unwrap(), ["go.mod"]);

        std::fs::create_dir(&sub).unwrap();
        std::fs::write(sub.join("Cargo.lock"), "").unwrap();
        assert_eq!(all(top.path()), None, "its own index is missing");
        track(&sub, &["Cargo.lock"]);
        assert_eq!(all(top.path()).unwrap(), ["go.mod", "sub/Cargo.lock"]);
    }

    #[test]
    fn a_broken_index_is_unknown() {
        let top = tempfile::tempdir().unwrap();
        track(top.path(), &["Cargo.lock"]);
        std::fs::write(top.path().join(".git/index"), "DIRC").unwrap();
        assert_eq!(all(top.path()), None);
        std::fs::remove_file(top.path().join(".git/index")).unwrap();
        assert_eq!(all(top.path()), None);
    }
}
