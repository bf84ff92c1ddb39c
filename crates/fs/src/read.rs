//! Reads of regular files inside a directory, up to a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Error of a bounded read. The text is a fragment that follows the file's name.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refuses.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is a link, or lies behind one, and the target is outside of the directory.
    #[error("is a symbolic link that leads out of the repository")]
    LeadsOut,
    /// A directory, a named pipe, a device.
    #[error("is not a regular file")]
    NotRegular,
    /// The file has more bytes than the limit.
    #[error("is larger than {}", size(*.limit))]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

impl ReadError {
    /// Whether the file does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// A limit in the largest unit that keeps it whole.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;

    if bytes >= MIB && bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else if bytes >= KIB && bytes.is_multiple_of(KIB) {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{bytes} bytes")
    }
}

/// Reads a regular file below `root`, following links only as far as they stay below it.
///
/// `path` is relative to `root`. A `..` that leads out of `root` counts as leading out, whether the
/// target exists or not.
///
/// # Errors
/// When the file cannot be read, is not regular, is larger than `max_bytes`, or lies outside.
pub fn read_inside(root: &Path, path: &str, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let full = root.join(path);
    check_inside(root, &full)?;
    // Asked before opening: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(&full)?;
    if !metadata.is_file() {
        return Err(ReadError::NotRegular);
    }
    if metadata.len() > max_bytes {
        return Err(ReadError::TooLarge { limit: max_bytes });
    }

    let capacity = usize::try_from(metadata.len()).unwrap_or(0) + 1;
    let mut bytes = Vec::with_capacity(capacity);
    // The file may grow between the question and the read.
    File::open(&full)?
        .take(max_bytes + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(ReadError::TooLarge { limit: max_bytes });
    }

    Ok(bytes)
}

/// Checks that a path stays below a directory when every link in it is followed.
///
/// # Errors
/// When the path does not exist, or leads out.
pub fn check_inside(root: &Path, path: &Path) -> Result<(), ReadError> {
    let target = path.canonicalize()?;
    let root = root.canonicalize()?;

    if target.starts_with(&root) {
        Ok(())
    } else {
        Err(ReadError::LeadsOut)
    }
}

/// Reads a regular file that the user named. A link is followed only inside the file's own
/// directory, because the directory may be that of a hostile repository.
///
/// # Errors
/// As for [`read_inside`].
pub fn read_named(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let (directory, name) = match (path.parent(), path.file_name()) {
        (Some(directory), Some(name)) if !directory.as_os_str().is_empty() => {
            (directory.to_owned(), name)
        }
        (_, Some(name)) => (PathBuf::from("."), name),
        _ => return Err(ReadError::NotRegular),
    };

    read_inside(&directory, &name.to_string_lossy(), max_bytes)
}

/// Reads everything up to a limit. `None` when there is more.
///
/// # Errors
/// When the reader fails.
pub fn read_up_to(reader: impl Read, max_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(max_bytes + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max_bytes).then_some(bytes))
}

/// The first bytes of a file, at most `count`, which show its format. The rest is left unread.
///
/// # Errors
/// When the reader fails.
pub fn first_bytes(reader: impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory `repository` with the file `inside`, next to the file `outside`.
    fn directory() -> (tempfile::TempDir, PathBuf) {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("repository");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("inside"), "in").unwrap();
        std::fs::write(top.path().join("outside"), "secret").unwrap();
        (top, root)
    }

    #[test]
    fn a_link_inside_is_followed_and_one_that_leads_out_is_not() {
        let (top, root) = directory();
        symlink("inside", root.join("near")).unwrap();
        symlink(top.path().join("outside"), root.join("far")).unwrap();

        assert_eq!(read_inside(&root, "near", 10).unwrap(), b"in");
        let error = read_inside(&root, "far", 10).unwrap_err();
        assert!(matches!(error, ReadError::LeadsOut), "{error}");
    }

    #[test]
    fn a_directory_that_is_a_link_out_is_not_entered() {
        let (top, root) = directory();
        symlink(top.path(), root.join("up")).unwrap();
        let error = read_inside(&root, "up/outside", 10).unwrap_err();
        assert!(matches!(error, ReadError::LeadsOut), "{error}");
    }

    #[test]
    fn a_path_with_dots_that_leads_out_is_refused() {
        let (_top, root) = directory();
        let error = read_inside(&root, "../outside", 10).unwrap_err();
        assert!(matches!(error, ReadError::LeadsOut), "{error}");
    }

    #[test]
    fn a_file_above_the_limit_is_refused_and_one_at_the_limit_is_read() {
        let (_top, root) = directory();
        assert_eq!(read_inside(&root, "inside", 2).unwrap(), b"in");
        let error = read_inside(&root, "inside", 1).unwrap_err();
        assert_eq!(error.to_string(), "is larger than 1 bytes");
    }

    #[test]
    fn a_directory_is_not_read_as_a_file() {
        let (top, _root) = directory();
        let error = read_inside(top.path(), "repository", 10).unwrap_err();
        assert!(matches!(error, ReadError::NotRegular), "{error}");
    }

    #[test]
    fn a_reader_is_read_up_to_a_limit_or_only_at_its_start() {
        assert_eq!(read_up_to(&b"four"[..], 4).unwrap().unwrap(), b"four");
        assert_eq!(read_up_to(&b"fives"[..], 4).unwrap(), None);

        let mut rest = &b"fives"[..];
        assert_eq!(first_bytes(&mut rest, 4).unwrap(), b"five");
        assert_eq!(rest, b"s");
        assert_eq!(first_bytes(rest, 4).unwrap(), b"s");
    }

    #[test]
    fn limits_are_printed_in_whole_units() {
        assert_eq!(size(32 * 1024 * 1024), "32 MiB");
        assert_eq!(size(256 * 1024), "256 KiB");
        assert_eq!(size(1000), "1000 bytes");
    }
}
