//! The check of a whole log: every file against the signed checkpoint, and every record by itself.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::event::{Event, Step};
use crate::log::{Ledger, behind, end_of_entries};
use crate::merkle::{self, Hash};
use crate::note::VerifierKey;
use crate::record::{EVIDENCE, Record, Sha256Digest, evidence_path};
use crate::statement;
use crate::storage::{CHECKPOINT, KEY, Storage};
use crate::tile::{self, Tile, TileKind, WIDTH};

/// Most faults and warnings that are kept. The rest is counted.
const MAX_KEPT: usize = 20;

/// Times that a log is read again because it has grown while it was read.
const MAX_TRIES: usize = 3;

/// The result of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The state that was checked.
    pub checkpoint: Checkpoint,
    /// What is not as the checkpoint says, worst first: fragments that name the file.
    pub faults: Messages,
    /// What a person should look at although the log is whole.
    pub warnings: Messages,
    /// Intents without a result.
    pub open: Vec<OpenIntent>,
}

/// Messages, of which the first ones are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages {
    /// The first twenty.
    pub first: Vec<String>,
    /// The number of all.
    pub count: usize,
}

impl Messages {
    fn add(&mut self, message: String) {
        self.count += 1;
        if self.first.len() < MAX_KEPT {
            self.first.push(message);
        }
    }
}

/// An effect whose result is not recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// The index of the record.
    pub index: u64,
    /// The record's id.
    pub id: String,
    /// The record.
    pub record: Record,
}

/// The facts about one record that are compared with other records.
struct Fact {
    id: String,
    time: Timestamp,
    /// The intent that it is the result of.
    closes: Option<String>,
    /// The record, when it is an intent.
    intent: Option<Record>,
    /// The files next to the log that it names, with their digests.
    files: Vec<(String, Sha256Digest)>,
}

/// The facts about a record by its index, or why it is not one.
type IndexedFact = (u64, Result<Fact, String>);

/// Checks every file of a log and every record.
///
/// # Errors
/// When a file cannot be read, or there is no checkpoint by this key. A fault of another file is in
/// the result.
pub fn verify(storage: &dyn Storage, key: &VerifierKey) -> Result<Verification, LedgerError> {
    let mut tries = 1;
    loop {
        let ledger = Ledger::open(storage, key)?;
        let result = verify_once(&ledger)?;
        let now = storage.read(CHECKPOINT)?;
        let grown = now.as_deref() != Some(ledger.note().as_bytes());
        if !grown || result.faults.count == 0 || tries == MAX_TRIES {
            return Ok(result);
        }
        tries += 1;
    }
}

fn verify_once(ledger: &Ledger<'_>) -> Result<Verification, LedgerError> {
    let mut result = Verification {
        checkpoint: ledger.checkpoint.clone(),
        faults: Messages::default(),
        warnings: Messages::default(),
        open: Vec::new(),
    };

    // Each bundle is a file: a size that somebody made up must not cost memory.
    let size = ledger.checkpoint.size;
    let bundles = size.div_ceil(WIDTH);
    if bundles > ledger.storage.list()?.len() as u64 {
        let path = format!("{}/{CHECKPOINT}", ledger.storage.name());
        let reason = format!("says {size} records, for which files are missing");
        fault(&mut result, LedgerError::altered(path, reason))?;
        return Ok(result);
    }

    // Hashes first: a log that is not what was signed is not parsed.
    let bundles = (0..bundles)
        .into_par_iter()
        .map(|index| read_leaves(ledger, index))
        .collect::<Vec<_>>();
    let mut leaves = Vec::new();
    for bundle in bundles {
        match bundle {
            Ok(bundle) => leaves.push(bundle),
            Err(error) => fault(&mut result, error)?,
        }
    }

    // Without all leaves, the levels above cannot be computed.
    let hashes = leaves.clone();
    if result.faults.count == 0 {
        check_levels(ledger, leaves, &mut result)?;
    }
    check_files(ledger, &mut result)?;
    if result.faults.count > 0 {
        return Ok(result);
    }

    let facts = (0_u64..)
        .zip(hashes)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|(index, hashes)| read_facts(ledger, index, &hashes))
        .collect::<Result<Vec<_>, _>>();
    match facts {
        Ok(facts) => {
            check_records(ledger, facts.into_iter().flatten().collect(), &mut result)?;
        }
        Err(error) => fault(&mut result, error)?,
    }
    Ok(result)
}

/// Keeps the error of an altered file as a fault, and passes on that of an unreadable one.
fn fault(result: &mut Verification, error: LedgerError) -> Result<(), LedgerError> {
    if !error.is_altered() {
        return Err(error);
    }
    result.faults.add(error.to_string());
    Ok(())
}

/// The leaf hashes of a bundle, which are those of the tile at level 0.
fn read_leaves(ledger: &Ledger<'_>, index: u64) -> Result<Vec<Hash>, LedgerError> {
    let entries = ledger.bundle(index)?;
    let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
    match leaves == ledger.hashes(0, index)? {
        true => Ok(leaves),
        false => Err(not_its_hashes(ledger, index)),
    }
}

fn not_its_hashes(ledger: &Ledger<'_>, index: u64) -> LedgerError {
    let tile = Tile::of(ledger.checkpoint.size, TileKind::Entries, index);
    let path = tile.map(|tile| tile.path()).unwrap_or_default();
    let path = format!("{}/{path}", ledger.storage.name());
    LedgerError::altered(path, "is not what its hashes say")
}

/// The facts of a bundle's records, whose hashes were checked. It is read again, and not kept, so that
/// a log may be larger than memory.
fn read_facts(
    ledger: &Ledger<'_>,
    index: u64,
    leaves: &[Hash],
) -> Result<Vec<IndexedFact>, LedgerError> {
    let entries = ledger.bundle(index)?;
    let again = entries.iter().map(|entry| Hash::of_leaf(entry));
    if !again.eq(leaves.iter().copied()) {
        return Err(not_its_hashes(ledger, index));
    }
    Ok((index * WIDTH..)
        .zip(&entries)
        .map(|(index, entry)| (index, fact(entry)))
        .collect())
}

fn fact(entry: &[u8]) -> Result<Fact, String> {
    let (id, record) = Record::parse(entry)?;
    let step = record.event.step();
    let statement = record.statement.as_ref().map(|statement| &statement.sha256);
    let is_verdict = matches!(record.event, Event::Verdict(_));
    let evidence = record.inputs.iter();
    let evidence = evidence.filter(|input| is_verdict && input.name == EVIDENCE);
    let evidence = evidence.map(|input| (evidence_path(&input.sha256), input.sha256.clone()));
    let files = statement.map(|digest| (statement::path(digest), digest.clone()));
    Ok(Fact {
        id,
        time: record.time,
        closes: step.and_then(Step::intent).map(str::to_owned),
        files: files.into_iter().chain(evidence).collect(),
        intent: matches!(step, Some(Step::Intent {})).then_some(record),
    })
}

/// Compares the tiles above the leaves, and the root, with what the leaves give.
fn check_levels(
    ledger: &Ledger<'_>,
    mut tiles: Vec<Vec<Hash>>,
    result: &mut Verification,
) -> Result<(), LedgerError> {
    let Checkpoint { size, root, .. } = ledger.checkpoint;
    let mut subtrees = Vec::new();
    for level in 1_u8.. {
        let partial = tiles.pop_if(|last| (last.len() as u64) < WIDTH);
        subtrees.push(partial.unwrap_or_default());
        if tiles.is_empty() {
            break;
        }

        let above: Vec<Hash> = tiles
            .par_iter()
            .map(|full| tile::root_of_full(full))
            .collect();
        tiles = above.chunks(256).map(<[Hash]>::to_vec).collect();
        for (index, expected) in (0_u64..).zip(&tiles) {
            match ledger.hashes(level, index) {
                Ok(hashes) if hashes == *expected => {}
                Ok(_) => {
                    let tile = Tile::of(size, TileKind::Hashes(level), index);
                    let path = tile.map(|tile| tile.path()).unwrap_or_default();
                    let path = format!("{}/{path}", ledger.storage.name());
                    let error = LedgerError::altered(path, "is not what the records give");
                    fault(result, error)?;
                }
                Err(error) => fault(result, error)?,
            }
        }
    }

    if merkle::root_of_levels(&subtrees) != root {
        let path = format!("{}/checkpoint", ledger.storage.name());
        fault(
            result,
            LedgerError::altered(path, "has another root than the records"),
        )?;
    }
    Ok(())
}

/// Checks the files that are no tile of the present size: earlier partial tiles, the rest of an
/// interrupted append, the key.
fn check_files(ledger: &Ledger<'_>, result: &mut Verification) -> Result<(), LedgerError> {
    let storage = ledger.storage;
    let size = ledger.checkpoint.size;
    let shown = |path: &str| format!("{}/{path}", storage.name());
    let mut current = BTreeMap::new();
    let mut newer = Vec::new();

    for path in storage.list()? {
        let altered = |reason: &str| LedgerError::altered(shown(&path), reason);
        if path == KEY {
            let expected = format!("{}\n", ledger.key);
            if storage.read(KEY)?.as_deref() != Some(expected.as_bytes()) {
                fault(
                    result,
                    altered("names another key than the one that signed"),
                )?;
            }
            continue;
        }
        if !path.starts_with("tile/") {
            continue;
        }

        let Some(tile) = Tile::parse(&path) else {
            fault(result, altered("is not part of a log"))?;
            continue;
        };
        if tile.least_size().is_none_or(|least| least > size) {
            newer.push(tile);
            continue;
        }
        if Tile::of(size, tile.kind, tile.index) != Some(tile)
            && !is_beginning(ledger, tile, &mut current)?
        {
            fault(
                result,
                altered("is not the beginning of what took its place"),
            )?;
        }
    }

    if let Some(tile) = newer.first() {
        if storage.interrupted()?.is_some_and(|to| to > size) {
            result.warnings.add(format!(
                "an append was interrupted: {} files are not part of the log, and the next append \
                 removes them",
                newer.len()
            ));
        } else {
            let error = LedgerError::CheckpointOlder {
                ledger: storage.name(),
                size,
                file: tile.path(),
            };
            fault(result, error)?;
        }
    }
    Ok(())
}

/// Whether an earlier partial tile is the beginning of the present one.
fn is_beginning(
    ledger: &Ledger<'_>,
    tile: Tile,
    current: &mut BTreeMap<(TileKind, u64), Vec<u8>>,
) -> Result<bool, LedgerError> {
    let bytes = ledger.storage.read(&tile.path())?.unwrap_or_default();
    let whole = match current.entry((tile.kind, tile.index)) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => {
            let whole = Tile::of(ledger.checkpoint.size, tile.kind, tile.index);
            let bytes = match whole.map(|tile| ledger.storage.read(&tile.path())) {
                Some(bytes) => bytes?.unwrap_or_default(),
                None => Vec::new(),
            };
            entry.insert(bytes)
        }
    };

    let end = match tile.kind {
        TileKind::Hashes(_) => Some(usize::from(tile.width) * Hash::BYTES),
        TileKind::Entries => end_of_entries(whole, tile.width),
    };
    Ok(end.and_then(|end| whole.get(..end)) == Some(&bytes[..]))
}

/// Checks the records against each other, and their statements.
fn check_records(
    ledger: &Ledger<'_>,
    facts: Vec<IndexedFact>,
    result: &mut Verification,
) -> Result<(), LedgerError> {
    let name = ledger.storage.name();
    let mut ids = HashSet::with_capacity(facts.len());
    let mut intents: BTreeMap<String, (u64, Record)> = BTreeMap::new();
    let mut files = BTreeSet::new();
    let mut newest: Option<Timestamp> = None;
    for (index, fact) in facts {
        let fact = match fact {
            Ok(fact) => fact,
            Err(reason) => {
                fault(
                    result,
                    LedgerError::altered(format!("{name}: record {index}"), reason),
                )?;
                continue;
            }
        };

        if newest.is_some_and(|newest| behind(newest, fact.time).is_some()) {
            result.warnings.add(format!(
                "record {index} says {}, which is before a record in front of it: a clock was wrong",
                fact.time
            ));
        }
        newest = newest.max(Some(fact.time));
        if let Some(closed) = &fact.closes
            && intents.remove(closed).is_none()
        {
            result.warnings.add(format!(
                "record {index} is the result of `{closed}`, which is not an open intent"
            ));
        }
        if let Some(intent) = fact.intent {
            intents.insert(fact.id.clone(), (index, intent));
        }
        files.extend(fact.files);
        if !ids.insert(fact.id.clone()) {
            result
                .warnings
                .add(format!("record {index} repeats the record `{}`", fact.id));
        }
    }

    for (path, digest) in &files {
        let shown = format!("{name}/{path}");
        match ledger.storage.read(path)? {
            None => fault(result, LedgerError::altered(shown, "is missing"))?,
            Some(bytes) if Sha256Digest::of(&bytes) != *digest => {
                let reason = "is not the file that its record names";
                fault(result, LedgerError::altered(shown, reason))?;
            }
            Some(_) => {}
        }
    }

    result.open = intents
        .into_iter()
        .map(|(id, (index, record))| OpenIntent { index, id, record })
        .collect();
    result.open.sort_by_key(|open| open.index);
    Ok(())
}

impl Ledger<'_> {
    /// Calls `see` with the index, the id and the record of every entry from `start` on.
    ///
    /// The entries are compared with their hashes. From the first one on, they are also compared with the
    /// checkpoint, but only at the end: what was seen counts when this returns without an error. The
    /// other files are compared by [`verify`].
    ///
    /// # Errors
    /// When the log cannot be read, or is not what its hashes or its checkpoint say.
    pub fn records(
        &self,
        start: u64,
        see: &mut dyn FnMut(u64, String, Record),
    ) -> Result<(), LedgerError> {
        let Checkpoint { size, root, .. } = self.checkpoint;
        let mut all = Vec::new();
        for bundle in start / WIDTH..size.div_ceil(WIDTH) {
            let entries = self.bundle(bundle)?;
            let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::of_leaf(entry)).collect();
            if leaves != self.hashes(0, bundle)? {
                let name = format!("{}: bundle {bundle}", self.storage.name());
                return Err(LedgerError::altered(name, "is not what its hashes say"));
            }
            for (index, entry) in (bundle * WIDTH..).zip(&entries) {
                if index < start {
                    continue;
                }
                let (id, record) = Record::parse(entry).map_err(|reason| {
                    let name = format!("{}: record {index}", self.storage.name());
                    LedgerError::altered(name, reason)
                })?;
                see(index, id, record);
            }
            all.extend(leaves);
        }

        // Whoever can write the files can write other hashes as well, but not their signed root.
        let Ok(own_root) = merkle::root(&all[..], 0, all.len() as u64);
        if start == 0 && own_root != root {
            let path = format!("{}/{CHECKPOINT}", self.storage.name());
            return Err(LedgerError::altered(
                path,
                "has another root than the records",
            ));
        }
        Ok(())
    }

    /// The effects whose results are not recorded, oldest first.
    ///
    /// # Errors
    /// As for [`Ledger::records`].
    pub fn open_intents(&self) -> Result<Vec<OpenIntent>, LedgerError> {
        let mut open: Vec<OpenIntent> = Vec::new();
        self.records(0, &mut |index, id, record| {
            if let Some(closed) = record.event.step().and_then(Step::intent) {
                open.retain(|intent| intent.id != closed);
            }
            if matches!(record.event.step(), Some(Step::Intent {})) {
                open.push(OpenIntent { index, id, record });
            }
        })?;
        Ok(open)
    }
}

impl OpenIntent {
    /// The event with the result of the effect, for the record that closes it.
    #[must_use]
    pub fn result(&self, step: Step) -> Option<Event> {
        self.record.event.with_step(step)
    }
}
