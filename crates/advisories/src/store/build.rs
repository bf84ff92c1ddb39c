//! Building a store and publishing it in one step.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use patchgate_model::{Problem, SourceStatus};

use super::collect::{Collected, EcosystemRecords, Trimmed};
use super::input::{InputError, list};
use super::manifest::{FORMAT, FileEntry, MANIFEST, Manifest, Source, SourceKind};
use super::read::read_all;
use super::table::TableWriter;
use super::{ID_PREFIX, NAME_PREFIX, Store, prefixed};

/// File that a build holds locked, so that two builds do not remove each other's files.
const LOCK: &str = "store.lock";

/// How far a build has come.
#[derive(Debug, Clone, Copy)]
pub struct BuildProgress<'a> {
    /// The archive or folder that is being read.
    pub source: &'a str,
    /// Files of it that are read.
    pub done: u64,
    /// Files in it.
    pub total: u64,
}

/// What a build has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildReport {
    /// What the store now holds.
    pub sources: Vec<SourceStatus>,
    /// What could not be read. Not empty means that the build is incomplete: what could be read is
    /// published all the same.
    pub problems: Vec<Problem>,
    /// Problems beyond those in [`BuildReport::problems`], which is kept short.
    pub more_problems: u64,
    /// Files that are nothing that a store is made from, sorted.
    pub unrecognised: Vec<String>,
}

/// Why a store was not built. A store that was there stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An input cannot be listed.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No input holds anything that a store is made from.
    #[error("{} holds no OSV record, no KEV catalogue and no EPSS scores", name_all(.from))]
    Nothing {
        /// The inputs.
        from: Vec<PathBuf>,
    },
    /// A file of the store cannot be written.
    #[error("`{}` cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another build is at work in the same folder.
    #[error("another process is building the store in `{}`", .dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
}

impl BuildError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Nothing { .. } => Some(
                "give `--from` an OSV export (`<ecosystem>/all.zip`), a folder of them, the KEV \
                 catalogue or the EPSS scores",
            ),
            Self::Busy { .. } => Some("wait until it has finished, then run it again"),
            Self::Write { .. } => Some("check that the folder is writable and has space"),
            Self::Input(_) => None,
        }
    }
}

fn name_all(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    if names.is_empty() {
        "an empty list".to_owned()
    } else {
        names.join(", ")
    }
}

impl Store {
    /// Builds the store in `into` from files, archives and folders, in place of the one that is
    /// there.
    ///
    /// # Errors
    /// When an input is missing, nothing of use is found, or the store cannot be written. One bad
    /// file among many is a problem in the report.
    pub fn build(
        from: &[PathBuf],
        into: &Path,
        progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    ) -> Result<BuildReport, BuildError> {
        let collected = collect(from, progress)?;
        publish(collected, into, Vec::new(), from)
    }
}

/// Reads all inputs.
pub(super) fn collect(
    from: &[PathBuf],
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Result<Collected, BuildError> {
    let mut collected = Collected::default();
    for path in from {
        let files = list(path)?;
        read_all(path, &files, &mut collected, progress);
    }
    Ok(collected)
}

/// Writes what was collected beside what `kept` names, and makes it the store.
pub(super) fn publish(
    collected: Collected,
    into: &Path,
    kept: Vec<Source>,
    from: &[PathBuf],
) -> Result<BuildReport, BuildError> {
    if collected.osv.is_empty() && collected.kev.is_none() && collected.epss.is_none() {
        if let Some(problem) = collected.problems.first().filter(|_| kept.is_empty()) {
            // The one bad file says more than "nothing was found".
            let source = io::Error::other(problem.reason.clone());
            let path = PathBuf::from(&problem.subject);
            return Err(InputError::Read { path, source }.into());
        }
        return Err(BuildError::Nothing {
            from: from.to_vec(),
        });
    }
    let writing = |source| BuildError::Write {
        path: into.to_owned(),
        source,
    };
    fs::create_dir_all(into).map_err(writing)?;
    let lock = File::create(into.join(LOCK)).map_err(writing)?;
    lock.try_lock().map_err(|error| match error {
        fs::TryLockError::WouldBlock => BuildError::Busy {
            dir: into.to_owned(),
        },
        fs::TryLockError::Error(source) => writing(source),
    })?;
    let complete: BTreeSet<String> = kept
        .iter()
        .filter(|source| source.complete)
        .filter_map(|source| source.ecosystem.clone())
        .collect();
    let mut sources: BTreeMap<String, Source> = kept
        .into_iter()
        .map(|source| (source.name(), source))
        .collect();
    let mut add = |source: Source| sources.insert(source.name(), source);
    for (ecosystem, records) in collected.osv {
        // An export that names an ecosystem in passing must not replace the export of it.
        if !records.complete && complete.contains(&ecosystem) {
            continue;
        }
        add(write_ecosystem(into, ecosystem, records).map_err(writing)?);
    }
    if let Some(feed) = collected.kev {
        let values = feed.content.entries.iter().map(|kev| {
            (
                kev.cve.clone(),
                format!("{}\n{}\n{}", kev.date_added, kev.due_date, kev.ransomware),
            )
        });
        let file = write_table(into, "kev", values.collect()).map_err(writing)?;
        add(feed_source(
            SourceKind::Kev,
            feed.origin,
            feed.content.as_of,
            file,
        ));
    }
    if let Some(feed) = collected.epss {
        let values = feed
            .content
            .rows
            .into_iter()
            .map(|row| (row.cve, format!("{},{}", row.probability, row.percentile)));
        let file = write_table(into, "epss", values.collect()).map_err(writing)?;
        add(feed_source(
            SourceKind::Epss,
            feed.origin,
            feed.content.as_of,
            file,
        ));
    }
    let manifest = Manifest {
        format: FORMAT,
        sources: sources.into_values().collect(),
    };
    write_manifest(into, &manifest).map_err(writing)?;
    remove_others(into, &manifest);
    Ok(BuildReport {
        sources: manifest
            .sources
            .iter()
            .map(|source| super::status_of(source, None))
            .collect(),
        problems: collected.problems,
        more_problems: collected.more_problems,
        unrecognised: collected.unrecognised,
    })
}

fn feed_source(
    kind: SourceKind,
    origin: String,
    as_of: Option<jiff::Timestamp>,
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
    }
}

fn write_ecosystem(
    into: &Path,
    ecosystem: String,
    mut gathered: EcosystemRecords,
) -> io::Result<Source> {
    // Of two copies of a record the newer one counts.
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
        .max();
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut own_ids: BTreeSet<&str> = BTreeSet::new();
    for record in &gathered.records {
        own_ids.insert(&record.id);
        for id in std::iter::once(&record.id).chain(&record.aliases) {
            ids.entry(id).or_default().insert(&record.key);
        }
    }
    let mut writer = Writer::new(into)?;
    let mut value = Vec::new();
    for records in gathered.records.chunk_by(|a, b| a.key == b.key) {
        value.clear();
        value.push(b'[');
        for (place, record) in records.iter().enumerate() {
            if place > 0 {
                value.push(b',');
            }
            value.extend_from_slice(&record.json);
        }
        value.push(b']');
        let key = records.first().map_or("", |record: &Trimmed| &record.key);
        writer.table.push(&prefixed(NAME_PREFIX, key), &value)?;
    }
    for (id, names) in &ids {
        value.clear();
        serde_json::to_writer(&mut value, names)?;
        writer.table.push(&prefixed(ID_PREFIX, id), &value)?;
    }
    let records = own_ids.len() as u64;
    let file = writer.finish(into, &format!("osv-{}", file_part(&ecosystem)))?;
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
    })
}

/// Writes a table of texts; of two values for one key the first counts.
fn write_table(
    into: &Path,
    name: &str,
    mut values: Vec<(String, String)>,
) -> io::Result<(FileEntry, u64)> {
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values.dedup_by(|later, first| later.0 == first.0);
    let mut writer = Writer::new(into)?;
    for (key, value) in &values {
        writer.table.push(key.as_bytes(), value.as_bytes())?;
    }
    Ok((writer.finish(into, name)?, values.len() as u64))
}

/// A table that is being written beside its final place.
struct Writer {
    table: TableWriter<Buffered>,
}

/// A temporary file behind a buffer. Seeking and reading flush the buffer first.
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
    fn new(into: &Path) -> io::Result<Self> {
        let file = temporary(into)?;
        let buffered = Buffered(BufWriter::with_capacity(256 * 1024, file));
        Ok(Self {
            table: TableWriter::new(buffered)?,
        })
    }

    /// Gives the file its name, which holds its hash: a reader never sees a name whose content
    /// changes.
    fn finish(self, into: &Path, name: &str) -> io::Result<FileEntry> {
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

/// Prefix of files that are not finished.
const TEMPORARY: &str = ".building-";

/// A file beside its final place. Advisories are public, so others may read it as far as the umask
/// allows, unlike a common temporary file.
fn temporary(into: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder.tempfile_in(into)
}

fn write_manifest(into: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut file = temporary(into)?;
    serde_json::to_writer_pretty(&mut file, manifest)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    sync_folder(into)?;
    file.persist(into.join(MANIFEST))
        .map_err(|error| error.error)?;
    sync_folder(into)
}

/// Makes renames in a folder last. Only Unix has folders that can be opened for it.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

/// Removes files of earlier generations and of builds that were cut off. A file that cannot be
/// removed costs space and no more.
fn remove_others(into: &Path, manifest: &Manifest) {
    let names: BTreeSet<&str> = manifest.files().map(|file| file.name.as_str()).collect();
    for entry in fs::read_dir(into).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let is_ours = name.ends_with(".table") || name.starts_with(TEMPORARY);
        if is_ours && !names.contains(name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn name_origins(origins: &BTreeSet<String>) -> String {
    let first = origins.first().cloned().unwrap_or_default();
    match origins.len() {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

/// An ecosystem's name as a part of a file name.
fn file_part(ecosystem: &str) -> String {
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
