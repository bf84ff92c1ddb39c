//! Writes a plan's files: all of them or none, as far as a file system allows.

use std::path::{Path, PathBuf};

use patchgate_fs::{stage, write_atomic};
use patchgate_model::{FileChange, UserError};

/// Writes the changed files.
///
/// All new contents are first written next to the files and then renamed over them, one after the
/// other. When a rename fails, the files before it get their old content back.
///
/// # Errors
/// When a file changed since the plan was made, or cannot be written. Nothing is changed then.
pub fn apply(root: &Path, changes: &[FileChange]) -> Result<(), UserError> {
    let mut ready = Vec::new();
    for change in changes {
        let path = checked(root, change)?;
        let staged = stage(&path, &change.after).map_err(|error| not_written(change, &error))?;
        ready.push((staged, path, change));
    }

    let mut done: Vec<(PathBuf, &FileChange)> = Vec::new();
    for (staged, path, change) in ready {
        if let Err(error) = staged.persist(&path) {
            let lost = restore(&done);
            let failed = not_written(change, &error);
            if lost.is_empty() {
                return Err(failed);
            }

            let lost = lost.join("`, `");
            return Err(UserError::failure(format!(
                "{failed}; `{lost}` could not be restored either"
            )));
        }

        done.push((path, change));
    }

    Ok(())
}

/// Gives files their old content back. Returns those for which that failed.
fn restore(done: &[(PathBuf, &FileChange)]) -> Vec<String> {
    done.iter()
        .filter(|(path, change)| write_atomic(path, &change.before).is_err())
        .map(|(_, change)| change.path.clone())
        .collect()
}

fn not_written(change: &FileChange, error: &std::io::Error) -> UserError {
    UserError::failure(format!("failed to write `{}`: {error}", change.path))
}

/// The path of a file that is still the one that the plan was made from.
fn checked(root: &Path, change: &FileChange) -> Result<PathBuf, UserError> {
    let path = root.join(&change.path);
    let unread = |error: std::io::Error| {
        UserError::failure(format!("failed to read `{}`: {error}", change.path))
    };
    let metadata = std::fs::symlink_metadata(&path).map_err(unread)?;
    let now = std::fs::read(&path).map_err(unread)?;

    if metadata.file_type().is_symlink() || now != change.before {
        return Err(UserError::usage(format!(
            "`{}` changed while the fix was planned",
            change.path
        ))
        .with_hint("run `patchgate fix` again"));
    }

    Ok(path)
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
