//! The text of a yarn 1 lockfile as blocks, one for each entry, and yarn's way to print one.
//!
//! The rules of order and quoting are those of yarn's `src/lockfile/stringify.js`
//! (<https://github.com/yarnpkg/yarn/blob/v1.22.22/src/lockfile/stringify.js>).

use std::cmp::Ordering;

/// The text of an entry, and what follows it.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The patterns in their order.
    pub(super) patterns: Vec<String>,
    /// From the line of the patterns to the line break of the last field.
    pub(super) text: String,
    /// Empty lines and comments up to the next entry.
    pub(super) gap: String,
}

/// A file, cut into the text before the first entry, and its entries.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) header: String,
    pub(super) blocks: Vec<Block>,
    /// The line break of the file.
    pub(super) line_end: &'static str,
}

impl Blocks {
    /// Cuts a file at the lines that entries begin at. Lines are counted from 1 and ascend.
    pub(super) fn cut(text: &str, entries: impl Iterator<Item = (usize, Vec<String>)>) -> Self {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let entries: Vec<(usize, Vec<String>)> = entries.collect();
        let starts: Vec<usize> = entries.iter().map(|(line, _)| line - 1).collect();
        let join = |from: usize, to: usize| lines.get(from..to).unwrap_or_default().concat();

        let first = starts.first().copied().unwrap_or(lines.len());
        let mut blocks = Vec::with_capacity(entries.len());
        for (index, (_, patterns)) in entries.into_iter().enumerate() {
            let start = starts.get(index).copied().unwrap_or(lines.len());
            let next = starts.get(index + 1).copied().unwrap_or(lines.len());
            let is_field = |line: &&str| {
                let line = line.trim();
                !line.is_empty() && !line.starts_with('#')
            };
            let length = lines
                .get(start..next)
                .and_then(|lines| lines.iter().rposition(is_field))
                .map_or(0, |last| last + 1);
            blocks.push(Block {
                patterns,
                text: join(start, start + length),
                gap: join(start + length, next),
            });
        }

        Self {
            header: join(0, first),
            blocks,
            line_end: match text.contains("\r\n") {
                true => "\r\n",
                false => "\n",
            },
        }
    }

    /// The file. The end of the last block is that of the file before.
    pub(super) fn print(&self, tail: &str) -> String {
        let mut out = self.header.clone();
        for (index, block) in self.blocks.iter().enumerate() {
            let is_last = index + 1 == self.blocks.len();
            out.push_str(block.text.trim_end_matches(['\r', '\n']));
            if is_last {
                out.push_str(tail);
                break;
            }
            out.push_str(self.line_end);
            match block.gap.is_empty() {
                true => out.push_str(self.line_end),
                false => out.push_str(&block.gap),
            }
        }

        out
    }

    /// The line break and the empty lines at the end of the file.
    pub(super) fn tail(&self) -> String {
        let Some(last) = self.blocks.last() else {
            return String::new();
        };
        let fields = last.text.trim_end_matches(['\r', '\n']).len();
        let mut tail = last.text.get(fields..).unwrap_or_default().to_owned();
        tail.push_str(&last.gap);
        tail
    }

    /// Adds a block before the first one that is greater, which is yarn's position in a file in
    /// yarn's order.
    pub(super) fn insert(&mut self, block: Block) {
        let key = block.patterns.first().map_or("", |pattern| pattern);
        let at = self
            .blocks
            .iter()
            .position(|other| {
                let other = other.patterns.first().map_or("", |pattern| pattern);
                order(other, key) == Ordering::Greater
            })
            .unwrap_or(self.blocks.len());
        self.blocks.insert(at, block);
    }
}

/// yarn's order of patterns and names: by UTF-16 code units.
pub(super) fn order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// The line of an entry's patterns, without a line break.
pub(super) fn key_line(patterns: &[String]) -> String {
    let quoted: Vec<String> = patterns.iter().map(|pattern| quoted(pattern)).collect();
    format!("{}:", quoted.join(", "))
}

/// The fields of a new entry.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub(super) version: &'a str,
    pub(super) dependencies: Vec<(&'a str, &'a str)>,
    pub(super) optional_dependencies: Vec<(&'a str, &'a str)>,
}

impl Fields<'_> {
    /// The lines after that of the patterns, each with its line break.
    pub(super) fn print(&self, resolved: &str, integrity: &str, line_end: &str) -> String {
        let mut out = String::new();
        for (name, value) in [
            ("version", self.version),
            ("resolved", resolved),
            ("integrity", integrity),
        ] {
            out += &format!("  {name} {}{line_end}", quoted(value));
        }
        for (section, listed) in [
            ("dependencies", &self.dependencies),
            ("optionalDependencies", &self.optional_dependencies),
        ] {
            if listed.is_empty() {
                continue;
            }
            out += &format!("  {section}:{line_end}");
            let mut listed = listed.clone();
            listed.sort_by(|(a, _), (b, _)| field_order(a, b));
            for (name, value) in listed {
                out += &format!("    {} {}{line_end}", quoted(name), quoted(value));
            }
        }

        out
    }
}

/// yarn sorts every object like an entry, so a dependency with the name of a field comes first.
fn field_order(a: &str, b: &str) -> Ordering {
    const FIRST: [&str; 7] = [
        "name",
        "version",
        "uid",
        "resolved",
        "integrity",
        "registry",
        "dependencies",
    ];
    let rank = |name: &str| FIRST.iter().position(|field| *field == name);
    match (rank(a), rank(b)) {
        (None, None) => order(a, b),
        (a, b) => a.unwrap_or(FIRST.len()).cmp(&b.unwrap_or(FIRST.len())),
    }
}

/// A key or value, in quotes where yarn puts it in quotes.
fn quoted(text: &str) -> String {
    let needs_quotes = text.starts_with("true")
        || text.starts_with("false")
        || !text.starts_with(|first: char| first.is_ascii_alphabetic())
        || text.contains(|c: char| {
            c.is_whitespace() || c == '\u{feff}' || matches!(c, ':' | '\\' | '"' | ',' | '[' | ']')
        });
    match needs_quotes {
        true => serde_json::Value::from(text).to_string(),
        false => text.to_owned(),
    }
}
