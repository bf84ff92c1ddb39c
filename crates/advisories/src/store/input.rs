//! Which files a build is made from, and what each of them is by its content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Deepest folder below a `--from` folder.
const MAX_FOLDER_DEPTH: usize = 16;

/// Most files below all `--from` folders.
const MAX_FILES: usize = 2_000_000;

/// Why the inputs cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// More files than any advisory database has.
    #[error("`{}` holds more than {MAX_FILES} files", .path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// Deeper than any advisory database is.
    #[error("`{}` lies more than {MAX_FOLDER_DEPTH} folders deep", .path.display())]
    TooDeep {
        /// The folder.
        path: PathBuf,
    },
}

/// What the first bytes say about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A zip archive.
    Zip,
    /// A gzip stream.
    Gzip,
    /// EPSS scores.
    Epss,
    /// A JSON object.
    Json,
    /// Anything else.
    Other,
}

impl Content {
    /// Tells by the first bytes, of which 32 are enough.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = bytes
            .strip_prefix(b"\xEF\xBB\xBF")
            .unwrap_or(bytes)
            .trim_ascii_start();
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Self::Zip
        } else if bytes.starts_with(b"\x1F\x8B") {
            Self::Gzip
        } else if crate::feeds::is_epss_header(text) {
            Self::Epss
        } else if text.starts_with(b"{") {
            Self::Json
        } else {
            Self::Other
        }
    }
}

/// The files of one `--from`, sorted by path, so that a build does not depend on the folder's
/// order. Links to folders are not followed: they may lead round in a circle.
pub(super) fn list(from: &Path) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    let metadata = fs::metadata(from).map_err(|source| InputError::Read {
        path: from.to_owned(),
        source,
    })?;
    if metadata.is_dir() {
        walk(from, 0, &mut files)?;
        files.sort();
    } else {
        files.push(from.to_owned());
    }

    Ok(files)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), InputError> {
    if depth > MAX_FOLDER_DEPTH {
        return Err(InputError::TooDeep {
            path: folder.to_owned(),
        });
    }

    let unreadable = |source| InputError::Read {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            walk(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
            files.push(entry.path());
        }

        if files.len() > MAX_FILES {
            return Err(InputError::TooMany {
                path: folder.to_owned(),
            });
        }
    }

    Ok(())
}

/// The ecosystem that an archive in the layout of the public OSV bucket is about:
/// `<ecosystem>/all.zip`.
pub(super) fn ecosystem_of_archive(path: &Path) -> Option<String> {
    if path.file_name()? != "all.zip" {
        return None;
    }
    Some(path.parent()?.file_name()?.to_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Content, ecosystem_of_archive, list};

    #[test]
    fn tells_files_by_their_content() {
        assert_eq!(Content::of(b"PK\x03\x04..."), Content::Zip);
        assert_eq!(Content::of(b"\x1F\x8B\x08"), Content::Gzip);
        assert_eq!(Content::of(b"#model_version:v1"), Content::Epss);
        assert_eq!(Content::of(b"cve,epss,percentile\n"), Content::Epss);
        assert_eq!(Content::of(b"\xEF\xBB\xBF \n{\"id\""), Content::Json);
        assert_eq!(Content::of(b"Row,Exploitation"), Content::Other);
        assert_eq!(Content::of(b""), Content::Other);
    }

    #[test]
    fn names_the_ecosystem_of_an_archive() {
        let of = |path: &str| ecosystem_of_archive(Path::new(path));
        assert_eq!(of("db/crates.io/all.zip").as_deref(), Some("crates.io"));
        assert_eq!(of("db/npm.zip"), None);
        assert_eq!(of("all.zip"), None);
    }

    #[test]
    fn lists_a_folder_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/1.json", "a.json", "b/0.json"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}").unwrap();
        }

        let names: Vec<_> = list(folder.path())
            .unwrap()
            .iter()
            .map(|path| {
                path.strip_prefix(folder.path())
                    .unwrap()
                    .display()
                    .to_string()
            })
            .collect();
        assert_eq!(names, ["a.json", "b/0.json", "b/1.json"]);
        assert!(
            list(&folder.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("none")
        );
    }
}
