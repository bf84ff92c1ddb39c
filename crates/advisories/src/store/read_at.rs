//! Reading of a file at an offset, by several readers at once and without a shared cursor.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Reads up to `buffer.len()` bytes at `offset`.
#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

/// Reads up to `buffer.len()` bytes at `offset`.
#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Fills `buffer` with the bytes from `offset`.
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match read_at(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = buffer.get_mut(read..).unwrap_or_default();
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }

    Ok(())
}

/// Bytes per read of a [`SharedFileReader`]. The entries of an archive are small and adjacent.
const WINDOW_BYTES: usize = 128 * 1024;

/// A reader with a cursor of its own over a shared file. Cloning it opens nothing.
#[derive(Debug)]
pub(crate) struct SharedFileReader {
    file: Arc<File>,
    length: u64,
    position: u64,
    /// Bytes of the file from `window_start` on.
    window: Vec<u8>,
    window_start: u64,
}

impl SharedFileReader {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            length,
            position: 0,
            window: Vec::new(),
            window_start: 0,
        })
    }

    /// The rest of the window after the cursor.
    fn ahead(&self) -> &[u8] {
        self.position
            .checked_sub(self.window_start)
            .and_then(|start| usize::try_from(start).ok())
            .and_then(|start| self.window.get(start..))
            .unwrap_or_default()
    }
}

impl Clone for SharedFileReader {
    /// The clone has a window of its own.
    fn clone(&self) -> Self {
        Self {
            file: Arc::clone(&self.file),
            length: self.length,
            position: self.position,
            window: Vec::new(),
            window_start: 0,
        }
    }
}

impl Read for SharedFileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead().is_empty() {
            if buffer.len() >= WINDOW_BYTES {
                let read = read_at(&self.file, buffer, self.position)?;
                self.position += read as u64;
                return Ok(read);
            }

            self.window.resize(WINDOW_BYTES, 0);
            let read = read_at(&self.file, &mut self.window, self.position);
            self.window.truncate(*read.as_ref().unwrap_or(&0));
            self.window_start = self.position;
            read?;
        }

        let ahead = self.ahead();
        let count = ahead.len().min(buffer.len());
        let (Some(to), Some(from)) = (buffer.get_mut(..count), ahead.get(..count)) else {
            return Ok(0);
        };

        to.copy_from_slice(from);
        self.position += count as u64;

        Ok(count)
    }
}

impl Seek for SharedFileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
