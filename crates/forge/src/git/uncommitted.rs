//! Files of a working tree that differ from the last commit.
//!
//! `git status` is not run: the repository can name programs for it, such as filters and a monitor of
//! the file system. Instead the committed content is read and compared here.

use std::path::Path;

use patchgate_model::FileChange;

use super::process::{Git, GitError};

/// The paths of `changes` whose content before is not that of the commit that is checked out, or
/// that no commit has. `root` is the directory that paths are relative to. Empty outside of a clone.
///
/// Line ends do not count: git converts them where the user wants that.
///
/// # Errors
/// When git cannot be run, or fails.
pub async fn uncommitted(root: &Path, changes: &[FileChange]) -> Result<Vec<String>, GitError> {
    // Outside of a clone git need not be installed.
    let is_clone = root
        .canonicalize()
        .is_ok_and(|root| root.ancestors().any(|above| above.join(".git").exists()));
    if changes.is_empty() || !is_clone {
        return Ok(Vec::new());
    }

    let git = Git::new(root);
    // A clone may belong to another account, as in a container of a CI job. Reading two kinds of
    // objects runs nothing that its settings name.
    let trusted = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.directory"),
        ("GIT_CONFIG_VALUE_0", "*"),
        ("GIT_LITERAL_PATHSPECS", "1"),
    ];
    let inside = git
        .run(&["rev-parse", "--is-inside-work-tree"], &trusted, b"")
        .await;
    match inside {
        Ok(answer) if answer.starts_with(b"true") => {}
        Ok(_) => return Ok(Vec::new()),
        Err(GitError::Failed { message, .. }) if message.contains("not a git repository") => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    }

    let mut differ = Vec::new();
    for change in changes {
        if committed(&git, &trusted, &change.path).await?.as_deref()
            != Some(&without_carriage_returns(&change.before))
        {
            differ.push(change.path.clone());
        }
    }

    Ok(differ)
}

/// The content of a file in the commit that is checked out, with line feeds only. `None` when it has
/// no such file.
async fn committed(
    git: &Git,
    extra: &[(&str, &str)],
    path: &str,
) -> Result<Option<Vec<u8>>, GitError> {
    let listed = git
        .run(&["ls-tree", "-z", "HEAD", "--", path], extra, b"")
        .await;
    let listed = match listed {
        Ok(listed) => listed,
        // A clone without any commit.
        Err(GitError::Failed { message, .. }) if message.contains("Not a valid object name") => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let listed = String::from_utf8_lossy(&listed);
    let Some(id) = listed
        .split_once('\t')
        .and_then(|(head, _)| head.rsplit_once(" blob "))
        .map(|(_, id)| id)
    else {
        return Ok(None);
    };

    let content = git.run(&["cat-file", "blob", id], extra, b"").await?;
    Ok(Some(without_carriage_returns(&content)))
}

fn without_carriage_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            out.push(*byte);
        }
    }

    out
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b.invalid"])
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(status.status.success(), "{arguments:?}: {status:?}");
    }

    fn change(path: &str, before: &str) -> FileChange {
        FileChange {
            path: path.to_owned(),
            before: before.as_bytes().to_vec(),
            after: Vec::new(),
        }
    }

    #[tokio::test]
    async fn what_differs_from_the_commit_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let files = [
            change("same", "a\n"),
            change("crlf", "a\r\n"),
            change("a/changed *", "b\n"),
            change("new", ""),
        ];
        assert!(
            uncommitted(root, &files).await.unwrap().is_empty(),
            "no clone"
        );

        git(root, &["init", "-q"]);
        assert_eq!(
            uncommitted(root, &files[..1]).await.unwrap(),
            ["same"],
            "no commit"
        );

        std::fs::create_dir(root.join("a")).unwrap();
        for name in ["same", "crlf", "a/changed *"] {
            std::fs::write(root.join(name), "a\n").unwrap();
        }
        git(root, &["add", "."]);
        git(root, &["commit", "-q", "-m", "x"]);
        assert_eq!(
            uncommitted(root, &files).await.unwrap(),
            ["a/changed *", "new"]
        );
    }

    #[tokio::test]
    async fn nothing_that_the_clone_names_is_run() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        git(root, &["init", "-q"]);
        std::fs::write(root.join("file"), "a\n").unwrap();
        std::fs::write(root.join(".gitattributes"), "* filter=evil diff=evil\n").unwrap();
        git(root, &["add", "."]);
        git(root, &["commit", "-q", "-m", "x"]);

        let ran = root.join("ran");
        let program = format!("touch {}; cat", ran.display());
        for key in [
            "filter.evil.clean",
            "filter.evil.smudge",
            "diff.evil.textconv",
            "diff.evil.command",
            "core.fsmonitor",
            "core.pager",
        ] {
            git(root, &["config", key, &program]);
        }
        let _ = std::fs::remove_file(&ran);
        assert!(
            uncommitted(root, &[change("file", "a\n")])
                .await
                .unwrap()
                .is_empty()
        );
        assert!(!ran.exists());
    }
}
