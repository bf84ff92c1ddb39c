//! Writes that replace a file as a whole.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// New content of a file, in a temporary file next to it.
///
/// Dropping it removes the temporary file.
#[derive(Debug)]
pub struct Staged(NamedTempFile);

impl Staged {
    /// Replaces `path` with the content. `path` must be in the directory it was staged for.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Writes content next to `path` and syncs it to disk, with the permissions of the file that it
/// will replace, or else those of a new public file.
///
/// # Errors
/// When the directory does not exist or cannot be written to.
pub fn stage(path: &Path, bytes: &[u8]) -> io::Result<Staged> {
    let mut file = temporary_next_to(path)?;
    file.write_all(bytes)?;
    let permissions = match std::fs::metadata(path) {
        Ok(existing) => existing.permissions(),
        Err(_) => new_file_permissions(),
    };
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;

    Ok(Staged(file))
}

/// Replaces a file, or creates it, so that no reader sees half of it. The permissions of a file
/// that is replaced are kept.
///
/// # Errors
/// When the directory does not exist or cannot be written to. The old file is unchanged then.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    stage(path, bytes)?.persist(path)
}

/// Like [`write_atomic`], for a file below `root` whose directories are created as needed. No link is
/// followed: a directory on the way that is one is refused, and a file that is one is replaced.
///
/// # Errors
/// When a directory on the way is a link or a file, or the file cannot be written.
pub fn write_inside(root: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let (directory, _) = path.rsplit_once('/').unwrap_or(("", path));

    let mut at = root.to_owned();
    for part in directory.split('/').filter(|part| !part.is_empty()) {
        at.push(part);
        match std::fs::symlink_metadata(&at) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let reason = format!("`{}` is not a directory, or is a link", at.display());
                return Err(io::Error::new(io::ErrorKind::NotADirectory, reason));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::create_dir(&at)?,
            Err(error) => return Err(error),
        }
    }

    // The new file does not get the permissions of a link's target, which may be outside of the
    // repository.
    let full = root.join(path);
    if std::fs::symlink_metadata(&full).is_ok_and(|metadata| metadata.is_symlink()) {
        std::fs::remove_file(&full)?;
    }
    write_atomic(&full, bytes)
}

/// Like [`write_atomic`], but only the user may read the file, and it is not synced to disk: for
/// caches, where a lost file costs a request.
///
/// # Errors
/// As for [`write_atomic`].
pub fn write_atomic_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = temporary_next_to(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.flush()?;
    file.persist(path).map_err(|error| error.error)?;

    Ok(())
}

/// A temporary file in the directory of `path`, because a rename works only within a file system.
fn temporary_next_to(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".patchgate-")
        .tempfile_in(directory)
}

/// A temporary file is private; a report is not.
fn new_file_permissions() -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    Permissions::from_mode(0o644)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_next_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        write_atomic(&path, b"first").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn permissions_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("script");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        write_atomic(&path, b"new").unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
    }

    #[test]
    fn a_file_is_written_below_a_root_and_never_through_a_link() {
        let top = tempfile::tempdir().unwrap();
        let (root, outside) = (top.path().join("root"), top.path().join("outside"));
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(&outside).unwrap();

        write_inside(&root, "a/b/file", b"x").unwrap();
        assert_eq!(std::fs::read(root.join("a/b/file")).unwrap(), b"x");

        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        let error = write_inside(&root, "link/file", b"x").unwrap_err();
        assert!(error.to_string().contains("is a link"), "{error}");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);

        std::fs::write(outside.join("file"), "kept").unwrap();
        std::os::unix::fs::symlink(outside.join("file"), root.join("file")).unwrap();
        write_inside(&root, "file", b"new").unwrap();
        assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"kept");
        assert_eq!(std::fs::read(root.join("file")).unwrap(), b"new");
    }

    #[test]
    fn a_staged_file_that_is_dropped_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        std::fs::write(&path, "old").unwrap();
        drop(stage(&path, b"new").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
