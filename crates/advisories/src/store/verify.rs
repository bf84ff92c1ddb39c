//! Verification of a whole store.

use std::io;
use std::path::{Path, PathBuf};

use super::manifest::{FileEntry, SourceKind};
use super::table::Table;
use super::{
    ID_PREFIX, NAME_PREFIX, Store, StoreError, invalid, open_table, read_manifest, record,
};

/// The result for one file of a store.
#[derive(Debug)]
pub struct FileCheck {
    /// The checked file of the store.
    pub path: PathBuf,
    /// Name of its source, as in [`patchgate_model::SourceStatus::name`].
    pub source: String,
    /// Number of entries, or why the file is damaged.
    pub entries: io::Result<u64>,
}

impl Store {
    /// Verifies every file of the store in `dir`: its length, its hash, the number of its entries,
    /// and each entry.
    ///
    /// # Errors
    /// When there is no store, or its manifest cannot be read. A damaged file is part of the result.
    pub fn verify(dir: &Path) -> Result<Vec<FileCheck>, StoreError> {
        let manifest = read_manifest(dir)?;
        let mut checks = Vec::new();
        for source in &manifest.sources {
            for file in source.files() {
                let path = dir.join(&file.name);
                checks.push(FileCheck {
                    entries: check(&path, &file.name, file.bytes, source.kind),
                    source: source.name(),
                    path,
                });
            }
        }

        Ok(checks)
    }
}

fn check(path: &Path, name: &str, bytes: u64, kind: SourceKind) -> io::Result<u64> {
    let table = open_named(path, name, bytes)?;
    let counted = table.for_each(|key, value| {
        if kind != SourceKind::Osv {
            return std::str::from_utf8(value).map(|_| ()).map_err(invalid);
        }

        match key.split_first() {
            Some((&NAME_PREFIX, name)) => {
                std::str::from_utf8(name).map_err(invalid)?;
                record::decode(value).map(|_| ()).map_err(invalid)
            }
            Some((&ID_PREFIX, _)) => record::decode_keys(value).map(|_| ()).map_err(invalid),
            _ => Err(invalid("it contains a key of an unknown kind")),
        }
    })?;
    if table.entry_count() != counted {
        return Err(invalid(
            "the number of its entries is not the one in its header",
        ));
    }

    Ok(counted)
}

/// Opens a table and verifies the hash in its name, which reads the whole file.
pub(super) fn open_whole(dir: &Path, file: &FileEntry) -> io::Result<Table> {
    open_named(&dir.join(&file.name), &file.name, file.bytes)
}

fn open_named(path: &Path, name: &str, bytes: u64) -> io::Result<Table> {
    let table = open_table(path, bytes)?;
    let named = name
        .strip_suffix(".table")
        .and_then(|stem| stem.rsplit_once('-'))
        .map(|(_, digits)| digits);
    let digest = table.digest()?;
    if named.is_none_or(|named| named.is_empty() || !digest.starts_with(named)) {
        return Err(invalid("its content does not match the hash in its name"));
    }

    Ok(table)
}
