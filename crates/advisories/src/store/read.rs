//! Reading of input files: archives, loose records and feeds, in parallel and with limits.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use flate2::read::MultiGzDecoder;
use patchgate_fs::{first_bytes, read_up_to};
use patchgate_model::ProblemKind;
use zip::ZipArchive;

use super::BuildProgress;
use super::collect::{Batch, Collected};
use super::inflate::Inflater;
use super::input::{Content, ecosystem_of_archive};
use super::read_at::SharedFileReader;
use crate::feeds::{Catalogue, EpssTable, MAX_TEXT_BYTES, is_catalogue};
use crate::osv::{RecordError, parse_record};

/// Limit on a single record or catalogue, in bytes. The largest records of the public databases are
/// below 10 MiB.
const MAX_JSON_BYTES: u64 = 64 * 1024 * 1024;

/// Limit on an archive within an archive, in bytes.
const MAX_INNER_ARCHIVE_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Limit on the entries of one archive. All of OSV has about half a million.
const MAX_ENTRIES: usize = 2_000_000;

/// Limit on the uncompressed bytes of one archive. All of OSV has 3 GiB.
const MAX_INFLATED_BYTES: u64 = 32 * 1024 * 1024 * 1024;

/// Limit on nested archives: `bundle.zip` may contain `npm/all.zip`, but no deeper ones.
const MAX_ARCHIVE_DEPTH: usize = 2;

/// Number of files that a thread takes at a time.
const FILES_A_TURN: usize = 64;

/// Limit on reading threads. With more, the disk is the bottleneck.
const MAX_THREADS: usize = 8;

/// The content of a file other than a record.
enum FileContent {
    Nothing,
    Kev(Catalogue),
    Epss(EpssTable),
    Archive(File),
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot be read")]
    Read(#[from] io::Error),
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    #[error("is not a readable zip archive")]
    Zip(#[from] zip::result::ZipError),
    #[error("has more than {MAX_ENTRIES} entries")]
    Entries,
    #[error("has more than {MAX_INFLATED_BYTES} bytes uncompressed")]
    Inflated,
    #[error(transparent)]
    Kev(#[from] crate::feeds::KevError),
    #[error(transparent)]
    Epss(#[from] crate::feeds::EpssError),
    #[error("is nested in more than {MAX_ARCHIVE_DEPTH} archives")]
    Depth,
}

/// Reads the files of one `--from` into `collected`.
pub(super) fn read_all(
    from: &Path,
    files: &[PathBuf],
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) {
    let mut archives = Vec::new();
    let mut loose = Vec::new();
    for path in files {
        match File::open(path)
            .and_then(|file| first_bytes(file, 64))
            .map(|bytes| Content::of(&bytes))
        {
            Ok(Content::Zip) => archives.push(path),
            Ok(Content::Other) if has_extension(path, "zip") && path.is_file() => {
                archives.push(path)
            }
            Ok(_) => loose.push(path),
            Err(error) => note(collected, &path.display().to_string(), &error.into()),
        }
    }

    for path in archives {
        let origin = path.display().to_string();
        let named = ecosystem_of_archive(path);
        let opened = File::open(path).map_err(FileError::from);
        let read = opened
            .and_then(|file| read_archive(file, &origin, named.as_deref(), 1, collected, progress));
        if let Err(error) = read {
            note(collected, &origin, &error);
        }
    }

    let origin = from.display().to_string();
    let total = loose.len();
    let results = in_parallel(total, &origin, progress, |batch, index| {
        let Some(path) = loose.get(index) else {
            return Ok(None);
        };
        let name = path.display().to_string();
        let found = File::open(path)
            .map_err(FileError::from)
            .and_then(|file| read_file(file, &name, batch));

        found
            .map(|found| Some((name.clone(), found)))
            .map_err(|error| (name, error))
    });

    finish(results, &origin, None, 1, collected, progress);
}

/// Reads one open file of any kind into `collected`. `named` is the ecosystem that it is expected to
/// cover.
pub(super) fn read_one(
    mut file: File,
    origin: &str,
    named: Option<&str>,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) {
    let content =
        first_bytes(&file, 64).and_then(|head| file.rewind().map(|()| Content::of(&head)));
    let read = match content {
        Ok(Content::Zip) => read_archive(file, origin, named, 1, collected, progress),
        Ok(_) => {
            let mut batch = Batch::default();
            read_file(file, origin, &mut batch).map(|found| {
                let found = vec![(origin.to_owned(), found)];
                let results = vec![(batch, found, Vec::new())];
                finish(results, origin, named, 1, collected, progress);
            })
        }
        Err(error) => Err(error.into()),
    };

    if let Err(error) = read {
        note(collected, origin, &error);
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The outcome of one thread: its records, other content by file name, and failures by file name.
type Outcome = (Batch, Vec<(String, FileContent)>, Vec<(String, FileError)>);

/// Reads the entries of an archive. Entry names are never used as paths.
fn read_archive(
    file: File,
    origin: &str,
    named: Option<&str>,
    depth: usize,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Result<(), FileError> {
    if depth > MAX_ARCHIVE_DEPTH {
        return Err(FileError::Depth);
    }

    let archive = ZipArchive::new(SharedFileReader::new(file)?)?;
    if archive.len() > MAX_ENTRIES {
        return Err(FileError::Entries);
    }

    let inflated = AtomicU64::new(0);
    let results = in_parallel_with(
        archive.len(),
        origin,
        progress,
        || (archive.clone(), Inflater::new()),
        |(archive, inflater), batch, index| {
            let label = |name: &str| format!("{origin}!{name}");
            // Small JSON records are almost all entries, and are inflated into a buffer that is reused.
            if let Ok(Some(bytes)) = inflater.small(archive, index)
                && Content::of(bytes) == Content::Json
            {
                let length = bytes.len() as u64;
                let name = || {
                    let entry = archive.by_index_data(index).ok();
                    let name = entry.as_ref().and_then(|entry| entry.name().ok());
                    label(&name.unwrap_or_else(|| index.to_string().into()))
                };
                if inflated.fetch_add(length, Ordering::Relaxed) > MAX_INFLATED_BYTES {
                    return Err((name(), FileError::Inflated));
                }
                return match read_json(bytes, &name, batch) {
                    Ok(FileContent::Nothing) => Ok(None),
                    Ok(found) => Ok(Some((name(), found))),
                    Err(error) => Err((name(), error)),
                };
            }

            // Everything else goes through the zip library.
            let mut entry = archive
                .by_index(index)
                .map_err(|error| (label(&index.to_string()), error.into()))?;
            if entry.is_dir() {
                return Ok(None);
            }

            let name = entry
                .name()
                .map_or_else(|_| index.to_string(), std::borrow::Cow::into_owned);
            let before = inflated.fetch_add(entry.size(), Ordering::Relaxed);
            if before.saturating_add(entry.size()) > MAX_INFLATED_BYTES {
                return Err((label(&name), FileError::Inflated));
            }

            match read_file(&mut entry, &label(&name), batch) {
                Ok(found) => Ok(Some((label(&name), found))),
                Err(error) => Err((label(&name), error)),
            }
        },
    );
    if archive.is_empty() {
        note(
            collected,
            origin,
            &io::Error::new(io::ErrorKind::InvalidData, "it is empty").into(),
        );
    }

    finish(results, origin, named, depth, collected, progress);
    Ok(())
}

/// Merges the outcomes of the threads, in an order that does not depend on scheduling.
fn finish(
    results: Vec<Outcome>,
    origin: &str,
    named: Option<&str>,
    depth: usize,
    collected: &mut Collected,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) {
    let mut batch = Batch::default();
    let mut found = Vec::new();
    for (part, mut part_found, failures) in results {
        batch.merge(part);
        found.append(&mut part_found);
        for (name, error) in failures {
            batch.add_bad(&name, &error);
        }
    }

    batch.bad.sort();
    batch.unrecognised.sort();
    collected.add_batch(origin, named, batch);
    found.sort_by(|a, b| a.0.cmp(&b.0));

    for (name, content) in found {
        match content {
            FileContent::Nothing => {}
            FileContent::Kev(catalogue) => collected.add_kev(&name, catalogue),
            FileContent::Epss(table) => collected.add_epss(&name, table),
            FileContent::Archive(file) => {
                let inner = name.rsplit('!').next().unwrap_or(&name);
                let named = ecosystem_of_archive(Path::new(inner));
                let read = read_archive(
                    file,
                    &name,
                    named.as_deref(),
                    depth + 1,
                    collected,
                    progress,
                );

                if let Err(error) = read {
                    note(collected, &name, &error);
                }
            }
        }
    }
}

/// Reads one file of any kind. A record goes into `batch`; a file that is of no use is noted there.
fn read_file(mut file: impl Read, name: &str, batch: &mut Batch) -> Result<FileContent, FileError> {
    let bytes = first_bytes(file.by_ref(), 32)?;

    match Content::of(&bytes) {
        Content::Json => {
            let bytes = read_whole(io::Cursor::new(bytes).chain(file), MAX_JSON_BYTES)?;
            read_json(&bytes, &|| name.to_owned(), batch)
        }
        Content::Epss => {
            let text = io::Cursor::new(bytes).chain(file).take(MAX_TEXT_BYTES);
            Ok(FileContent::Epss(EpssTable::parse(text)?))
        }
        Content::Gzip => read_gzip(io::Cursor::new(bytes).chain(file), name, batch),
        Content::Zip => {
            let mut unpacked = tempfile::tempfile()?;
            let mut whole = io::Cursor::new(bytes)
                .chain(file)
                .take(MAX_INNER_ARCHIVE_BYTES + 1);
            if io::copy(&mut whole, &mut unpacked)? > MAX_INNER_ARCHIVE_BYTES {
                return Err(FileError::TooLarge(MAX_INNER_ARCHIVE_BYTES));
            }
            unpacked.rewind()?;
            Ok(FileContent::Archive(unpacked))
        }
        Content::Other if bytes.is_empty() && has_extension(Path::new(name), "json") => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty").into())
        }
        Content::Other => {
            batch.unrecognised.push(name.to_owned());
            Ok(FileContent::Nothing)
        }
    }
}

fn read_gzip(file: impl Read, name: &str, batch: &mut Batch) -> Result<FileContent, FileError> {
    let mut text = BufReader::new(MultiGzDecoder::new(file));
    match Content::of(text.fill_buf()?) {
        Content::Epss => Ok(FileContent::Epss(EpssTable::parse(
            text.take(MAX_TEXT_BYTES),
        )?)),
        Content::Json => {
            let bytes = read_whole(text, MAX_JSON_BYTES)?;
            read_json(&bytes, &|| name.to_owned(), batch)
        }
        Content::Zip | Content::Gzip | Content::Other => {
            batch.unrecognised.push(name.to_owned());
            Ok(FileContent::Nothing)
        }
    }
}

/// `name` makes the file's name, which is needed only where something is wrong with it.
fn read_json(
    bytes: &[u8],
    name: &dyn Fn() -> String,
    batch: &mut Batch,
) -> Result<FileContent, FileError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // Records come by the hundred thousand and catalogues one at a time, so records go first.
    match parse_record(bytes) {
        Ok(advisory) => batch.add_record(&advisory),
        Err(RecordError::NoId) if is_catalogue(bytes) => {
            return Ok(FileContent::Kev(Catalogue::parse(bytes)?));
        }
        Err(RecordError::NoId) if !claims_to_be_a_record(bytes) => {
            batch.unrecognised.push(name());
        }
        Err(error) => batch.add_bad(&name(), &error),
    }

    Ok(FileContent::Nothing)
}

/// Whether a JSON text without an id has other fields of a record, so that it is a bad record and not
/// an unrelated file.
fn claims_to_be_a_record(json: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Probe {
        affected: Option<serde::de::IgnoredAny>,
        schema_version: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Probe>(json)
        .is_ok_and(|probe| probe.affected.is_some() || probe.schema_version.is_some())
}

fn read_whole(file: impl Read, limit: u64) -> Result<Vec<u8>, FileError> {
    read_up_to(file, limit)?.ok_or(FileError::TooLarge(limit))
}

fn note(collected: &mut Collected, name: &str, error: &FileError) {
    let mut reason = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        reason = format!("{reason}: {source}");
    }
    let hint = "fetch the file again, then repeat the command";
    collected.add_problem(ProblemKind::Advisories, name, &reason, hint);
}

fn in_parallel(
    total: usize,
    source: &str,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    read: impl Fn(&mut Batch, usize) -> Result<Option<(String, FileContent)>, (String, FileError)>
    + Sync,
) -> Vec<Outcome> {
    in_parallel_with(
        total,
        source,
        progress,
        || (),
        |(), batch, index| read(batch, index),
    )
}

/// Runs `read` for every index, on one thread per processor. `start` creates the state of each thread.
fn in_parallel_with<S>(
    total: usize,
    source: &str,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    start: impl Fn() -> S + Sync,
    read: impl Fn(
        &mut S,
        &mut Batch,
        usize,
    ) -> Result<Option<(String, FileContent)>, (String, FileError)>
    + Sync,
) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut own = start();
        let (mut batch, mut found, mut failures) = (Batch::default(), Vec::new(), Vec::new());

        loop {
            let first = next.fetch_add(FILES_A_TURN, Ordering::Relaxed);
            if first >= total {
                return (batch, found, failures);
            }

            let last = (first + FILES_A_TURN).min(total);
            for index in first..last {
                match read(&mut own, &mut batch, index) {
                    Ok(Some((_, FileContent::Nothing)) | None) => {}
                    Ok(Some(one)) => found.push(one),
                    Err(failure) => failures.push(failure),
                }
            }

            progress(BuildProgress {
                source,
                done: last as u64,
                total: total as u64,
            });
        }
    };

    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS);
    if threads == 1 || total <= FILES_A_TURN {
        return vec![work()];
    }

    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}
