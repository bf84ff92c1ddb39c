//! `Store::build`: a new store from files, published in one step.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use patchgate_model::{Problem, SourceStatus};

use super::collect::{Collected, EcosystemRecords, Feed};
use super::input::{InputError, list};
use super::manifest::{FORMAT, MANIFEST, Manifest, Source, SourceKind};
use super::read::read_all;
use super::write::{
    feed_source, is_written_by_builds, name_origins, remove_others, remove_unfinished,
    write_ecosystem, write_manifest, write_table,
};
use super::{Store, StoreError, read_manifest};
use crate::feeds::{Catalogue, EpssTable};

/// File that a build locks, because two builds at once would remove each other's files.
pub(super) const LOCK: &str = "store.lock";

/// Progress of a build through one input.
#[derive(Debug, Clone, Copy)]
pub struct BuildProgress<'a> {
    /// The archive or directory that is being read.
    pub source: &'a str,
    /// Number of its files that have been read.
    pub done: u64,
    /// Number of its files.
    pub total: u64,
}

/// How a build treats a store that is already in its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse to build if the store has content that the build does not re-create from the same
    /// origin. Building twice from the same inputs is allowed.
    Keep,
    /// Replace the whole store.
    Replace,
}

/// The outcome of a build or an update.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildReport {
    /// The sources of the store after the build.
    pub sources: Vec<SourceStatus>,
    /// Key that names the store's content, for the cache of a CI runner. Equal content has equal
    /// keys on every machine.
    pub cache_key: String,
    /// Inputs that could not be read. If there are any, the build is incomplete; everything else is
    /// published.
    pub problems: Vec<Problem>,
    /// Number of further problems: the length of [`BuildReport::problems`] is limited.
    pub more_problems: u64,
    /// Input files that are neither records nor feeds, sorted.
    pub unrecognised: Vec<String>,
    /// The format of the previous store, if an update had to re-create a store of another format.
    pub remade_from: Option<u64>,
}

impl BuildReport {
    /// The report of an update that changed nothing.
    pub(super) fn unchanged(sources: Vec<Source>, collected: Collected) -> Self {
        let shown = |source| super::status_of(source, None);
        Self {
            sources: sources.iter().map(shown).collect(),
            problems: collected.problems,
            more_problems: collected.more_problems,
            unrecognised: collected.unrecognised,
            remade_from: None,
            cache_key: Manifest {
                format: FORMAT,
                sources,
            }
            .cache_key(),
        }
    }
}

/// Why a store was not built. An existing store stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An input cannot be listed.
    #[error(transparent)]
    Input(#[from] InputError),
    /// No input contains a record or a feed.
    #[error("{} contains no OSV record, no KEV catalogue and no EPSS scores", name_all(.from))]
    Nothing {
        /// The files and directories that were given as inputs.
        from: Vec<PathBuf>,
    },
    /// The target is something else: a build would delete files there that it did not write.
    #[error("`{}` is neither an advisory store nor an empty directory", .dir.display())]
    NotAStore {
        /// The directory that the build was asked to write to.
        dir: PathBuf,
    },
    /// The target is a store with content that the build would delete.
    #[error("the build would replace the store in `{}`, which {content}", .dir.display())]
    Occupied {
        /// The directory with the store that stays as it is.
        dir: PathBuf,
        /// The content, as the end of a relative clause: `contains …`, `cannot be read`.
        content: String,
    },
    /// A file of the store cannot be written.
    #[error("`{}` cannot be written", .path.display())]
    Write {
        /// The file that was being written.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
    /// Another build or update is running in the same directory.
    #[error("another process is building the store in `{}`", .dir.display())]
    Busy {
        /// The directory whose lock the other process has.
        dir: PathBuf,
    },
}

impl BuildError {
    /// The next step: a fragment for a line of its own.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Nothing { .. } => Some(
                "give `--from` an OSV export (`<ecosystem>/all.zip`), a directory of exports, the \
                 KEV catalogue or the EPSS scores",
            ),
            Self::NotAStore { .. } => Some("name an empty or a new directory"),
            Self::Occupied { .. } => Some(
                "add to the store with `patchgate db update`, or replace all of it with \
                 `patchgate db build --replace`",
            ),
            Self::Busy { .. } => Some("wait until it has finished, then run it again"),
            Self::Write { .. } => Some("check that the directory is writable and has space"),
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
    /// Builds the store in `into` from files, archives and directories.
    ///
    /// # Errors
    /// When an input is missing, no input contains anything usable, `into` is neither a store nor an
    /// empty directory, its store has content that `existing` protects, or the store cannot be
    /// written. One bad file among many is a problem in the report.
    pub fn build(
        from: &[PathBuf],
        into: &Path,
        existing: Existing,
        progress: &(dyn Fn(BuildProgress<'_>) + Sync),
    ) -> Result<BuildReport, BuildError> {
        // Reading takes minutes, so a wrong target is refused before it.
        check_target(into)?;
        let collected = collect(from, progress)?;
        if collected.is_empty() {
            return Err(nothing(&collected, from));
        }

        let lock = Lock::take(into)?;
        if existing == Existing::Keep {
            check_content(into, &collected)?;
        }

        publish(collected, into, Vec::new(), Timestamp::now(), &lock)
    }
}

/// Refuses a target that is neither a store nor empty. The leftovers of a first build that was
/// killed count as empty.
fn check_target(into: &Path) -> Result<(), BuildError> {
    let not_a_store = || BuildError::NotAStore {
        dir: into.to_owned(),
    };
    let entries = match fs::read_dir(into) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(not_a_store()),
        Err(source) => {
            return Err(BuildError::Write {
                path: into.to_owned(),
                source,
            });
        }
    };
    if into.join(MANIFEST).is_file() {
        return Ok(());
    }

    for entry in entries {
        let is_leftover = entry.is_ok_and(|entry| {
            let name = entry.file_name();
            name.to_str()
                .is_some_and(|name| name == LOCK || is_written_by_builds(name))
        });
        if !is_leftover {
            return Err(not_a_store());
        }
    }

    Ok(())
}

/// Refuses to replace a store with content that `collected` does not re-create from the same origin.
fn check_content(into: &Path, collected: &Collected) -> Result<(), BuildError> {
    let content = match read_manifest(into) {
        Err(StoreError::Missing { .. }) => return Ok(()),
        Err(StoreError::Format { found, .. }) => format!("has format {found}"),
        Err(error @ StoreError::File { .. }) => format!("cannot be read: {error}"),
        Ok(manifest) => {
            let mut lost = manifest
                .sources
                .iter()
                .filter(|source| !is_rebuilt(source, collected))
                .map(|source| format!("`{}` from `{}`", source.name(), source.origin));
            match (lost.next(), lost.count()) {
                (None, _) => return Ok(()),
                (Some(one), 0) => format!("contains {one}"),
                (Some(one), more) => format!("contains {one} and {more} more"),
            }
        }
    };

    Err(BuildError::Occupied {
        dir: into.to_owned(),
        content,
    })
}

/// Whether a build from `collected` re-creates a source. A feed is always complete, so any other copy
/// of it is accepted.
fn is_rebuilt(source: &Source, collected: &Collected) -> bool {
    let has_same_origin = |records: &EcosystemRecords| {
        name_origins(&records.origins) == source.origin && records.from.iter().eq(&source.from)
    };
    let ecosystem = source.ecosystem.as_deref().unwrap_or_default();

    match source.kind {
        SourceKind::Kev => collected.kev.is_some(),
        SourceKind::Epss => collected.epss.is_some(),
        SourceKind::Osv if source.own => collected
            .own
            .iter()
            .any(|(of, records)| of == ecosystem && has_same_origin(records)),
        SourceKind::Osv => collected
            .osv
            .get(ecosystem)
            .is_some_and(|records| has_same_origin(records) && records.complete >= source.complete),
    }
}

/// Reads all inputs, in the given order.
fn collect(
    from: &[PathBuf],
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Result<Collected, BuildError> {
    let mut collected = Collected::default();
    for path in from {
        collected.take(&path.display().to_string(), collect_one(path, progress)?);
    }
    collected.settle();
    Ok(collected)
}

/// Reads one input: a file or a directory with everything below it.
pub(super) fn collect_one(
    path: &Path,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Result<Collected, InputError> {
    let mut collected = Collected::default();
    let files = list(path)?;
    read_all(path, &files, &mut collected, progress);
    Ok(collected)
}

/// The exclusive right to change the store in a directory, released on drop.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock. Creates the directory if it does not exist.
    pub(super) fn take(into: &Path) -> Result<Self, BuildError> {
        let writing = |source| BuildError::Write {
            path: into.to_owned(),
            source,
        };
        check_target(into)?;
        fs::create_dir_all(into).map_err(writing)?;
        let file = File::create(into.join(LOCK)).map_err(writing)?;
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => BuildError::Busy {
                dir: into.to_owned(),
            },
            fs::TryLockError::Error(source) => writing(source),
        })?;

        // No other process writes here while the lock is taken, so unfinished files are leftovers of
        // a build that was killed.
        remove_unfinished(into);
        Ok(Self { _file: file })
    }
}

/// The error for inputs without anything usable.
fn nothing(collected: &Collected, from: &[PathBuf]) -> BuildError {
    match collected.problems.first() {
        // A bad file is the likely cause, and more specific than "contains nothing".
        Some(problem) => {
            let source = io::Error::other(problem.reason.clone());
            let path = PathBuf::from(&problem.subject);
            InputError::Read { path, source }.into()
        }
        None => BuildError::Nothing {
            from: from.to_vec(),
        },
    }
}

/// Writes the collected records and feeds, and publishes them together with the sources in `kept`.
/// After a failure the new files are removed. A record that is dated after `now` is ignored for the
/// age of its source.
pub(super) fn publish(
    collected: Collected,
    into: &Path,
    kept: Vec<Source>,
    now: Timestamp,
    _lock: &Lock,
) -> Result<BuildReport, BuildError> {
    let published = write(collected, into, kept, now);
    if published.is_err() {
        remove_unnamed(into);
    }
    published.map_err(|source| BuildError::Write {
        path: into.to_owned(),
        source,
    })
}

/// Removes the tables that the manifest does not name. A manifest that cannot be read may name any
/// table, so then only unfinished files are removed.
pub(super) fn remove_unnamed(into: &Path) {
    match read_manifest(into) {
        Ok(manifest) => remove_others(into, &manifest),
        Err(StoreError::Missing { .. }) => remove_others(into, &Manifest::default()),
        Err(StoreError::Format { .. } | StoreError::File { .. }) => remove_unfinished(into),
    }
}

/// Writes the table of the KEV catalogue.
fn write_kev(into: &Path, feed: Feed<Catalogue>) -> io::Result<Source> {
    let values = feed.content.entries.iter().map(|kev| {
        (
            kev.cve.clone(),
            format!("{}\n{}\n{}", kev.date_added, kev.due_date, kev.ransomware),
        )
    });
    let file = write_table(into, "kev", values.collect())?;

    Ok(feed_source(
        SourceKind::Kev,
        feed.origin,
        feed.content.as_of,
        feed.fetched,
        file,
    ))
}

/// Writes the table of the EPSS scores.
fn write_epss(into: &Path, feed: Feed<EpssTable>) -> io::Result<Source> {
    let values = feed
        .content
        .rows
        .into_iter()
        .map(|row| (row.cve, format!("{},{}", row.probability, row.percentile)));
    let file = write_table(into, "epss", values.collect())?;

    Ok(feed_source(
        SourceKind::Epss,
        feed.origin,
        feed.content.as_of,
        feed.fetched,
        file,
    ))
}

/// Publishes a store with the collected content and, of the present store, the sources in `kept`.
fn write(
    collected: Collected,
    into: &Path,
    kept: Vec<Source>,
    now: Timestamp,
) -> io::Result<BuildReport> {
    let complete: BTreeSet<String> = kept
        .iter()
        .filter(|source| source.complete && !source.own)
        .filter_map(|source| source.ecosystem.clone())
        .collect();
    let mut sources = kept;

    let mut add = |source: Source| {
        sources.retain(|one| one.identity() != source.identity());
        sources.push(source);
    };
    // The records.
    for (ecosystem, records) in collected.osv {
        // An export of another ecosystem that only mentions this one must not replace its export.
        if !records.complete && complete.contains(&ecosystem) {
            continue;
        }
        add(write_ecosystem(into, ecosystem, records, now)?);
    }

    for (ecosystem, mut records) in collected.own {
        // A package without own records may still have some in the export.
        records.complete = false;
        let source = write_ecosystem(into, ecosystem, records, now)?;
        add(Source {
            own: true,
            ..source
        });
    }

    if let Some(feed) = collected.kev {
        add(write_kev(into, feed)?);
    }

    if let Some(feed) = collected.epss {
        add(write_epss(into, feed)?);
    }

    // The manifest. Readers see the new tables from this moment on.
    sources.sort_by(|a, b| a.identity().cmp(&b.identity()));
    let manifest = Manifest {
        format: FORMAT,
        sources,
    };
    write_manifest(into, &manifest)?;
    remove_others(into, &manifest);

    Ok(BuildReport {
        sources: manifest
            .sources
            .iter()
            .map(|source| super::status_of(source, None))
            .collect(),
        cache_key: manifest.cache_key(),
        problems: collected.problems,
        more_problems: collected.more_problems,
        unrecognised: collected.unrecognised,
        remade_from: None,
    })
}
