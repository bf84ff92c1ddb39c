//! Building a store and publishing it in one step.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use patchgate_model::{Problem, SourceStatus};

use super::collect::Collected;
use super::input::{InputError, list};
use super::manifest::{FORMAT, Manifest, Source, SourceKind};
use super::read::read_all;
use super::write::{
    feed_source, remove_others, remove_unfinished, write_ecosystem, write_manifest, write_table,
};
use super::{Store, StoreError, read_manifest};

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
    /// Names the store's content: the same content has the same key, on every machine. Made for
    /// the cache of a runner.
    pub cache_key: String,
    /// What could not be read. Not empty means that the build is incomplete: what could be read is
    /// published all the same.
    pub problems: Vec<Problem>,
    /// Problems beyond those in [`BuildReport::problems`], which is kept short.
    pub more_problems: u64,
    /// Files that are nothing that a store is made from, sorted.
    pub unrecognised: Vec<String>,
    /// The format of the store that was there, where that was another one: an update made the
    /// store anew in place of changing it.
    pub remade_from: Option<u64>,
}

impl BuildReport {
    /// The report of an update that found nothing new.
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
        if collected.is_empty() {
            return Err(nothing(&collected, from));
        }
        let lock = Lock::take(into)?;
        publish(collected, into, Vec::new(), Timestamp::now(), &lock)
    }
}

/// Reads all inputs.
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

/// Reads one input.
pub(super) fn collect_one(
    path: &Path,
    progress: &(dyn Fn(BuildProgress<'_>) + Sync),
) -> Result<Collected, InputError> {
    let mut collected = Collected::default();
    let files = list(path)?;
    read_all(path, &files, &mut collected, progress);
    Ok(collected)
}

/// The right to change the store in a folder, held until it is dropped.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and makes the folder where it is not there.
    pub(super) fn take(into: &Path) -> Result<Self, BuildError> {
        let writing = |source| BuildError::Write {
            path: into.to_owned(),
            source,
        };
        fs::create_dir_all(into).map_err(writing)?;
        let file = File::create(into.join(LOCK)).map_err(writing)?;
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => BuildError::Busy {
                dir: into.to_owned(),
            },
            fs::TryLockError::Error(source) => writing(source),
        })?;

        // Nobody else writes here now, so what is not finished was cut off.
        remove_unfinished(into);
        Ok(Self { _file: file })
    }
}

/// Says why nothing was found in `from`.
fn nothing(collected: &Collected, from: &[PathBuf]) -> BuildError {
    match collected.problems.first() {
        // The one bad file says more than "nothing was found".
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

/// Writes what was collected beside what `kept` names, and makes it the store. Where that fails,
/// what it wrote is removed. A record that is dated after `now` says nothing about a source's age.
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

/// Removes the tables that no manifest names, where it is known what the manifest names.
pub(super) fn remove_unnamed(into: &Path) {
    match read_manifest(into) {
        Ok(manifest) => remove_others(into, &manifest),
        Err(StoreError::Missing { .. }) => remove_others(into, &Manifest::default()),
        Err(StoreError::Format { .. } | StoreError::File { .. }) => remove_unfinished(into),
    }
}

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
    for (ecosystem, records) in collected.osv {
        // An export that names an ecosystem in passing must not replace the export of it.
        if !records.complete && complete.contains(&ecosystem) {
            continue;
        }
        add(write_ecosystem(into, ecosystem, records, now)?);
    }

    for (ecosystem, mut records) in collected.own {
        // What it does not say means nothing: the export beside it is the whole.
        records.complete = false;
        let source = write_ecosystem(into, ecosystem, records, now)?;
        add(Source {
            own: true,
            ..source
        });
    }

    if let Some(feed) = collected.kev {
        let values = feed.content.entries.iter().map(|kev| {
            (
                kev.cve.clone(),
                format!("{}\n{}\n{}", kev.date_added, kev.due_date, kev.ransomware),
            )
        });
        let file = write_table(into, "kev", values.collect())?;
        add(feed_source(
            SourceKind::Kev,
            feed.origin,
            feed.content.as_of,
            feed.fetched,
            file,
        ));
    }

    if let Some(feed) = collected.epss {
        let values = feed
            .content
            .rows
            .into_iter()
            .map(|row| (row.cve, format!("{},{}", row.probability, row.percentile)));
        let file = write_table(into, "epss", values.collect())?;
        add(feed_source(
            SourceKind::Epss,
            feed.origin,
            feed.content.as_of,
            feed.fetched,
            file,
        ));
    }

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
