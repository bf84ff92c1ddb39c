//! A read-only file from keys to values, found by hash.
//!
//! One question costs one small read for a key that is absent and two for one that is there;
//! opening reads 48 bytes, whatever the size. The same content gives the same bytes, so that a
//! file's name can be its hash. The idea is that of D. J. Bernstein's constant database
//! (<https://cr.yp.to/cdb.html>), with checksums and 64-bit offsets.
//!
//! ```text
//! header   magic 8, slot count 8, slot offset 8, entry count 8, file length 8, header crc 4, zero 4
//! entries  key length 4, value length 4, crc of key and value 4, key, value
//! slots    offset 8 (0 for an empty slot), length 4, low half of the key's hash 4
//! ```
//! All numbers are little-endian.

use std::fs::File;
use std::io::{self, SeekFrom, Write};

use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::positioned::read_exact_at;

const MAGIC: &[u8; 8] = b"pgtable1";
const HEADER_BYTES: usize = 48;
const SLOT_BYTES: usize = 16;
const ENTRY_HEAD_BYTES: usize = 12;

/// Slots that one read brings: enough for almost every probe at the load factor used.
const SLOTS_A_READ: usize = 16;

/// Largest entry that is read, in bytes. The largest package of the public databases (the Linux
/// kernel) is below it by far.
const MAX_ENTRY_BYTES: u32 = 256 * 1024 * 1024;

/// An open table.
#[derive(Debug)]
pub(crate) struct Table {
    file: File,
    slots: u64,
    slots_offset: u64,
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
        let end = slots
            .checked_mul(SLOT_BYTES as u64)
            .and_then(|bytes| bytes.checked_add(slots_offset));
        if !sound || slots == 0 || end != Some(length) {
            return Err(damaged());
        }
        Ok(Self {
            file,
            slots,
            slots_offset,
        })
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
    pub(crate) fn entry_count(&self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        read_exact_at(&self.file, &mut bytes, 24)?;
        Ok(u64::from_le_bytes(bytes))
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
        let length = self.position + bytes.len() as u64;
        let header = header(count as u64, self.position, self.slots.len() as u64, length);
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header)?;
        self.out.flush()?;
        let digest = digest(&mut self.out)?;
        Ok((self.out, digest, length))
    }
}

fn header(slots: u64, slots_offset: u64, entries: u64, length: u64) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    for number in [slots, slots_offset, entries, length] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    let check = crc(&[&header]);
    header.extend_from_slice(&u64::from(check).to_le_bytes());
    header
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
