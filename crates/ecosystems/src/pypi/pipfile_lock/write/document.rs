//! The text of a `Pipfile.lock`, with the positions of its values.

use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged as _;

use super::super::META;
use super::markers::MarkerStyle;
use crate::npm::json::strict_ast;
use crate::pypi::name::normalize;

/// One entry of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) category: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) markers: Option<String>,
    pub(super) has_hashes: bool,
}

/// A package that the file does not have yet.
#[derive(Debug)]
pub(super) struct NewEntry<'a> {
    /// Its name in the normal form.
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) hashes: &'a [String],
    pub(super) markers: Option<&'a str>,
}

/// The file, with the changes so far.
pub(super) struct Document<'t> {
    text: &'t str,
    root: Object<'t>,
    edits: Vec<(Range<usize>, String)>,
}

impl<'t> Document<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, String> {
        match strict_ast(text)? {
            Value::Object(root) => Ok(Self {
                text,
                root,
                edits: Vec::new(),
            }),
            _ => Err("it is not a map".to_owned()),
        }
    }

    /// The entries of all categories.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for category in &self.root.properties {
            let Value::Object(packages) = &category.value else {
                continue;
            };
            if category.name.as_str() == META {
                continue;
            }
            for package in &packages.properties {
                let Value::Object(fields) = &package.value else {
                    continue;
                };
                entries.push(Entry {
                    category: category.name.as_str().to_owned(),
                    name: package.name.as_str().to_owned(),
                    version: text_of(fields, "version"),
                    markers: text_of(fields, "markers"),
                    has_hashes: value_of(fields, "hashes").is_some(),
                });
            }
        }
        entries
    }

    /// The hash of the `Pipfile` with its position.
    fn hash_span(&self) -> Option<Range<usize>> {
        let Some(Value::Object(meta)) = value_of(&self.root, META) else {
            return None;
        };
        let Some(Value::Object(hash)) = value_of(meta, "hash") else {
            return None;
        };
        let range = value_of(hash, "sha256")?.range();
        Some(range.start + 1..range.end.checked_sub(1)?)
    }

    /// The hash of the `Pipfile`.
    pub(super) fn hash(&self) -> Option<&'t str> {
        self.text.get(self.hash_span()?)
    }

    pub(super) fn set_hash(&mut self, digest: &str) -> Result<(), String> {
        let span = self.hash_span().ok_or("it has no hash of its Pipfile")?;
        self.edits.push((span, digest.to_owned()));
        Ok(())
    }

    /// How the file has its markers.
    pub(super) fn marker_style(&self) -> MarkerStyle {
        let entries = self.entries();
        let mut all = entries.iter().filter_map(|entry| entry.markers.as_deref());
        MarkerStyle {
            has_any: all
                .clone()
                .any(|markers| markers.contains("python_version >= '")),
            has_lists: all.any(|markers| markers.contains(" not in ")),
        }
    }

    fn category(&self, name: &str) -> Option<&Object<'t>> {
        match value_of(&self.root, name)? {
            Value::Object(packages) => Some(packages),
            _ => None,
        }
    }

    fn fields(&self, entry: &Entry) -> Result<&Object<'t>, String> {
        let packages = self.category(&entry.category);
        match packages.and_then(|packages| value_of(packages, &entry.name)) {
            Some(Value::Object(fields)) => Ok(fields),
            _ => Err(format!("`{}` was not found", entry.name)),
        }
    }

    fn value(&self, entry: &Entry, name: &str) -> Result<Range<usize>, String> {
        let value = value_of(self.fields(entry)?, name);
        let range = value
            .ok_or_else(|| format!("`{}` has no `{name}`", entry.name))?
            .range();
        Ok(range.start..range.end)
    }

    pub(super) fn set_version(&mut self, entry: &Entry, version: &str) -> Result<(), String> {
        let range = self.value(entry, "version")?;
        let operator = match entry.version.as_deref() {
            Some(stated) if stated.starts_with("===") => "===",
            _ => "==",
        };
        let new = quoted(&format!("{operator}{version}"));
        self.edits.push((range, new));
        Ok(())
    }

    pub(super) fn set_hashes(&mut self, entry: &Entry, hashes: &[String]) -> Result<(), String> {
        let Some(Value::Array(list)) = value_of(self.fields(entry)?, "hashes") else {
            return Err(format!("`{}` has no list of hashes", entry.name));
        };
        let ranges: Vec<Range<usize>> = list
            .elements
            .iter()
            .map(|element| element.range().start..element.range().end)
            .collect();
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            return Err(format!("`{}` has an empty list of hashes", entry.name));
        };
        let between = match ranges.get(1) {
            Some(second) => self.text.get(first.end..second.start).map(str::to_owned),
            None => self
                .text
                .get(list.range.start + 1..first.start)
                .map(|blank| format!(",{blank}")),
        };

        let all: Vec<String> = hashes.iter().map(|hash| quoted(hash)).collect();
        let text = all.join(&between.unwrap_or_default());
        self.edits.push((first.start..last.end, text));
        Ok(())
    }

    pub(super) fn set_markers(&mut self, entry: &Entry, markers: &str) -> Result<(), String> {
        if entry.markers.is_some() {
            let range = self.value(entry, "markers")?;
            self.edits.push((range, quoted(markers)));
            return Ok(());
        }

        // Keys are sorted, and the version is always one of those that follow.
        let fields = self.fields(entry)?;
        let next = fields
            .properties
            .iter()
            .find(|field| field.name.as_str() > "markers")
            .ok_or_else(|| format!("`{}` has no `version`", entry.name))?;
        let indent = self.indent(next)?;
        let at = next.range.start;
        let text = format!("\"markers\": {},{indent}", quoted(markers));
        self.edits.push((at..at, text));
        Ok(())
    }

    /// The line end and the blanks before a key.
    fn indent(&self, field: &ObjectProp<'_>) -> Result<&'t str, String> {
        let before = self.text.get(..field.range.start).unwrap_or_default();
        let start = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
        before
            .get(start..)
            .filter(|indent| indent.contains('\n'))
            .ok_or_else(|| "its entries are not on lines of their own".to_owned())
    }

    /// Removes an entry with the comma that separates it from others.
    pub(super) fn remove(&mut self, entry: &Entry) -> Result<(), String> {
        let packages = self.category(&entry.category);
        let properties = packages.map(|packages| &packages.properties);
        let missing = || format!("`{}` was not found", entry.name);
        let properties = properties.ok_or_else(missing)?;
        let at = properties
            .iter()
            .position(|package| package.name.as_str() == entry.name)
            .ok_or_else(missing)?;
        let range = |at: usize| properties.get(at).map(|package| package.range);
        let own = range(at).ok_or_else(missing)?;
        let span = match (range(at + 1), at.checked_sub(1).and_then(range)) {
            (Some(next), _) => own.start..next.start,
            (None, Some(before)) => before.end..own.end,
            (None, None) => {
                return Err(format!(
                    "a category would be empty without `{}`",
                    entry.name
                ));
            }
        };
        self.edits.push((span, String::new()));
        Ok(())
    }

    /// Adds an entry to a category, sorted by name.
    pub(super) fn add(&mut self, category: &str, new: &NewEntry<'_>) -> Result<(), String> {
        let empty = || format!("its category `{category}` has no entries");
        let packages = self.category(category).ok_or_else(empty)?;
        let properties = &packages.properties;
        let like = properties.iter().find_map(|package| match &package.value {
            Value::Object(fields) => Some((package, fields.properties.first()?)),
            _ => None,
        });
        let (package, field) = like.ok_or_else(empty)?;
        let (outer, inner) = (self.indent(package)?, self.indent(field)?);
        // One step further in.
        let step = inner.len().saturating_sub(outer.len());
        let innermost = format!("{inner}{}", " ".repeat(step));

        let all: Vec<String> = new.hashes.iter().map(|hash| quoted(hash)).collect();
        let list = all.join(&format!(",{innermost}"));
        let mut fields = format!("{inner}\"hashes\": [{innermost}{list}{inner}],");
        if let Some(markers) = new.markers {
            fields.push_str(&format!("{inner}\"markers\": {},", quoted(markers)));
        }
        let version = quoted(&format!("=={}", new.version));
        fields.push_str(&format!("{inner}\"version\": {version}"));
        let entry = format!("{}: {{{fields}{outer}}}", quoted(new.name));

        let next = properties
            .iter()
            .find(|package| normalize(package.name.as_str()).as_ref() > new.name);
        let edit = match (next, properties.last()) {
            (Some(next), _) => {
                let at = next.range.start;
                (at..at, format!("{entry},{outer}"))
            }
            (None, Some(last)) => {
                let at = last.range.end;
                (at..at, format!(",{outer}{entry}"))
            }
            (None, None) => return Err(empty()),
        };
        self.edits.push(edit);
        Ok(())
    }

    /// The text with all changes.
    pub(super) fn finish(mut self) -> String {
        // Stable: texts for one position keep their order.
        self.edits
            .sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = String::new();
        let mut at = 0;
        for (range, new) in &self.edits {
            changed.push_str(self.text.get(at..range.start).unwrap_or_default());
            changed.push_str(new);
            at = range.end.max(at);
        }
        changed.push_str(self.text.get(at..).unwrap_or_default());
        changed
    }
}

fn value_of<'o, 't>(object: &'o Object<'t>, name: &str) -> Option<&'o Value<'t>> {
    let mut fields = object.properties.iter();
    let field = fields.find(|field| field.name.as_str() == name)?;
    Some(&field.value)
}

fn text_of(object: &Object<'_>, name: &str) -> Option<String> {
    match value_of(object, name)? {
        Value::StringLit(text) => Some(text.value.clone().into_owned()),
        _ => None,
    }
}

/// A text of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
