//! The archive that yarn 4 keeps of a package: a zip without compression, made from the registry's
//! archive. Its SHA-512 is the `checksum` of an entry.
//!
//! The rules are those of `tgzUtils.extractArchiveTo` in yarn's sources
//! (<https://github.com/yarnpkg/berry/blob/master/packages/yarnpkg-core/sources/tgzUtils.ts>): the
//! first part of each path is cut off, all times are one constant, and modes are 644 or 755.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use flate2::Crc;
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha512};

/// Most bytes of an unpacked archive.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Most files and directories. Above it, a zip has another form.
const MAX_FILES: usize = 60_000;

/// Most bytes of a path.
const MAX_PATH_BYTES: usize = 4_096;

/// 22 June 1984, 21:50, in the notation of a zip: yarn's constant time.
const TIME: [u8; 4] = [0x40, 0xae, 0xd6, 0x08];

/// What an entry needs of an archive.
#[derive(Debug)]
pub(super) struct Archive {
    /// The checksum in hexadecimal.
    pub(super) checksum: String,
    /// The package's `package.json`.
    pub(super) manifest: Vec<u8>,
}

/// Reads the registry's archive of a package.
///
/// # Errors
/// If it is not the archive of `integrity`, or has something that yarn's own archive may have in
/// another form.
pub(super) fn read(name: &str, bytes: &[u8], integrity: &str) -> Result<Archive, String> {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha512::digest(bytes));
    let wanted = format!("sha512-{digest}");
    if !integrity
        .split_ascii_whitespace()
        .any(|hash| hash == wanted)
    {
        return Err("it is not the one whose hash the registry states".to_owned());
    }

    let mut tar = Vec::new();
    GzDecoder::new(bytes)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut tar)
        .map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if tar.len() as u64 > MAX_BYTES {
        return Err("it is too large".to_owned());
    }

    let root = format!("node_modules/{name}");
    let mut zip = Zip::default();
    let mut manifest = None;
    for file in files(&tar)? {
        let Some(inside) = file.path else {
            continue;
        };
        let path = format!("{root}/{inside}");
        match file.content {
            None => zip.directory(&path)?,
            Some(content) => {
                if inside == "package.json" {
                    manifest = Some(content.to_vec());
                }
                zip.file(&path, content, file.is_program)?;
            }
        }
    }

    let hash = Sha512::digest(zip.finish()?);
    Ok(Archive {
        checksum: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        manifest: manifest.ok_or_else(|| "it has no `package.json`".to_owned())?,
    })
}

/// An entry of a tar.
struct File<'t> {
    /// The path without its first part; `None` if nothing is left of it.
    path: Option<String>,
    /// `None` for a directory.
    content: Option<&'t [u8]>,
    is_program: bool,
}

/// The entries of a tar (POSIX.1-2001: `ustar`, with `pax` headers for long paths).
fn files(tar: &[u8]) -> Result<Vec<File<'_>>, String> {
    let cut = || "it is incomplete".to_owned();
    let mut files = Vec::new();
    let mut long_path: Option<String> = None;
    let mut at = 0;
    loop {
        let Some(header) = tar.get(at..at + 512) else {
            return Err(cut());
        };
        if header.iter().all(|byte| *byte == 0) {
            return Ok(files);
        }
        if files.len() > MAX_FILES {
            return Err("it has too many files".to_owned());
        }

        let size = octal(header, 124, 12)?;
        let content = tar.get(at + 512..at + 512 + size).ok_or_else(cut)?;
        at += 512 + size.next_multiple_of(512);
        let kind = header.get(156).copied().unwrap_or_default();
        match kind {
            b'x' => {
                long_path = pax_path(content)?.or(long_path);
                continue;
            }
            b'L' => {
                let end = content.iter().position(|byte| *byte == 0);
                long_path = Some(text(
                    content
                        .get(..end.unwrap_or(content.len()))
                        .unwrap_or_default(),
                )?);
                continue;
            }
            // Comments about the whole archive.
            b'g' if pax_path(content)?.is_none() => continue,
            0 | b'0' | b'5' => {}
            _ => return Err("it has links or other special files".to_owned()),
        }

        let path = match long_path.take() {
            Some(path) => path,
            None => header_path(header)?,
        };
        let is_directory = kind == b'5' || (kind == 0 && path.ends_with('/'));
        files.push(File {
            path: inside(&path)?,
            content: (!is_directory).then_some(content),
            is_program: octal(header, 100, 8)? & 0o111 != 0,
        });
    }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).ok();
    let plain = text.filter(|text| {
        text.len() <= MAX_PATH_BYTES
            && text
                .chars()
                .all(|c| c.is_ascii() && !c.is_ascii_control() && c != '\\')
    });
    plain
        .map(str::to_owned)
        .ok_or_else(|| "it has a path with unusual characters".to_owned())
}

fn header_path(header: &[u8]) -> Result<String, String> {
    let field = |start: usize, length: usize| {
        let field = header.get(start..start + length).unwrap_or_default();
        let end = field.iter().position(|byte| *byte == 0);
        text(field.get(..end.unwrap_or(length)).unwrap_or_default())
    };
    let name = field(0, 100)?;
    if header.get(257..263) != Some(b"ustar\0") {
        return Ok(name);
    }
    match &*field(345, 155)? {
        "" => Ok(name),
        prefix => Ok(format!("{prefix}/{name}")),
    }
}

/// The path in a `pax` header: lines of a length, a blank, a key, `=` and a value.
fn pax_path(content: &[u8]) -> Result<Option<String>, String> {
    let wrong = || "it has an unusual header".to_owned();
    let mut path = None;
    let mut rest = content;
    while !rest.is_empty() {
        let blank = rest
            .iter()
            .position(|byte| *byte == b' ')
            .ok_or_else(wrong)?;
        let length = rest
            .get(..blank)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let length: usize = length
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(wrong)?;
        let line = rest
            .get(blank + 1..length.saturating_sub(1))
            .ok_or_else(wrong)?;
        rest = rest.get(length..).ok_or_else(wrong)?;
        let equals = line
            .iter()
            .position(|byte| *byte == b'=')
            .ok_or_else(wrong)?;
        let (key, value) = line.split_at(equals);
        match key {
            b"path" => path = Some(text(value.get(1..).unwrap_or_default())?),
            b"size" | b"linkpath" => return Err(wrong()),
            _ => {}
        }
    }
    Ok(path)
}

fn octal(header: &[u8], start: usize, length: usize) -> Result<usize, String> {
    let field = header.get(start..start + length).unwrap_or_default();
    let text = std::str::from_utf8(field).ok();
    let digits = text.map(|text| text.trim_matches([' ', '\0']));
    let digits = digits.filter(|digits| !digits.contains('\0'));
    match digits {
        Some("") => Some(0),
        Some(digits) => usize::from_str_radix(digits, 8)
            .ok()
            .filter(|size| *size as u64 <= MAX_BYTES),
        None => None,
    }
    .ok_or_else(|| "it has an unusual number".to_owned())
}

/// A path without its first part. yarn leaves out what has no other part.
fn inside(path: &str) -> Result<Option<String>, String> {
    let plain = path.strip_suffix('/').unwrap_or(path);
    let mut parts = plain.split('/');
    let is_usual = |part: &str| !matches!(part, "" | "." | "..");
    if !parts.clone().all(is_usual) {
        return Err(format!("it has the unusual path `{path}`"));
    }
    parts.next();
    let rest: Vec<&str> = parts.collect();
    Ok((!rest.is_empty()).then(|| rest.join("/")))
}

/// A zip that is written.
#[derive(Default)]
struct Zip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: usize,
    known: BTreeSet<String>,
}

impl Zip {
    /// Adds a directory, and those above it.
    fn directory(&mut self, path: &str) -> Result<(), String> {
        let ends = path
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([path.len()]);
        for end in ends {
            let path = format!("{}/", path.get(..end).unwrap_or_default());
            if !self.known.contains(&path) {
                self.add(&path, &[], 0x41ed, 20)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, content: &[u8], is_program: bool) -> Result<(), String> {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above)?;
        }
        if self.known.contains(path) || self.known.contains(&format!("{path}/")) {
            return Err(format!("it has `{path}` twice"));
        }
        self.add(path, content, if is_program { 0x81ed } else { 0x81a4 }, 10)
    }

    /// Adds a stored entry: local header, content, and the header in the directory at the end.
    fn add(&mut self, path: &str, content: &[u8], mode: u16, version: u16) -> Result<(), String> {
        let long = |number: usize| u32::try_from(number).map_err(|_| "it is too large".to_owned());
        let mut crc = Crc::new();
        crc.update(content);
        let length = u16::try_from(path.len()).map_err(|_| "it has a long path".to_owned())?;
        let mut shared = Vec::with_capacity(26);
        shared.extend(version.to_le_bytes());
        shared.extend([0; 4]);
        shared.extend(TIME);
        shared.extend(crc.sum().to_le_bytes());
        shared.extend(long(content.len())?.to_le_bytes());
        shared.extend(long(content.len())?.to_le_bytes());
        shared.extend(length.to_le_bytes());
        shared.extend([0; 2]);

        let offset = long(self.bytes.len())?;
        self.directory.extend(b"PK\x01\x02\x3f\x03");
        self.directory.extend(&shared);
        self.directory.extend([0; 6]);
        self.directory.extend([0; 2]);
        self.directory.extend(mode.to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(path.as_bytes());

        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&shared);
        self.bytes.extend(path.as_bytes());
        self.bytes.extend(content);
        self.count += 1;
        self.known.insert(path.to_owned());
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>, String> {
        let count = u16::try_from(self.count).map_err(|_| "it has too many files".to_owned())?;
        let long = |number: usize| u32::try_from(number).map_err(|_| "it is too large".to_owned());
        let (size, offset) = (long(self.directory.len())?, long(self.bytes.len())?);
        self.bytes.append(&mut self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(count.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(offset.to_le_bytes());
        self.bytes.extend([0; 2]);
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_archives_are_refused() {
        for path in ["/etc/x", "package/../x", "package//x", "package/./x"] {
            assert!(inside(path).is_err(), "{path}");
        }
        assert_eq!(inside("package/a/b").unwrap().as_deref(), Some("a/b"));
        assert_eq!(inside("package/").unwrap(), None);
        assert!(read("a", b"x", "sha512-x").is_err());
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha512::digest(b"x"));
        assert!(read("a", b"x", &format!("sha512-{hash}")).is_err());
        assert!(files(&[1; 512]).is_err());
        assert!(pax_path(b"99 path=x\n").is_err());
        assert_eq!(pax_path(b"10 path=x\n").unwrap().as_deref(), Some("x"));
    }
}
