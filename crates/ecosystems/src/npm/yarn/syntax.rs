//! The line format of yarn 1 (<https://classic.yarnpkg.com/lang/en/docs/yarn-lock/>).
//!
//! It resembles YAML but is a format of its own: an entry begins with a line of patterns and a
//! colon. Its fields are indented by two spaces, with a space between key and value, and its
//! dependencies by four.

use std::borrow::Cow;

use patchgate_syntax::split_lines;

use crate::fast_hash::FastHashSet;
use crate::npm::tree::shortened;
use crate::{ParseError, SkippedEntries};

/// A key or name, and its value.
pub(super) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// One entry as written.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    /// Line of its patterns, from 1.
    pub(super) line: usize,
    /// At least one `name@requirement`.
    pub(super) patterns: Vec<Cow<'a, str>>,
    pub(super) version: Option<Cow<'a, str>>,
    pub(super) resolved: Option<Cow<'a, str>>,
    pub(super) integrity: Option<Cow<'a, str>>,
    pub(super) dependencies: Vec<Pair<'a>>,
    pub(super) optional_dependencies: Vec<Pair<'a>>,
}

/// The section that the deeper indented lines belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    None,
    Dependencies,
    Optional,
    /// A section that is not read.
    Other,
}

/// Reads the entries of a file, in its order. Of a key that an entry has twice, the last value
/// counts, as in yarn.
pub(super) fn entries<'a>(
    text: &'a str,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Entry<'a>>, ParseError> {
    let mut reader = Reader {
        entries: Vec::new(),
        section: Section::None,
        seen: FastHashSet::default(),
        skipped,
    };
    let mut is_lockfile = false;
    for (index, line) in split_lines(text).enumerate() {
        let number = index + 1;
        let content = line.trim_start_matches(' ');
        if content.is_empty() {
            continue;
        }
        if let Some(comment) = content.strip_prefix('#') {
            is_lockfile |= is_header(comment, number, reader.skipped);
            continue;
        }

        reader
            .line(content, line.len() - content.len(), number)
            .ok_or_else(|| {
                ParseError::new("is not a yarn.lock: this line has an invalid format")
                    .at_line(number)
                    .with_hint(super::REGENERATE)
            })?;
    }

    if reader.entries.is_empty() && !is_lockfile {
        return Err(ParseError::new(
            "is not a yarn.lock: it has neither a header nor entries",
        ));
    }
    if ends_in_a_word(text) {
        return Err(ParseError::new("ends in the middle of a line")
            .at_line(text.lines().count())
            .with_hint(super::REGENERATE));
    }

    Ok(reader.entries)
}

/// Whether a comment is the header with the format version.
fn is_header(comment: &str, line: usize, skipped: &mut SkippedEntries) -> bool {
    let Some(version) = comment.trim().strip_prefix("yarn lockfile v") else {
        return false;
    };
    if version != "1" {
        let shown = shortened(version);
        skipped.package(
            line_number(line),
            format!("has the unknown format version {shown}: packages may be missing"),
        );
    }

    true
}

/// Whether the file may be cut inside its last value. yarn ends every line; a last line without an
/// end is only complete if its value is in quotes, or a hash of full length.
fn ends_in_a_word(text: &str) -> bool {
    let last = text.lines().next_back().unwrap_or_default();
    !text.ends_with('\n') && !last.ends_with('"') && !ends_in_a_hash(last)
}

/// Whether a line is a hash of subresource integrity whose digits are complete
/// (<https://www.w3.org/TR/SRI/>).
fn ends_in_a_hash(line: &str) -> bool {
    let hash = line.trim_start().strip_prefix("integrity ");
    let parts = hash.and_then(|hash| hash.split_once('-'));
    parts.is_some_and(|(algorithm, digits)| {
        let length = match algorithm {
            "sha1" => 28,
            "sha256" => 44,
            "sha384" => 64,
            "sha512" => 88,
            _ => return false,
        };
        digits.len() == length
    })
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

struct Reader<'a, 's> {
    entries: Vec<Entry<'a>>,
    section: Section,
    /// Patterns so far.
    seen: FastHashSet<Cow<'a, str>>,
    skipped: &'s mut SkippedEntries,
}

impl<'a> Reader<'a, '_> {
    /// Reads a line, given without its indentation; `None` if it does not follow the format.
    fn line(&mut self, content: &'a str, indent: usize, number: usize) -> Option<()> {
        match (indent, self.section) {
            (0, _) => {
                let patterns = patterns(content)?;
                for pattern in &patterns {
                    // Both entries are packages; only the one that dependents get is in doubt.
                    if !self.seen.insert(pattern.clone()) {
                        self.skipped.detail(line_number(number), twice(pattern));
                    }
                }

                self.section = Section::None;
                self.entries.push(Entry {
                    line: number,
                    patterns,
                    ..Entry::default()
                });

                Some(())
            }
            (2, _) => self.field(content, number),
            (4, Section::None) => None,
            (4.., Section::Other) => Some(()),
            (4, section) => {
                let (name, value) = pair(content)?;
                let entry = self.entries.last_mut()?;
                match section {
                    Section::Optional => entry.optional_dependencies.push((name, value)),
                    _ => entry.dependencies.push((name, value)),
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Reads a field of the current entry, or the header of a section.
    fn field(&mut self, content: &'a str, number: usize) -> Option<()> {
        let entry = self.entries.last_mut()?;
        if let Some(name) = content.strip_suffix(':') {
            let section = match name {
                "dependencies" => Section::Dependencies,
                "optionalDependencies" => Section::Optional,
                _ => Section::Other,
            };
            let repeated = match section {
                Section::Dependencies => !entry.dependencies.is_empty(),
                Section::Optional => !entry.optional_dependencies.is_empty(),
                _ => false,
            };
            self.section = section;
            // The edges of both are read.
            if repeated {
                self.skipped.detail(line_number(number), twice(name));
            }
            return Some(());
        }

        self.section = Section::None;
        let (name, value) = pair(content)?;
        let slot = match &*name {
            "version" => &mut entry.version,
            "resolved" => &mut entry.resolved,
            "integrity" => &mut entry.integrity,
            _ => return Some(()),
        };

        let earlier = slot.replace(value);
        if earlier.is_some() && earlier != *slot && name == "version" {
            self.skipped.package(line_number(number), twice(&name));
        } else if earlier.is_some() {
            self.skipped.detail(line_number(number), twice(&name));
        }

        Some(())
    }
}

fn twice(key: &str) -> String {
    format!("has the key `{}` twice", shortened(key))
}

/// Parses the first line of an entry: `a@1, "b@2":`.
fn patterns(content: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut patterns = Vec::new();
    let mut rest = content;

    loop {
        let (pattern, after) = token(rest, &[',', ':'])?;
        patterns.push(pattern);
        if after.trim_end() == ":" {
            return Some(patterns);
        }
        rest = after.strip_prefix(',')?.trim_start_matches(' ');
    }
}

/// Parses a line `name "value"`; `None` for any other line.
fn pair(content: &str) -> Option<Pair<'_>> {
    let (name, after) = token(content, &[',', ':'])?;
    let (value, after) = token(after.strip_prefix(' ')?.trim_start_matches(' '), &[])?;
    after.trim_end().is_empty().then_some((name, value))
}

/// Splits off a quoted text, or a word that ends before a space or one of `ends`.
fn token<'a>(text: &'a str, ends: &[char]) -> Option<(Cow<'a, str>, &'a str)> {
    if let Some(inner) = text.strip_prefix('"') {
        return quoted(inner);
    }
    let end = text
        .find(|c: char| c == ' ' || c == '"' || c.is_control() || ends.contains(&c))
        .unwrap_or(text.len());
    let (word, rest) = (text.get(..end)?, text.get(end..)?);
    (!word.is_empty() && !rest.starts_with('"')).then_some((Cow::Borrowed(word), rest))
}

/// Splits off the content of a JSON string, given without its opening quote.
fn quoted(inner: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut escaped = false;
    let mut has_escapes = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        has_escapes |= escaped;
        ends
    })?;

    let (text, rest) = (inner.get(..end)?, inner.get(end + 1..)?);
    if !has_escapes {
        return Some((Cow::Borrowed(text), rest));
    }

    let text: String = serde_json::from_str(&format!("\"{text}\"")).ok()?;
    Some((Cow::Owned(text), rest))
}

#[cfg(test)]
mod tests {
    use patchgate_model::Loss;

    use super::*;

    fn refused(text: &str) -> String {
        let error = entries(text, &mut SkippedEntries::default()).unwrap_err();
        format!("{}: {}", error.line.unwrap_or(0), error.reason)
    }

    #[test]
    fn reads_words_and_quotes() {
        let text = "# yarn lockfile v1\n\n\na@^1, \"b@npm:a@^1 || 2\":\n  version \"1.0.0\"\n  resolved \"x\\u0041\"\n  integrity sha512-a==\n  dependencies:\n    c \"^1\"\n    \"@s/d\" latest\n  optionalDependencies:\n    e \"2\"\n  other:\n    f 1\n      deeper 2\n  uid \"\"\n";
        let entries = entries(text, &mut SkippedEntries::default()).unwrap();
        insta::assert_snapshot!(format!("{entries:?}"));
    }

    #[test]
    fn duplicates_and_later_versions_are_skipped() {
        let seen = |text: &str| -> Vec<(u32, Loss, String)> {
            let mut skipped = SkippedEntries::default();
            entries(text, &mut skipped).unwrap();
            skipped
                .into_entries()
                .into_iter()
                .map(|entry| (entry.line, entry.loss, entry.reason))
                .collect()
        };
        let twice = |key: &str| format!("has the key `{key}` twice");

        assert_eq!(
            seen("a@1:\n  version \"1\"\na@1:\n  version \"2\"\n"),
            [(3, Loss::Detail, twice("a@1"))]
        );
        assert_eq!(
            seen("a@1:\n  version \"1\"\n  version \"2\"\n"),
            [(3, Loss::Package, twice("version"))]
        );
        assert_eq!(
            seen("a@1:\n  version \"1\"\n  version \"1\"\n"),
            [(3, Loss::Detail, twice("version"))]
        );
        assert_eq!(
            seen("a@1, a@1:\n  version \"1\"\n"),
            [(1, Loss::Detail, twice("a@1"))]
        );
        assert_eq!(
            seen("# yarn lockfile v2\n"),
            [(
                1,
                Loss::Package,
                "has the unknown format version 2: packages may be missing".to_owned()
            )]
        );
    }

    #[test]
    fn a_last_line_without_a_line_break_is_read_if_it_is_whole() {
        let hash = format!(
            "a@1:\n  version \"1\"\n  integrity sha512-{}==",
            "a".repeat(86)
        );
        for whole in ["a@1:\n  version \"1\"", &hash] {
            assert!(entries(whole, &mut SkippedEntries::default()).is_ok());
        }
        let cut = hash.strip_suffix('=').unwrap();
        assert_eq!(refused(cut), "3: ends in the middle of a line");
    }

    #[test]
    fn refuses_lines_of_another_format() {
        let refusals: Vec<String> = [
            "a: 1\n",
            "a@1:\n   version \"1\"\n",
            "a@1:\n\tversion \"1\"\n",
            "a@1:\n    version \"1\"\n",
            "  version \"1\"\n",
            "a@1:\n  version \"1\n",
            "a@1:\n  version \"1\" 2\n",
            "a@1:\n  version\n",
            "a@1:\n  integrity sha512-abc",
            "# nothing\n",
        ]
        .iter()
        .map(|text| refused(text))
        .collect();

        insta::assert_snapshot!(refusals.join("\n"));
    }
}
