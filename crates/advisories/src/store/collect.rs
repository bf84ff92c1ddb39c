//! The content that a build collects before it writes: records by ecosystem, scores, catalogue
//! entries, and problems.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patchgate_model::{Advisory, Affected, Problem, ProblemKind, SmolStr};

use super::manifest::{Fetched, SourceKind};
use super::record;
use crate::feeds::{Catalogue, EpssTable};

/// Limit on the problems that are kept. Further ones are only counted.
const MAX_PROBLEMS: usize = 50;

/// A record reduced to one package, in its stored form.
pub(super) struct Trimmed {
    pub(super) key: Box<str>,
    pub(super) id: Box<str>,
    pub(super) aliases: Vec<Box<str>>,
    pub(super) modified: Option<Timestamp>,
    pub(super) bytes: Box<[u8]>,
}

impl Trimmed {
    /// Whether the record belongs to the malicious packages' database, by its id or an alias.
    pub(super) fn is_malicious(&self) -> bool {
        std::iter::once(&self.id)
            .chain(&self.aliases)
            .any(|id| id.starts_with("MAL-"))
    }
}

/// The records of one ecosystem.
#[derive(Default)]
pub(super) struct EcosystemRecords {
    pub(super) records: Vec<Trimmed>,
    pub(super) origins: BTreeSet<String>,
    /// Whether a source contains the whole ecosystem.
    pub(super) complete: bool,
    pub(super) skipped: u64,
    /// The `--from` paths of records that do not come from an export.
    pub(super) from: BTreeSet<String>,
    /// The fetch, for the next update.
    pub(super) fetched: Option<Fetched>,
}

impl EcosystemRecords {
    /// The latest modification time of a record.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.records.iter().filter_map(|one| one.modified).max()
    }

    /// Whether the records come from an export of the ecosystem.
    fn is_export(&self) -> bool {
        self.complete && self.from.is_empty()
    }

    /// Adds more records of the same ecosystem.
    fn join(&mut self, mut other: Self) {
        self.records.append(&mut other.records);
        self.skipped += other.skipped;
        self.from.append(&mut other.from);

        // Sources that only mention the ecosystem are not listed as origins of a complete one.
        if other.complete && !self.complete {
            self.origins.clear();
        }

        self.complete |= other.complete;
        if other.complete == self.complete {
            self.origins.append(&mut other.origins);
        }
    }

    /// Adds the parts of a record that are about this ecosystem.
    pub(super) fn add(&mut self, ecosystem: &str, advisory: &Advisory) {
        let mut batch = Batch::default();
        batch.add_record(advisory);
        let records = batch.by_ecosystem.remove(ecosystem);
        self.records.extend(records.unwrap_or_default());
    }
}

/// A feed and its origin.
pub(super) struct Feed<T> {
    pub(super) origin: String,
    pub(super) content: T,
    /// The fetch, for the next update.
    pub(super) fetched: Option<Fetched>,
}

/// The content of all inputs.
#[derive(Default)]
pub(super) struct Collected {
    /// The records of each ecosystem's main source.
    pub(super) osv: BTreeMap<String, EcosystemRecords>,
    /// Records from files that are not exports, by ecosystem. [`Collected::settle`] assigns them when
    /// all inputs are read.
    loose: BTreeMap<String, EcosystemRecords>,
    /// An organisation's own records with their ecosystems, which are kept separate from exports.
    pub(super) own: Vec<(String, EcosystemRecords)>,
    pub(super) kev: Option<Feed<Catalogue>>,
    pub(super) epss: Option<Feed<EpssTable>>,
    pub(super) problems: Vec<Problem>,
    /// Problems beyond those in `problems`.
    pub(super) more_problems: u64,
    /// Files that are neither records nor feeds.
    pub(super) unrecognised: Vec<String>,
}

/// The records of one source: one archive, or the loose files of one directory.
#[derive(Default)]
pub(super) struct Batch {
    /// Trimmed records by ecosystem.
    by_ecosystem: BTreeMap<String, Vec<Trimmed>>,
    /// Number of records for each set of ecosystems that a record names.
    sets: BTreeMap<Vec<String>, u64>,
    /// The files that could not be read as a record, with the reason.
    pub(super) bad: Vec<(String, String)>,
    pub(super) bad_count: u64,
    pub(super) unrecognised: Vec<String>,
}

impl Batch {
    /// Adds one record, split by package.
    pub(super) fn add_record(&mut self, advisory: &Advisory) {
        let mut packages: BTreeMap<(&str, SmolStr), Vec<&Affected>> = BTreeMap::new();
        for entry in &advisory.affected {
            if !entry.ecosystem.is_empty() {
                let key = crate::package_key(&entry.ecosystem, &entry.name);
                packages
                    .entry((&entry.ecosystem, key))
                    .or_default()
                    .push(entry);
            }
        }

        let mut set: Vec<String> = packages
            .keys()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        set.dedup();
        *self.sets.entry(set).or_default() += 1;

        for ((ecosystem, key), affected) in packages {
            match record::encode(advisory, &affected) {
                Ok(bytes) => {
                    let trimmed = Trimmed {
                        key: key.as_str().into(),
                        id: advisory.id.as_str().into(),
                        aliases: advisory
                            .aliases
                            .iter()
                            .map(|id| id.as_str().into())
                            .collect(),
                        modified: advisory.modified,
                        bytes: bytes.into(),
                    };

                    match self.by_ecosystem.get_mut(ecosystem) {
                        Some(records) => records.push(trimmed),
                        None => {
                            self.by_ecosystem
                                .insert(ecosystem.to_owned(), vec![trimmed]);
                        }
                    }
                }
                Err(error) => self.add_bad(&advisory.id, &error),
            }
        }
    }

    /// Notes a file that could not be read as a record.
    pub(super) fn add_bad(&mut self, name: &str, error: &dyn std::error::Error) {
        self.bad_count += 1;
        if self.bad.len() < MAX_PROBLEMS {
            let reason = match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            };
            self.bad.push((name.to_owned(), reason));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (ecosystem, mut records) in other.by_ecosystem {
            self.by_ecosystem
                .entry(ecosystem)
                .or_default()
                .append(&mut records);
        }

        for (set, count) in other.sets {
            *self.sets.entry(set).or_default() += count;
        }

        self.bad.extend(other.bad);
        self.bad_count += other.bad_count;
        self.unrecognised.extend(other.unrecognised);
    }

    /// The ecosystems of which the batch is the export. An archive in the bucket's layout is named
    /// after its ecosystem; its releases (`Debian:12`) belong to it.
    fn exports(&self, named: Option<&str>) -> BTreeSet<String> {
        let is_of = |name: &&String| {
            named.is_some_and(|named| {
                let rest = name.strip_prefix(named);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
        };
        self.by_ecosystem.keys().filter(is_of).cloned().collect()
    }

    /// The ecosystems that a batch covers completely, for a batch that is not an export. An ecosystem
    /// is only mentioned, and not covered, if all its records also name another, more frequent
    /// ecosystem, like the RubyGems entries in a copy of npm's export.
    fn complete(&self) -> BTreeSet<String> {
        let count = |wanted: &[&String]| -> u64 {
            let names_all = |set: &&Vec<String>| wanted.iter().all(|name| set.contains(name));
            self.sets
                .iter()
                .filter(|(set, _)| names_all(set))
                .map(|(_, count)| count)
                .sum()
        };
        let is_only_mentioned = |name: &String| {
            let own = count(&[name]);
            self.by_ecosystem
                .keys()
                .any(|other| other != name && count(&[name, other]) == own && count(&[other]) > own)
        };

        self.by_ecosystem
            .keys()
            .filter(|name| !is_only_mentioned(name))
            .cloned()
            .collect()
    }
}

impl Collected {
    /// Whether the inputs contained neither records nor feeds.
    pub(super) fn is_empty(&self) -> bool {
        self.osv.is_empty() && self.own.is_empty() && self.kev.is_none() && self.epss.is_none()
    }

    /// Whether the inputs contained no records. Feeds are not counted.
    pub(super) fn holds_no_record(&self) -> bool {
        self.osv.is_empty() && self.loose.is_empty()
    }

    /// Notes the fetch of a feed, for the next update.
    pub(super) fn note_feed_fetch(&mut self, kind: SourceKind, fetched: Fetched) {
        match kind {
            SourceKind::Osv => {}
            SourceKind::Kev => {
                if let Some(feed) = &mut self.kev {
                    feed.fetched = Some(fetched);
                }
            }
            SourceKind::Epss => {
                if let Some(feed) = &mut self.epss {
                    feed.fetched = Some(fetched);
                }
            }
        }
    }

    /// Adds the records of one source.
    pub(super) fn add_batch(&mut self, origin: &str, named: Option<&str>, batch: Batch) {
        for (file, reason) in &batch.bad {
            self.add_problem(
                ProblemKind::Advisories,
                file,
                reason,
                "fetch the file again, then repeat the command",
            );
        }

        let exports = batch.exports(named);
        let is_export = !exports.is_empty();
        let complete = if is_export { exports } else { batch.complete() };

        self.more_problems += batch.bad_count.saturating_sub(batch.bad.len() as u64);
        self.unrecognised.extend(batch.unrecognised);
        let known = if is_export {
            &mut self.osv
        } else {
            &mut self.loose
        };

        for (ecosystem, records) in batch.by_ecosystem {
            let complete = complete.contains(&ecosystem);
            let skipped = if complete { batch.bad_count } else { 0 };
            known.entry(ecosystem).or_default().join(EcosystemRecords {
                records,
                origins: BTreeSet::from([origin.to_owned()]),
                complete,
                skipped,
                ..EcosystemRecords::default()
            });
        }
    }

    /// Adds the content of one `--from`.
    pub(super) fn take(&mut self, from: &str, other: Self) {
        for (ecosystem, records) in other.osv {
            self.osv.entry(ecosystem).or_default().join(records);
        }
        for (ecosystem, mut records) in other.loose {
            records.from.insert(from.to_owned());
            self.own.push((ecosystem, records));
        }

        if let Some(feed) = other.kev {
            self.add_kev(&feed.origin, feed.content);
        }
        if let Some(feed) = other.epss {
            self.add_epss(&feed.origin, feed.content);
        }

        self.take_problems(other.problems, other.more_problems, other.unrecognised);
    }

    /// Assigns records that do not come from an export. If their ecosystem has an export, they become
    /// a source of their own, because an update replaces the export and must not lose them.
    /// Otherwise they are the main source of the ecosystem.
    pub(super) fn settle(&mut self) {
        for (ecosystem, records) in std::mem::take(&mut self.own) {
            match self.osv.get(&ecosystem) {
                Some(known) if known.is_export() => self.own.push((ecosystem, records)),
                _ => self.osv.entry(ecosystem).or_default().join(records),
            }
        }
    }

    /// Adds an organisation's own records from one `--from` of an update, including exports. Feeds
    /// are skipped, because an update has options of its own for them.
    pub(super) fn take_own(&mut self, from: &str, own: Self) {
        let mut all = own.osv;
        for (ecosystem, records) in own.loose {
            all.entry(ecosystem).or_default().join(records);
        }
        for (ecosystem, mut records) in all {
            records.from.insert(from.to_owned());
            self.own.push((ecosystem, records));
        }

        self.take_problems(own.problems, own.more_problems, own.unrecognised);
    }

    fn take_problems(&mut self, problems: Vec<Problem>, more: u64, unrecognised: Vec<String>) {
        let room = MAX_PROBLEMS.saturating_sub(self.problems.len());
        self.more_problems += more + problems.len().saturating_sub(room) as u64;
        self.problems.extend(problems.into_iter().take(room));
        self.unrecognised.extend(unrecognised);
    }

    /// Adds a catalogue. The newest one is kept.
    pub(super) fn add_kev(&mut self, origin: &str, content: Catalogue) {
        if self
            .kev
            .as_ref()
            .is_none_or(|known| known.content.as_of < content.as_of)
        {
            self.kev = Some(Feed {
                origin: origin.to_owned(),
                content,
                fetched: None,
            });
        }
    }

    /// Adds scores. The newest file is kept.
    pub(super) fn add_epss(&mut self, origin: &str, content: EpssTable) {
        if self
            .epss
            .as_ref()
            .is_none_or(|known| known.content.as_of < content.as_of)
        {
            self.epss = Some(Feed {
                origin: origin.to_owned(),
                content,
                fetched: None,
            });
        }
    }

    pub(super) fn add_problem(
        &mut self,
        kind: ProblemKind,
        subject: &str,
        reason: &str,
        hint: &str,
    ) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                kind,
                subject: subject.to_owned(),
                line: None,
                reason: reason.to_owned(),
                hint: Some(hint.to_owned()),
            });
        } else {
            self.more_problems += 1;
        }
    }
}
