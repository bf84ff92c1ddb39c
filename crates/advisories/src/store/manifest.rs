//! `store.json`: what the store holds and in which files. Whoever renames it last decides which
//! generation of files counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// File name of the manifest.
pub(super) const MANIFEST: &str = "store.json";

/// Version of the store's layout. A store of another version is rebuilt, not read.
pub(super) const FORMAT: u32 = 6;

/// Largest manifest, in bytes: far above one line for each ecosystem there is.
pub(super) const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) sources: Vec<Source>,
}

/// What one source gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    /// OSV name of the ecosystem, for [`SourceKind::Osv`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ecosystem: Option<String>,
    /// Where it was taken from.
    pub(super) origin: String,
    pub(super) as_of: Option<Timestamp>,
    /// Records, scores or entries.
    pub(super) records: u64,
    /// Records that could not be read when the store was built.
    pub(super) skipped: u64,
    /// False when the source named this ecosystem only in passing: what it says is true, what it
    /// does not say means nothing.
    pub(super) complete: bool,
    /// True when the keys are normalised by the ecosystem's own rule. A Patchgate that has learnt
    /// the ecosystem since cannot use keys that were written without it.
    pub(super) normalised: bool,
    pub(super) file: FileEntry,
    /// Malicious packages, apart from `file`: there are forty times as many of them as of
    /// vulnerabilities in npm, and almost no question meets one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) malicious: Option<FileEntry>,
    /// Entries that stand in place of those in the other two files, from updates since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<FileEntry>,
    /// True for an organisation's own records, which stand beside those of an export.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) own: bool,
    /// The `--from` paths whose records these are, where they are not those of an export: no fetch
    /// brings them again, only reading the same paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) from: Vec<String>,
    /// How the export or feed was fetched; absent when the store was built from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fetched: Option<Fetched>,
}

/// What an update needs to know of the fetch before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// When the whole export or feed was fetched last.
    pub(super) whole_at: Timestamp,
    /// Up to when what was fetched holds all changes; never later than the fetch itself.
    pub(super) until: Timestamp,
    /// By what the export or feed is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<Validator>,
    /// The server's validator of the list of changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) list_validator: Option<String>,
}

/// By what an unchanged file is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Validator {
    /// The server's `ETag`.
    Etag(String),
    /// The server's `Last-Modified`, where it sends no `ETag`.
    LastModified(String),
    /// Size and time of a file.
    File(String),
}

/// One file of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) name: String,
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SourceKind {
    Osv,
    Kev,
    Epss,
}

impl Source {
    /// `osv:npm`, `own:npm`, `kev`, `epss`.
    pub(super) fn name(&self) -> String {
        match (self.kind, &self.ecosystem) {
            (SourceKind::Osv, ecosystem) => {
                let kind = if self.own { "own" } else { "osv" };
                format!("{kind}:{}", ecosystem.as_deref().unwrap_or_default())
            }
            (SourceKind::Kev, _) => "kev".to_owned(),
            (SourceKind::Epss, _) => "epss".to_owned(),
        }
    }

    /// What two sources of a store never share.
    pub(super) fn identity(&self) -> (String, &[String]) {
        (self.name(), if self.own { &self.from } else { &[] })
    }

    /// Whether this is an ecosystem's own source: all that is known about it, from an export or
    /// from files, and not an organisation's records beside that.
    pub(super) fn is_main_of(&self, ecosystem: &str) -> bool {
        self.kind == SourceKind::Osv && !self.own && self.ecosystem.as_deref() == Some(ecosystem)
    }

    /// Every file of the source.
    pub(super) fn files(&self) -> impl Iterator<Item = &FileEntry> {
        std::iter::once(&self.file)
            .chain(&self.malicious)
            .chain(&self.changes)
    }
}

/// The manifest as it stands in its file, with a checksum: a byte that is lost in it could hide a
/// file of the store.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    sources: Vec<Source>,
    sha256: String,
}

impl Manifest {
    /// The text of the manifest's file.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        let stored = Stored {
            format: self.format,
            sha256: self.digest()?,
            sources: self.sources.clone(),
        };
        Ok(serde_json::to_string_pretty(&stored)? + "\n")
    }

    /// Reads the text of a manifest's file of today's format; `Ok(None)` when it is not what was
    /// written.
    pub(super) fn from_json(text: &[u8]) -> serde_json::Result<Option<Self>> {
        let stored: Stored = serde_json::from_slice(text)?;
        let manifest = Self {
            format: stored.format,
            sources: stored.sources,
        };
        Ok((manifest.digest()? == stored.sha256).then_some(manifest))
    }

    fn digest(&self) -> serde_json::Result<String> {
        let bytes = serde_json::to_vec(&(self.format, &self.sources))?;
        Ok(hex::encode(Sha256::digest(bytes)))
    }

    /// A name for the content: the format and the hash of all the files' names, which hold the
    /// hashes of the files.
    pub(super) fn cache_key(&self) -> String {
        let mut hash = Sha256::new();
        for file in self.files() {
            hash.update(file.name.as_bytes());
            hash.update([0]);
        }
        let digits = hex::encode(hash.finalize().get(..16).unwrap_or_default());
        format!("patchgate-store-{}-{digits}", self.format)
    }

    /// Every file that the manifest names.
    pub(super) fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.sources.iter().flat_map(Source::files)
    }
}
