//! CRC-32C checksums of downloads. The server of the public bucket sends them as
//! `x-goog-hash: crc32c=<base64>`
//! (<https://cloud.google.com/storage/docs/xml-api/reference-headers>).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use base64::Engine as _;
use patchgate_http::Response;

/// The checksum that a server states for its answer. `None` without one, and if the checksum is of
/// compressed bytes that the server unpacked before it sent them.
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

/// The checksum of a whole file. The cursor ends at the start of the file.
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
        crc = crc32c::crc32c_append(crc, buffer.get(..read).unwrap_or_default());
    }
}

/// The checksum of bytes in memory.
pub(super) fn of(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{of, of_file};

    /// The examples of RFC 3720, appendix B.4, and the usual check value.
    #[test]
    fn gives_the_published_values() {
        assert_eq!(of(&[0; 32]), 0x8A91_36AA);
        assert_eq!(of(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(of(&(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
        assert_eq!(of(b"123456789"), 0xE306_9283);
        assert_eq!(of(b""), 0);
    }

    /// A file is read in parts, and its length need not be a multiple of them.
    #[test]
    fn a_file_has_the_checksum_of_its_bytes() {
        for length in [0, 1, 100, 256 * 1024, 600_001] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| n as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            assert_eq!(of_file(&mut file).unwrap(), of(&bytes), "{length}");
        }
    }
}
