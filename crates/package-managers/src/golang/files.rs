//! The files that Go sees: a copy of the repository's `go.mod`, `go.sum` and `go.work` files.

use std::path::Path;

use patchgate_ecosystems::limits;

use crate::manager::{configuration_file_up_to, join, next_to, parent};
use crate::scratch::Scratch;
use crate::{ConfigurationFile, LockedProject, RelockError};

/// Most files next to `go.mod` that are copied.
const MAX_FILES: usize = 1_000;

/// Whether a file belongs to the copy.
fn is_copied(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "go.mod" | "go.sum" | "go.work" | "go.work.sum")
}

/// The files that Go reads besides a `go.mod` or `go.work`: the sums next to it, and the `go.mod`
/// files of the directories that it names, with theirs.
pub(super) fn around(root: &Path, lockfile: &str) -> Vec<ConfigurationFile> {
    let read = |path: &str| configuration_file_up_to(root, path, limits::MAX_FILE_BYTES as u64);
    let own = read(lockfile).map(|file| file.content).unwrap_or_default();
    let text = String::from_utf8_lossy(&own);
    let mut paths = vec![
        next_to(lockfile, "go.sum"),
        next_to(lockfile, "go.work.sum"),
    ];
    for directory in directories(&text) {
        if let Ok(directory) = inside(parent(lockfile), directory) {
            paths.extend(["go.mod", "go.sum"].map(|name| join(&directory, name)));
        }
    }

    paths.truncate(MAX_FILES);
    paths.iter().filter_map(|path| read(path)).collect()
}

/// A scratch directory with the files of a project, in the layout of the repository.
///
/// # Errors
/// When a file names a directory outside of the repository, which Go would read.
pub(super) fn scratch(project: LockedProject<'_>) -> Result<Scratch, RelockError> {
    let scratch = Scratch::new()?;
    let configured = project
        .configuration
        .iter()
        .map(|file| (&file.path, &file.content));
    let files = configured.chain(project.manifests);
    for (path, content) in files.filter(|(path, _)| is_copied(path)) {
        check_directories(path, content)?;
        scratch.write(path, content)?;
    }

    check_directories(&project.lockfile.path, project.bytes)?;
    scratch.write(&project.lockfile.path, project.bytes)?;
    Ok(scratch)
}

fn check_directories(path: &str, content: &[u8]) -> Result<(), RelockError> {
    if !path.ends_with("go.mod") && !path.ends_with("go.work") {
        return Ok(());
    }
    for directory in directories(&String::from_utf8_lossy(content)) {
        inside(parent(path), directory).map_err(|reason| RelockError::Unusable {
            path: path.to_owned(),
            reason,
        })?;
    }
    Ok(())
}

/// The directories that a file names, in `replace` and `use`: every word that Go takes for one
/// (<https://go.dev/ref/mod#go-mod-file-replace>), wherever it is.
fn directories(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split(|c: char| c.is_whitespace() || "()\"`,".contains(c)))
        .filter(|word| {
            word.starts_with(['.', '/', '\\']) || word.get(1..2) == Some(":") || word.contains('\\')
        })
}

/// The path of a directory from the root of the repository.
fn inside(base: &str, directory: &str) -> Result<String, String> {
    let outside =
        || format!("it names the directory `{directory}`, which is outside of the repository");
    if directory.starts_with('/') || directory.contains(['\\', ':']) {
        return Err(outside());
    }

    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in directory.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or_else(outside)?),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// The `go` and `toolchain` lines of a file, for comparison and for messages.
pub(super) fn release_of_go(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
        .filter(|line| line.starts_with("go ") || line.starts_with("toolchain "))
        .collect();
    match lines.as_slice() {
        [] => "no release of Go".to_owned(),
        lines => format!("`{}`", lines.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_stay_inside_of_the_repository() {
        assert_eq!(inside("a/b", "../c").as_deref(), Ok("a/c"));
        assert_eq!(inside("", "./x/").as_deref(), Ok("x"));
        for directory in ["..", "/etc", "x/../..", "C:/x", "..\\x"] {
            assert!(inside("", directory).is_err(), "{directory}");
        }
    }

    #[test]
    fn directories_are_found_in_every_form() {
        let text = "use (\n\t./a // ../no\n\t\"../b\"\n)\nreplace x.invalid/x v1.0.0 => /etc\nreplace y => C:\\y\nuse `..`\n";
        let found: Vec<&str> = directories(text).collect();
        assert_eq!(found, ["./a", "../b", "/etc", "C:\\y", ".."]);
    }
}
