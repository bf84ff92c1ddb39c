//! Reader of `go.sum` (<https://go.dev/ref/mod#go-sum-files>): one hash per line, of a module's
//! archive or of its `go.mod` alone.

use std::collections::BTreeMap;

use super::{module_path, version};
use crate::{Input, ParseError, Siblings};

/// Hashes of module archives, by module path and version. Hashes of a `go.mod` alone are left out:
/// Go records them for every version it considered, including versions that no build uses.
#[derive(Debug, Default)]
pub(super) struct Archives<'a>(BTreeMap<&'a str, BTreeMap<&'a str, String>>);

impl<'a> Archives<'a> {
    /// Reads the `go.sum` at `path`; `None` if there is no such file, or if none of it can be read.
    /// Also returns what is wrong with the file, as a fragment that follows the name of `go.mod`.
    pub(super) fn read(path: &'a str, siblings: &'a Siblings) -> (Option<Self>, Option<String>) {
        let Some(bytes) = siblings.get(path) else {
            return (None, None);
        };
        let input = Input {
            path,
            bytes,
            siblings,
        };
        // Go writes an empty file if there is nothing to hash.
        if bytes.trim_ascii().is_empty() {
            return (Some(Self::default()), None);
        }

        let (archives, error) = match input.text() {
            Ok(text) => {
                let (archives, error) = Self::parse(text);
                (Some(archives), error)
            }
            Err(error) => (None, Some(error)),
        };
        let reason = error.map(|error| {
            let location = match error.line {
                Some(line) => format!(" at line {line}"),
                None => String::new(),
            };
            format!(
                "is not complete without `go.sum`, which {}{location}",
                error.reason
            )
        });
        (archives, reason)
    }

    /// The sums of all lines that can be read, and the first error.
    fn parse(text: &'a str) -> (Self, Option<ParseError>) {
        let mut archives = Self::default();
        let mut first = None;
        for (line, content) in (1u32..).zip(text.lines()) {
            if let Err(error) = archives.line(content, line) {
                first.get_or_insert(error);
            }
        }
        (archives, first)
    }

    fn line(&mut self, content: &'a str, line: u32) -> Result<(), ParseError> {
        let wrong = || {
            ParseError::new("has a line that is not a module, a version and a hash")
                .at_line(line as usize)
        };
        let fields: Vec<&str> = content.split_ascii_whitespace().take(4).collect();
        let (path, version, hash) = match fields.as_slice() {
            [] => return Ok(()),
            [path, version, hash] => (*path, *version, *hash),
            _ => return Err(wrong()),
        };

        module_path::check(path, line)?;
        let of_manifest = version.strip_suffix("/go.mod");
        if !version::is_canonical(of_manifest.unwrap_or(version)) || !hash.contains(':') {
            return Err(wrong());
        }

        if of_manifest.is_none() {
            let hashes = self.0.entry(path).or_default().entry(version).or_default();
            if !hashes.is_empty() {
                hashes.push(' ');
            }
            hashes.push_str(hash);
        }
        Ok(())
    }

    /// The hashes of one archive, separated by spaces.
    pub(super) fn hash(&self, path: &str, version: &str) -> Option<&str> {
        self.0.get(path)?.get(version).map(String::as_str)
    }

    /// Each module with its highest version that has an archive hash, ordered by path. Go's minimal
    /// version selection takes the highest version that anything requires
    /// (<https://go.dev/ref/mod#minimal-version-selection>); a lower one is left over from before.
    pub(super) fn selected(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(|(path, versions)| {
            let highest = versions.keys().max_by(|a, b| version::compare(a, b))?;
            Some((*path, *highest))
        })
    }
}
