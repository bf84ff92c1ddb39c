//! Module paths and directory paths in Go's files.

use crate::ParseError;

/// Longest accepted module path, in bytes. Go itself has no such limit.
const MAX_BYTES: usize = 1024;

/// Checks a module path against the part of Go's rule for import paths
/// (<https://pkg.go.dev/golang.org/x/mod/module#CheckImportPath>) that keeps it from being
/// something else. The check is strict because names become parts of addresses.
pub(super) fn check(path: &str, line: u32) -> Result<(), ParseError> {
    let is_element = |element: &str| {
        !element.is_empty()
            && element.bytes().any(|byte| byte != b'.')
            && element.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+')
            })
    };
    if path.len() <= MAX_BYTES && path.split('/').all(is_element) {
        return Ok(());
    }

    let shown: String = path.chars().take(80).collect();
    Err(ParseError::new(format!(
        "names the module {shown:?}, which Go does not allow"
    ))
    .at_line(line as usize))
}

/// Whether a text is a directory and not a module path, by Go's rule for `replace` and `use`.
pub(super) fn is_directory(path: &str) -> bool {
    matches!(path, "." | "..")
        || path.starts_with("./")
        || path.starts_with("../")
        || path.starts_with('/')
        || path.starts_with(".\\")
        || path.starts_with("..\\")
        || path
            .get(1..3)
            .is_some_and(|colon| matches!(colon, ":\\" | ":/"))
}

/// The path of the file `name` in `directory`, which is relative to the file at `base`. The result
/// is relative to the repository's root; `None` if it is outside the repository.
pub(super) fn file_in(base: &str, directory: &str, name: &str) -> Option<String> {
    if directory.starts_with('/') || directory.contains(':') {
        return None;
    }

    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in directory.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }

    parts.push(name);
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_paths_are_told_from_other_texts() {
        for path in [
            "golang.org/x/text",
            "gopkg.in/yaml.v3",
            "github.com/A/b/v2",
            "example",
        ] {
            assert_eq!(check(path, 1), Ok(()), "{path}");
        }

        for path in [
            "", "a//b", "/a", "a/", "a/../b", "a b", "a\nb", "a@b", "a/./b", "ä.org/x",
        ] {
            assert!(check(path, 1).is_err(), "{path}");
        }
    }

    #[test]
    fn folders_are_found_from_the_file_that_names_them() {
        let file = |base, folder| file_in(base, folder, "go.mod");
        assert_eq!(file("go.work", "./a/b").as_deref(), Some("a/b/go.mod"));
        assert_eq!(file("go.work", ".").as_deref(), Some("go.mod"));
        assert_eq!(file("x/go.work", "../y/").as_deref(), Some("y/go.mod"));
        assert_eq!(file("go.work", "../y"), None);
        assert_eq!(file("go.work", "/y"), None);
    }
}
