//! `store.json`: what the store holds and in which files. Whoever renames it last decides which
//! generation of files counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// File name of the manifest.
pub(super) const MANIFEST: &str = "store.json";

/// Version of the store's layout. A store of another version is rebuilt, not read.
pub(super) const FORMAT: u32 = 2;

/// Largest manifest, in bytes: far above one line for each ecosystem there is.
pub(super) const MAX_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// `osv:npm`, `kev`, `epss`.
    pub(super) fn name(&self) -> String {
        match (self.kind, &self.ecosystem) {
            (SourceKind::Osv, ecosystem) => {
                format!("osv:{}", ecosystem.as_deref().unwrap_or_default())
            }
            (SourceKind::Kev, _) => "kev".to_owned(),
            (SourceKind::Epss, _) => "epss".to_owned(),
        }
    }
}

impl Manifest {
    /// Every file that the manifest names.
    pub(super) fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.sources.iter().map(|source| &source.file)
    }
}
