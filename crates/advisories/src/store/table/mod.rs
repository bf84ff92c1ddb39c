//! A read-only file that maps keys to values by hash.
//!
//! Opening reads 48 bytes, whatever the size of the file. The first lookup reads the filter, ten
//! bits per entry. After that an absent key mostly costs no read, and a present key two small ones.
//! Everything that is read is verified by a checksum, so a damaged file is an error and never an
//! absent key. The same content gives the same bytes, so that a file name can contain the hash.
//!
//! The design follows D. J. Bernstein's constant database (<https://cr.yp.to/cdb.html>), with
//! checksums and 64-bit offsets.
//!
//! ```text
//! header   magic 8, page count 8, page offset 8, entry count 8, file length 8, filter crc 4,
//!          crc of the header so far 4
//! entries  key length 4, value length 4, crc of the rest of the entry 4, key, value
//! pages    crc of the rest 4, then 31 slots: offset 8 (0 for an empty slot), length 4, low half of
//!          the key's hash 4
//! filter   a Bloom filter of the keys (B. H. Bloom, CACM 13(7), 1970)
//! ```
//! All numbers are little-endian. The slot of a key is in the page that its hash selects, or in the
//! next page that is not full.

mod filter;
mod page;
#[cfg(test)]
mod tests;
mod writer;

use std::fs::File;
use std::io::{self, SeekFrom};
use std::sync::OnceLock;

use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::read_at::read_exact_at;
use page::{PAGE_BYTES, Page, Slot};
pub(crate) use writer::TableWriter;

const MAGIC: &[u8; 8] = b"pgtable3";
const HEADER_BYTES: usize = 48;
const ENTRY_HEAD_BYTES: usize = 12;

/// Limit on the entries of a table, so that a damaged header cannot ask for a filter above 160 MiB.
const MAX_ENTRIES: u64 = 1 << 27;

/// Limit on an entry, in bytes. The largest package of the public databases (the Linux kernel) is
/// much smaller.
const MAX_ENTRY_BYTES: u32 = 256 * 1024 * 1024;

/// A table of a store, open for reading.
#[derive(Debug)]
pub(crate) struct Table {
    file: File,
    pages: u64,
    pages_offset: u64,
    entries: u64,
    filter_crc: u32,
    /// Read by the first lookup.
    filter: OnceLock<Vec<u8>>,
}

/// All slots of a table in memory, for very many membership queries.
pub(crate) struct Index {
    bytes: Vec<u8>,
}

impl Table {
    /// Opens a table. Checks its header and its length.
    pub(crate) fn open(file: File) -> io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        read_exact_at(&file, &mut header, 0)?;
        let length = number(&header, 32);
        let sound = header.starts_with(MAGIC)
            && small(&header, 44) == crc(&[&header[..44]])
            && file.metadata()?.len() == length;
        let pages = number(&header, 8);
        let pages_offset = number(&header, 16);
        let entries = number(&header, 24);
        let end = pages
            .checked_mul(PAGE_BYTES as u64)
            .and_then(|bytes| bytes.checked_add(pages_offset))
            .filter(|_| entries <= MAX_ENTRIES)
            .and_then(|bytes| bytes.checked_add(filter::length(entries)));
        if !sound || pages == 0 || end != Some(length) {
            return Err(damaged());
        }

        Ok(Self {
            file,
            pages,
            pages_offset,
            entries,
            filter_crc: small(&header, 40),
            filter: OnceLock::new(),
        })
    }

    /// The filter. Its checksum is verified, because a lost bit would hide a key.
    fn filter(&self) -> io::Result<&[u8]> {
        if let Some(filter) = self.filter.get() {
            return Ok(filter);
        }

        let mut filter = vec![0; filter::length(self.entries) as usize];
        let offset = self.pages_offset + self.pages * PAGE_BYTES as u64;
        read_exact_at(&self.file, &mut filter, offset)?;
        if crc(&[&filter]) != self.filter_crc {
            return Err(damaged());
        }

        Ok(self.filter.get_or_init(|| filter))
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let hash = hash(key);
        if !filter::may_hold(self.filter()?, hash) {
            return Ok(None);
        }

        let mut bytes = [0; PAGE_BYTES];
        let mut index = page::home(hash, self.pages);
        for _ in 0..self.pages {
            let offset = self.pages_offset + index * PAGE_BYTES as u64;
            read_exact_at(&self.file, &mut bytes, offset)?;
            let page = Page::check(&bytes).ok_or_else(damaged)?;
            for slot in page.slots().filter(|slot| slot.hash == hash as u32) {
                if let Some(value) = self.entry(&slot, key)? {
                    return Ok(Some(value));
                }
            }

            if !page.is_full() {
                return Ok(None);
            }

            index = (index + 1) % self.pages;
        }

        Ok(None)
    }

    /// Reads all slots, some thirty bytes for each entry.
    pub(crate) fn index(&self) -> io::Result<Index> {
        let length = usize::try_from(self.pages)
            .ok()
            .and_then(|pages| pages.checked_mul(PAGE_BYTES))
            .ok_or_else(damaged)?;
        let mut bytes = vec![0; length];
        read_exact_at(&self.file, &mut bytes, self.pages_offset)?;
        if bytes
            .chunks_exact(PAGE_BYTES)
            .any(|page| Page::check(page).is_none())
        {
            return Err(damaged());
        }

        Ok(Index { bytes })
    }

    /// Calls `each` with every entry, in the order of the file. Returns the number of entries.
    pub(crate) fn for_each(
        &self,
        mut each: impl FnMut(&[u8], &[u8]) -> io::Result<()>,
    ) -> io::Result<u64> {
        let (mut position, mut count) = (HEADER_BYTES as u64, 0);
        let mut bytes = Vec::new();
        while position < self.pages_offset {
            let mut head = [0; ENTRY_HEAD_BYTES];
            read_exact_at(&self.file, &mut head, position)?;
            let (key, value) = (small(&head, 0) as usize, small(&head, 4) as usize);
            let length = key as u64 + value as u64;

            position += ENTRY_HEAD_BYTES as u64;
            if length > u64::from(MAX_ENTRY_BYTES) || position + length > self.pages_offset {
                return Err(damaged());
            }

            bytes.resize(key + value, 0);
            read_exact_at(&self.file, &mut bytes, position)?;
            let (key, value) = bytes.split_at(key);
            if crc(&[&head[..8], key, value]) != small(&head, 8) {
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

    /// The number of entries according to the header.
    pub(crate) fn entry_count(&self) -> u64 {
        self.entries
    }

    /// The value in a slot; `None` for another key with the same hash.
    fn entry(&self, slot: &Slot, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let end = slot.offset.checked_add(u64::from(slot.length));
        if slot.length > MAX_ENTRY_BYTES || end.is_none_or(|end| end > self.pages_offset) {
            return Err(damaged());
        }

        let mut bytes = vec![0; slot.length as usize];
        read_exact_at(&self.file, &mut bytes, slot.offset)?;
        let (head, rest) = bytes
            .split_at_checked(ENTRY_HEAD_BYTES)
            .ok_or_else(damaged)?;
        let key_length = small(head, 0) as usize;
        let (found, value) = rest.split_at_checked(key_length).ok_or_else(damaged)?;
        let check = crc(&[head.get(..8).unwrap_or_default(), found, value]);
        if value.len() != small(head, 4) as usize || check != small(head, 8) {
            return Err(damaged());
        }
        if found != key {
            return Ok(None);
        }

        bytes.drain(..ENTRY_HEAD_BYTES + key_length);
        Ok(Some(bytes))
    }
}

impl Index {
    /// Whether a slot has the hash of `key`, which is cheaper than reading its value. Two keys share
    /// both the page and the half hash in about one of 10^14 cases.
    pub(crate) fn may_hold(&self, key: &[u8]) -> bool {
        let hash = hash(key);
        let pages = self.bytes.len() / PAGE_BYTES;

        let mut index = page::home(hash, pages as u64) as usize;
        for _ in 0..pages {
            let bytes = self.bytes.get(index * PAGE_BYTES..).unwrap_or_default();
            let page = Page::trusted(bytes.get(..PAGE_BYTES).unwrap_or_default());
            if page.slots().any(|slot| slot.hash == hash as u32) {
                return true;
            }
            if !page.is_full() {
                return false;
            }
            index = (index + 1) % pages;
        }

        false
    }
}

/// SHA-256 of a whole file, in hexadecimal digits.
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

    Ok(hex::encode(hash.finalize()))
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

/// FNV-1a with 64 bits: fast, and the same on every machine.
fn hash(key: &[u8]) -> u64 {
    key.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
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
