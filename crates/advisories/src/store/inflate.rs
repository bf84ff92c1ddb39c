//! Decompression of the many small entries of an export with one reused decoder.
//!
//! The `zip` crate creates a decoder with its buffers for each entry.

use std::io::{self, Read, Seek};

use flate2::{Crc, Decompress, FlushDecompress, Status};
use zip::{CompressionMethod, ZipArchive};

/// Largest entry, compressed or not, that is inflated at once in memory. Almost every record is smaller.
const MAX_SMALL_BYTES: u64 = 1024 * 1024;

/// A decoder with its buffers, for one thread.
pub(super) struct Inflater {
    inflate: Decompress,
    compressed: Vec<u8>,
    bytes: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            compressed: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// The content of a small entry. `None` for an entry that is large, encrypted, compressed in
    /// another way, or does not have the length and checksum that the archive states: the general
    /// reader handles those and reports the fault.
    pub(super) fn small<R: Read + Seek>(
        &mut self,
        archive: &mut ZipArchive<R>,
        index: usize,
    ) -> io::Result<Option<&[u8]>> {
        let Ok(mut entry) = archive.by_index_raw(index) else {
            return Ok(None);
        };
        let (length, crc) = (entry.size(), entry.crc32());
        let is_deflated = match entry.compression() {
            CompressionMethod::Deflated => true,
            CompressionMethod::Stored => false,
            _ => return Ok(None),
        };
        let is_small = length.max(entry.compressed_size()) <= MAX_SMALL_BYTES;
        if !is_small || entry.encrypted() || entry.is_dir() {
            return Ok(None);
        }

        self.compressed.clear();
        entry.read_to_end(&mut self.compressed)?;
        if is_deflated {
            self.bytes.clear();
            // One byte more than the archive states, so that a longer content is detected.
            self.bytes.reserve(length as usize + 1);
            self.inflate.reset(false);
            let ended = self.inflate.decompress_vec(
                &self.compressed,
                &mut self.bytes,
                FlushDecompress::Finish,
            );
            if !matches!(ended, Ok(Status::StreamEnd)) {
                return Ok(None);
            }
        } else {
            std::mem::swap(&mut self.bytes, &mut self.compressed);
        }

        let mut found = Crc::new();
        found.update(&self.bytes);
        let is_whole = self.bytes.len() as u64 == length && found.sum() == crc;

        Ok(is_whole.then_some(&self.bytes))
    }
}
