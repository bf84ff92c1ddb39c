//! Writes a plan's files: all of them or none.
//!
//! An interruption (Ctrl-C, a runner that stops its job) waits until the files are written. Only a
//! process that is killed outright, or a machine that stops, can leave some files new and others old.
//! Each file is whole even then.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use patchgate_fs::{stage, write_atomic};
use patchgate_model::{FileChange, UserError};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Writes the changed files.
///
/// All new contents are first written next to the files and then renamed over them, one after the
/// other. When a rename fails, the files before it get their old content back.
///
/// # Errors
/// When a file changed since the plan was made, or cannot be written. Nothing is changed then.
pub fn apply(root: &Path, changes: &[FileChange]) -> Result<(), UserError> {
    let paths: Vec<PathBuf> = changes
        .iter()
        .map(|change| checked(root, change))
        .collect::<Result<_, _>>()?;
    let mut ready = Vec::new();
    for (change, path) in changes.iter().zip(paths) {
        let staged = stage(&path, &change.after).map_err(|error| not_written(change, &error))?;
        ready.push((staged, path, change));
    }

    let _deferred = Deferred::signals();
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

/// Checks that files of a directory can be written, before a plan takes minutes for nothing.
///
/// # Errors
/// When the directory is read-only.
pub fn check_writable(directory: &Path) -> Result<(), UserError> {
    let is_marked = std::fs::metadata(directory).is_ok_and(|of| of.permissions().readonly());
    let tried = match is_marked {
        true => Err(std::io::ErrorKind::PermissionDenied.into()),
        false => stage(&directory.join("writable"), b"").map(drop),
    };
    tried.map_err(|error: std::io::Error| {
        UserError::failure(format!(
            "files in `{}` cannot be written: {error}",
            directory.display()
        ))
        .with_hint("leave out `--apply`; `--patch FILE` writes the change to another place")
    })
}

/// While this exists, signals that would end the process are ignored. It is kept for the
/// milliseconds in which files are renamed.
struct Deferred(Vec<signal_hook::SigId>);

impl Deferred {
    fn signals() -> Self {
        let register = |signal| {
            // The flag itself is not read: a handler, whatever it does, replaces the default one.
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).ok()
        };
        Self(
            [SIGHUP, SIGINT, SIGTERM]
                .into_iter()
                .filter_map(register)
                .collect(),
        )
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        for id in self.0.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
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

    let directory = path
        .parent()
        .and_then(|parent| std::fs::metadata(parent).ok());
    let is_locked = directory.is_some_and(|directory| directory.permissions().readonly());
    if metadata.permissions().readonly() || is_locked {
        return Err(
            UserError::failure(format!("`{}` is read-only", change.path))
                .with_hint("`--patch FILE` writes the change to another place"),
        );
    }

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

    #[test]
    fn a_read_only_file_or_directory_stops_everything_before_the_first_write() {
        use std::os::unix::fs::PermissionsExt as _;

        let root = tempfile::tempdir().unwrap();
        let locked = root.path().join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::write(root.path().join("x"), "1").unwrap();
        std::fs::write(locked.join("y"), "1").unwrap();
        let changes = [change("x", "1", "2"), change("locked/y", "1", "2")];

        let mode = |path: &Path, mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, permissions).unwrap();
        };
        mode(&locked, 0o555);
        assert!(check_writable(&locked).is_err());
        let error = apply(root.path(), &changes).unwrap_err();
        assert_eq!(error.to_string(), "`locked/y` is read-only");

        mode(&locked, 0o755);
        assert!(check_writable(&locked).is_ok());
        mode(&locked.join("y"), 0o444);
        let error = apply(root.path(), &changes).unwrap_err();
        assert_eq!(error.to_string(), "`locked/y` is read-only");
        assert_eq!(std::fs::read(root.path().join("x")).unwrap(), b"1");
        assert_eq!(
            std::fs::read_dir(&locked).unwrap().count(),
            1,
            "a file is left over"
        );
    }

    #[test]
    fn a_signal_waits_until_the_files_are_written() {
        let deferred = Deferred::signals();
        // The default action would end the test.
        signal_hook::low_level::raise(SIGTERM).unwrap();
        drop(deferred);
    }
}
