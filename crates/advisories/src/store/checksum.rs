//! CRC-32C (Castagnoli, RFC 3720, appendix B.4), with which the public bucket's server names the
//! content of what it sends: `x-goog-hash: crc32c=<base64>`
//! (<https://cloud.google.com/storage/docs/xml-api/reference-headers>).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use base64::Engine as _;
use patchgate_http::Response;

/// The polynomial with its bits in reverse order.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// Eight tables, so that eight bytes go in one step.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (POLYNOMIAL & (value & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }

    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        table += 1;
    }

    tables
}

/// Continues a checksum, which begins with 0.
fn crc32c(before: u32, bytes: &[u8]) -> u32 {
    let look = |table: usize, byte: u32| TABLES[table][(byte & 0xFF) as usize];
    let mut crc = !before;

    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = |at: usize| {
            chunk[at..at + 4]
                .iter()
                .rev()
                .fold(0, |n, b| n << 8 | u32::from(*b))
        };
        let (low, high) = (word(0) ^ crc, word(4));
        crc = look(7, low) ^ look(6, low >> 8) ^ look(5, low >> 16) ^ look(4, low >> 24);
        crc ^= look(3, high) ^ look(2, high >> 8) ^ look(1, high >> 16) ^ look(0, high >> 24);
    }

    for byte in chunks.remainder() {
        crc = (crc >> 8) ^ look(0, crc ^ u32::from(*byte));
    }

    !crc
}

/// The checksum that a server promises. `None` where it promises none, or one of stored bytes that
/// it unpacked before it sent them.
pub(super) fn promised(response: &Response) -> Option<u32> {
    let encoding = response.header("x-goog-stored-content-encoding");
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return None;
    }

    let text = response
        .headers
        .iter()
        .filter(|(name, _)| name == "x-goog-hash")
        .flat_map(|(_, value)| value.split(','))
        .find_map(|part| part.trim().strip_prefix("crc32c="))?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(text)
        .ok()?;

    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// The checksum of a whole file, which is rewound.
pub(super) fn of_file(file: &mut File) -> io::Result<u32> {
    file.rewind()?;
    let mut buffer = vec![0; 256 * 1024];
    let mut crc = 0;

    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            file.rewind()?;
            return Ok(crc);
        }
        crc = crc32c(crc, buffer.get(..read).unwrap_or_default());
    }
}

/// The checksum of bytes in memory.
pub(super) fn of(bytes: &[u8]) -> u32 {
    crc32c(0, bytes)
}

#[cfg(test)]
mod tests {
    use super::{crc32c, of};

    /// The examples of RFC 3720, appendix B.4, and the usual check value.
    #[test]
    fn gives_the_published_values() {
        assert_eq!(of(&[0; 32]), 0x8A91_36AA);
        assert_eq!(of(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(of(&(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
        assert_eq!(of(b"123456789"), 0xE306_9283);
        assert_eq!(of(b""), 0);
    }

    #[test]
    fn may_be_taken_in_parts() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in 0..100 {
            assert_eq!(crc32c(of(&bytes[..cut]), &bytes[cut..]), of(&bytes));
        }
    }
}
