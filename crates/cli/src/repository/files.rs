//! Reading files below a folder: bounded, and never what a link leads out of it to.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use patchgate_ecosystems::{ParseError, limits};
use patchgate_model::{Problem, ProblemKind};

/// How many bytes of a file are looked at for an SBOM: the keys that tell one come first.
const PEEKED_BYTES: u64 = 256 * 1024;

/// Whether the beginning of a file is that of an SBOM. A link is none: what it leads to is found
/// where it lies.
pub(super) fn is_sbom(path: &Path) -> bool {
    let regular = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut bytes = Vec::new();
    regular
        && File::open(path)
            .and_then(|file| file.take(PEEKED_BYTES).read_to_end(&mut bytes))
            .is_ok()
        && patchgate_sbom::detect(&bytes).is_some()
}

/// Reads a file that the user named.
pub(crate) fn read_named(path: &Path) -> Result<Vec<u8>, Problem> {
    let (folder, name) = match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if !folder.as_os_str().is_empty() => (folder, name),
        (_, Some(name)) => (Path::new("."), name),
        _ => (Path::new("."), path.as_os_str()),
    };
    read_bounded(folder, &name.to_string_lossy()).map_err(|problem| Problem {
        subject: path.display().to_string(),
        ..problem
    })
}

/// Reads a file below the root, never one that a symbolic link leads out of it to.
pub(super) fn read_bounded(root: &Path, path: &str) -> Result<Vec<u8>, Problem> {
    let full = root.join(path);
    let failed = |error: std::io::Error| file_problem(path, format!("cannot be read: {error}"));
    let metadata = std::fs::symlink_metadata(&full).map_err(failed)?;
    if metadata.file_type().is_symlink() {
        let target = full.canonicalize().map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        if !target.starts_with(&root) {
            return Err(file_problem(
                path,
                "is a symbolic link that leads out of the repository".to_owned(),
            ));
        }
    }
    // Asked before opening: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(&full).map_err(failed)?;

    if !metadata.is_file() {
        return Err(file_problem(path, "is not a regular file".to_owned()));
    }

    let too_large = || {
        file_problem(
            path,
            format!(
                "is larger than {} MiB",
                limits::MAX_FILE_BYTES / (1024 * 1024)
            ),
        )
    };
    if metadata.len() > limits::MAX_FILE_BYTES as u64 {
        return Err(too_large());
    }

    let file = File::open(&full).map_err(failed)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(limits::MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > limits::MAX_FILE_BYTES {
        return Err(too_large());
    }

    Ok(bytes)
}

pub(super) fn unreadable(path: &str, error: ParseError) -> Problem {
    Problem {
        kind: ProblemKind::File,
        subject: path.to_owned(),
        line: error.line,
        reason: error.reason,
        hint: error.hint,
    }
}

pub(super) fn too_much(root: &Path, reason: String) -> Problem {
    Problem {
        hint: Some("scan its folders one by one".to_owned()),
        ..file_problem(&root.display().to_string(), reason)
    }
}

pub(super) fn file_problem(path: &str, reason: String) -> Problem {
    Problem {
        kind: ProblemKind::File,
        subject: path.to_owned(),
        line: None,
        reason,
        hint: None,
    }
}
