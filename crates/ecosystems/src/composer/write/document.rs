//! The text of a lockfile with the byte ranges that change.

use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;

use crate::npm::json::strict_ast;

/// The lists of packages, in the order of the file format.
pub(super) const LISTS: [&str; 2] = ["packages", "packages-dev"];

/// Indentation of an entry in a list, in Composer's steps.
pub(super) const LEVEL: usize = 2;

/// A list of packages.
#[derive(Debug)]
struct List {
    /// From the opening to the closing bracket.
    range: Range<usize>,
    /// From the opening to the closing brace of each entry.
    entries: Vec<Range<usize>>,
}

/// A lockfile in Composer's own formatting.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    line_end: &'static str,
    /// By the position in [`LISTS`].
    lists: [Option<List>; 2],
    content_hash: Option<Range<usize>>,
}

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let line_end = match text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        };
        if text.matches('\n').count() != text.matches(line_end).count() {
            return Err("it has line breaks of several kinds".to_owned());
        }

        let tree = strict_ast(text)?;
        let ast::Value::Object(root) = &tree else {
            return Err("it is not an object".to_owned());
        };
        let property = |name: &str| {
            let mut properties = root.properties.iter();
            properties
                .find(|property| property.name.as_str() == name)
                .map(|property| &property.value)
        };
        let content_hash = property("content-hash").map(|value| range(value.range()));
        let mut document = Self {
            text,
            line_end,
            lists: [None, None],
            content_hash,
        };
        for (list, name) in document.lists.iter_mut().zip(LISTS) {
            if let Some(ast::Value::Array(found)) = property(name) {
                *list = Some(List {
                    range: range(found.range()),
                    entries: found
                        .elements
                        .iter()
                        .map(|entry| range(entry.range()))
                        .collect(),
                });
            }
        }
        document.check_form()?;
        Ok(document)
    }

    /// Refuses other formatting than Composer's, in which new entries would not fit.
    fn check_form(&self) -> Result<(), String> {
        let lists: Vec<Vec<&str>> = (0..LISTS.len()).map(|list| self.entries(list)).collect();
        let printed = self.print(lists, None);
        match printed == self.text {
            true => Ok(()),
            false => Err("it is not formatted as Composer does".to_owned()),
        }
    }

    /// The texts of the entries of a list.
    pub(super) fn entries(&self, list: usize) -> Vec<&'a str> {
        let entries = self.lists.get(list).and_then(Option::as_ref);
        let entries = entries.map_or(&[][..], |list| &list.entries);
        entries
            .iter()
            .filter_map(|range| self.text.get(range.clone()))
            .collect()
    }

    /// Whether the file has a list, which may be empty.
    pub(super) fn has(&self, list: usize) -> bool {
        self.lists.get(list).is_some_and(Option::is_some)
    }

    /// `\r\n` or `\n`: every line of the file ends so.
    pub(super) fn line_end(&self) -> &'static str {
        self.line_end
    }

    /// The file with other lists and, if it changes, another hash.
    pub(super) fn print<T: AsRef<str>>(
        &self,
        lists: Vec<Vec<T>>,
        content_hash: Option<&str>,
    ) -> String {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for (list, entries) in self.lists.iter().zip(lists) {
            if let Some(list) = list {
                edits.push((list.range.clone(), self.printed(&entries)));
            }
        }
        if let (Some(range), Some(hash)) = (&self.content_hash, content_hash) {
            edits.push((range.clone(), format!("\"{hash}\"")));
        }

        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        let mut out = self.text.to_owned();
        for (range, new) in edits {
            out.replace_range(range, &new);
        }
        out
    }

    fn printed<T: AsRef<str>>(&self, entries: &[T]) -> String {
        if entries.is_empty() {
            return "[]".to_owned();
        }
        let line = |level: usize| format!("{}{}", self.line_end, "    ".repeat(level));
        let separator = format!(",{}", line(LEVEL));
        let entries: Vec<&str> = entries.iter().map(AsRef::as_ref).collect();
        format!(
            "[{}{}{}]",
            line(LEVEL),
            entries.join(&separator),
            line(LEVEL - 1)
        )
    }
}

fn range(range: jsonc_parser::common::Range) -> Range<usize> {
    range.start..range.end
}
