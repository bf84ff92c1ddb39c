//! The manifest `store.json`: the sources of a store and their files. Renaming a new manifest over
//! the old one publishes a new generation of files.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// File name of the manifest.
pub(super) const MANIFEST: &str = "store.json";

/// Version of the store's layout. A store of another version is re-created, not read.
pub(super) const FORMAT: u32 = 7;

/// Limit on the manifest, in bytes. Even with all ecosystems a manifest is much smaller.
pub(super) const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) sources: Vec<Source>,
}

/// One source of a store: an export, own records or a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    /// OSV name of the ecosystem, for [`SourceKind::Osv`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ecosystem: Option<String>,
    /// Address or path that it was read from.
    pub(super) origin: String,
    pub(super) as_of: Option<Timestamp>,
    /// Number of records, scores or entries.
    pub(super) records: u64,
    /// Number of records that could not be read when the store was built.
    pub(super) skipped: u64,
    /// False if the source only mentions this ecosystem, like the export of another one. Then a
    /// package without a record may still be affected.
    pub(super) complete: bool,
    /// Whether the keys are normalised by the ecosystem's rule. A later version of Patchgate that
    /// knows the ecosystem cannot use keys that were written without its rule.
    pub(super) normalised: bool,
    pub(super) file: FileEntry,
    /// Records about malicious packages, in a table of their own: npm has forty times as many of them
    /// as of vulnerabilities, and almost no query hits one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) malicious: Option<FileEntry>,
    /// Entries of later updates, which replace those in the other two files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<FileEntry>,
    /// Whether these are an organisation's own records, separate from those of an export.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) own: bool,
    /// The `--from` paths of records that do not come from an export. They can only be updated by
    /// reading the same paths again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) from: Vec<String>,
    /// The last fetch of the export or feed; absent if the store was built from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fetched: Option<Fetched>,
}

/// The facts about a fetch that the next update needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetched {
    /// Time of the last complete fetch.
    pub(super) whole_at: Timestamp,
    /// Time up to which all changes are included; never later than the fetch.
    pub(super) until: Timestamp,
    /// Validator of the export or feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) validator: Option<Validator>,
    /// The server's `ETag` of the list of changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) list_validator: Option<String>,
}

/// A value by which an unchanged file is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Validator {
    /// The value of the server's `ETag` header.
    Etag(String),
    /// The server's `Last-Modified`, where it sends no `ETag`.
    LastModified(String),
    /// Size and modification time of a local file.
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

    /// The key of a source, unique in a store.
    pub(super) fn identity(&self) -> (String, &[String]) {
        (self.name(), if self.own { &self.from } else { &[] })
    }

    /// Whether this is the main source of an ecosystem, from an export or from files, and not an
    /// organisation's own records.
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

/// The manifest in its file, with a checksum: damage could otherwise hide a file of the store.
#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    sources: Vec<Source>,
    sha256: String,
}

impl Manifest {
    /// The text of the manifest file.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        let stored = Stored {
            format: self.format,
            sha256: self.digest()?,
            sources: self.sources.clone(),
        };
        Ok(serde_json::to_string_pretty(&stored)? + "\n")
    }

    /// Parses the text of a manifest file of the present format. `Ok(None)` if the checksum does not
    /// match.
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

    /// A key that names the content: the format, and a hash of the file names, which contain the
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
