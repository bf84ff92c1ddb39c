//! Reader of git's index (<https://git-scm.com/docs/index-format>), versions 2 to 4: the paths of
//! the tracked files.
//!
//! Deliberately absent: the tree behind a split index, and checksums. An index that cannot be read
//! for certain is an error, and the caller then takes every file for a tracked one.

/// Most entries of an index.
const MAX_ENTRIES: usize = 2_000_000;

/// Bytes of an entry before its object id: times, device, mode, owner and size.
const STAT_BYTES: usize = 40;

/// Position of the mode in an entry.
const MODE_AT: usize = 24;

/// Lengths of an object id: SHA-1 and SHA-256. The index does not say which it has.
const ID_BYTES: [usize; 2] = [20, 32];

/// The kind of a tracked path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A file or a symbolic link.
    File,
    /// A submodule.
    Submodule,
    /// A directory that a sparse checkout leaves out.
    Directory,
}

/// The paths of an index, with their kinds. `None` when the bytes are no index that this reader
/// understands.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<(EntryKind, Vec<u8>)>> {
    ID_BYTES
        .into_iter()
        .find_map(|id_bytes| read_with(bytes, id_bytes))
}

fn read_with(bytes: &[u8], id_bytes: usize) -> Option<Vec<(EntryKind, Vec<u8>)>> {
    let mut reader = Reader {
        bytes: bytes.get(..bytes.len().checked_sub(id_bytes)?)?,
        at: 0,
    };
    if reader.take(4)? != b"DIRC" {
        return None;
    }
    let version = reader.number()?;
    let count = reader.number()? as usize;
    if !(2..=4).contains(&version) || count > MAX_ENTRIES {
        return None;
    }

    let mut entries: Vec<(EntryKind, Vec<u8>)> = Vec::new();
    let mut path = Vec::new();
    for _ in 0..count {
        let kind = reader.entry(version, id_bytes, &mut path)?;
        // Entries are sorted by path. Another order shows that the length of the ids is wrong.
        if entries.last().is_some_and(|(_, last)| *last > path) {
            return None;
        }
        entries.push((kind, path.clone()));
    }
    reader.extensions()?;

    Some(entries)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Reads an entry. `path` has the path before it, and gets its own.
    fn entry(&mut self, version: u32, id_bytes: usize, path: &mut Vec<u8>) -> Option<EntryKind> {
        let start = self.at;
        let stat = self.take(STAT_BYTES)?;
        let mode = u32::from_be_bytes(stat.get(MODE_AT..MODE_AT + 4)?.try_into().ok()?);
        let kind = match mode >> 12 {
            0b1000 | 0b1010 => EntryKind::File,
            0b1110 => EntryKind::Submodule,
            0b0100 => EntryKind::Directory,
            _ => return None,
        };
        self.take(id_bytes)?;
        let flags = u16::from_be_bytes(self.take(2)?.try_into().ok()?);
        if flags & 0x4000 != 0 {
            if version < 3 {
                return None;
            }
            self.take(2)?;
        }

        match version {
            // The path has the beginning of the last path, without the bytes that are counted here.
            4 => {
                let kept = path.len().checked_sub(self.offset()?)?;
                path.truncate(kept);
            }
            _ => path.clear(),
        }
        let rest = self.bytes.get(self.at..)?;
        let name = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
        path.extend_from_slice(name);
        self.take(name.len())?;
        let length = match version {
            4 => 1,
            // One to eight NUL bytes, so that the entry's length is a multiple of eight.
            _ => 8 - (self.at - start) % 8,
        };
        if self.take(length)?.iter().any(|byte| *byte != 0) {
            return None;
        }

        let stated = usize::from(flags & 0x0fff);
        (!path.is_empty() && stated == path.len().min(0x0fff)).then_some(kind)
    }

    /// A number of variable length, as in the offsets of pack files.
    fn offset(&mut self) -> Option<usize> {
        let mut byte = *self.take(1)?.first()?;
        let mut value = usize::from(byte & 0x7f);
        while byte & 0x80 != 0 {
            byte = *self.take(1)?.first()?;
            value = value.checked_add(1)?.checked_mul(128)? + usize::from(byte & 0x7f);
        }

        Some(value)
    }

    /// Skips the extensions up to the end. An unknown extension whose name begins with a lower-case
    /// letter changes the meaning of the index, as that of a split index does.
    fn extensions(&mut self) -> Option<()> {
        while self.at < self.bytes.len() {
            let name = self.take(4)?;
            let is_optional = name.first()?.is_ascii_uppercase();
            if !is_optional && name != b"sdir" {
                return None;
            }
            let length = self.number()? as usize;
            self.take(length)?;
        }

        Some(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An index with these paths. A path that ends with `/` is a submodule.
    pub(crate) fn index(version: u32, id_bytes: usize, paths: &[&str]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(paths.len()).unwrap().to_be_bytes());
        let mut last = "";
        for path in paths {
            let start = bytes.len();
            let mut stat = [7_u8; STAT_BYTES];
            let mode: u32 = if path.ends_with('/') {
                0o160_000
            } else {
                0o100_644
            };
            stat[MODE_AT..MODE_AT + 4].copy_from_slice(&mode.to_be_bytes());
            bytes.extend(stat);
            bytes.extend(vec![0xab; id_bytes]);
            let path = path.trim_end_matches('/');
            bytes.extend(u16::try_from(path.len().min(0xfff)).unwrap().to_be_bytes());
            if version == 4 {
                let shared = path
                    .bytes()
                    .zip(last.bytes())
                    .take_while(|(a, b)| a == b)
                    .count();
                let cut = last.len() - shared;
                if cut >= 128 {
                    bytes.push(u8::try_from(cut / 128 - 1).unwrap() | 0x80);
                }
                bytes.push(u8::try_from(cut % 128).unwrap());
                bytes.extend(&path.as_bytes()[shared..]);
                bytes.push(0);
                last = path;
            } else {
                bytes.extend(path.as_bytes());
                let length = 8 - (bytes.len() - start) % 8;
                bytes.extend(vec![0; length]);
            }
        }
        bytes.extend(b"TREE\0\0\0\x03abc");
        bytes.extend(vec![0; id_bytes]);
        bytes
    }

    fn paths(bytes: &[u8]) -> Option<Vec<String>> {
        let entries = read(bytes)?;
        let text = |(kind, path): (EntryKind, Vec<u8>)| {
            format!("{kind:?} {}", String::from_utf8(path).unwrap())
        };
        Some(entries.into_iter().map(text).collect())
    }

    #[test]
    fn every_version_and_both_lengths_of_ids_are_read() {
        let long = format!("a/{}", "x".repeat(200));
        let given = [".gitignore", &long, "a/y", "b/Cargo.lock", "c/"];
        for version in 2..=4 {
            for id_bytes in ID_BYTES {
                assert_eq!(
                    paths(&index(version, id_bytes, &given)).unwrap(),
                    [
                        "File .gitignore",
                        &format!("File {long}"),
                        "File a/y",
                        "File b/Cargo.lock",
                        "Submodule c"
                    ],
                    "version {version}, {id_bytes} bytes"
                );
            }
        }
    }

    #[test]
    fn a_damaged_index_is_no_shorter_list() {
        for version in 2..=4 {
            let whole = index(version, 20, &["a/Cargo.lock", "b/Cargo.lock", "c"]);
            for end in 0..whole.len() {
                // Extensions may be missing at the end, but no path.
                let read = paths(&whole[..end]);
                assert!(
                    read.is_none_or(|paths| paths.len() == 3),
                    "version {version}, {end} bytes"
                );
            }
        }
        assert_eq!(paths(&index(5, 20, &["a"])), None);
        assert_eq!(paths(&index(2, 20, &["b", "a"])), None);
    }

    #[test]
    fn a_split_index_is_not_read() {
        let mut bytes = index(2, 20, &["a"]);
        let end = bytes.len() - 20;
        bytes.truncate(end);
        bytes.extend(b"link\0\0\0\x14");
        bytes.extend([1; 20 + 20]);
        assert_eq!(paths(&bytes), None);
    }
}
