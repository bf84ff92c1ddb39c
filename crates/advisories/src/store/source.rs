//! A source of a store with its open tables.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use patchgate_model::{Advisory, SmolStr};
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};

use super::manifest::{FileEntry, Source};
use super::table::{Index, Table};
use super::{ID_PREFIX, NAME_PREFIX, StoreError, invalid, open_table, prefixed, record};

/// Names per rayon task. Kept small: similar names are adjacent and tend to hit together, and only a
/// hit is work, so large chunks would be unbalanced.
const NAMES_A_TASK: usize = 50;

/// The records of many packages.
#[derive(Default)]
pub(super) struct RecordsByName<'a> {
    /// The records by name, without packages that have none.
    pub(super) records: Vec<(&'a SmolStr, Vec<Advisory>)>,
    /// Why other records could not be read.
    pub(super) error: Option<io::Error>,
}

/// A source with its tables.
#[derive(Debug)]
pub(super) struct OpenSource {
    pub(super) source: Source,
    pub(super) table: Table,
    /// Records about malicious packages.
    pub(super) malicious: Option<Table>,
    /// Entries that replace those of the other two tables.
    pub(super) changes: Option<Table>,
}

impl OpenSource {
    pub(super) fn open(dir: &Path, source: Source) -> Result<Self, StoreError> {
        let open = |file: &FileEntry| {
            let path = dir.join(&file.name);
            open_table(&path, file.bytes).map_err(|source| StoreError::File { path, source })
        };
        Ok(Self {
            table: open(&source.file)?,
            malicious: source.malicious.as_ref().map(open).transpose()?,
            changes: source.changes.as_ref().map(open).transpose()?,
            source,
        })
    }

    /// The values of a key: the one in the table of changes, or those of the other tables.
    pub(super) fn values(&self, key: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        if let Some(changes) = &self.changes
            && let Some(value) = changes.get(key)?
        {
            return Ok(vec![value]);
        }

        let mut values = Vec::new();
        values.extend(self.table.get(key)?);
        if let Some(malicious) = &self.malicious {
            values.extend(malicious.get(key)?);
        }

        Ok(values)
    }

    /// The records of packages, in any order.
    pub(super) fn records_of<'a>(&self, names: &'a [SmolStr]) -> RecordsByName<'a> {
        let read: Vec<io::Result<(&SmolStr, Vec<Advisory>)>> = names
            .par_iter()
            .with_min_len(NAMES_A_TASK)
            .filter_map(|name| match self.records(name) {
                Ok(records) if records.is_empty() => None,
                Ok(records) => Some(Ok((name, records))),
                Err(error) => Some(Err(error)),
            })
            .collect();

        let mut found = RecordsByName::default();
        for read in read {
            match read {
                Ok(records) => found.records.push(records),
                Err(error) => found.error = Some(error),
            }
        }

        found
    }

    pub(super) fn records(&self, name: &str) -> io::Result<Vec<Advisory>> {
        let mut records = Vec::new();
        for bytes in self.values(&prefixed(NAME_PREFIX, name))? {
            records.append(&mut record::decode(&bytes).map_err(invalid)?);
        }
        Ok(records)
    }

    /// The indexes of all tables, for very many membership queries.
    pub(super) fn indexes(&self) -> io::Result<Vec<Index>> {
        [
            Some(&self.table),
            self.malicious.as_ref(),
            self.changes.as_ref(),
        ]
        .into_iter()
        .flatten()
        .map(Table::index)
        .collect()
    }

    /// The records of updates that were modified after `time`, and not after `until`.
    pub(super) fn changed_after(
        &self,
        time: Timestamp,
        until: Timestamp,
    ) -> io::Result<Vec<Advisory>> {
        let mut found = Vec::new();
        let Some(changes) = &self.changes else {
            return Ok(found);
        };

        changes.for_each(|key, value| {
            if key.first() != Some(&NAME_PREFIX) {
                return Ok(());
            }
            let records = record::decode(value).map_err(invalid)?;
            let is_newer = |one: &Advisory| one.modified.is_some_and(|at| at > time && at <= until);
            found.extend(records.into_iter().filter(is_newer));
            Ok(())
        })?;

        Ok(found)
    }

    /// The packages that a record with this id or alias may name.
    pub(super) fn names_of(&self, id: &str) -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for bytes in self.values(&prefixed(ID_PREFIX, id))? {
            let found = record::decode_keys(&bytes).map_err(invalid)?;
            names.extend(found.into_iter().map(str::to_owned));
        }
        Ok(names)
    }

    pub(super) fn by_id(&self, id: &str) -> io::Result<Vec<Advisory>> {
        let mut found = Vec::new();
        for name in self.names_of(id)? {
            let is_it = |record: &Advisory| {
                record.id == id || record.aliases.iter().any(|alias| alias == id)
            };
            found.extend(self.records(&name)?.into_iter().filter(is_it));
        }
        Ok(found)
    }
}
