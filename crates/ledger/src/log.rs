//! The log: opened with a key, read by tiles, and extended.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::checkpoint::Checkpoint;
use crate::error::LedgerError;
use crate::merkle::{self, Hash, Nodes};
use crate::note::{SignerKey, VerifierKey};
use crate::proof::Proof;
use crate::record::Record;
use crate::storage::{CHECKPOINT, Change, KEY, Storage};
use crate::tile::{self, Tile, TileKind, WIDTH};

/// Times that an append is tried again when another writer was faster.
const MAX_TRIES: usize = 50;

/// Levels of tiles that an append writes: enough for 2^56 records.
const LEVELS: u8 = 7;

/// Difference of clocks that is not worth a warning.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// A log and its state.
pub struct Ledger<'s> {
    pub(crate) storage: &'s dyn Storage,
    pub(crate) key: VerifierKey,
    pub(crate) checkpoint: Checkpoint,
    /// The checkpoint with its signatures, as it was read.
    note: String,
}

/// Records that were appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Index of the first of them.
    pub first: u64,
    /// Their ids.
    pub ids: Vec<String>,
    /// How far the clock is behind the record before them, when it is more than five minutes.
    pub clock_behind: Option<SignedDuration>,
}

impl<'s> Ledger<'s> {
    /// Creates an empty log, whose origin is the name of the key.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(storage: &'s dyn Storage, key: &SignerKey) -> Result<Self, LedgerError> {
        let checkpoint = Checkpoint {
            origin: key.verifier().name().to_owned(),
            size: 0,
            root: Hash::of_empty_tree(),
        };
        let note = sign(storage, &checkpoint, key)?;
        let change = Change {
            files: vec![(KEY.to_owned(), format!("{}\n", key.verifier()).into_bytes())],
            checkpoint: note.clone(),
            ..Change::default()
        };

        let _turn = storage.begin()?;
        if !storage.publish(&change)? {
            return Err(LedgerError::Exists(storage.name()));
        }
        Ok(Self {
            storage,
            key: key.verifier().clone(),
            checkpoint,
            note,
        })
    }

    /// Opens a log, and checks that its checkpoint is signed by the key.
    ///
    /// # Errors
    /// When there is none, or it is not that of the key.
    pub fn open(storage: &'s dyn Storage, key: &VerifierKey) -> Result<Self, LedgerError> {
        let path = || format!("{}/{CHECKPOINT}", storage.name());
        let bytes = storage
            .read(CHECKPOINT)?
            .ok_or_else(|| LedgerError::Absent(storage.name()))?;
        let note =
            String::from_utf8(bytes).map_err(|_| LedgerError::altered(path(), "is not text"))?;
        let checkpoint = Checkpoint::open(&note, key).map_err(|source| LedgerError::Note {
            path: path(),
            source,
        })?;

        Ok(Self {
            storage,
            key: key.clone(),
            checkpoint,
            note,
        })
    }

    /// The public key that the ledger itself names. It shows who wrote the log only as far as the
    /// place is trusted.
    ///
    /// # Errors
    /// When there is none, or it is not a key.
    pub fn own_key(storage: &dyn Storage) -> Result<VerifierKey, LedgerError> {
        let path = format!("{}/{KEY}", storage.name());
        let Some(bytes) = storage.read(KEY)? else {
            return Err(match storage.read(CHECKPOINT)? {
                None => LedgerError::Absent(storage.name()),
                Some(_) => LedgerError::altered(path, "is missing"),
            });
        };
        let text = String::from_utf8_lossy(&bytes);
        let line = text
            .strip_suffix('\n')
            .ok_or_else(|| LedgerError::altered(&path, "does not end with a line break"))?;
        VerifierKey::parse(line).map_err(|source| LedgerError::Note { path, source })
    }

    /// The state.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed state, as the log has it.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The key that the checkpoint was checked with.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The bytes of a tile: of its own file, or the beginning of the full tile that took its place.
    pub(crate) fn read_tile(&self, tile: &Tile) -> Result<(String, Vec<u8>), LedgerError> {
        let mut path = tile.path();
        let mut bytes = self.storage.read(&path)?;
        if bytes.is_none() && !tile.is_full() {
            path = tile.full().path();
            bytes = self.storage.read(&path)?;
            if let Some(bytes) = &mut bytes {
                let end = match tile.kind {
                    TileKind::Hashes(_) => Some(usize::from(tile.width) * Hash::BYTES),
                    TileKind::Entries => end_of_entries(bytes, tile.width),
                };
                bytes.truncate(end.unwrap_or(0));
            }
        }

        let shown = |path: &str| format!("{}/{path}", self.storage.name());
        match bytes {
            Some(bytes) => Ok((shown(&path), bytes)),
            None => Err(LedgerError::altered(shown(&tile.path()), "is missing")),
        }
    }

    /// The hashes of a tile of the log at its size.
    pub(crate) fn hashes(&self, level: u8, index: u64) -> Result<Vec<Hash>, LedgerError> {
        let kind = TileKind::Hashes(level);
        let Some(tile) = Tile::of(self.checkpoint.size, kind, index) else {
            return Ok(Vec::new());
        };
        let (path, bytes) = self.read_tile(&tile)?;
        tile::decode_hashes(&tile, &bytes)
            .ok_or_else(|| LedgerError::altered(path, "does not have the length of a tile"))
    }

    /// The bytes of a bundle of the log at its size. Empty after the last.
    pub(crate) fn bundle(&self, index: u64) -> Result<Vec<Vec<u8>>, LedgerError> {
        let Some(tile) = Tile::of(self.checkpoint.size, TileKind::Entries, index) else {
            return Ok(Vec::new());
        };
        let (path, bytes) = self.read_tile(&tile)?;
        let entries = tile::decode_entries(&tile, &bytes).ok_or_else(|| {
            let reason = format!("does not have {} whole entries", tile.width);
            LedgerError::altered(path, reason)
        })?;
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// An entry, checked against the checkpoint. `None` after the last.
    ///
    /// # Errors
    /// When the log cannot be read, or is not what its checkpoint says.
    pub fn entry(&self, index: u64) -> Result<Option<(Vec<u8>, Proof)>, LedgerError> {
        let Checkpoint { size, root, .. } = self.checkpoint;
        if index >= size {
            return Ok(None);
        }

        let position = usize::try_from(index % WIDTH).unwrap_or(0);
        let mut entries = self.bundle(index / WIDTH)?;
        let entry = entries.swap_remove(position);
        let proof = Proof {
            index,
            hashes: merkle::prove_inclusion(&Tiles::new(self), index, size)?,
            checkpoint: self.note.clone(),
        };
        if !merkle::verify_inclusion(Hash::of_leaf(&entry), index, size, root, &proof.hashes) {
            let name = format!("{}: record {index}", self.storage.name());
            return Err(LedgerError::altered(name, "is not the one that was signed"));
        }
        Ok(Some((entry, proof)))
    }

    /// Whether the log has only grown since an earlier checkpoint of it.
    ///
    /// # Errors
    /// When it has not, or cannot be read.
    pub fn check_growth(&self, earlier: &Checkpoint) -> Result<(), LedgerError> {
        let Checkpoint { size, root, .. } = self.checkpoint;
        let proof = merkle::prove_consistency(&Tiles::new(self), earlier.size, size)?;
        let (old, new) = ((earlier.size, earlier.root), (size, root));
        if merkle::verify_consistency(old, new, &proof) {
            return Ok(());
        }

        let reason = format!(
            "of {size} records does not continue the earlier one of {} records",
            earlier.size
        );
        let path = format!("{}/{CHECKPOINT}", self.storage.name());
        Err(LedgerError::altered(path, reason))
    }

    /// Appends records, with files that they name by digest. They are durable when this returns.
    ///
    /// Other writers are waited for. Where a place cannot make them wait, the append is tried again on
    /// what they wrote.
    ///
    /// # Errors
    /// When the log cannot be read or written, is damaged where it is extended, or a record is too
    /// large. Nothing was appended then.
    pub fn append(
        &mut self,
        records: &[Record],
        attachments: &[(String, Vec<u8>)],
        key: &SignerKey,
    ) -> Result<Appended, LedgerError> {
        let encoded = records.iter().map(Record::encode);
        let (ids, entries): (Vec<_>, Vec<_>) =
            encoded.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
        let began_at = self.checkpoint.size;

        let mut tries = 0;
        let first = loop {
            let turn = self.storage.begin()?;
            *self = Self::open(self.storage, key.verifier())?;
            // An answer that was lost after the first try, or a record that is sent twice.
            if tries > 0
                && let Some(first) = self.find(&entries, began_at)?
            {
                break first;
            }

            let first = self.checkpoint.size;
            if self.extend(&entries, attachments, key)? {
                break first;
            }
            drop(turn);

            tries += 1;
            if tries > MAX_TRIES {
                return Err(LedgerError::Busy {
                    ledger: self.storage.name(),
                    seconds: 0,
                });
            }
            // Writers that collide must not collide again.
            let pause = u64::from(std::process::id() % 7) + 1;
            std::thread::sleep(std::time::Duration::from_millis(pause * tries as u64));
        };

        Ok(Appended {
            first,
            ids,
            clock_behind: self.clock_behind(first, records)?,
        })
    }

    /// The index of the entries when they are in the log, one after the other, from `start` on.
    fn find(&self, entries: &[Vec<u8>], start: u64) -> Result<Option<u64>, LedgerError> {
        let mut log = Vec::new();
        let bundles = start / WIDTH..self.checkpoint.size.div_ceil(WIDTH);
        for index in bundles {
            log.extend(self.bundle(index)?);
        }
        let base = start / WIDTH * WIDTH;
        let found = log
            .windows(entries.len().max(1))
            .position(|some| some == entries);
        Ok(found.map(|at| base + at as u64))
    }

    /// How far the first record's time is before that of the record in front of it.
    fn clock_behind(
        &self,
        first: u64,
        records: &[Record],
    ) -> Result<Option<SignedDuration>, LedgerError> {
        let (Some(before), Some(record)) = (first.checked_sub(1), records.first()) else {
            return Ok(None);
        };
        let bundle = self.bundle(before / WIDTH)?;
        let previous = bundle
            .get(usize::try_from(before % WIDTH).unwrap_or(0))
            .and_then(|bytes| Record::parse(bytes).ok());
        Ok(previous.and_then(|(_, previous)| behind(previous.time, record.time)))
    }

    /// Files of the log that are only in a larger one.
    pub(crate) fn surplus(&self) -> Result<Vec<Tile>, LedgerError> {
        let size = self.checkpoint.size;
        let files = self.storage.list()?;
        let tiles = files.iter().filter_map(|path| Tile::parse(path));
        Ok(tiles
            .filter(|tile| tile.least_size().is_none_or(|least| least > size))
            .collect())
    }

    /// Writes the log with these entries at its end. `false` when another writer was faster.
    fn extend(
        &mut self,
        entries: &[Vec<u8>],
        attachments: &[(String, Vec<u8>)],
        key: &SignerKey,
    ) -> Result<bool, LedgerError> {
        let size = self.checkpoint.size;
        let abandoned = self.surplus()?;
        if let Some(tile) = abandoned.first()
            && self.storage.interrupted()?.is_none_or(|to| to <= size)
        {
            return Err(LedgerError::CheckpointOlder {
                ledger: self.storage.name(),
                size,
                file: tile.path(),
            });
        }

        let mut edge = Edge::read(self)?;
        for entry in entries {
            edge.push(entry)?;
        }
        let checkpoint = Checkpoint {
            origin: self.checkpoint.origin.clone(),
            size: edge.size,
            root: edge.root(),
        };
        let note = sign(self.storage, &checkpoint, key)?;
        let (mut files, obsolete) = edge.into_files();
        files.extend(attachments.iter().cloned());

        let change = Change {
            expected: Some(self.note.clone()),
            sizes: (size, checkpoint.size),
            files,
            abandoned: abandoned.iter().map(Tile::path).collect(),
            obsolete,
            checkpoint: note.clone(),
        };
        if !self.storage.publish(&change)? {
            return Ok(false);
        }

        self.checkpoint = checkpoint;
        self.note = note;
        Ok(true)
    }
}

fn sign(
    storage: &dyn Storage,
    checkpoint: &Checkpoint,
    key: &SignerKey,
) -> Result<String, LedgerError> {
    checkpoint.sign(key).map_err(|source| LedgerError::Note {
        path: format!("{}/{CHECKPOINT}", storage.name()),
        source,
    })
}

/// How far a time is before the one in front of it, when it is more than clocks differ.
pub(crate) fn behind(before: Timestamp, time: Timestamp) -> Option<SignedDuration> {
    let behind = before.duration_since(time);
    (behind > CLOCK_TOLERANCE).then_some(behind)
}

/// The number of bytes that the first entries of a bundle take.
pub(crate) fn end_of_entries(bundle: &[u8], count: u16) -> Option<usize> {
    let mut end = 0_usize;
    for _ in 0..count {
        let length = bundle.get(end..end + 2)?;
        end += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
    (end <= bundle.len()).then_some(end)
}

/// The nodes of a log, read tile by tile.
struct Tiles<'l, 's> {
    ledger: &'l Ledger<'s>,
    read: RefCell<BTreeMap<(u8, u64), Vec<Hash>>>,
}

impl<'l, 's> Tiles<'l, 's> {
    fn new(ledger: &'l Ledger<'s>) -> Self {
        Self {
            ledger,
            read: RefCell::default(),
        }
    }
}

impl Nodes for Tiles<'_, '_> {
    type Error = LedgerError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, LedgerError> {
        let hashes = 1_u64 << (level % 8);
        let at = index * hashes;
        let tile = (u8::try_from(level / 8).unwrap_or(u8::MAX), at / WIDTH);
        let mut read = self.read.borrow_mut();
        let known = match read.entry(tile) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(self.ledger.hashes(tile.0, tile.1)?)
            }
        };

        let start = usize::try_from(at % WIDTH).unwrap_or(0);
        let width = usize::try_from(hashes).unwrap_or(0);
        known
            .get(start..start + width)
            .map(merkle::complete)
            .ok_or_else(|| LedgerError::altered(self.ledger.storage.name(), "lacks a hash"))
    }
}

/// The right edge of a log: everything that an append needs.
struct Edge {
    size: u64,
    /// The hashes of the last tile of each level, when it is partial.
    levels: Vec<Vec<Hash>>,
    /// The bytes of the last bundle, when it is partial.
    bundle: Vec<u8>,
    /// Full tiles and bundles of this append.
    full: Vec<(Tile, Vec<u8>)>,
    /// Widths of the partial tiles of which the full ones take the place.
    begun: BTreeSet<(TileKind, u64)>,
}

impl Edge {
    /// Reads the edge, and checks that it leads to the signed root.
    fn read(ledger: &Ledger<'_>) -> Result<Self, LedgerError> {
        let size = ledger.checkpoint.size;
        let mut edge = Self {
            size,
            levels: Vec::new(),
            bundle: Vec::new(),
            full: Vec::new(),
            begun: BTreeSet::new(),
        };
        for level in 0..LEVELS {
            let hashes = size >> (8 * u32::from(level));
            if hashes == 0 {
                break;
            }
            let partial = match hashes % WIDTH {
                0 => Vec::new(),
                _ => {
                    edge.begun.insert((TileKind::Hashes(level), hashes / WIDTH));
                    ledger.hashes(level, hashes / WIDTH)?
                }
            };
            edge.levels.push(partial);
        }

        if edge.root() != ledger.checkpoint.root {
            let path = format!("{}/tile", ledger.storage.name());
            return Err(LedgerError::altered(
                path,
                "does not lead to the signed root",
            ));
        }
        edge.read_bundle(ledger)?;
        Ok(edge)
    }

    fn read_bundle(&mut self, ledger: &Ledger<'_>) -> Result<(), LedgerError> {
        let index = self.size / WIDTH;
        let Some(tile) = Tile::of(self.size, TileKind::Entries, index) else {
            return Ok(());
        };

        self.begun.insert((TileKind::Entries, index));
        let (path, bytes) = ledger.read_tile(&tile)?;
        let entries = tile::decode_entries(&tile, &bytes).unwrap_or_default();
        let leaves = entries.iter().map(|entry| Hash::of_leaf(entry));
        if !self
            .levels
            .first()
            .is_some_and(|known| leaves.eq(known.iter().copied()))
        {
            return Err(LedgerError::altered(path, "is not what its hashes say"));
        }
        self.bundle = bytes;
        Ok(())
    }

    fn push(&mut self, entry: &[u8]) -> Result<(), LedgerError> {
        tile::encode_entry(&mut self.bundle, entry)
            .ok_or_else(|| LedgerError::Record("is larger than an entry may be".to_owned()))?;
        self.size += 1;

        let mut hash = Hash::of_leaf(entry);
        for level in 0..LEVELS {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::new());
            }
            self.levels[at].push(hash);
            if (self.levels[at].len() as u64) < WIDTH {
                return Ok(());
            }

            let hashes = std::mem::take(&mut self.levels[at]);
            let index = (self.size >> (8 * u32::from(level) + 8)) - 1;
            let tile = |kind| Tile {
                kind,
                index,
                width: 256,
            };
            if level == 0 {
                let bundle = std::mem::take(&mut self.bundle);
                self.full.push((tile(TileKind::Entries), bundle));
            }
            let bytes = tile::encode_hashes(&hashes);
            self.full.push((tile(TileKind::Hashes(level)), bytes));
            hash = tile::root_of_full(&hashes);
        }
        Ok(())
    }

    /// The root of the tree.
    fn root(&self) -> Hash {
        merkle::root_of_levels(&self.levels)
    }

    /// The files to write, and those that full tiles make obsolete.
    fn into_files(self) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
        let obsolete = self
            .full
            .iter()
            .filter(|(tile, _)| self.begun.contains(&(tile.kind, tile.index)))
            .flat_map(|(tile, _)| (1..256).map(|width| Tile { width, ..*tile }.path()))
            .collect();

        let mut files: Vec<(String, Vec<u8>)> = self
            .full
            .into_iter()
            .map(|(tile, bytes)| (tile.path(), bytes))
            .collect();
        let levels = (0..LEVELS).zip(self.levels.iter());
        for (level, hashes) in levels.filter(|(_, hashes)| !hashes.is_empty()) {
            let index = self.size >> (8 * u32::from(level) + 8);
            let tile = Tile::of(self.size, TileKind::Hashes(level), index);
            files.extend(tile.map(|tile| (tile.path(), tile::encode_hashes(hashes))));
        }
        let last = Tile::of(self.size, TileKind::Entries, self.size / WIDTH);
        files.extend(last.map(|tile| (tile.path(), self.bundle)));

        (files, obsolete)
    }
}
