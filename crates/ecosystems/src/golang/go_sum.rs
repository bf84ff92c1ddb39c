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
    /// Reads the `go.sum` at `path`; `None` if there is no such file.
    ///
    /// # Errors
    /// If the file cannot be read completely. The message names `go.sum`, because the error is
    /// reported for `go.mod`.
    pub(super) fn read(path: &'a str, siblings: &'a Siblings) -> Result<Option<Self>, ParseError> {
        let Some(bytes) = siblings.get(path) else {
            return Ok(None);
        };
        let input = Input {
            path,
            bytes,
            siblings,
        };

        // Go writes an empty file if there is nothing to hash.
        if bytes.trim_ascii().is_empty() {
            return Ok(Some(Self::default()));
        }

        input
            .text()
            .and_then(Self::parse)
            .map(Some)
            .map_err(|error| {
                let location = match error.line {
                    Some(line) => format!(" at line {line}"),
                    None => String::new(),
                };
                ParseError::new(format!(
                    "is not complete without `go.sum`, which {}{location}",
                    error.reason
                ))
                .with_hint("restore go.sum from version control or re-create it with `go mod tidy`")
            })
    }

    fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut archives = Self::default();
        for (line, content) in (1u32..).zip(text.lines()) {
            let fields: Vec<&str> = content.split_ascii_whitespace().take(4).collect();
            let (path, version, hash) = match fields.as_slice() {
                [] => continue,
                [path, version, hash] => (*path, *version, *hash),
                _ => {
                    return Err(ParseError::new(
                        "has a line that is not a module, a version and a hash",
                    )
                    .at_line(line as usize));
                }
            };
            module_path::check(path, line)?;
            let of_manifest = version.strip_suffix("/go.mod");
            if !version::is_canonical(of_manifest.unwrap_or(version)) || !hash.contains(':') {
                return Err(ParseError::new(
                    "has a line that is not a module, a version and a hash",
                )
                .at_line(line as usize));
            }

            if of_manifest.is_none() {
                let hashes = archives
                    .0
                    .entry(path)
                    .or_default()
                    .entry(version)
                    .or_default();
                if !hashes.is_empty() {
                    hashes.push(' ');
                }

                hashes.push_str(hash);
            }
        }

        Ok(archives)
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
