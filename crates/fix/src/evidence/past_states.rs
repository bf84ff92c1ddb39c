//! The states that a lockfile had in the commits of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use patchgate_ecosystems::{Format, Input, Siblings};
use patchgate_evidence::LockedVersions;

use crate::git;

/// Most commits that are read. Those of a lockfile that changes every day go back a year.
const MAX_COMMITS: usize = 400;

/// Most bytes of all states together; older ones are left out.
const MAX_BYTES: usize = 192 * 1024 * 1024;

/// Most bytes of a list of commits or objects.
const MAX_LIST_BYTES: usize = 1024 * 1024;

/// The states of a lockfile in the order of time, those that can be read. Empty outside of a clone.
/// A shallow clone has few.
pub(super) async fn read(root: &Path, path: &str, format: &Format) -> Vec<LockedVersions> {
    let commits = commits(root, path).await.unwrap_or_default();
    let commits = within_limit(root, path, commits).await.unwrap_or_default();
    let input: String = commits
        .iter()
        .map(|(commit, _)| format!("{commit}:./{path}\n"))
        .collect();
    let most = MAX_BYTES + MAX_LIST_BYTES;
    let batch = git::ask(root, &["cat-file", "--batch"], input.as_bytes(), most).await;
    let batch = batch.unwrap_or_default();

    let mut states: Vec<LockedVersions> = commits
        .iter()
        .zip(blobs(&batch))
        .filter_map(|((_, time), bytes)| {
            let versions = versions(path, bytes?, format)?;
            Some(LockedVersions {
                time: *time,
                versions,
            })
        })
        .collect();
    // git lists the newest first.
    states.reverse();

    states
}

/// The commits that changed a file, the newest first, with their times. Of a merge only the result
/// counts.
async fn commits(root: &Path, path: &str) -> Option<Vec<(String, i64)>> {
    // A path with a line break cannot be asked for.
    if path.contains(['\n', '\r', '\0']) {
        return None;
    }
    let most = format!("--max-count={MAX_COMMITS}");
    let arguments = [
        "--literal-pathspecs",
        "log",
        "--first-parent",
        "--no-color",
        "--format=%H %ct",
        &most,
        "--",
        path,
    ];
    let listed = git::ask(root, &arguments, b"", MAX_LIST_BYTES).await?;
    let listed = String::from_utf8(listed).ok()?;
    let commit = |line: &str| {
        let (commit, time) = line.split_once(' ')?;
        let is_id = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some((is_id.then(|| commit.to_owned())?, time.parse().ok()?))
    };

    Some(listed.lines().filter_map(commit).collect())
}

/// The newest commits whose states are not too large together.
async fn within_limit(
    root: &Path,
    path: &str,
    commits: Vec<(String, i64)>,
) -> Option<Vec<(String, i64)>> {
    let input: String = commits
        .iter()
        .map(|(commit, _)| format!("{commit}:./{path}\n"))
        .collect();
    let arguments = ["cat-file", "--batch-check=%(objectsize)"];
    let sizes = git::ask(root, &arguments, input.as_bytes(), MAX_LIST_BYTES).await?;
    let sizes = String::from_utf8(sizes).ok()?;

    let mut sum: usize = 0;
    let mut kept = Vec::new();
    for (commit, size) in commits.into_iter().zip(sizes.lines()) {
        // The commit that removed the file has no size.
        let Ok(size) = size.parse::<usize>() else {
            continue;
        };
        sum = sum.saturating_add(size);
        if sum > MAX_BYTES {
            break;
        }
        kept.push(commit);
    }

    Some(kept)
}

/// The contents in an answer of `git cat-file --batch`; `None` for an object that is missing.
fn blobs(batch: &[u8]) -> Vec<Option<&[u8]>> {
    let mut blobs = Vec::new();
    let mut rest = batch;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (head, behind) = (&rest.get(..end), rest.get(end + 1..).unwrap_or_default());
        let head = head.and_then(|head| std::str::from_utf8(head).ok());
        let size = head.and_then(|head| {
            let mut words = head.split(' ');
            let (_, kind, size) = (words.next()?, words.next()?, words.next()?);
            (kind == "blob").then(|| size.parse::<usize>().ok())?
        });
        match size {
            Some(size) => {
                blobs.push(behind.get(..size));
                // A line break follows the content.
                rest = behind.get(size.saturating_add(1)..).unwrap_or_default();
            }
            None => {
                blobs.push(None);
                rest = behind;
            }
        }
    }

    blobs
}

/// The versions in one state; `None` if it cannot be read.
fn versions(
    path: &str,
    bytes: &[u8],
    format: &Format,
) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let input = Input {
        path,
        bytes,
        siblings: &Siblings::new(),
    };
    let lockfile = (format.parse)(&input).ok()?;
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lockfile.packages {
        versions
            .entry(package.name)
            .or_default()
            .insert(package.version);
    }

    Some(versions)
}

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::fixable_format;

    use super::*;
    use crate::git::tests::git;

    fn lockfile(version: &str) -> String {
        format!(
            "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"{version}\"\n\
             source = \"registry+https://index.invalid/\"\n"
        )
    }

    #[tokio::test]
    async fn every_commit_of_a_lockfile_is_a_state() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let (_, format) = fixable_format("app/Cargo.lock").unwrap();
        assert!(
            read(root, "app/Cargo.lock", format).await.is_empty(),
            "no clone"
        );

        git(root, &["init", "-q"]);
        std::fs::create_dir(root.join("app")).unwrap();
        for text in [
            &lockfile("1.0.0"),
            &lockfile("2.0.0"),
            "[[",
            &lockfile("1.0.0"),
        ] {
            std::fs::write(root.join("app/Cargo.lock"), text).unwrap();
            git(root, &["add", "."]);
            git(root, &["commit", "-q", "-m", "x"]);
        }
        // A commit without the file, and one that only changes another.
        git(root, &["rm", "-q", "app/Cargo.lock"]);
        git(root, &["commit", "-q", "-m", "x"]);

        for (root, path) in [
            (root.to_owned(), "app/Cargo.lock"),
            (root.join("app"), "Cargo.lock"),
        ] {
            std::fs::create_dir_all(&root).unwrap();
            let states = read(&root, path, format).await;
            let versions: Vec<String> = states
                .iter()
                .flat_map(|state| state.versions.values().flatten().cloned())
                .collect();
            assert_eq!(versions, ["1.0.0", "2.0.0", "1.0.0"], "{path}");
        }
    }
}
