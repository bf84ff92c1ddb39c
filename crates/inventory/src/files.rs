//! Reads of single files of a repository, with their errors as problems.

use std::fs::File;
use std::path::Path;

use patchgate_ecosystems::{ParseError, limits};
use patchgate_fs::first_bytes;
use patchgate_model::{Problem, ProblemKind};

/// Number of bytes of a file that are searched for the keys of an SBOM, which come first.
const PEEKED_BYTES: u64 = 256 * 1024;

/// Whether a file begins like an SBOM. A link does not count, because its target is found in its
/// own directory.
pub(crate) fn is_sbom(path: &Path) -> bool {
    let regular = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    regular
        && File::open(path)
            .and_then(|file| first_bytes(file, PEEKED_BYTES))
            .is_ok_and(|bytes| patchgate_sbom::detect(&bytes).is_some())
}

/// Reads a file that the user named.
///
/// # Errors
/// When the file cannot be read, is not regular, is too large, or is a link out of its directory.
pub fn read_named(path: &Path) -> Result<Vec<u8>, Problem> {
    patchgate_fs::read_named(path, limits::MAX_FILE_BYTES as u64)
        .map_err(|error| file_problem(&path.display().to_string(), error.to_string()))
}

/// Reads a file below the root, never one that a symbolic link leads out of it to.
pub(crate) fn read_bounded(root: &Path, path: &str) -> Result<Vec<u8>, Problem> {
    patchgate_fs::read_inside(root, path, limits::MAX_FILE_BYTES as u64)
        .map_err(|error| file_problem(path, error.to_string()))
}

pub(crate) fn unreadable(path: &str, error: ParseError) -> Problem {
    Problem {
        kind: ProblemKind::File,
        subject: path.to_owned(),
        line: error.line,
        reason: error.reason,
        hint: error.hint,
    }
}

pub(crate) fn too_much(root: &Path, reason: String) -> Problem {
    Problem {
        hint: Some("scan its directories one by one".to_owned()),
        ..file_problem(&root.display().to_string(), reason)
    }
}

pub(crate) fn file_problem(path: &str, reason: String) -> Problem {
    Problem {
        kind: ProblemKind::File,
        subject: path.to_owned(),
        line: None,
        reason,
        hint: None,
    }
}
