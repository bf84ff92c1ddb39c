//! `go.sum` (<https://go.dev/ref/mod#go-sum-files>): a hash a line, of a module's archive or of its
//! `go.mod` alone.

use std::collections::BTreeMap;

use super::{module_path, version};
use crate::{Input, ParseError, Siblings};

/// The hashes of modules' archives, by module path and version. Hashes of a `go.mod` alone are left
/// out: Go keeps them of every version that it looked at while choosing, also of those that no
/// build takes.
#[derive(Debug, Default)]
pub(super) struct Archives<'a>(BTreeMap<&'a str, BTreeMap<&'a str, String>>);

impl<'a> Archives<'a> {
    /// The archives that the `go.sum` at a path names; `None` where there is no such file.
    ///
    /// # Errors
    /// When it cannot be read whole. The error speaks of `go.sum`.
    pub(super) fn read(path: &'a str, siblings: &'a Siblings) -> Result<Option<Self>, ParseError> {
        let Some(bytes) = siblings.get(path) else {
            return Ok(None);
        };
        let input = Input {
            path,
            bytes,
            siblings,
        };

        // Go writes an empty file where there is nothing to hash.
        if bytes.trim_ascii().is_empty() {
            return Ok(Some(Self::default()));
        }

        input
            .text()
            .and_then(Self::parse)
            .map(Some)
            .map_err(|error| {
                let place = match error.line {
                    Some(line) => format!(" at line {line}"),
                    None => String::new(),
                };
                ParseError::new(format!(
                    "is not complete without `go.sum`, which {}{place}",
                    error.reason
                ))
                .with_hint(
                    "restore go.sum from version control or write it anew with `go mod tidy`",
                )
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

    /// The hashes of one archive.
    pub(super) fn hash(&self, path: &str, version: &str) -> Option<&str> {
        self.0.get(path)?.get(version).map(String::as_str)
    }

    /// Each module with the highest version of which the archive is named, in the order of the
    /// paths. Go's minimal version selection takes the highest version that anything asks for
    /// (<https://go.dev/ref/mod#minimal-version-selection>); a lower one is left from before.
    pub(super) fn selected(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(|(path, versions)| {
            let highest = versions.keys().max_by(|a, b| version::compare(a, b))?;
            Some((*path, *highest))
        })
    }
}
