//! Writing the files of a store: the tables, whose names contain their hash, and the manifest.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::collect::{EcosystemRecords, Trimmed};
use super::manifest::{Fetched, FileEntry, MANIFEST, Manifest, Source, SourceKind};
use super::table::TableWriter;
use super::{ID_PREFIX, NAME_PREFIX, invalid, prefixed, record};

pub(super) fn feed_source(
    kind: SourceKind,
    origin: String,
    as_of: Option<Timestamp>,
    fetched: Option<Fetched>,
    (file, records): (FileEntry, u64),
) -> Source {
    Source {
        kind,
        ecosystem: None,
        origin,
        as_of,
        records,
        skipped: 0,
        complete: true,
        normalised: true,
        file,
        malicious: None,
        changes: None,
        own: false,
        from: Vec::new(),
        fetched,
    }
}

pub(super) fn write_ecosystem(
    into: &Path,
    ecosystem: String,
    mut gathered: EcosystemRecords,
    now: Timestamp,
) -> io::Result<Source> {
    // The newest copy of a record comes first, so that `dedup_by` keeps it.
    gathered.records.sort_by(|a, b| {
        (&a.key, &a.id)
            .cmp(&(&b.key, &b.id))
            .then_with(|| b.modified.cmp(&a.modified))
    });
    gathered
        .records
        .dedup_by(|later, first| later.key == first.key && later.id == first.id);
    let newest = gathered
        .records
        .iter()
        .filter_map(|record| record.modified)
        .filter(|modified| *modified <= now)
        .max();
    let mut own_ids: Vec<&str> = gathered.records.iter().map(|one| &*one.id).collect();
    own_ids.sort_unstable();
    own_ids.dedup();
    let records = own_ids.len() as u64;

    drop(own_ids);
    // `partition` is stable, so the records of each package stay together.
    let (malicious, others): (Vec<Trimmed>, Vec<Trimmed>) = gathered
        .records
        .into_iter()
        .partition(Trimmed::is_malicious);
    let name = format!("osv-{}", file_part(&ecosystem));
    let file = write_records(into, &name, others)?;
    let malicious = if malicious.is_empty() {
        None
    } else {
        Some(write_records(
            into,
            &format!("{name}-malicious"),
            malicious,
        )?)
    };

    Ok(Source {
        kind: SourceKind::Osv,
        normalised: patchgate_ecosystems::by_name(&ecosystem).is_some(),
        ecosystem: Some(ecosystem),
        origin: name_origins(&gathered.origins),
        as_of: newest,
        records,
        skipped: gathered.skipped,
        complete: gathered.complete,
        file,
        malicious,
        changes: None,
        own: false,
        from: gathered.from.into_iter().collect(),
        fetched: gathered.fetched,
    })
}

/// Writes records, sorted by key, and the index of their ids.
fn write_records(into: &Path, name: &str, records: Vec<Trimmed>) -> io::Result<FileEntry> {
    let mut writer = Writer::new(into)?;
    let mut value = Vec::new();
    for records in records.chunk_by(|a, b| a.key == b.key) {
        value.clear();
        for record in records {
            value.extend_from_slice(&record.bytes);
        }
        let key = records.first().map_or("", |record: &Trimmed| &record.key);
        writer.push(&prefixed(NAME_PREFIX, key), &value)?;
    }

    let mut ids: Vec<(&str, &str)> = Vec::with_capacity(records.len() * 2);
    for record in &records {
        for id in std::iter::once(&record.id).chain(&record.aliases) {
            ids.push((id, &record.key));
        }
    }

    ids.sort_unstable();
    ids.dedup();
    for names in ids.chunk_by(|a, b| a.0 == b.0) {
        let id = names.first().map_or("", |(id, _)| *id);
        let names: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        let value = record::encode_keys(&names).map_err(invalid)?;
        writer.push(&prefixed(ID_PREFIX, id), &value)?;
    }

    writer.finish(into, name)
}

/// Writes a table of texts. If a key has several values, the first one is kept.
pub(super) fn write_table(
    into: &Path,
    name: &str,
    mut values: Vec<(String, String)>,
) -> io::Result<(FileEntry, u64)> {
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values.dedup_by(|later, first| later.0 == first.0);
    let mut writer = Writer::new(into)?;
    for (key, value) in &values {
        writer.push(key.as_bytes(), value.as_bytes())?;
    }
    Ok((writer.finish(into, name)?, values.len() as u64))
}

/// A table that is being written, under a temporary name in its final directory.
pub(super) struct Writer {
    table: TableWriter<Buffered>,
}

/// A buffered temporary file. Seeking and reading flush the buffer first.
struct Buffered(BufWriter<tempfile::NamedTempFile>);

impl io::Write for Buffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl io::Seek for Buffered {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl io::Read for Buffered {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.flush()?;
        self.0.get_mut().read(bytes)
    }
}

impl Writer {
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.table.push(key, value)
    }

    pub(super) fn new(into: &Path) -> io::Result<Self> {
        let file = temporary(into)?;
        let buffered = Buffered(BufWriter::with_capacity(256 * 1024, file));
        Ok(Self {
            table: TableWriter::new(buffered)?,
        })
    }

    /// Renames the file to its final name, which contains its hash. So the content behind a name
    /// never changes for a reader.
    pub(super) fn finish(self, into: &Path, name: &str) -> io::Result<FileEntry> {
        let (buffered, digest, bytes) = self.table.finish()?;
        let file = buffered
            .0
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        let name = format!("{name}-{}.table", digest.get(..16).unwrap_or(&digest));
        file.persist(into.join(&name))
            .map_err(|error| error.error)?;

        Ok(FileEntry { name, bytes })
    }
}

/// Name prefix of unfinished files.
const TEMPORARY: &str = ".building-";

/// A temporary file in the final directory, so that it can be renamed. Temporary files are private by
/// default; advisories are public, so the umask decides who else may read them.
fn temporary(into: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(into)
}

pub(super) fn write_manifest(into: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut file = temporary(into)?;
    file.write_all(manifest.to_json()?.as_bytes())?;
    file.as_file().sync_all()?;
    sync_directory(into)?;
    file.persist(into.join(MANIFEST))
        .map_err(|error| error.error)?;
    sync_directory(into)
}

/// Makes renames in a directory durable. Only Unix can open a directory for that.
fn sync_directory(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

/// Removes the tables of earlier generations and the unfinished files of builds that were killed. A
/// file that cannot be removed only costs space.
pub(super) fn remove_others(into: &Path, manifest: &Manifest) {
    let names: BTreeSet<&str> = manifest.files().map(|file| file.name.as_str()).collect();
    remove(into, |name| {
        name.starts_with(TEMPORARY) || (name.ends_with(".table") && !names.contains(name))
    });
}

/// Removes the unfinished files of builds that were killed, which may have filled the disk.
pub(super) fn remove_unfinished(into: &Path) {
    remove(into, |name| name.starts_with(TEMPORARY));
}

/// Whether a file name is one that builds use for tables and unfinished files.
pub(super) fn is_written_by_builds(name: &str) -> bool {
    let is_table = name.ends_with(".table")
        && ["osv-", "kev-", "epss-"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
    is_table || name.starts_with(TEMPORARY)
}

fn remove(into: &Path, is_left_over: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(into).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(&is_left_over) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The origin of a source as text: the first one, and the number of the others.
pub(super) fn name_origins(origins: &BTreeSet<String>) -> String {
    let first = origins.first().cloned().unwrap_or_default();
    match origins.len() {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

/// The name of an ecosystem, reduced to characters that are safe in a file name.
pub(super) fn file_part(ecosystem: &str) -> String {
    ecosystem
        .chars()
        .take(60)
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect()
}
