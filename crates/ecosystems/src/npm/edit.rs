//! Moving locked copies to other releases inside a lockfile.
//!
//! The edit is the first half of a move; the second is `npm install --package-lock-only
//! --ignore-scripts` over the result. Seen with npm 11.19, on versions 1 to 3:
//!
//! - npm believes an entry: a copy whose `version`, `integrity` and dependencies were changed in
//!   place stays at exactly that version and at its place, as long as its dependents admit it.
//! - It walks all edges of the tree that it loads. Where the new release needs something that is
//!   missing or locked at a version that it does not admit, npm fetches the newest version that
//!   all its dependents admit; copies that nothing needs any more go.
//! - It does not read the manifest of a locked package again, so whatever the edit leaves in the
//!   entry stays: see [`entry_fields`](super::entry_fields).
//! - A second run changes nothing.
//! - Version 2 stays version 2, but a file of version 1 comes out as version 3 unless npm is given
//!   `--lockfile-version 1`; with it, the file stays and a second run changes nothing.

use jsonc_parser::common::Ranged as _;
use patchgate_model::DependencyKind;
use serde::Serialize as _;
use serde_json::{Map, Value};

use super::manifest::strict_ast;
use super::requirement::alias;
use super::splice::{Splice, splice};
use crate::{EditError, Release, limits};

/// One locked copy that moves.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// Where npm installs the copy: [`Package::install_path`](patchgate_model::Package).
    pub install_path: &'a str,
    /// The release that takes its place.
    pub release: &'a Release,
}

/// Puts other releases in the place of locked copies, and changes nothing else.
///
/// Sets `version`, `integrity`, `resolved` (only in entries that have one: npm leaves it out when
/// the user asked for that) and what the entry keeps of the release's manifest. In version 2 the
/// mirror in `dependencies` follows, except below workspace members: npm writes the mirror anew
/// whenever it saves. What the new releases need beyond that is left to npm.
///
/// # Errors
/// When the text is no lockfile, a path is not in it, or the copy there is bundled.
pub fn move_packages(lockfile: &str, moves: &[Move<'_>]) -> Result<String, EditError> {
    if lockfile.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Lockfile("it is too large".to_owned()));
    }
    let body = lockfile.strip_prefix(BOM).unwrap_or(lockfile);
    let mut document = read(body)?;
    let mut text = body.to_owned();
    for one in moves {
        let places = places(&document, one.install_path);
        if places.is_empty() {
            return Err(EditError::NoSuchCopy {
                install_path: one.install_path.to_owned(),
            });
        }
        for place in places {
            text = replace(&text, &mut document, &place, one)?;
        }
    }
    if read(&text)? != document {
        return Err(EditError::Lockfile(
            "more than the packages would change".to_owned(),
        ));
    }
    if lockfile.starts_with(BOM) {
        text.insert(0, BOM);
    }
    Ok(text)
}

const BOM: char = '\u{feff}';

fn read(text: &str) -> Result<Value, EditError> {
    serde_json::from_str(text).map_err(|error| EditError::Lockfile(error.to_string()))
}

/// Where an entry stands, and in which of the two forms.
struct Place<'a> {
    keys: Vec<&'a str>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A value of `packages`: versions 2 and 3.
    Flat,
    /// A value of nested `dependencies`: version 1 and version 2's mirror.
    Nested,
}

/// The entries of the copy that stand in the document.
fn places<'a>(document: &Value, install_path: &'a str) -> Vec<Place<'a>> {
    let mut places = vec![Place {
        keys: vec!["packages", install_path],
        form: Form::Flat,
    }];
    if let Some(names) = install_path.strip_prefix("node_modules/") {
        let keys = names.split("/node_modules/");
        places.push(Place {
            keys: keys.flat_map(|name| ["dependencies", name]).collect(),
            form: Form::Nested,
        });
    }
    places.retain(|place| {
        let entry = place
            .keys
            .iter()
            .try_fold(document, |value, key| value.get(key));
        entry.is_some_and(Value::is_object)
    });
    places
}

/// Replaces one entry in the text and in the document.
fn replace(
    text: &str,
    document: &mut Value,
    place: &Place<'_>,
    one: &Move<'_>,
) -> Result<String, EditError> {
    let gone = || EditError::NoSuchCopy {
        install_path: one.install_path.to_owned(),
    };
    let tree = strict_ast(text).map_err(EditError::Lockfile)?;
    let mut node = tree.as_object();
    for key in &place.keys {
        node = node.and_then(|object| object.get_object(key));
    }
    let node = node.ok_or_else(gone)?;
    let entry = place
        .keys
        .iter()
        .try_fold(document, |value, key| value.get_mut(key))
        .and_then(Value::as_object_mut)
        .ok_or_else(gone)?;
    if ["inBundle", "bundled"]
        .iter()
        .any(|flag| entry.get(*flag) == Some(&Value::Bool(true)))
    {
        return Err(EditError::Bundled {
            install_path: one.install_path.to_owned(),
        });
    }
    let kept = kept_fields(place.form);
    let mut fields = match place.form {
        Form::Flat => flat_fields(entry, one.release)?,
        Form::Nested => nested_fields(entry, one.release),
    };
    let layout = Layout::around(text, node.range.start);
    let mut lines: Vec<(String, String)> = Vec::new();
    for property in &node.properties {
        let name = property.name.as_str();
        let range = property.value.range();
        // What stays keeps its bytes: copies nested in a version 1 entry above all.
        if kept.contains(&name)
            && let (Some(value), Some(source)) = (entry.get(name), text.get(range.start..range.end))
        {
            lines.push((name.to_owned(), source.to_owned()));
            fields.remove(name);
            fields.insert(name.to_owned(), value.clone());
        }
    }
    for (name, value) in &fields {
        if !lines.iter().any(|(known, _)| known == name) {
            lines.push((name.clone(), layout.value(value)?));
        }
    }
    lines.sort_by_key(|(name, _)| (rank(name, fields.get(name)), name.clone()));
    let new = layout.object(&lines);
    *entry = fields;
    let range = node.range.start..node.range.end;
    Ok(splice(text, vec![Splice::new(range, new)]))
}

/// Fields that say how the copy stands in the tree, not what it is.
fn kept_fields(form: Form) -> &'static [&'static str] {
    match form {
        Form::Flat => &[
            "name",
            "dev",
            "optional",
            "devOptional",
            "peer",
            "extraneous",
        ],
        Form::Nested => &["dev", "optional", "dependencies"],
    }
}

/// npm's order: identity first, then values and lists, then objects, what it needs before all.
fn rank(name: &str, value: Option<&Value>) -> usize {
    const FIRST: [&str; 4] = ["name", "version", "resolved", "integrity"];
    let is_object = value.is_some_and(Value::is_object);
    match FIRST.iter().position(|first| *first == name) {
        Some(place) => place,
        None if !is_object => FIRST.len(),
        None if name == "requires" => FIRST.len() + 1,
        None if name == "dependencies" => FIRST.len() + 2,
        None => FIRST.len() + 3,
    }
}

/// The fields of an entry of `packages` for a release.
fn flat_fields(
    entry: &Map<String, Value>,
    release: &Release,
) -> Result<Map<String, Value>, EditError> {
    let mut fields = match &release.lockfile_fields {
        Some(text) => serde_json::from_str(text).map_err(|error| {
            EditError::Lockfile(format!("release `{}`: {error}", release.version))
        })?,
        None => stated_fields(release),
    };
    identity(entry, release, &mut fields);
    Ok(fields)
}

/// What the release itself states, where its manifest's fields are not at hand.
fn stated_fields(release: &Release) -> Map<String, Value> {
    let sections = [
        (DependencyKind::Runtime, "dependencies"),
        (DependencyKind::Optional, "optionalDependencies"),
        (DependencyKind::Peer, "peerDependencies"),
    ];
    let mut fields = Map::new();
    for (kind, section) in sections {
        let needs = needs(release, &[kind]);
        if !needs.is_empty() {
            fields.insert(section.to_owned(), Value::Object(needs));
        }
    }
    if let Some(node) = &release.toolchain {
        fields.insert("engines".to_owned(), serde_json::json!({ "node": node }));
    }
    fields
}

/// The fields of a nested entry for a release.
fn nested_fields(entry: &Map<String, Value>, release: &Release) -> Map<String, Value> {
    let mut fields = Map::new();
    identity(entry, release, &mut fields);
    let requires = needs(
        release,
        &[DependencyKind::Runtime, DependencyKind::Optional],
    );
    if !requires.is_empty() {
        fields.insert("requires".to_owned(), Value::Object(requires));
    }
    fields
}

fn needs(release: &Release, kinds: &[DependencyKind]) -> Map<String, Value> {
    release
        .requirements
        .iter()
        .filter(|need| kinds.contains(&need.kind))
        .map(|need| (need.name.clone(), Value::from(need.requirement.as_str())))
        .collect()
}

/// Version, archive and hash.
fn identity(entry: &Map<String, Value>, release: &Release, fields: &mut Map<String, Value>) {
    // Nested entries name an alias's package in the version.
    let real = entry
        .get("version")
        .and_then(Value::as_str)
        .and_then(alias)
        .map(|(name, _)| name);
    let version = match real {
        Some(name) => format!("npm:{name}@{}", release.version),
        None => release.version.clone(),
    };
    fields.insert("version".to_owned(), Value::from(version));
    if let Some(archive) = &release.archive
        && entry.contains_key("resolved")
    {
        fields.insert("resolved".to_owned(), Value::from(archive.as_str()));
    }
    if let Some(integrity) = &release.integrity {
        fields.insert("integrity".to_owned(), Value::from(integrity.as_str()));
    }
}

/// White space as the file has it.
struct Layout<'a> {
    line_end: &'a str,
    /// White space before the line on which the entry begins.
    outer: &'a str,
    /// One step of it.
    step: &'a str,
}

impl<'a> Layout<'a> {
    /// The layout around an entry that begins at `offset`. A file on one line has none.
    fn around(text: &'a str, offset: usize) -> Self {
        let indent =
            |line: &'a str| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        let line_end = match text.find('\n') {
            None => "",
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            Some(_) => "\n",
        };
        let before = text.get(..offset).unwrap_or_default();
        let line = before.rfind('\n').map_or(before, |at| &before[at + 1..]);
        let step = text.lines().map(indent).find(|indent| !indent.is_empty());
        Self {
            line_end,
            outer: if line_end.is_empty() {
                ""
            } else {
                indent(line)
            },
            step: step.unwrap_or_default(),
        }
    }

    /// A value as a field of the entry.
    fn value(&self, value: &Value) -> Result<String, EditError> {
        let error = |error: serde_json::Error| EditError::Lockfile(error.to_string());
        if self.line_end.is_empty() {
            return serde_json::to_string(value).map_err(error);
        }
        let mut out = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(self.step.as_bytes());
        value
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut out, formatter,
            ))
            .map_err(error)?;
        let text = String::from_utf8_lossy(&out);
        let next = format!("{}{}{}", self.line_end, self.outer, self.step);
        Ok(text.replace('\n', &next))
    }

    fn object(&self, fields: &[(String, String)]) -> String {
        let colon = if self.line_end.is_empty() { ":" } else { ": " };
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| {
                let name = Value::from(name.as_str());
                format!(
                    "{}{}{}{name}{colon}{value}",
                    self.line_end, self.outer, self.step
                )
            })
            .collect();
        format!("{{{}{}{}}}", fields.join(","), self.line_end, self.outer)
    }
}

#[cfg(test)]
mod tests;
