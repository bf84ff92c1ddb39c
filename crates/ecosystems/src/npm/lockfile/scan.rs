//! Fast line-based reader for a `package-lock.json` with exactly the layout that npm writes.
//!
//! npm writes the output of `JSON.stringify` with indentation: one key or element per line, and
//! brackets at the ends of lines. On any deviation [`scan`] gives up, and serde_json reads the whole
//! file instead. Only serde_json reports errors. This reader may therefore reject any file, but must
//! never read one differently from serde_json; a property test checks that.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memmem;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use serde::de::IgnoredAny;

use super::packages::{self, Entries, Entry};
use super::{Document, Installed};
use crate::limits;
use crate::npm::json::{Filling, Map, Text};

/// Maximum nesting of a skipped value. The deepest one is the second tree of version 2.
const MAX_DEPTH: usize = 64;

/// Smallest size of a part, in bytes, that is worth a task of its own: about 500 packages.
const PART_BYTES: usize = 256 * 1024;

/// Reads a lockfile of version 2 or 3; `None` if its layout is not npm's.
pub(super) fn scan(text: &str) -> Option<Document<'_>> {
    scan_in_parts(text, PART_BYTES)
}

fn scan_in_parts(text: &str, part_bytes: usize) -> Option<Document<'_>> {
    if has_control(text) {
        return None;
    }

    let mut reader = Reader {
        rest: text,
        line: 0,
        indentation: 0,
        expected: Expected::Any,
    };
    let mut document = Document::default();
    let mut mirror = None;
    let open = reader.next()?;
    reader.object(open, |reader, key, value| match key {
        "name" => once(&mut document.name, string(value)?),
        "lockfileVersion" => once(&mut document.version, version(value)?),
        "packages" => once(&mut document.packages, entries(reader, value, part_bytes)?),
        // Version 2 contains the tree a second time.
        "dependencies" => {
            once(&mut mirror, ())?;
            reader.pass_over(value, 0)
        }
        _ => reader.pass_over(value, 0),
    })?;

    let is_whole = reader.expected == Expected::Close && reader.rest.is_empty();
    let has_packages = document.version.is_some() && document.packages.is_some();

    (is_whole && has_packages).then_some(document)
}

fn version(value: &str) -> Option<u64> {
    match value {
        "2" => Some(2),
        "3" => Some(3),
        _ => None,
    }
}

/// The value of `packages`, with its parts read in parallel.
fn entries<'a>(reader: &mut Reader<'a>, value: &str, part_bytes: usize) -> Option<Entries<'a>> {
    if value != "{" {
        return None;
    }

    let texts = parts(reader.rest, reader.indentation, part_bytes);
    let last = texts.len() - 1;
    let count = AtomicUsize::new(0);
    let parts: Option<Vec<Part<'a>>> = texts
        .into_par_iter()
        .enumerate()
        .map(|(index, text)| part(text, index == 0, index == last, &count))
        .collect();
    let parts = parts?;

    let mut copies = Vec::with_capacity(count.into_inner());
    for part in parts {
        let lines_before = reader.line;
        copies.extend(part.copies.into_iter().map(|copy| Installed {
            line: lines_before + copy.line,
            ..copy
        }));
        *reader = part.end;
        reader.line += lines_before;
    }

    Some(Entries(copies))
}

/// Consecutive entries. Their lines are relative to the first of them.
struct Part<'a> {
    copies: Vec<Installed<'a>>,
    /// The reader after the last entry; for the last part, after the object.
    end: Reader<'a>,
}

/// Splits the text into parts at lines that look like the end of an entry. The last part is the rest
/// of the text, including everything after the apparent end of `packages`, which is the first
/// closing brace with this indentation. Reading a part verifies its split: it must end between two
/// members of the object in which it began.
fn parts(text: &str, indentation: usize, part_bytes: usize) -> Vec<&str> {
    let end_of_all = format!("\n{}}}", " ".repeat(indentation));
    let end_of_all = memmem::find(text.as_bytes(), end_of_all.as_bytes());
    let entries = text.as_bytes().get(..end_of_all.unwrap_or(0));
    let entries = entries.unwrap_or_default();
    let (inner, _) = text.split_at(text.len() - text.trim_start_matches(' ').len());
    let end_of_one = format!("\n{inner}}},\n");
    let finder = memmem::Finder::new(&end_of_one);

    let mut parts = Vec::new();
    let mut start = 0_usize;
    while let Some(from) = start.checked_add(part_bytes)
        && let Some(offset) = entries.get(from..).and_then(|rest| finder.find(rest))
    {
        let end = from + offset + end_of_one.len();
        parts.push(&text[start..end]);
        start = end;
    }

    parts.push(&text[start..]);
    parts
}

/// Reads a part; `count` is the number of entries that all parts have read so far.
fn part<'a>(text: &'a str, is_first: bool, is_last: bool, count: &AtomicUsize) -> Option<Part<'a>> {
    let mut copies = Vec::new();
    let mut reader = Reader {
        rest: text,
        line: 0,
        indentation: 0,
        expected: if is_first {
            Expected::Any
        } else {
            Expected::Value
        },
    };

    loop {
        // The last line of a part other than the last ends in a comma, so the object goes on.
        if !is_last && reader.rest.is_empty() {
            break;
        }

        match reader.member()? {
            Some((path, value)) => {
                let line = reader.line;
                let entry = entry(&mut reader, value)?;
                copies.push(packages::copy(Cow::Borrowed(path), line, entry));
                if count.fetch_add(1, Ordering::Relaxed) >= limits::MAX_PACKAGES {
                    return None;
                }
            }
            None if is_last => break,
            None => return None,
        }
    }

    Some(Part {
        copies,
        end: reader,
    })
}

fn entry<'a>(reader: &mut Reader<'a>, value: &str) -> Option<Entry<'a>> {
    let mut entry = Entry::default();
    reader.object(value, |reader, key, value| match key {
        "name" => once(&mut entry.name, string(value)?),
        "version" => once(&mut entry.version, string(value)?),
        "resolved" => once(&mut entry.resolved, string(value)?),
        "integrity" => once(&mut entry.integrity, string(value)?),
        "link" => flag(&mut entry.link, value),
        "dev" => flag(&mut entry.dev, value),
        "optional" => flag(&mut entry.optional, value),
        "devOptional" => flag(&mut entry.dev_optional, value),
        "inBundle" => flag(&mut entry.in_bundle, value),
        "dependencies" => names(reader, value, &mut entry.dependencies),
        "devDependencies" => names(reader, value, &mut entry.dev_dependencies),
        "optionalDependencies" => names(reader, value, &mut entry.optional_dependencies),
        "peerDependencies" => names(reader, value, &mut entry.peer_dependencies),
        _ => reader.pass_over(value, 0),
    })?;

    Some(entry)
}

/// Reads a map of names and requirements. npm writes no empty one, so if `names` is already filled
/// the key is a duplicate.
fn names<'a>(
    reader: &mut Reader<'a>,
    value: &str,
    names: &mut Map<'a, Option<Text<'a>>>,
) -> Option<()> {
    let mut filling = Filling::default();
    reader.object(value, |_, name, value| {
        filling.insert(Cow::Borrowed(name), Some(string(value)?))
    })?;
    let earlier = std::mem::replace(names, filling.done());
    (earlier.0.is_empty() && !names.0.is_empty()).then_some(())
}

/// Sets a field; `None` if an earlier key has set it.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// Sets a flag. npm writes only true ones, so if it is already set the key is a duplicate.
fn flag(field: &mut bool, value: &str) -> Option<()> {
    (value == "true" && !std::mem::replace(field, true)).then_some(())
}

fn string(value: &str) -> Option<Text<'_>> {
    match plain(value) {
        Some(inside) => Some(Text(Cow::Borrowed(inside))),
        None => serde_json::from_str(value).ok(),
    }
}

/// The content of a string literal; `None` if it has escapes.
fn plain(value: &str) -> Option<&str> {
    let (inside, after) = until_quote(value.strip_prefix('"')?)?;
    (after == "\"").then_some(inside)
}

/// Splits a text before its first quotation mark; `None` if an escape comes first.
fn until_quote(text: &str) -> Option<(&str, &str)> {
    let at = memchr::memchr2(b'"', b'\\', text.as_bytes())?;
    let (inside, after) = text.split_at_checked(at)?;
    after.starts_with('"').then_some((inside, after))
}

/// Whether the text has a control character other than line feeds. In strings they are errors;
/// elsewhere npm writes them for projects with tabs or Windows line ends. The loop has no early exit:
/// a full pass is vectorized, a short-circuiting one is not.
fn has_control(text: &str) -> bool {
    text.bytes()
        .fold(false, |found, byte| found | (byte < 0x20 && byte != b'\n'))
}

/// The rest of the text, read line by line.
struct Reader<'a> {
    rest: &'a str,
    /// Number of the last line that was read, from 1.
    line: u32,
    /// Number of spaces at the start of that line.
    indentation: usize,
    expected: Expected,
}

/// The lines that may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Any line: the last one opened an object or an array, or none was read yet.
    Any,
    /// A value: the last line ended in a comma.
    Value,
    /// A closing bracket: the last line ended a value without a comma.
    Close,
}

impl<'a> Reader<'a> {
    /// The next line, without its indentation and its comma.
    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.rest.as_bytes();
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        self.indentation = bytes.iter().position(|byte| *byte != b' ')?;
        let has_comma = bytes.get(..end)?.last() == Some(&b',');
        let line = self
            .rest
            .get(self.indentation..end - usize::from(has_comma))?;

        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        self.line += 1;

        let opens = matches!(line.as_bytes().last(), Some(b'{' | b'['));
        let closes = matches!(line, "}" | "]");
        let fits = match self.expected {
            Expected::Any => true,
            Expected::Value => !closes,
            Expected::Close => closes,
        };
        self.expected = match (opens, has_comma) {
            (true, true) => return None,
            (true, false) => Expected::Any,
            (false, true) => Expected::Value,
            (false, false) => Expected::Close,
        };

        fits.then_some(line)
    }

    /// Reads the object that `open` begins. `member` is called with each key and the rest of its
    /// line, and reads further lines if the value does not end there.
    fn object(
        &mut self,
        open: &str,
        mut member: impl FnMut(&mut Self, &'a str, &'a str) -> Option<()>,
    ) -> Option<()> {
        match open {
            "{" => {}
            "{}" => return Some(()),
            _ => return None,
        }

        while let Some((key, value)) = self.member()? {
            member(self, key, value)?;
        }

        Some(())
    }

    /// The key of the next member and the rest of its line; `Some(None)` at the object's end.
    fn member(&mut self) -> Option<Option<(&'a str, &'a str)>> {
        let line = self.next()?;
        if line == "}" {
            return Some(None);
        }
        let (key, value) = until_quote(line.strip_prefix('"')?)?;
        Some(Some((key, value.strip_prefix("\": ")?)))
    }

    /// Skips a value, and checks its syntax.
    fn pass_over(&mut self, value: &str, depth: usize) -> Option<()> {
        match value {
            "{" | "[" if depth == MAX_DEPTH => None,
            "{" => self.object(value, |reader, _, value| reader.pass_over(value, depth + 1)),
            "[" => loop {
                let line = self.next()?;
                if line == "]" {
                    return Some(());
                }
                self.pass_over(line, depth + 1)?;
            },
            "true" | "false" | "null" | "{}" | "[]" => Some(()),
            _ if plain(value).is_some() => Some(()),
            _ => serde_json::from_str(value).map(|IgnoredAny| ()).ok(),
        }
    }
}

#[cfg(test)]
mod tests;
