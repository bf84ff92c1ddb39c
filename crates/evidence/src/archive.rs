//! The files in the archive of a release: a tar with gzip, as npm, PyPI and crates.io have it, or a
//! zip, as wheels and modules of Go are.
//!
//! An archive is hostile: its number of entries, its size when unpacked, and the size of each file
//! are bounded. Links and special files are left out, and so are paths that lead out. Nothing is
//! written to a disk.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;

/// Most entries of an archive.
const MAX_ENTRIES: usize = 50_000;

/// Most bytes of an unpacked archive.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Most bytes of one file; larger ones are left out.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes of a block of a tar.
const BLOCK: usize = 512;

/// The reason why an archive is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableArchive(pub &'static str);

/// The files for which `wants` is true, by path. A directory that contains all files of the archive
/// is not part of the paths.
///
/// # Errors
/// When it is neither a tar with gzip nor a zip, is truncated, or exceeds a limit.
pub fn files(
    archive: &[u8],
    wants: impl Fn(&str) -> bool,
) -> Result<BTreeMap<String, Vec<u8>>, UnreadableArchive> {
    let all = match archive {
        [0x1f, 0x8b, ..] => tar(archive, MAX_BYTES)?,
        [b'P', b'K', ..] => zip(archive, MAX_BYTES)?,
        _ => return Err(UnreadableArchive("it is neither a tar with gzip nor a zip")),
    };

    Ok(without_top(all)
        .into_iter()
        .filter(|(path, _)| wants(path))
        .collect())
}

/// Takes away the directory that contains all files.
fn without_top(files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut tops = files
        .keys()
        .map(|path| path.split_once('/').map(|(top, _)| top));
    let first = tops.next().flatten().map(str::to_owned);
    // The top directory of a wheel is the module itself.
    let is_wheel = files.keys().any(|path| path.contains(".dist-info/"));
    let Some(top) = first.filter(|first| !is_wheel && tops.all(|top| top == Some(first))) else {
        return files;
    };

    files
        .into_iter()
        .filter_map(|(path, bytes)| {
            let inside = path.strip_prefix(&top)?.strip_prefix('/')?;
            Some((inside.to_owned(), bytes))
        })
        .collect()
}

/// A path as it is kept; `None` if it leads out or is not a file's.
fn checked(path: &str) -> Option<String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let is_plain = !path.is_empty()
        && !path.contains(['\\', '\0'])
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    is_plain.then(|| path.to_owned())
}

fn zip(archive: &[u8], limit: u64) -> Result<BTreeMap<String, Vec<u8>>, UnreadableArchive> {
    let broken = |_| UnreadableArchive("its entries cannot be read");
    let mut zip = ::zip::ZipArchive::new(Cursor::new(archive)).map_err(broken)?;
    if zip.len() > MAX_ENTRIES {
        return Err(UnreadableArchive("it has too many entries"));
    }

    let mut files = BTreeMap::new();
    let mut left = limit;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).map_err(broken)?;
        let path = entry.name().ok().and_then(|name| checked(&name));
        let Some(path) = path.filter(|_| entry.is_file()) else {
            continue;
        };
        // The stated size may be wrong, so what is read is bounded as well.
        let mut bytes = Vec::new();
        let most = left.min(MAX_FILE_BYTES) + 1;
        entry
            .by_ref()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|_| UnreadableArchive("an entry cannot be unpacked"))?;
        let size = bytes.len() as u64;
        left = left
            .checked_sub(size)
            .ok_or(UnreadableArchive("it is too large"))?;
        if size <= MAX_FILE_BYTES {
            files.insert(path, bytes);
        }
    }

    Ok(files)
}

/// The files of a tar (POSIX.1-2001, with `pax` headers and GNU's entries for long paths).
fn tar(archive: &[u8], limit: u64) -> Result<BTreeMap<String, Vec<u8>>, UnreadableArchive> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(archive)
        .take(limit.saturating_add(1))
        .read_to_end(&mut unpacked)
        .map_err(|_| UnreadableArchive("it cannot be unpacked"))?;
    if unpacked.len() as u64 > limit {
        return Err(UnreadableArchive("it is too large"));
    }

    let cut = UnreadableArchive("it is truncated");
    let mut files = BTreeMap::new();
    let mut long_path: Option<String> = None;
    let mut at = 0;
    for _ in 0..MAX_ENTRIES {
        let header = match unpacked.get(at..at + BLOCK) {
            Some(header) if header.iter().any(|byte| *byte != 0) => header,
            // Some writers leave out the blocks at the end.
            Some(_) => return Ok(files),
            None if at >= unpacked.len() => return Ok(files),
            None => return Err(cut),
        };
        let size = octal(header.get(124..136)).ok_or(UnreadableArchive("a size is invalid"))?;
        let content = at
            .checked_add(BLOCK)
            .and_then(|start| unpacked.get(start..start.checked_add(size)?))
            .ok_or(cut.clone())?;
        at += BLOCK + size.next_multiple_of(BLOCK);

        match header.get(156) {
            Some(b'x') => long_path = pax_path(content).or(long_path),
            Some(b'L') => long_path = Some(text(content)),
            Some(0 | b'0') => {
                let path = long_path.take().unwrap_or_else(|| header_path(header));
                if let Some(path) = checked(&path).filter(|_| size as u64 <= MAX_FILE_BYTES) {
                    files.insert(path, content.to_vec());
                }
            }
            Some(b'g') => {}
            // Directories, links and special files.
            _ => long_path = None,
        }
    }

    Err(UnreadableArchive("it has too many entries"))
}

fn octal(field: Option<&[u8]>) -> Option<usize> {
    let text = text(field?);
    usize::from_str_radix(text.trim(), 8).ok()
}

/// The text before the first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let bytes = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn header_path(header: &[u8]) -> String {
    let name = text(header.get(..100).unwrap_or_default());
    let prefix = text(header.get(345..500).unwrap_or_default());
    let is_ustar = header.get(257..262) == Some(b"ustar");
    match prefix.is_empty() || !is_ustar {
        true => name,
        false => format!("{prefix}/{name}"),
    }
}

/// The path in a `pax` header, whose records are `LENGTH KEY=VALUE` and a line break.
fn pax_path(content: &[u8]) -> Option<String> {
    let mut rest = content;
    let mut path = None;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(rest.get(..space)?).ok()?.parse().ok()?;
        let record = std::str::from_utf8(rest.get(space + 1..length.checked_sub(1)?)?).ok()?;
        if let Some(value) = record.strip_prefix("path=") {
            path = Some(value.to_owned());
        }
        rest = rest.get(length..)?;
    }

    path
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tar_gz(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (path, kind, content) in entries {
            let mut header = [0u8; BLOCK];
            header[..path.len()].copy_from_slice(path.as_bytes());
            header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            header[156] = *kind;
            header[257..262].copy_from_slice(b"ustar");
            tar.extend_from_slice(&header);
            tar.extend_from_slice(content);
            tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        }
        tar.resize(tar.len() + 2 * BLOCK, 0);
        gzip(&tar)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
        files.keys().map(String::as_str).collect()
    }

    #[test]
    fn files_of_a_tar_are_read_and_links_and_ways_out_are_not() {
        let long = "package/".to_owned() + &"a".repeat(120);
        let record = format!("path={long}\n");
        let pax = format!("{} {record}", record.len() + 4);
        assert_eq!(pax.len(), record.len() + 4);
        let archive = tar_gz(&[
            ("package/a.js", b'0', b"1"),
            ("pax", b'x', pax.as_bytes()),
            ("short", b'0', b"2"),
            ("package/link", b'2', b""),
            ("package/dir/", b'5', b""),
        ]);
        let found = files(&archive, |_| true).unwrap();
        assert_eq!(names(&found), ["a.js", &"a".repeat(120)]);
        assert_eq!(found["a.js"], b"1");
        assert_eq!(
            names(&files(&archive, |path| path == "a.js").unwrap()),
            ["a.js"]
        );

        let out = tar_gz(&[
            ("../a", b'0', b"1"),
            ("/b", b'0', b"1"),
            ("c/../../d", b'0', b"1"),
        ]);
        assert_eq!(names(&files(&out, |_| true).unwrap()), [""; 0]);
    }

    #[test]
    fn other_bytes_and_too_much_are_refused() {
        let archive = tar_gz(&[("package/a.js", b'0', &[7; 2000])]);
        for bytes in [&archive[..archive.len() / 2], b"", b"PK\x03\x04", b"text"] {
            assert!(files(bytes, |_| true).is_err());
        }
        let large = UnreadableArchive("it is too large");
        assert_eq!(tar(&gzip(&[0; 5000]), 4999), Err(large.clone()));
        let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = ::zip::write::SimpleFileOptions::default();
        writer.start_file("a.py", options).unwrap();
        writer.write_all(&[b' '; 5000]).unwrap();
        let wheel = writer.finish().unwrap().into_inner();
        assert_eq!(zip(&wheel, 4999), Err(large));
        assert_eq!(names(&files(&wheel, |_| true).unwrap()), ["a.py"]);
    }
}
