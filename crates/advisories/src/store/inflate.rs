//! Unfolding the many small entries of an export, without a decoder and its buffers for each.

use std::io::{self, Read, Seek};

use flate2::{Crc, Decompress, FlushDecompress, Status};
use zip::{CompressionMethod, ZipArchive};

/// Largest entry, folded or not, that is inflated at once in memory. Almost every record is smaller.
const MAX_SMALL_BYTES: u64 = 1024 * 1024;

/// What one thread needs to unfold one entry after the other.
pub(super) struct Inflater {
    inflate: Decompress,
    folded: Vec<u8>,
    bytes: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new(false),
            folded: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// The content of a small entry whose length and checksum are those that the archive states.
    /// `None` for every other entry, which is to be read in the common way: that knows all methods,
    /// and says what is wrong.
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

        self.folded.clear();
        entry.read_to_end(&mut self.folded)?;
        if is_deflated {
            self.bytes.clear();
            // One byte more than is stated, so that a longer content is noticed.
            self.bytes.reserve(length as usize + 1);
            self.inflate.reset(false);
            let ended =
                self.inflate
                    .decompress_vec(&self.folded, &mut self.bytes, FlushDecompress::Finish);
            if !matches!(ended, Ok(Status::StreamEnd)) {
                return Ok(None);
            }
        } else {
            std::mem::swap(&mut self.bytes, &mut self.folded);
        }

        let mut found = Crc::new();
        found.update(&self.bytes);
        let is_whole = self.bytes.len() as u64 == length && found.sum() == crc;

        Ok(is_whole.then_some(&self.bytes))
    }
}
