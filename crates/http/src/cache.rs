//! The cache on disk: one file per answer, written to a temporary file and renamed.
//!
//! A file contains one line of JSON with the validators and the hash, followed by the body. A file
//! whose body does not match the hash counts as absent.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use patchgate_fs::{read_up_to, write_atomic_private};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A directory of answers.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    dir: PathBuf,
}

/// An answer of a server, as the cache stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    key: String,
    etag: Option<String>,
    last_modified: Option<String>,
    sha256: String,
}

/// Version of the file format.
const FORMAT: u32 = 1;

/// Limit on the first line, in bytes, far above the longest validators.
const MAX_HEAD_BYTES: u64 = 64 * 1024;

impl Cache {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The key of an answer. An address may contain a secret, so it is hashed and neither becomes a
    /// file name nor part of a file.
    pub(crate) fn key(url: &str, accept: Option<&str>, authorised: bool, revision: &str) -> String {
        let mut hash = Sha256::new();
        let authorised = if authorised { "authorised" } else { "" };
        for part in [url, accept.unwrap_or(""), authorised, revision] {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        hex::encode(hash.finalize())
    }

    /// The answer for `key`; `None` if it is absent, damaged or larger than `max_bytes`.
    pub(crate) fn read(&self, key: &str, max_bytes: u64) -> Option<Kept> {
        let file = File::open(self.path(key)).ok()?;
        let mut bytes = read_up_to(file, max_bytes.saturating_add(MAX_HEAD_BYTES)).ok()??;
        let line_end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(bytes.get(..line_end)?).ok()?;

        bytes.drain(..=line_end);
        let whole = head.format == FORMAT
            && head.key == key
            && head.sha256 == hex::encode(Sha256::digest(&bytes));

        whole.then_some(Kept {
            etag: head.etag,
            last_modified: head.last_modified,
            body: bytes,
        })
    }

    /// Writes an answer into the cache.
    pub(crate) fn write(&self, key: &str, kept: &Kept) -> Result<(), (PathBuf, io::Error)> {
        let path = self.path(key);
        let head = Head {
            format: FORMAT,
            key: key.to_owned(),
            etag: kept.etag.clone(),
            last_modified: kept.last_modified.clone(),
            sha256: hex::encode(Sha256::digest(&kept.body)),
        };

        write(&path, &head, &kept.body).map_err(|source| (path, source))
    }

    /// The file of a key, in one of 256 directories: very large directories are slow.
    fn path(&self, key: &str) -> PathBuf {
        let (first, rest) = key.split_at(key.len().min(2));
        self.dir.join(first).join(rest)
    }
}

fn write(path: &Path, head: &Head, body: &[u8]) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
    let head = serde_json::to_vec(head)?;
    write_atomic_private(path, &[&head, b"\n", body])
}

#[cfg(test)]
mod tests {
    use super::{Cache, Kept};

    fn kept() -> Kept {
        Kept {
            etag: Some("\"a\"".to_owned()),
            last_modified: None,
            body: b"one\ntwo".to_vec(),
        }
    }

    #[test]
    fn gives_back_what_it_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let key = Cache::key("https://a.invalid/", None, false, "");
        assert_eq!(cache.read(&key, 100), None);
        cache.write(&key, &kept()).unwrap();
        assert_eq!(cache.read(&key, 100), Some(kept()));
    }

    #[test]
    fn a_damaged_file_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().to_owned());
        let key = Cache::key("https://a.invalid/", None, false, "");
        cache.write(&key, &kept()).unwrap();
        let path = cache.path(&key);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();

        assert_eq!(cache.read(&key, 100), None);

        std::fs::write(&path, b"").unwrap();
        assert_eq!(cache.read(&key, 100), None);
    }

    #[test]
    fn keys_differ_in_each_part() {
        let keys = [
            Cache::key("https://a.invalid/", None, false, ""),
            Cache::key("https://a.invalid/b", None, false, ""),
            Cache::key("https://a.invalid/", Some("b"), false, ""),
            Cache::key("https://a.invalid/", None, true, ""),
            Cache::key("https://a.invalid/", None, false, "b"),
        ];
        let unique: std::collections::BTreeSet<_> = keys.iter().collect();

        assert_eq!(unique.len(), keys.len());
    }
}
