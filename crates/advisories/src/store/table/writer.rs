//! Writing a table from its first entry to its header.

use std::io::{self, SeekFrom, Write};

use super::page::{self, PAGE_BYTES, Slot};
use super::{ENTRY_HEAD_BYTES, HEADER_BYTES, MAGIC, MAX_ENTRY_BYTES, crc, digest, filter, hash};

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
        let check = crc(&[&self.scratch, key, value]);
        self.scratch.extend_from_slice(&check.to_le_bytes());
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

    /// Writes the pages, the filter and the header; gives the hash of the whole file in hexadecimal digits and
    /// its length.
    pub(crate) fn finish(mut self) -> io::Result<(W, String, u64)> {
        let pages = page::lay_out(&self.slots);
        self.out.write_all(&pages)?;
        let filter = filter::of(self.slots.iter().map(|(hash, _)| *hash));
        self.out.write_all(&filter)?;
        let length = self.position + pages.len() as u64 + filter.len() as u64;
        let header = header(
            [
                (pages.len() / PAGE_BYTES) as u64,
                self.position,
                self.slots.len() as u64,
                length,
            ],
            crc(&[&filter]),
        );

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
    header.extend_from_slice(&filter_crc.to_le_bytes());
    let check = crc(&[&header]);
    header.extend_from_slice(&check.to_le_bytes());
    header
}
