//! The input files of a build, and their kinds by content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Limit on the depth of directories below a `--from` directory.
const MAX_DIRECTORY_DEPTH: usize = 16;

/// Limit on the files below one `--from` directory.
const MAX_FILES: usize = 2_000_000;

/// Why the inputs cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file or directory cannot be read.
    #[error("`{}` cannot be read", .path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
    /// More files than any advisory database has.
    #[error("`{}` contains more than {MAX_FILES} files", .path.display())]
    TooMany {
        /// The directory that was given as an input.
        path: PathBuf,
    },
    /// Deeper directories than any advisory database has.
    #[error("`{}` is more than {MAX_DIRECTORY_DEPTH} directories deep", .path.display())]
    TooDeep {
        /// The directory that was given as an input.
        path: PathBuf,
    },
}

/// The kind of a file, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A zip archive, such as an export of OSV.
    Zip,
    /// A gzip stream, such as the compressed EPSS scores.
    Gzip,
    /// EPSS scores: CSV text, uncompressed.
    Epss,
    /// A JSON object: an OSV record or the KEV catalogue.
    Json,
    /// Anything else; it is not read.
    Other,
}

impl Content {
    /// Recognises the kind by the first bytes; 32 are enough.
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

/// The files of one `--from`, sorted by path, because the order of a directory differs between
/// machines. Links to directories are not followed, because they may form a cycle.
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

fn walk(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), InputError> {
    if depth > MAX_DIRECTORY_DEPTH {
        return Err(InputError::TooDeep {
            path: dir.to_owned(),
        });
    }

    let unreadable = |source| InputError::Read {
        path: dir.to_owned(),
        source,
    };
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            walk(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
            files.push(entry.path());
        }

        if files.len() > MAX_FILES {
            return Err(InputError::TooMany {
                path: dir.to_owned(),
            });
        }
    }

    Ok(())
}

/// The ecosystem of an archive in the layout of the public OSV bucket: `<ecosystem>/all.zip`.
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
