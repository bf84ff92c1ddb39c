//! Writes a plan's files: all of them or none, as far as a file system allows.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use patchgate_model::FileChange;
use tempfile::NamedTempFile;

use crate::exit::UsageError;

/// Writes the changed files.
///
/// All new contents are first written beside the files, and then put in their places one after
/// the other. When one cannot be put in its place, those before it get their old content back.
///
/// # Errors
/// When a file is not what the plan was made from, or cannot be written. Nothing is changed then.
pub(crate) fn apply(root: &Path, changes: &[FileChange]) -> anyhow::Result<()> {
    let mut ready = Vec::new();
    for change in changes {
        let path = checked(root, change)?;
        ready.push((stage(&path, &change.after)?, path, change));
    }

    let mut done: Vec<(&Path, &FileChange)> = Vec::new();
    for (file, path, change) in &mut ready {
        let staged = std::mem::replace(file, stage(path, &change.before)?);
        if let Err(error) = staged.persist(&*path) {
            let mut lost = Vec::new();
            for (path, change) in done {
                if crate::output::write_file(path, &change.before).is_err() {
                    lost.push(change.path.clone());
                }
            }

            let mut context = format!("failed to write `{}`", change.path);
            if !lost.is_empty() {
                context.push_str(&format!(
                    "; `{}` could not be restored either",
                    lost.join("`, `")
                ));
            }

            return Err(anyhow::Error::new(error.error).context(context));
        }

        done.push((path, change));
    }

    Ok(())
}

/// The path of a file that still is what the plan was made from.
fn checked(root: &Path, change: &FileChange) -> anyhow::Result<PathBuf> {
    let path = root.join(&change.path);
    let metadata = std::fs::symlink_metadata(&path)
        .with_context(|| format!("failed to read `{}`", change.path))?;
    let now = std::fs::read(&path).with_context(|| format!("failed to read `{}`", change.path))?;
    if metadata.file_type().is_symlink() || now != change.before {
        return Err(UsageError::new(format!(
            "`{}` changed while the fix was planned",
            change.path
        ))
        .with_hint("run `patchgate fix` again")
        .into());
    }

    Ok(path)
}

/// A new content beside its file, on disk, with the file's permissions.
fn stage(path: &Path, content: &[u8]) -> anyhow::Result<NamedTempFile> {
    let failed = || format!("failed to write beside `{}`", path.display());
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".patchgate-")
        .tempfile_in(folder)
        .with_context(failed)?;
    file.write_all(content).with_context(failed)?;
    let permissions = std::fs::metadata(path).with_context(failed)?.permissions();
    file.as_file()
        .set_permissions(permissions)
        .with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;

    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, before: &str, after: &str) -> FileChange {
        FileChange {
            path: path.into(),
            before: before.into(),
            after: after.into(),
        }
    }

    #[test]
    fn writes_every_file_and_leaves_nothing_beside() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("a")).unwrap();
        std::fs::write(root.path().join("x"), "1").unwrap();
        std::fs::write(root.path().join("a/y"), "1").unwrap();
        apply(
            root.path(),
            &[change("x", "1", "2"), change("a/y", "1", "3")],
        )
        .unwrap();

        assert_eq!(std::fs::read(root.path().join("x")).unwrap(), b"2");
        assert_eq!(std::fs::read(root.path().join("a/y")).unwrap(), b"3");
        assert_eq!(std::fs::read_dir(root.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_changed_meanwhile_stops_everything() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("x"), "1").unwrap();
        std::fs::write(root.path().join("y"), "other").unwrap();
        let error =
            apply(root.path(), &[change("x", "1", "2"), change("y", "1", "2")]).unwrap_err();
        assert_eq!(error.to_string(), "`y` changed while the fix was planned");
        assert_eq!(std::fs::read(root.path().join("x")).unwrap(), b"1");
    }

    #[test]
    fn a_link_is_not_written_through() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(outside.path(), "1").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("x")).unwrap();
        assert!(apply(root.path(), &[change("x", "1", "2")]).is_err());
        assert_eq!(std::fs::read(outside.path()).unwrap(), b"1");
    }
}
