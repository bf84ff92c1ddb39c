//! The offline store: read-only files beside a manifest, opened and not loaded.
//!
//! Nothing here needs a runtime or a network client, so that an offline scan pays for neither.
//!
//! A store is a folder with `store.json` and one table for each ecosystem and each feed. Tables
//! carry their hash in their names and never change; a build writes new ones, renames the manifest
//! over the old one and then removes what no manifest names. A reader that loses this race finds a
//! table missing and reads the manifest once more.

mod build;
mod changes;
mod checksum;
mod collect;
mod fetch;
mod incremental;
mod inflate;
mod input;
mod manifest;
mod migrate;
mod read;
mod read_at;
mod record;
mod source;
mod table;
mod update;
mod verify;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patchgate_model::{Advisory, Affected, Epss, Kev, KevStatus, Problem, ProblemKind, SmolStr, SourceStatus};

pub use build::{BuildError, BuildProgress, BuildReport};
pub use input::InputError;
use manifest::{FORMAT, MANIFEST, MAX_MANIFEST_BYTES, Manifest, Source, SourceKind};
use source::OpenSource;
use table::Table;
pub use update::{PUBLIC_OSV_EXPORTS, UpdateError, UpdateOptions};
pub use verify::FileCheck;

use crate::feeds::{EpssRow, SignalSource};
use crate::git::ECOSYSTEM;
use crate::{AdvisoryLookup, CommitQuery, PackageQuery, package_key};

/// Most ids of one vulnerability that are followed.
const MAX_IDS: usize = 64;

/// Prefix of the keys that are package names.
const NAME_PREFIX: u8 = b'n';

/// Prefix of the keys that are ids and aliases.
const ID_PREFIX: u8 = b'i';

/// How far a date may lie in the future before its age counts as unknown: clocks differ.
const MAX_CLOCK_ERROR: SignedDuration = SignedDuration::from_hours(24);

/// How often a store is opened while it is replaced again and again.
const MAX_OPENS: usize = 8;

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder holds no store.
    #[error("`{}` holds no advisory store", .dir.display())]
    Missing {
        /// The folder.
        dir: PathBuf,
    },
    /// The store was written by another version of Patchgate.
    #[error("the store in `{}` has format {found}, and this version reads format {FORMAT}", .dir.display())]
    Format {
        /// The folder.
        dir: PathBuf,
        /// The format of the store.
        found: u64,
    },
    /// A file of the store is missing or damaged.
    #[error("`{}` of the advisory store cannot be read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl StoreError {
    /// What to do next: a sentence for a line of its own.
    #[must_use]
    pub fn hint(&self) -> String {
        let dir = match self {
            Self::Missing { dir } | Self::Format { dir, .. } => dir.as_path(),
            Self::File { path, .. } => path.parent().unwrap_or(path),
        };
        let dir = dir.display();
        let build = format!("`patchgate db build --from <export> --into {dir}`");

        match self {
            Self::Format { .. } => {
                format!("make it anew with `patchgate db update --into {dir}` or {build}")
            }
            Self::Missing { .. } | Self::File { .. } => format!("build it with {build}"),
        }
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    sources: Vec<OpenSource>,
    limit: Option<AgeLimit>,
}

/// From when on a source is too old.
#[derive(Debug, Clone, Copy)]
struct AgeLimit {
    now: Timestamp,
    max_age: SignedDuration,
}

impl Store {
    /// Opens the store in a folder.
    ///
    /// # Errors
    /// When there is none, or one of another format, or one of its files is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let mut opened = Self::open_once(dir);
        for _ in 1..MAX_OPENS {
            match &opened {
                // A build may have removed the table since the manifest was read.
                Err(StoreError::File { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    opened = Self::open_once(dir);
                }
                Ok(_) | Err(_) => break,
            }
        }

        opened
    }

    fn open_once(dir: &Path) -> Result<Self, StoreError> {
        let manifest = read_manifest(dir)?;
        let mut sources = Vec::with_capacity(manifest.sources.len());
        for source in manifest.sources {
            sources.push(OpenSource::open(dir, source)?);
        }

        Ok(Self {
            dir: dir.to_owned(),
            sources,
            limit: None,
        })
    }

    /// A name for the content, for the cache of a runner: the same content has the same key.
    #[must_use]
    pub fn cache_key(&self) -> String {
        let sources = self.sources.iter().map(|open| open.source.clone());
        Manifest {
            format: FORMAT,
            sources: sources.collect(),
        }
        .cache_key()
    }

    /// Sets the age from which on a source gets a warning.
    #[must_use]
    pub fn with_max_age(mut self, now: Timestamp, max_age: SignedDuration) -> Self {
        self.limit = Some(AgeLimit { now, max_age });
        self
    }

    /// The sources in the store with their age, sorted by name.
    #[must_use]
    pub fn status(&self) -> Vec<SourceStatus> {
        self.sources
            .iter()
            .map(|open| status_of(&open.source, self.limit))
            .collect()
    }

    /// The ecosystems that the store holds whole, sorted.
    pub fn ecosystems(&self) -> impl Iterator<Item = &str> {
        self.sources
            .iter()
            .filter(|open| open.source.complete)
            .filter_map(|open| open.source.ecosystem.as_deref())
    }

    /// Answers questions. An ecosystem that the store lacks is a problem; the others are answered
    /// all the same. All records of a package are given, whatever version is asked for.
    #[must_use]
    pub fn lookup(&self, queries: &[PackageQuery]) -> AdvisoryLookup {
        let mut lookup = AdvisoryLookup::default();
        let mut names: BTreeMap<&'static str, Vec<SmolStr>> = BTreeMap::new();
        for query in queries {
            names
                .entry(query.ecosystem)
                .or_default()
                .push(package_key(query.ecosystem, &query.name));
        }

        for (ecosystem, mut names) in names {
            names.sort();
            names.dedup();
            self.look_up_ecosystem(ecosystem, &names, &mut lookup);
        }

        lookup.sources = self.status_for(queries);
        lookup
    }

    /// The records that speak of repositories (see [`AdvisoryLookup::repositories`]), where the store has
    /// any. A store without them is no hole: packages from git are judged by version too.
    pub fn look_up_repositories(&self, commits: &[CommitQuery], lookup: &mut AdvisoryLookup) {
        let repositories: BTreeSet<&str> = commits
            .iter()
            .map(|query| query.repository.as_str())
            .collect();
        let is_of_git = |open: &&OpenSource| open.source.ecosystem.as_deref() == Some(ECOSYSTEM);

        for open in self.sources.iter().filter(is_of_git) {
            for repository in &repositories {
                match open.records(repository) {
                    Ok(records) if records.is_empty() => {}
                    Ok(records) => {
                        let known = lookup.repositories.entry((*repository).to_owned());
                        add_records(known.or_default(), records);
                    }
                    Err(error) => {
                        let kind = ProblemKind::Advisories;
                        lookup
                            .problems
                            .push(self.unreadable(kind, &open.source, &error));
                        break;
                    }
                }
            }

            if !repositories.is_empty() {
                lookup.sources.push(status_of(&open.source, self.limit));
            }
        }
    }

    fn look_up_ecosystem(
        &self,
        ecosystem: &'static str,
        names: &[SmolStr],
        lookup: &mut AdvisoryLookup,
    ) {
        let open: Vec<&OpenSource> = self
            .sources
            .iter()
            .filter(|open| open.source.ecosystem.as_deref() == Some(ecosystem))
            .collect();
        if open.is_empty() {
            let reason = "the store has no advisories for it";
            lookup.problems.push(self.lacks(ecosystem, reason));
        } else if !open.iter().any(|open| open.source.complete) {
            let reason = "the store has only records that name it in passing";
            lookup.problems.push(self.lacks(ecosystem, reason));
        }

        let is_normalised = patchgate_ecosystems::by_name(ecosystem).is_some();
        for open in open {
            if open.source.normalised != is_normalised {
                let reason = "the store was built before Patchgate knew how it compares names";
                lookup.problems.push(self.lacks(ecosystem, reason));
                continue;
            }

            let found = open.records_of(names);
            for (name, records) in found.records {
                let key = (ecosystem, name.clone());
                add_records(lookup.advisories.entry(key).or_default(), records);
            }

            if let Some(error) = found.error {
                let kind = ProblemKind::Advisories;
                let problem = self.unreadable(kind, &open.source, &error);
                lookup.problems.push(problem);
            }
        }
    }

    /// The records with this id or alias, in every ecosystem of the store.
    ///
    /// # Errors
    /// When a file of the store is damaged.
    pub fn find_id(&self, id: &str) -> Result<Vec<Advisory>, Problem> {
        let mut found = Vec::new();
        for open in self
            .sources
            .iter()
            .filter(|open| open.source.kind == SourceKind::Osv)
        {
            let records = open
                .by_id(id)
                .map_err(|error| self.unreadable(ProblemKind::Advisories, &open.source, &error))?;
            found.extend(records);
        }

        Ok(found)
    }

    /// The records of the vulnerability with this id or alias, each whole as far as the store has it:
    /// those that have the id, and those that share another one with them.
    ///
    /// # Errors
    /// When a file of the store is damaged.
    pub fn vulnerability(&self, id: &str) -> Result<Vec<Advisory>, Problem> {
        let mut whole: Vec<Advisory> = Vec::new();
        let mut asked: BTreeSet<SmolStr> = BTreeSet::new();

        let mut waiting = vec![SmolStr::new(id)];
        while let Some(id) = waiting.pop() {
            if asked.len() >= MAX_IDS || !asked.insert(id.clone()) {
                continue;
            }

            for part in self.find_id(&id)? {
                waiting.extend(std::iter::once(&part.id).chain(&part.aliases).cloned());
                match whole.iter_mut().find(|known| known.id == part.id) {
                    Some(known) => {
                        let is_new = |entry: &Affected| !known.affected.contains(entry);
                        let new: Vec<_> = part.affected.into_iter().filter(is_new).collect();
                        known.affected.extend(new);
                    }
                    None => whole.push(part),
                }
            }
        }

        whole.sort_by(|a, b| (a.id != id, &a.id).cmp(&(b.id != id, &b.id)));
        Ok(whole)
    }

    /// The status of the sources that have to do with `queries`: their ecosystems and the feeds.
    fn status_for(&self, queries: &[PackageQuery]) -> Vec<SourceStatus> {
        self.sources
            .iter()
            .filter(|open| match &open.source.ecosystem {
                Some(ecosystem) => queries.iter().any(|query| query.ecosystem == ecosystem),
                None => true,
            })
            .map(|open| status_of(&open.source, self.limit))
            .collect()
    }

    fn feed(&self, kind: SourceKind) -> Option<&OpenSource> {
        self.sources.iter().find(|open| open.source.kind == kind)
    }

    fn lacks(&self, ecosystem: &str, reason: &str) -> Problem {
        Problem {
            kind: ProblemKind::Advisories,
            subject: ecosystem.to_owned(),
            line: None,
            reason: reason.to_owned(),
            hint: Some(format!(
                "build it again with the export of {ecosystem}: `patchgate db build --from \
                 <export> --into {}`",
                self.dir.display()
            )),
        }
    }

    fn unreadable(&self, kind: ProblemKind, source: &Source, error: &io::Error) -> Problem {
        let path = self.dir.join(&source.file.name);
        Problem {
            kind,
            subject: path.display().to_string(),
            line: None,
            reason: format!("the store's file cannot be read: {error}"),
            hint: Some(
                StoreError::Missing {
                    dir: self.dir.clone(),
                }
                .hint(),
            ),
        }
    }

    /// The value of a CVE in a feed.
    fn feed_value(&self, kind: SourceKind, cve: &str) -> Result<Option<Option<String>>, Problem> {
        let Some(open) = self.feed(kind) else {
            return Ok(None);
        };
        let read = open.table.get(cve.as_bytes()).and_then(|value| {
            value
                .map(|value| String::from_utf8(value).map_err(invalid))
                .transpose()
        });

        read.map(Some)
            .map_err(|error| self.unreadable(ProblemKind::Feed, &open.source, &error))
    }

    fn bad_value(&self, kind: SourceKind) -> Problem {
        let path = self.feed(kind).map_or_else(
            || self.dir.clone(),
            |open| self.dir.join(&open.source.file.name),
        );
        Problem {
            kind: ProblemKind::Feed,
            subject: path.display().to_string(),
            line: None,
            reason: "the store's file holds an entry that is none".to_owned(),
            hint: Some(
                StoreError::Missing {
                    dir: self.dir.clone(),
                }
                .hint(),
            ),
        }
    }
}

impl SignalSource for Store {
    fn epss(&self, cve: &str) -> Result<Option<Epss>, Problem> {
        let Some(Some(value)) = self.feed_value(SourceKind::Epss, cve)? else {
            return Ok(None);
        };
        let (probability, percentile) =
            EpssRow::parse_numbers(&value).ok_or_else(|| self.bad_value(SourceKind::Epss))?;

        Ok(Some(Epss {
            cve: cve.to_owned(),
            probability,
            percentile,
        }))
    }

    fn kev(&self, cve: &str) -> Result<KevStatus, Problem> {
        let Some(value) = self.feed_value(SourceKind::Kev, cve)? else {
            return Ok(KevStatus::NotConsulted);
        };
        let Some(value) = value else {
            return Ok(KevStatus::NotListed);
        };
        let parts: Vec<&str> = value.split('\n').collect();
        let [date_added, due_date, ransomware] = parts[..] else {
            return Err(self.bad_value(SourceKind::Kev));
        };

        Ok(KevStatus::Listed(Kev {
            cve: cve.to_owned(),
            date_added: date_added.to_owned(),
            due_date: due_date.to_owned(),
            ransomware: ransomware == "true",
        }))
    }

    fn has_kev(&self) -> bool {
        self.feed(SourceKind::Kev).is_some()
    }
}

/// Adds the records of one more source; of two copies of a record the newer one counts.
fn add_records(known: &mut Vec<Arc<Advisory>>, records: Vec<Advisory>) {
    for record in records {
        match known.iter_mut().find(|one| one.id == record.id) {
            Some(one) if one.modified < record.modified => *one = Arc::new(record),
            Some(_) => {}
            None => known.push(Arc::new(record)),
        }
    }
}

fn prefixed(prefix: u8, text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(text.len() + 1);
    key.push(prefix);
    key.extend_from_slice(text.as_bytes());
    key
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn read_manifest(dir: &Path) -> Result<Manifest, StoreError> {
    let path = dir.join(MANIFEST);
    let file = |source| StoreError::File {
        path: path.clone(),
        source,
    };
    let length = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                dir: dir.to_owned(),
            });
        }
        Err(error) => return Err(file(error)),
    };
    if length > MAX_MANIFEST_BYTES {
        return Err(file(invalid("it is too large for a manifest")));
    }

    let bytes = fs::read(&path).map_err(file)?;

    #[derive(serde::Deserialize)]
    struct Probe {
        format: u64,
    }

    let probe: Probe = serde_json::from_slice(&bytes).map_err(|error| file(invalid(error)))?;
    if probe.format != u64::from(FORMAT) {
        return Err(StoreError::Format {
            dir: dir.to_owned(),
            found: probe.format,
        });
    }

    let manifest = Manifest::from_json(&bytes)
        .map_err(|error| file(invalid(error)))?
        .ok_or_else(|| file(invalid("its content is not what was written")))?;
    // A manifest names files beside itself and nothing else.
    if manifest
        .files()
        .any(|entry| entry.name.contains(['/', '\\']))
    {
        return Err(file(invalid("it names a file outside its folder")));
    }

    Ok(manifest)
}

fn open_table(path: &Path, bytes: u64) -> io::Result<Table> {
    let file = File::open(path)?;
    let found = file.metadata()?.len();
    if found != bytes {
        return Err(invalid(format!("it has {found} bytes in place of {bytes}")));
    }
    Table::open(file)
}

/// How a source is shown.
fn status_of(source: &Source, limit: Option<AgeLimit>) -> SourceStatus {
    let mut warnings = Vec::new();
    if let (Some(limit), Some(as_of)) = (limit, source.as_of) {
        let age = limit.now.duration_since(as_of);
        if age < -MAX_CLOCK_ERROR {
            warnings.push("its date lies in the future, so its age is not known".to_owned());
        }
        if age > limit.max_age {
            warnings.push(format!(
                "it is {} days old, more than the limit of {}: run `patchgate db update`",
                age.as_hours() / 24,
                limit.max_age.as_hours() / 24
            ));
        }
    }

    if source.skipped > 0 {
        warnings.push(format!(
            "{} records could not be read when it was built",
            source.skipped
        ));
    }

    if !source.complete && !source.own {
        warnings.push("it holds only records that name the ecosystem in passing".to_owned());
    }

    SourceStatus {
        name: source.name(),
        origin: source.origin.clone(),
        as_of: source.as_of,
        records: Some(source.records),
        warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
    }
}
