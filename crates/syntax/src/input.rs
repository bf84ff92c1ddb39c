//! The input of parsers and their error.

use std::collections::BTreeMap;

/// The manifests of a repository by path, for parsers that need more than the lockfile.
pub type Siblings = BTreeMap<String, Vec<u8>>;

/// One lockfile to read.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Path from the repository root, with `/` between its parts.
    pub path: &'a str,
    /// Content of the file, not checked in any way.
    pub bytes: &'a [u8],
    /// Manifests of the same ecosystem anywhere in the repository, by path from its root. Any of them
    /// may be missing: a lockfile without its manifests is still read.
    pub siblings: &'a Siblings,
}

impl<'a> Input<'a> {
    /// Path of a file in the same directory.
    #[must_use]
    pub fn beside(&self, file_name: &str) -> String {
        match self.path.rsplit_once('/') {
            Some((directory, _)) => format!("{directory}/{file_name}"),
            None => file_name.to_owned(),
        }
    }

    /// The manifest at `path`, if there is one.
    #[must_use]
    pub fn sibling(&self, path: &str) -> Option<&'a [u8]> {
        self.siblings.get(path).map(Vec::as_slice)
    }

    /// The content as text, without a byte order mark.
    ///
    /// # Errors
    /// When it is empty, too large, not UTF-8, a pointer of Git LFS, or contains NUL bytes or merge
    /// conflict markers.
    pub fn text(&self) -> Result<&'a str, ParseError> {
        if self.bytes.len() > crate::limits::MAX_FILE_BYTES {
            return Err(ParseError::new(format!(
                "is larger than {} MiB",
                crate::limits::MAX_FILE_BYTES / (1024 * 1024)
            )));
        }
        if self.bytes.starts_with(b"\xff\xfe") || self.bytes.starts_with(b"\xfe\xff") {
            return Err(ParseError::new("is UTF-16, not UTF-8").with_hint("save the file as UTF-8"));
        }
        if self.bytes.starts_with(LFS_POINTER) {
            return Err(
                ParseError::new("is a pointer of Git LFS, not the file itself")
                    .with_hint("fetch the file with `git lfs pull`"),
            );
        }
        if memchr::memchr(0, self.bytes).is_some() {
            return Err(ParseError::new("is not text: it contains NUL bytes"));
        }

        let text = std::str::from_utf8(self.bytes).map_err(|error| {
            let line = 1 + self.bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            ParseError::new("is not UTF-8").at_line(line)
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim().is_empty() {
            return Err(ParseError::new("is empty"));
        }
        if let Some(line) = conflict_marker(text) {
            return Err(ParseError::new("has merge conflict markers")
                .at_line(line)
                .with_hint("resolve the conflict and commit the lockfile"));
        }

        Ok(text)
    }
}

/// Beginning of the file that Git LFS leaves in place of a large one
/// (<https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer>).
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Line, from 1, of a merge conflict marker that git writes.
fn conflict_marker(text: &str) -> Option<usize> {
    // Nearly every file has none, and a search for the text is much faster than a loop over lines.
    let contains = |marker| memchr::memmem::find(text.as_bytes(), marker).is_some();
    if !contains(b"<<<<<<< ".as_slice()) && !contains(b">>>>>>> ".as_slice()) {
        return None;
    }
    text.lines()
        .position(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))
        .map(|index| index + 1)
}

/// Why a file could not be read. It does not name the file: the caller does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseError {
    /// The cause, as a fragment that follows the file's name: `is not UTF-8`.
    pub reason: String,
    /// Line from 1, where one is known.
    pub line: Option<u32>,
    /// Column in characters from 1, where one is known; never without a line.
    pub column: Option<u32>,
    /// The next step, if there is one.
    pub hint: Option<String>,
}

impl ParseError {
    /// An error without a line and a hint.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            line: None,
            column: None,
            hint: None,
        }
    }

    /// The same error at a line, counted from 1.
    #[must_use]
    pub fn at_line(mut self, line: usize) -> Self {
        self.line = u32::try_from(line).ok();
        self
    }

    /// The same error at a line and a column, both counted from 1; 0 is an unknown column.
    #[must_use]
    pub(crate) fn at(self, line: usize, column: usize) -> Self {
        Self {
            column: u32::try_from(column).ok().filter(|column| *column > 0),
            ..self.at_line(line)
        }
    }

    /// The same error with the next step.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Joins a directory and a relative path and resolves `.` and `..`; `None` if the result is outside
/// the repository.
#[must_use]
pub fn join(base: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains(':') {
        return None;
    }

    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }

    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_named_for_a_file_of_another_kind() {
        let siblings = Siblings::new();
        for (bytes, reason) in [
            (&b"\xff\xfea\0"[..], "is UTF-16, not UTF-8"),
            (b"\xfe\xff\0a", "is UTF-16, not UTF-8"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
                "is a pointer of Git LFS, not the file itself",
            ),
            (b"a\0", "is not text: it contains NUL bytes"),
            (b" \n", "is empty"),
            (b"a\n\xff", "is not UTF-8"),
        ] {
            let input = Input {
                path: "a",
                bytes,
                siblings: &siblings,
            };
            assert_eq!(input.text().unwrap_err().reason, reason);
        }
    }
}
