//! A lockfile without its odd parts.
//!
//! The readers refuse a duplicate key and a value of the wrong kind. npm itself reads such a file:
//! `JSON.parse` takes the last value of a key, and npm ignores a value that it cannot use. This module
//! replaces those parts with blanks, so that lines stay, and records them. It runs only after the
//! readers have refused a file.

use std::collections::HashMap;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged as _;
use patchgate_model::Loss;

use crate::SkippedEntries;
use crate::npm::json::strict_ast;
use crate::npm::tree::shortened;

/// The text without its odd parts, and these. `None` if there are none, or if the text is not JSON.
pub(super) fn repaired(text: &str) -> Option<(String, SkippedEntries)> {
    let Value::Object(root) = strict_ast(text).ok()? else {
        return None;
    };
    let mut repair = Repair {
        text,
        bytes: text.as_bytes().to_vec(),
        lines: patchgate_syntax::Lines::new(text),
        skipped: SkippedEntries::default(),
        is_changed: false,
    };

    repair.keep(&root, |_, _| Keep::Yes, |_| Loss::Package);
    // Version 2 has the tree twice, and npm reads `packages`.
    match (value(&root, "packages"), value(&root, "dependencies")) {
        (Some(packages), _) => repair.packages(packages),
        (None, Some(dependencies)) => repair.nested(dependencies),
        (None, None) => {}
    }

    let is_changed = repair.is_changed;
    let clean = String::from_utf8(repair.bytes).ok()?;
    is_changed.then_some((clean, repair.skipped))
}

/// Whether a property stays.
enum Keep {
    Yes,
    /// It is removed, and nothing is lost with it.
    No,
    /// It is removed.
    Lost(Loss),
}

struct Repair<'a> {
    text: &'a str,
    bytes: Vec<u8>,
    lines: patchgate_syntax::Lines<'a>,
    skipped: SkippedEntries,
    is_changed: bool,
}

impl Repair<'_> {
    /// The value of `packages`.
    fn packages(&mut self, packages: &Value<'_>) {
        let Value::Object(packages) = packages else {
            return;
        };
        self.keep(packages, is_entry, |_| Loss::Package);

        for entry in last_ones(packages) {
            if let Value::Object(entry) = &entry.value {
                self.entry(entry, false);
            }
        }
    }

    /// The value of `dependencies` in version 1. The parser limits its depth.
    fn nested(&mut self, dependencies: &Value<'_>) {
        let Value::Object(dependencies) = dependencies else {
            return;
        };
        self.keep(dependencies, is_entry, |_| Loss::Package);

        for entry in last_ones(dependencies) {
            if let Value::Object(entry) = &entry.value {
                self.entry(entry, true);
                if let Some(inner) = value(entry, "dependencies") {
                    self.nested(inner);
                }
            }
        }
    }

    fn entry(&mut self, entry: &Object<'_>, is_nested: bool) {
        self.keep(
            entry,
            |key, value| field(key, value, is_nested),
            |key| match key {
                "version" => Loss::Package,
                "dependencies" if is_nested => Loss::Package,
                _ if is_names(key, is_nested) => Loss::Edge,
                _ => Loss::Detail,
            },
        );

        for property in last_ones(entry) {
            if let (true, Value::Object(names)) =
                (is_names(property.name.as_str(), is_nested), &property.value)
            {
                self.keep(
                    names,
                    |_, value| match value {
                        Value::StringLit(_) | Value::NullKeyword(_) => Keep::Yes,
                        _ => Keep::Lost(Loss::Edge),
                    },
                    |_| Loss::Edge,
                );
            }
        }
    }

    /// Removes the odd properties of an object: duplicates, of which the last one stays, and those
    /// that `check` refuses. `duplicate` is what a different earlier value may lose.
    fn keep(
        &mut self,
        object: &Object<'_>,
        check: impl Fn(&str, &Value<'_>) -> Keep,
        duplicate: impl Fn(&str) -> Loss,
    ) {
        let mut last: HashMap<&str, usize> = HashMap::new();
        for (index, property) in object.properties.iter().enumerate() {
            last.insert(property.name.as_str(), index);
        }

        let mut kept = vec![true; object.properties.len()];
        for (index, property) in object.properties.iter().enumerate() {
            let key = property.name.as_str();
            let shown = shortened(key);
            let line = self.lines.of(property.range.start);
            let counting = last.get(key).and_then(|last| object.properties.get(*last));
            let is_duplicate = last.get(key) != Some(&index);

            let lost = match (is_duplicate, check(key, &property.value)) {
                (false, Keep::Yes) => continue,
                (false, Keep::No) => None,
                (false, Keep::Lost(loss)) => Some((
                    loss,
                    format!("has a value of the wrong kind under `{shown}`"),
                )),
                (true, _) => {
                    let text = |property: &ObjectProp<'_>| {
                        let range = property.value.range();
                        self.text.get(range.start..range.end)
                    };
                    let is_same = counting.and_then(text) == text(property);
                    let loss = if is_same {
                        Loss::Detail
                    } else {
                        duplicate(key)
                    };
                    Some((loss, format!("has the key `{shown}` twice")))
                }
            };
            if let Some((loss, reason)) = lost {
                self.skipped.add(loss, line, reason);
            }
            if let Some(kept) = kept.get_mut(index) {
                *kept = false;
            }
        }

        self.remove(object, &kept);
    }

    /// Replaces the properties that are not kept with blanks. Of the commas, the one before each kept
    /// property stays, except before the first.
    fn remove(&mut self, object: &Object<'_>, kept: &[bool]) {
        if kept.iter().all(|kept| *kept) {
            return;
        }
        self.is_changed = true;

        let mut has_kept = false;
        let mut end = None;
        for (property, is_kept) in object.properties.iter().zip(kept) {
            if let Some(end) = end.filter(|_| !(*is_kept && has_kept)) {
                self.blank(end, property.range.start);
            }
            if !is_kept {
                self.blank(property.range.start, property.range.end);
            }
            has_kept |= is_kept;
            end = Some(property.range.end);
        }
    }

    fn blank(&mut self, start: usize, end: usize) {
        let bytes = self.bytes.get_mut(start..end).unwrap_or_default();
        for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
}

/// The properties that count: the last one of each key.
fn last_ones<'o, 'a>(object: &'o Object<'a>) -> impl Iterator<Item = &'o ObjectProp<'a>> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (index, property) in object.properties.iter().enumerate() {
        last.insert(property.name.as_str(), index);
    }
    object
        .properties
        .iter()
        .enumerate()
        .filter(move |(index, property)| last.get(property.name.as_str()) == Some(index))
        .map(|(_, property)| property)
}

/// The value of a key that counts.
fn value<'o, 'a>(object: &'o Object<'a>, key: &str) -> Option<&'o Value<'a>> {
    let mut matching = object.properties.iter().rev();
    matching
        .find(|property| property.name.as_str() == key)
        .map(|property| &property.value)
}

fn is_entry(_: &str, value: &Value<'_>) -> Keep {
    match value {
        Value::Object(_) => Keep::Yes,
        _ => Keep::Lost(Loss::Package),
    }
}

/// Whether the value of a key is a map of names and requirements.
fn is_names(key: &str, is_nested: bool) -> bool {
    match is_nested {
        true => key == "requires",
        false => matches!(
            key,
            "dependencies" | "devDependencies" | "optionalDependencies" | "peerDependencies"
        ),
    }
}

/// Whether the value of an entry's key has the right kind. npm 5 and 6 wrote `"resolved": false` for
/// some bundled packages.
fn field(key: &str, value: &Value<'_>, is_nested: bool) -> Keep {
    match (key, value) {
        (
            "name" | "version" | "resolved" | "integrity",
            Value::StringLit(_) | Value::NullKeyword(_),
        ) => Keep::Yes,
        ("resolved", Value::BooleanLit(_)) => Keep::No,
        // A missing version is recorded when the entry is checked.
        ("version", _) => Keep::No,
        ("name", _) => Keep::Lost(Loss::Package),
        ("resolved" | "integrity", _) => Keep::Lost(Loss::Detail),
        (
            "dev" | "optional" | "devOptional" | "inBundle" | "bundled" | "link",
            Value::BooleanLit(_),
        ) => Keep::Yes,
        ("dev" | "optional" | "devOptional" | "inBundle" | "bundled" | "link", _) => {
            Keep::Lost(Loss::Detail)
        }
        ("dependencies", Value::Object(_)) => Keep::Yes,
        ("dependencies", _) if is_nested => Keep::Lost(Loss::Package),
        ("requires", Value::BooleanLit(_) | Value::NullKeyword(_)) => Keep::Yes,
        (key, value) if is_names(key, is_nested) && !matches!(value, Value::Object(_)) => {
            Keep::Lost(Loss::Edge)
        }
        _ => Keep::Yes,
    }
}
