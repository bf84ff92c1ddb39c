//! The archive of a release (<https://github.com/hexpm/specifications/blob/main/package_tarball.md>):
//! its hashes, and the build tools in its metadata.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

/// Size of a block of a tar archive, in bytes.
const BLOCK: usize = 512;

/// Most files in the archive. It has four.
const MAX_FILES: usize = 64;

/// The archive of a release, as far as a lockfile needs it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tarball {
    /// The hash of its content, in hexadecimal.
    pub(super) inner: String,
    /// The hash of the archive, in hexadecimal.
    pub(super) outer: String,
    /// The tools that build it, sorted.
    pub(super) managers: BTreeSet<String>,
}

impl Tarball {
    /// Reads an archive.
    ///
    /// # Errors
    /// If it is not one of Hex, or does not say which tools build it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let files = files(bytes).ok_or("it is not an archive of Hex")?;
        let file = |name: &str| {
            let mut own = files.iter().filter(|(other, _)| other == name);
            match (own.next(), own.next()) {
                (Some((_, content)), None) => Ok(*content),
                _ => Err(format!("it does not have exactly one `{name}`")),
            }
        };
        let (version, metadata) = (file("VERSION")?, file("metadata.config")?);
        let content = file("contents.tar.gz")?;
        let inner = hex(&Sha256::new()
            .chain_update(version)
            .chain_update(metadata)
            .chain_update(content)
            .finalize());
        let stated = std::str::from_utf8(file("CHECKSUM")?).unwrap_or_default();
        if !stated.trim().eq_ignore_ascii_case(&inner) {
            return Err("its own checksum is another one".to_owned());
        }

        let metadata = std::str::from_utf8(metadata).map_err(|_| "its metadata is not UTF-8")?;
        Ok(Self {
            inner,
            outer: hex(&Sha256::digest(bytes)),
            managers: build_tools(metadata).ok_or("it does not state its build tools")?,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a tar archive.
fn files(mut rest: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let mut files = Vec::new();
    while let Some(header) = rest.get(..BLOCK) {
        if header.iter().all(|byte| *byte == 0) {
            return Some(files);
        }
        let text = |range: std::ops::Range<usize>| {
            let field = header.get(range)?;
            let end = field
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(field.len());
            std::str::from_utf8(field.get(..end)?).ok()
        };

        let name = text(0..100)?;
        let size = usize::from_str_radix(text(124..136)?.trim(), 8).ok()?;
        let content = rest.get(BLOCK..BLOCK.checked_add(size)?)?;
        files.push((name.to_owned(), content));
        if files.len() > MAX_FILES {
            return None;
        }

        let padded = size.div_ceil(BLOCK).checked_mul(BLOCK)?;
        rest = rest.get(BLOCK + padded..).unwrap_or_default();
    }

    (!files.is_empty()).then_some(files)
}

/// The value of `build_tools` in a file of Erlang's terms: `{<<"build_tools">>,[<<"mix">>]}.`.
fn build_tools(metadata: &str) -> Option<BTreeSet<String>> {
    let (_, rest) = metadata.split_once("{<<\"build_tools\">>,")?;
    let list = rest.trim_start().strip_prefix('[')?;
    let (list, _) = list.split_once(']')?;

    let mut tools = BTreeSet::new();
    for tool in list
        .split(',')
        .map(str::trim)
        .filter(|tool| !tool.is_empty())
    {
        let name = tool.strip_prefix("<<\"")?;
        let name = name
            .strip_suffix("\">>")
            .or_else(|| name.strip_suffix("\"/utf8>>"))?;

        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if name.is_empty() || !name.chars().all(is_word) {
            return None;
        }
        tools.insert(name.to_owned());
    }

    (!tools.is_empty()).then_some(tools)
}

/// An archive with a metadata file, for tests.
#[cfg(test)]
pub(super) fn tarball(metadata: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in ["3", metadata, "content"] {
        hash.update(part);
    }
    let checksum = hex(&hash.finalize()).to_uppercase();

    let mut archive = Vec::new();
    for (name, content) in [
        ("VERSION", "3"),
        ("CHECKSUM", &checksum),
        ("metadata.config", metadata),
        ("contents.tar.gz", "content"),
    ] {
        let mut header = vec![0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        archive.extend(header);
        archive.extend(content.as_bytes());
        archive.resize(archive.len().div_ceil(BLOCK) * BLOCK, 0);
    }

    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_two_hashes_and_its_tools() {
        let bytes = tarball(
            "{<<\"name\">>,<<\"a\">>}.\n{<<\"build_tools\">>,[<<\"rebar3\">>,<<\"make\">>]}.\n",
        );
        let read = Tarball::read(&bytes).unwrap();
        assert_eq!(read.outer, hex(&Sha256::digest(&bytes)));
        assert_ne!(read.inner, read.outer);
        assert_eq!(
            read.managers.into_iter().collect::<Vec<_>>(),
            ["make", "rebar3"]
        );
    }

    #[test]
    fn odd_archives_are_errors() {
        assert!(Tarball::read(b"").is_err());
        assert!(Tarball::read(&tarball("{<<\"name\">>,<<\"a\">>}.")).is_err());
        assert!(Tarball::read(&tarball("{<<\"build_tools\">>,[<<\"mix\\\"\">>]}.")).is_err());
        let mut bytes = tarball("{<<\"build_tools\">>,[<<\"mix\">>]}.");
        assert!(Tarball::read(&bytes).is_ok());
        let last = bytes
            .windows(7)
            .rposition(|part| part == b"content")
            .unwrap();
        bytes[last] = b'x';
        assert!(Tarball::read(&bytes).is_err());
    }
}
