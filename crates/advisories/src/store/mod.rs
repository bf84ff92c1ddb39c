//! The offline store: a directory with a manifest and read-only tables, which are opened but not
//! loaded.
//!
//! A store is a directory with `store.json` and one table for each ecosystem and each feed. The name
//! of a table contains its hash, and a table never changes. A build writes new tables, renames the
//! new manifest over the old one, and then removes the tables that the manifest does not name. A
//! reader that loses this race finds a table missing and reads the manifest again.
//!
//! Reading a store needs neither an async runtime nor a network client, so an offline scan starts
//! neither. Only `Store::update` uses the network.

mod build;
mod changes;
mod checksum;
mod collect;
mod error;
mod fetch;
mod incremental;
mod inflate;
mod input;
mod manifest;
mod migrate;
mod read;
mod read_at;
mod record;
mod signals;
mod source;
mod table;
mod texts;
mod update;
mod update_error;
mod update_options;
mod verify;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use patchgate_fs::read_up_to;
use patchgate_model::{
    Advisory, Affected, EcosystemName, Problem, ProblemKind, SmolStr, SourceStatus,
};

pub use build::{BuildError, BuildProgress, BuildReport, Existing};
pub use error::StoreError;
pub use input::InputError;
use manifest::{FORMAT, MANIFEST, MAX_MANIFEST_BYTES, Manifest, Source, SourceKind};
use source::OpenSource;
use table::Table;
pub use texts::{TextError, Visited, read_texts};
pub use update_error::UpdateError;
pub use update_options::{PUBLIC_OSV_EXPORTS, UpdateOptions};
pub use verify::FileCheck;

use crate::git::ECOSYSTEM;
use crate::{AdvisoryLookup, CommitQuery, PackageQuery, package_key};

/// Limit on the ids that are followed for one vulnerability.
const MAX_IDS: usize = 64;

/// Prefix of keys that are package names.
const NAME_PREFIX: u8 = b'n';

/// Prefix of keys that are ids and aliases.
const ID_PREFIX: u8 = b'i';

/// Tolerance for dates in the future, because clocks differ. Beyond it an age is unknown.
const MAX_CLOCK_ERROR: SignedDuration = SignedDuration::from_hours(24);

/// Attempts to open a store that builds keep replacing.
const MAX_OPENS: usize = 8;

/// An advisory store that is open for reading.
///
/// ```no_run
/// use patchgate_advisories::{PackageQuery, Store};
/// use patchgate_model::EcosystemName;
///
/// let store = Store::open(std::path::Path::new("store"))?;
/// let lookup = store.lookup(&[PackageQuery {
///     ecosystem: EcosystemName::new("npm"),
///     distribution: None,
///     name: "minimist".into(),
///     version: None,
/// }]);
/// for problem in &lookup.problems {
///     eprintln!("{}: {}", problem.subject, problem.reason);
/// }
/// # Ok::<(), patchgate_advisories::StoreError>(())
/// ```
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    sources: Vec<OpenSource>,
    limit: Option<AgeLimit>,
}

/// The age above which a source gets a warning.
#[derive(Debug, Clone, Copy)]
struct AgeLimit {
    now: Timestamp,
    max_age: SignedDuration,
}

impl Store {
    /// Opens the store in a directory. Opening reads the manifest and the header of each table.
    ///
    /// # Errors
    /// When there is no store or one of another format, and when a file of it is missing or damaged.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let mut opened = Self::open_once(dir);
        for _ in 1..MAX_OPENS {
            match &opened {
                // A build may have removed the table after the manifest was read.
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

    /// A key that names the content, for the cache of a CI runner. Equal content has equal keys on
    /// every machine.
    #[must_use]
    pub fn cache_key(&self) -> String {
        let sources = self.sources.iter().map(|open| open.source.clone());
        Manifest {
            format: FORMAT,
            sources: sources.collect(),
        }
        .cache_key()
    }

    /// Sets the age above which a source gets a warning.
    #[must_use]
    pub fn with_max_age(mut self, now: Timestamp, max_age: SignedDuration) -> Self {
        self.limit = Some(AgeLimit { now, max_age });
        self
    }

    /// The sources of the store with their ages, sorted by name.
    #[must_use]
    pub fn status(&self) -> Vec<SourceStatus> {
        self.sources
            .iter()
            .map(|open| status_of(&open.source, self.limit))
            .collect()
    }

    /// The ecosystems whose exports the store contains, sorted.
    pub fn ecosystems(&self) -> impl Iterator<Item = &str> {
        self.sources
            .iter()
            .filter(|open| open.source.complete)
            .filter_map(|open| open.source.ecosystem.as_deref())
    }

    /// Looks up packages. The answer contains all records of a package, whatever version the query
    /// has. An ecosystem that the store lacks becomes a problem of the answer; the others are still
    /// looked up.
    #[must_use]
    pub fn lookup(&self, queries: &[PackageQuery]) -> AdvisoryLookup {
        let mut lookup = AdvisoryLookup::default();
        let mut names: BTreeMap<EcosystemName, Vec<SmolStr>> = BTreeMap::new();
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

    /// Adds the records about git repositories (see [`AdvisoryLookup::repositories`]). A store
    /// without such records is not a problem, because packages from git are also matched by version.
    pub fn look_up_repositories(&self, commits: &[CommitQuery], lookup: &mut AdvisoryLookup) {
        let repositories: BTreeSet<&str> = commits
            .iter()
            .map(|query| query.repository.as_str())
            .collect();
        let is_of_git =
            |open: &&OpenSource| open.source.ecosystem.as_deref() == Some(ECOSYSTEM.as_str());

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
        ecosystem: EcosystemName,
        names: &[SmolStr],
        lookup: &mut AdvisoryLookup,
    ) {
        let open: Vec<&OpenSource> = self
            .sources
            .iter()
            .filter(|open| open.source.ecosystem.as_deref() == Some(ecosystem.as_str()))
            .collect();
        if open.is_empty() {
            let reason = "the store has no advisories for this ecosystem";
            lookup.problems.push(self.lacks(ecosystem, reason));
        } else if !open.iter().any(|open| open.source.complete) {
            let reason = "the store has no export for this ecosystem, only records that mention it";
            lookup.problems.push(self.lacks(ecosystem, reason));
        }

        let is_normalised = patchgate_ecosystems::by_name(ecosystem).is_some();
        for open in open {
            if open.source.normalised != is_normalised {
                let reason =
                    "the store was built before Patchgate knew this ecosystem's rule for names";
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

    /// The records with this id or alias, from every ecosystem of the store.
    ///
    /// # Errors
    /// When a file of the store cannot be read.
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

    /// The records of the vulnerability with this id or alias: the records that have the id, and
    /// those that share another id with them, directly or through others. A record that affects
    /// several packages is stored once per package; the parts are joined again.
    ///
    /// # Errors
    /// When a file of the store cannot be read.
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

    /// The status of the sources that answer `queries`: their ecosystems and the feeds.
    fn status_for(&self, queries: &[PackageQuery]) -> Vec<SourceStatus> {
        self.sources
            .iter()
            .filter(|open| match &open.source.ecosystem {
                Some(ecosystem) => queries.iter().any(|query| ecosystem == &query.ecosystem),
                None => true,
            })
            .map(|open| status_of(&open.source, self.limit))
            .collect()
    }

    /// The problem of an ecosystem that the store does not cover. The hint is the command that adds
    /// the export: `db build` would replace the rest of the store.
    fn lacks(&self, ecosystem: EcosystemName, reason: &str) -> Problem {
        let dir = self.dir.display();
        let quote = if ecosystem.as_str().contains(' ') {
            "'"
        } else {
            ""
        };
        Problem {
            kind: ProblemKind::Advisories,
            subject: ecosystem.to_string(),
            line: None,
            reason: reason.to_owned(),
            hint: Some(format!(
                "add it with `patchgate db update --into {dir} --ecosystem {quote}{ecosystem}{quote}`; \
                 without a network, add `--mirror <directory with the exports> --kev-url none \
                 --epss-url none`"
            )),
        }
    }

    fn unreadable(&self, kind: ProblemKind, source: &Source, error: &io::Error) -> Problem {
        let path = self.dir.join(&source.file.name);
        Problem {
            kind,
            subject: path.display().to_string(),
            line: None,
            reason: format!("the store file cannot be read: {error}"),
            hint: Some(error::rebuild(&self.dir)),
        }
    }
}

/// Adds the records of one more source. A newer copy of a record replaces an older one.
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
    let opened = match File::open(&path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing {
                dir: dir.to_owned(),
            });
        }
        Err(error) => return Err(file(error)),
    };
    let bytes = read_up_to(opened, MAX_MANIFEST_BYTES)
        .and_then(|bytes| bytes.ok_or_else(|| invalid("it is too large for a manifest")))
        .map_err(file)?;

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
        .ok_or_else(|| file(invalid("its checksum does not match")))?;
    // The names become paths, so a manifest must not lead out of the directory.
    if manifest
        .files()
        .any(|entry| entry.name.contains(['/', '\\']))
    {
        return Err(file(invalid("it names a file outside its directory")));
    }

    Ok(manifest)
}

fn open_table(path: &Path, bytes: u64) -> io::Result<Table> {
    let file = File::open(path)?;
    let found = file.metadata()?.len();
    if found != bytes {
        return Err(invalid(format!("it has {found} bytes instead of {bytes}")));
    }
    Table::open(file)
}

/// The status of a source, with its warnings.
fn status_of(source: &Source, limit: Option<AgeLimit>) -> SourceStatus {
    let mut warnings = Vec::new();
    if let (Some(limit), Some(as_of)) = (limit, source.as_of) {
        let age = limit.now.duration_since(as_of);
        if age < -MAX_CLOCK_ERROR {
            warnings.push("its date is in the future, so its age is unknown".to_owned());
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
        let records = if source.skipped == 1 {
            "record"
        } else {
            "records"
        };
        warnings.push(format!(
            "{} {records} could not be read when it was built",
            source.skipped
        ));
    }

    if !source.complete && !source.own {
        warnings
            .push("it contains only records that mention the ecosystem, not its export".to_owned());
    }

    SourceStatus {
        name: source.name(),
        origin: source.origin.clone(),
        as_of: source.as_of,
        records: Some(source.records),
        warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
    }
}
