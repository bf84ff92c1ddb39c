//! A read-only file from keys to values, found by hash.
//!
//! A key that is absent costs no read, one that is there two small ones; opening reads 48 bytes,
//! whatever the size, and the first question the filter, ten bits for each entry. The same content gives the same bytes, so that a
//! file's name can be its hash. The idea is that of D. J. Bernstein's constant database
//! (<https://cr.yp.to/cdb.html>), with checksums and 64-bit offsets.
//!
//! ```text
//! header   magic 8, slot count 8, slot offset 8, entry count 8, file length 8, header crc 4,
//!          filter crc 4
//! entries  key length 4, value length 4, crc of key and value 4, key, value
//! slots    offset 8 (0 for an empty slot), length 4, low half of the key's hash 4
//! filter   a Bloom filter of the keys (B. H. Bloom, CACM 13(7), 1970)
//! ```
//! All numbers are little-endian.

use std::fs::File;
use std::io::{self, SeekFrom, Write};
use std::sync::OnceLock;

use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::positioned::read_exact_at;

const MAGIC: &[u8; 8] = b"pgtable2";
const HEADER_BYTES: usize = 48;
const SLOT_BYTES: usize = 16;
const ENTRY_HEAD_BYTES: usize = 12;

/// Slots that one read brings: enough for almost every probe at the load factor used.
const SLOTS_A_READ: usize = 16;

/// Bits of the filter for each entry. With [`FILTER_PROBES`] one absent key in a hundred passes.
const FILTER_BITS: u64 = 10;

/// Bits of the filter that a key sets.
const FILTER_PROBES: u64 = 6;

/// Most entries of a table, so that a damaged header asks for no filter larger than 160 MiB.
const MAX_ENTRIES: u64 = 1 << 27;

/// Largest entry that is read, in bytes. The largest package of the public databases (the Linux
/// kernel) is below it by far.
const MAX_ENTRY_BYTES: u32 = 256 * 1024 * 1024;

/// An open table.
#[derive(Debug)]
pub(crate) struct Table {
    file: File,
    slots: u64,
    slots_offset: u64,
    entries: u64,
    filter_crc: u32,
    /// Read with the first question.
    filter: OnceLock<Vec<u8>>,
}

/// A slot that may hold the key.
struct Slot {
    offset: u64,
    length: u32,
    hash: u32,
}

impl Table {
    /// Opens a table and checks that it is whole by its length.
    pub(crate) fn open(file: File) -> io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        read_exact_at(&file, &mut header, 0)?;
        let length = number(&header, 32);
        let sound = header.starts_with(MAGIC)
            && number(&header, 40) & 0xFFFF_FFFF == u64::from(crc(&[&header[..40]]))
            && file.metadata()?.len() == length;
        let slots = number(&header, 8);
        let slots_offset = number(&header, 16);
        let entries = number(&header, 24);
        let end = slots
            .checked_mul(SLOT_BYTES as u64)
            .and_then(|bytes| bytes.checked_add(slots_offset))
            .filter(|_| entries <= MAX_ENTRIES)
            .and_then(|bytes| bytes.checked_add(filter_bytes(entries)));
        if !sound || slots == 0 || end != Some(length) {
            return Err(damaged());
        }
        Ok(Self {
            file,
            slots,
            slots_offset,
            entries,
            filter_crc: small(&header, 44),
            filter: OnceLock::new(),
        })
    }

    /// The filter, whose checksum is held to: a bit that is lost would hide a key.
    fn filter(&self) -> io::Result<&[u8]> {
        if let Some(filter) = self.filter.get() {
            return Ok(filter);
        }
        let mut filter = vec![0; filter_bytes(self.entries) as usize];
        let offset = self.slots_offset + self.slots * SLOT_BYTES as u64;
        read_exact_at(&self.file, &mut filter, offset)?;
        if crc(&[&filter]) != self.filter_crc {
            return Err(damaged());
        }
        Ok(self.filter.get_or_init(|| filter))
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.probe(key, |slot| self.entry(slot, key))
    }

    /// Whether a slot has the hash of `key`, which is cheaper to know than its value. Place and
    /// half a hash together differ for two keys in all but one of some 10^14 cases.
    pub(crate) fn may_hold(&self, key: &[u8]) -> io::Result<bool> {
        let found = self.probe(key, |_| Ok(Some(())))?;
        Ok(found.is_some())
    }

    /// Gives the slots with the hash of `key` to `take` until it finds something.
    fn probe<T>(
        &self,
        key: &[u8],
        take: impl Fn(&Slot) -> io::Result<Option<T>>,
    ) -> io::Result<Option<T>> {
        let hash = hash(key);
        let filter = self.filter()?;
        let has_bit = |(byte, bit): (usize, u8)| filter.get(byte).is_some_and(|b| b & bit != 0);
        if !filter_places(hash, filter.len()).all(has_bit) {
            return Ok(None);
        }
        let mut index = home(hash, self.slots);
        let mut seen = 0;
        let mut buffer = [0; SLOTS_A_READ * SLOT_BYTES];
        while seen < self.slots {
            let count = (self.slots - index).min(SLOTS_A_READ as u64);
            let bytes = &mut buffer[..count as usize * SLOT_BYTES];
            let offset = self.slots_offset + index * SLOT_BYTES as u64;
            read_exact_at(&self.file, bytes, offset)?;
            for slot in bytes.chunks_exact(SLOT_BYTES).map(Slot::read) {
                if slot.offset == 0 {
                    return Ok(None);
                }
                if slot.hash == hash as u32
                    && let Some(found) = take(&slot)?
                {
                    return Ok(Some(found));
                }
            }
            seen += count;
            index = (index + count) % self.slots;
        }
        Ok(None)
    }

    /// Gives every entry to `each`, in the order of the file.
    pub(crate) fn for_each(
        &self,
        mut each: impl FnMut(&[u8], &[u8]) -> io::Result<()>,
    ) -> io::Result<u64> {
        let (mut position, mut count) = (HEADER_BYTES as u64, 0);
        let mut bytes = Vec::new();
        while position < self.slots_offset {
            let mut head = [0; ENTRY_HEAD_BYTES];
            read_exact_at(&self.file, &mut head, position)?;
            let (key, value) = (small(&head, 0) as usize, small(&head, 4) as usize);
            let length = key as u64 + value as u64;
            position += ENTRY_HEAD_BYTES as u64;
            if length > u64::from(MAX_ENTRY_BYTES) || position + length > self.slots_offset {
                return Err(damaged());
            }
            bytes.resize(key + value, 0);
            read_exact_at(&self.file, &mut bytes, position)?;
            let (key, value) = bytes.split_at(key);
            if crc(&[key, value]) != small(&head, 8) {
                return Err(damaged());
            }
            each(key, value)?;
            position += length;
            count += 1;
        }
        Ok(count)
    }

    /// SHA-256 of the whole file, in hexadecimal digits.
    pub(crate) fn digest(&self) -> io::Result<String> {
        digest(&mut &self.file)
    }

    /// The number of entries that the header promises.
    pub(crate) fn entry_count(&self) -> u64 {
        self.entries
    }

    /// The value in a slot, unless it is another key with the same hash.
    fn entry(&self, slot: &Slot, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let end = slot.offset.checked_add(u64::from(slot.length));
        if slot.length > MAX_ENTRY_BYTES || end.is_none_or(|end| end > self.slots_offset) {
            return Err(damaged());
        }
        let mut bytes = vec![0; slot.length as usize];
        read_exact_at(&self.file, &mut bytes, slot.offset)?;
        let (head, rest) = bytes
            .split_at_checked(ENTRY_HEAD_BYTES)
            .ok_or_else(damaged)?;
        let key_length = small(head, 0) as usize;
        let (found, value) = rest.split_at_checked(key_length).ok_or_else(damaged)?;
        if value.len() != small(head, 4) as usize || crc(&[found, value]) != small(head, 8) {
            return Err(damaged());
        }
        if found != key {
            return Ok(None);
        }
        bytes.drain(..ENTRY_HEAD_BYTES + key_length);
        Ok(Some(bytes))
    }
}

impl Slot {
    fn read(bytes: &[u8]) -> Self {
        Self {
            offset: number(bytes, 0),
            length: small(bytes, 8),
            hash: small(bytes, 12),
        }
    }
}

/// Writes a table, entry by entry. Keys must differ.
pub(crate) struct TableWriter<W> {
    out: W,
    position: u64,
    slots: Vec<(u64, Slot)>,
    scratch: Vec<u8>,
}

impl<W: Write + io::Seek + io::Read> TableWriter<W> {
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&[0; HEADER_BYTES])?;
        Ok(Self {
            out,
            position: HEADER_BYTES as u64,
            slots: Vec::new(),
            scratch: Vec::new(),
        })
    }

    pub(crate) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "an entry is too large");
        let key_length = u32::try_from(key.len()).map_err(|_| too_large())?;
        let value_length = u32::try_from(value.len()).map_err(|_| too_large())?;
        let length = (ENTRY_HEAD_BYTES as u32)
            .checked_add(key_length)
            .and_then(|length| length.checked_add(value_length))
            .filter(|length| *length <= MAX_ENTRY_BYTES)
            .ok_or_else(too_large)?;
        self.scratch.clear();
        self.scratch.extend_from_slice(&key_length.to_le_bytes());
        self.scratch.extend_from_slice(&value_length.to_le_bytes());
        self.scratch
            .extend_from_slice(&crc(&[key, value]).to_le_bytes());
        self.scratch.extend_from_slice(key);
        self.scratch.extend_from_slice(value);
        self.out.write_all(&self.scratch)?;
        let hash = hash(key);
        let slot = Slot {
            offset: self.position,
            length,
            hash: hash as u32,
        };
        self.slots.push((hash, slot));
        self.position += u64::from(length);
        Ok(())
    }

    /// Writes the slots and the header; gives the hash of the whole file in hexadecimal digits and
    /// its length.
    pub(crate) fn finish(mut self) -> io::Result<(W, String, u64)> {
        // At most two thirds full, so that a probe rarely leaves its first read.
        let count = self.slots.len() + self.slots.len() / 2 + 1;
        let mut placed: Vec<Option<&Slot>> = vec![None; count];
        for (hash, slot) in &self.slots {
            let mut index = home(*hash, count as u64) as usize;
            while placed.get(index).is_some_and(Option::is_some) {
                index = (index + 1) % count;
            }
            if let Some(place) = placed.get_mut(index) {
                *place = Some(slot);
            }
        }
        let mut bytes = Vec::with_capacity(count * SLOT_BYTES);
        for slot in placed {
            let (offset, length, hash) =
                slot.map_or((0, 0, 0), |slot| (slot.offset, slot.length, slot.hash));
            bytes.extend_from_slice(&offset.to_le_bytes());
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
        self.out.write_all(&bytes)?;
        let entries = self.slots.len() as u64;
        let mut filter = vec![0u8; filter_bytes(entries) as usize];
        for (hash, _) in &self.slots {
            for (byte, bit) in filter_places(*hash, filter.len()) {
                if let Some(byte) = filter.get_mut(byte) {
                    *byte |= bit;
                }
            }
        }
        self.out.write_all(&filter)?;
        let length = self.position + bytes.len() as u64 + filter.len() as u64;
        let numbers = [count as u64, self.position, entries, length];
        let header = header(numbers, crc(&[&filter]));
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        let digest = digest(&mut self.out)?;
        Ok((self.out, digest, length))
    }
}

fn header(numbers: [u64; 4], filter_crc: u32) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    for number in numbers {
        header.extend_from_slice(&number.to_le_bytes());
    }
    let check = crc(&[&header]);
    header.extend_from_slice(&check.to_le_bytes());
    header.extend_from_slice(&filter_crc.to_le_bytes());
    header
}

/// Length of the filter of a table with so many entries.
fn filter_bytes(entries: u64) -> u64 {
    (entries * FILTER_BITS).div_ceil(8).max(1)
}

/// The bits that a key sets, by its hash: byte and bit. The steps of the double hashing come from
/// the hash mixed once more (the finaliser of SplitMix64, by Sebastiano Vigna, public domain).
fn filter_places(hash: u64, length: usize) -> impl Iterator<Item = (usize, u8)> {
    let mut mixed = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let (start, step) = (mixed >> 32, (mixed & 0xFFFF_FFFF) | 1);
    let bits = length as u64 * 8;
    (0..FILTER_PROBES).map(move |probe| {
        let place = (start + probe * step) % bits.max(1);
        ((place / 8) as usize, 1 << (place % 8))
    })
}

/// SHA-256 of all that was written, in hexadecimal digits.
fn digest<R: io::Read + io::Seek>(file: &mut R) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file is damaged")
}

fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

/// FNV-1a, 64 bits.
fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The slot at which a probe for a hash begins. It takes the high half, since a slot keeps the low
/// one for comparison.
fn home(hash: u64, slots: u64) -> u64 {
    (hash >> 32) % slots
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

fn small(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::File;

    use proptest::prelude::*;

    use super::{Table, TableWriter};

    fn write(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> (File, String) {
        let mut writer = TableWriter::new(tempfile::tempfile().unwrap()).unwrap();
        for (key, value) in entries {
            writer.push(key, value).unwrap();
        }
        let (file, digest, _) = writer.finish().unwrap();
        (file, digest)
    }

    fn some() -> BTreeMap<Vec<u8>, Vec<u8>> {
        (0u32..1000)
            .map(|n| (n.to_string().into_bytes(), vec![b'v'; n as usize]))
            .collect()
    }

    #[test]
    fn finds_each_key_and_no_other() {
        let entries = some();
        let table = Table::open(write(&entries).0).unwrap();
        for (key, value) in &entries {
            assert_eq!(table.get(key).unwrap().as_ref(), Some(value));
        }
        for n in 1000u32..3000 {
            assert_eq!(table.get(n.to_string().as_bytes()).unwrap(), None);
        }
    }

    #[test]
    fn an_empty_table_answers() {
        let table = Table::open(write(&BTreeMap::new()).0).unwrap();
        assert_eq!(table.get(b"a").unwrap(), None);
    }

    #[test]
    fn the_same_content_has_the_same_hash() {
        assert_eq!(write(&some()).1, write(&some()).1);
        let mut other = some();
        other.insert(b"1".to_vec(), b"other".to_vec());
        assert_ne!(write(&some()).1, write(&other).1);
    }

    #[test]
    fn a_shorter_file_does_not_open() {
        let (file, _) = write(&some());
        let length = file.metadata().unwrap().len();
        file.set_len(length - 1).unwrap();
        assert!(Table::open(file).is_err());
        let (file, _) = write(&some());
        file.set_len(10).unwrap();
        assert!(Table::open(file).is_err());
    }

    #[test]
    fn a_changed_byte_is_seen() {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let entries = BTreeMap::from([(b"key".to_vec(), b"value".to_vec())]);
        for offset in 48..68 {
            let (mut file, _) = write(&entries);
            file.seek(SeekFrom::Start(offset)).unwrap();
            file.write_all(&[0xFF]).unwrap();
            let table = Table::open(file).unwrap();
            assert!(table.get(b"key").is_err(), "offset {offset}");
        }
    }

    /// A lost bit of the filter would hide a key; it is an error in its place.
    #[test]
    fn a_damaged_filter_is_seen() {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let (mut file, _) = write(&some());
        file.seek(SeekFrom::End(-1)).unwrap();
        file.write_all(&[0]).unwrap();
        let last = {
            let (file, _) = write(&some());
            let length = file.metadata().unwrap().len();
            let mut byte = [0];
            super::read_exact_at(&file, &mut byte, length - 1).unwrap();
            byte[0]
        };
        assert_ne!(last, 0, "the test changes something");
        assert!(Table::open(file).unwrap().get(b"1").is_err());
    }

    #[test]
    fn the_filter_lets_few_absent_keys_pass() {
        let table = Table::open(write(&some()).0).unwrap();
        let filter = table.filter().unwrap();
        let passes = |n: &u32| {
            let hash = super::hash(n.to_string().as_bytes());
            super::filter_places(hash, filter.len()).all(|(byte, bit)| filter[byte] & bit != 0)
        };
        assert_eq!((0..1000).filter(passes).count(), 1000);
        assert!((10_000..20_000).filter(passes).count() < 300);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn holds_what_it_was_given(
            entries in proptest::collection::btree_map(
                proptest::collection::vec(any::<u8>(), 0..6),
                proptest::collection::vec(any::<u8>(), 0..40),
                0..60,
            ),
            other in proptest::collection::vec(any::<u8>(), 0..6),
        ) {
            let table = Table::open(write(&entries).0).unwrap();
            for (key, value) in &entries {
                prop_assert_eq!(table.get(key).unwrap(), Some(value.clone()));
            }
            prop_assert_eq!(table.get(&other).unwrap(), entries.get(&other).cloned());
        }
    }
}
