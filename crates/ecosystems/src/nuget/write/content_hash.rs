//! The `contentHash` of a lockfile: the SHA-512 of a package's archive without its signature, in
//! base64.
//!
//! The archive of an unsigned package counts as it is. That of a signed package counts as if
//! `.signature.p7s` had never been added: without its file and its header, with the offsets and counts
//! that the directory would have (`SignedPackageArchiveUtility.GetPackageContentHash` in
//! <https://github.com/NuGet/NuGet.Client>). Feeds state the hash of the signed archive only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha512};

/// Name of the file with the signature.
const SIGNATURE: &[u8] = b".signature.p7s";

/// First bytes of an entry of the directory, and of its end.
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";

/// Sizes without the parts of variable length, in bytes.
const ENTRY_BYTES: usize = 46;
const END_BYTES: usize = 22;

/// Most files of an archive. A field of 16 bits counts them.
const MAX_ENTRIES: usize = 0xffff;

/// A file in the central directory of the archive.
#[derive(Debug)]
struct Entry {
    /// Position of the entry, and its size in bytes.
    position: usize,
    size: usize,
    /// Position of the file, and its size with its header.
    file: usize,
    file_size: usize,
    is_signature: bool,
}

/// The content hash of an archive.
///
/// # Errors
/// If it is not an archive in the form that NuGet signs.
pub(super) fn content_hash(archive: &[u8]) -> Result<String, String> {
    let directory = Directory::read(archive).ok_or("it is not a zip archive")?;
    let signature = directory.entries.iter().find(|entry| entry.is_signature);
    let hash = match signature {
        None => Sha512::digest(archive).to_vec(),
        Some(signature) => directory
            .hash_without(archive, signature)
            .ok_or("its signature cannot be left out")?,
    };
    Ok(STANDARD.encode(hash))
}

/// The directory at the end of an archive.
struct Directory {
    entries: Vec<Entry>,
    /// Position of its end.
    end: usize,
}

impl Directory {
    fn read(archive: &[u8]) -> Option<Self> {
        let end = (0..=archive.len().checked_sub(END_BYTES)?)
            .rev()
            .take(0x1_0000)
            .find(|at| {
                archive.get(*at..*at + 4) == Some(END.as_slice())
                    && number16(archive, at + 20)
                        .is_some_and(|comment| at + END_BYTES + comment == archive.len())
            })?;
        let count = number16(archive, end + 10)?;
        let mut at = number32(archive, end + 16)?;
        if count > MAX_ENTRIES {
            return None;
        }

        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let header = archive.get(at..at + ENTRY_BYTES)?;
            if !header.starts_with(&ENTRY) {
                return None;
            }
            let [name, extra, comment] =
                [28, 30, 32].map(|field| number16(header, field).unwrap_or(0));
            let start = at + ENTRY_BYTES;
            entries.push(Entry {
                position: at,
                size: ENTRY_BYTES + name + extra + comment,
                file: number32(header, 42)?,
                file_size: 0,
                is_signature: archive.get(start..start + name)? == SIGNATURE,
            });
            at = start + name + extra + comment;
        }
        // Zip64 has another end, which follows the entries.
        if at != end {
            return None;
        }

        entries.sort_by_key(|entry| entry.file);
        let start = entries.iter().map(|entry| entry.position).min();
        let next: Vec<usize> = entries
            .iter()
            .skip(1)
            .map(|entry| entry.file)
            .chain(start)
            .collect();
        for (entry, next) in entries.iter_mut().zip(next) {
            entry.file_size = next.checked_sub(entry.file)?;
        }
        Some(Self { entries, end })
    }

    /// The hash of the archive as it would be without one of its files.
    fn hash_without(&self, archive: &[u8], left_out: &Entry) -> Option<Vec<u8>> {
        let mut hash = Sha512::new();
        let first = self.entries.first()?.file;
        hash.update(archive.get(..first)?);

        let mut moved = Vec::with_capacity(self.entries.len());
        let mut position = 0;
        for entry in self.entries.iter().filter(|entry| !entry.is_signature) {
            hash.update(archive.get(entry.file..entry.file + entry.file_size)?);
            moved.push((entry, position));
            position += entry.file_size;
        }

        moved.sort_by_key(|(entry, _)| entry.position);
        for (entry, position) in moved {
            let header = archive.get(entry.position..entry.position + entry.size)?;
            hash.update(header.get(..42)?);
            hash.update(u32::try_from(position).ok()?.to_le_bytes());
            hash.update(header.get(ENTRY_BYTES..)?);
        }

        hash.update(archive.get(self.end..self.end + 8)?);
        for field in [8, 10] {
            let count = number16(archive, self.end + field)?.checked_sub(1)?;
            hash.update(u16::try_from(count).ok()?.to_le_bytes());
        }
        for (field, less) in [(12, left_out.size), (16, left_out.file_size)] {
            let number = number32(archive, self.end + field)?.checked_sub(less)?;
            hash.update(u32::try_from(number).ok()?.to_le_bytes());
        }
        hash.update(archive.get(self.end + 20..)?);
        Some(hash.finalize().to_vec())
    }
}

fn number16(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 2)?;
    Some(usize::from(u16::from_le_bytes(bytes.try_into().ok()?)))
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 4)?;
    usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, content) in files {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_signature_does_not_count() {
        let plain = archive(&[("a.nuspec", "<package/>"), ("lib/a.dll", "code")]);
        let expected = STANDARD.encode(Sha512::digest(&plain));
        assert_eq!(content_hash(&plain).as_ref(), Ok(&expected));

        // In every position, although NuGet adds it last.
        for files in [
            [
                ("a.nuspec", "<package/>"),
                ("lib/a.dll", "code"),
                (".signature.p7s", "signed"),
            ],
            [
                ("a.nuspec", "<package/>"),
                (".signature.p7s", "signed"),
                ("lib/a.dll", "code"),
            ],
            [
                (".signature.p7s", "signed"),
                ("a.nuspec", "<package/>"),
                ("lib/a.dll", "code"),
            ],
        ] {
            let signed = archive(&files);
            assert_ne!(signed, plain);
            assert_eq!(content_hash(&signed).as_ref(), Ok(&expected), "{files:?}");
        }
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let plain = archive(&[("a.nuspec", "<package/>")]);
        for bytes in [&b""[..], b"PK", b"<html>", &plain[..plain.len() - 1]] {
            assert!(content_hash(bytes).is_err());
        }
        // Offsets that lead outside of it.
        for at in 0..plain.len() {
            let mut odd = plain.clone();
            odd[at] = 0xff;
            let _ = content_hash(&odd);
        }
    }
}
