//! Version 1: copies nested as they are installed, each with the names that it `requires`.
//!
//! The file does not contain the requirements of the root project; they come from the manifest next
//! to it.

use std::borrow::Cow;
use std::fmt;

use patchgate_model::Origin;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::lines::Lines;
use super::{Installed, WHAT, check, origin, scope};
use crate::npm::json::{self, Map, Object, Text};
use crate::npm::manifest::Manifest;
use crate::npm::needs::Needs;
use crate::{ParseError, SkippedEntries, limits};

/// One value of `dependencies`.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    version: Option<Text<'a>>,
    #[serde(borrow, default)]
    resolved: Option<Text<'a>>,
    #[serde(borrow, default)]
    integrity: Option<Text<'a>>,
    #[serde(default)]
    bundled: bool,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(borrow, default)]
    requires: Requires<'a>,
    #[serde(borrow, default)]
    dependencies: Map<'a, Object<Entry<'a>>>,
}

/// The dependencies of an entry. Early files of version 1 have `true`, `false` or no value here.
#[derive(Default)]
struct Requires<'a>(Map<'a, Option<Text<'a>>>);

impl<'de: 'a, 'a> Deserialize<'de> for Requires<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequiresVisitor;

        impl<'de> Visitor<'de> for RequiresVisitor {
            type Value = Requires<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object or a boolean")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Requires::default())
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
                Map::deserialize(MapAccessDeserializer::new(map)).map(Requires)
            }
        }

        deserializer.deserialize_any(RequiresVisitor)
    }
}

/// The copies, with the root project first.
pub(super) fn copies<'a>(
    text: &'a str,
    document_name: Option<Cow<'a, str>>,
    dependencies: Option<&'a RawValue>,
    manifest: Option<&Manifest<'a>>,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Installed<'a>>, ParseError> {
    let entries: Map<'a, Object<Entry<'a>>> = match dependencies {
        None => Map::default(),
        // A package has up to three objects: its entry, its `requires` and its `dependencies`.
        Some(raw) if braces(raw.get()) > 3 * limits::MAX_PACKAGES => return Err(super::too_many()),
        Some(raw) => serde_json::from_str(raw.get())
            .map_err(|error| below(text, raw.get(), json::unreadable(&error, WHAT)))?,
    };

    let mut reader = Reader {
        lines: Lines::new(text),
        keys: vec![Cow::Borrowed("dependencies")],
        copies: vec![root(document_name)],
        skipped,
    };
    reader.read("", entries)?;

    let mut copies = reader.copies;
    if let (Some(root), Some(manifest)) = (copies.first_mut(), manifest) {
        root.needs = manifest.needs();
    }

    Ok(copies)
}

fn braces(text: &str) -> usize {
    memchr::memchr_iter(b'{', text.as_bytes()).count()
}

struct Reader<'a, 's> {
    lines: Lines<'a>,
    /// Keys from the document's root to the current entry.
    keys: Vec<Cow<'a, str>>,
    copies: Vec<Installed<'a>>,
    skipped: &'s mut SkippedEntries,
}

impl<'a> Reader<'a, '_> {
    /// Reads the entries installed below `parent`. Recursion is safe because the JSON parser limits
    /// the depth.
    fn read(
        &mut self,
        parent: &str,
        entries: Map<'a, Object<Entry<'a>>>,
    ) -> Result<(), ParseError> {
        for (name, Object(mut entry)) in entries.0 {
            let path = if parent.is_empty() {
                format!("node_modules/{name}")
            } else {
                format!("{parent}/node_modules/{name}")
            };
            self.keys.push(name);
            let line = self.lines.line(&self.keys.iter().collect::<Vec<_>>())?;
            let inner = std::mem::take(&mut entry.dependencies);
            let copy = copy(path.clone(), line, entry);
            if check(&copy, self.skipped)? {
                self.copies.push(copy);
            }
            self.keys.push(Cow::Borrowed("dependencies"));
            self.read(&path, inner)?;
            self.keys.truncate(self.keys.len() - 2);
        }

        Ok(())
    }
}

fn copy(path: String, line: u32, entry: Entry<'_>) -> Installed<'_> {
    let version = entry.version.map(|Text(version)| version);
    let installed_at = super::installed_at(&path);
    let in_path = installed_at
        .and_then(|at| path.get(at..))
        .unwrap_or_default();

    // `npm:real@1.2.3` is an alias. For a package that is not from a registry, `version` is its
    // address.
    let alias = version
        .as_deref()
        .and_then(|version| version.strip_prefix("npm:"))
        .and_then(|spec| spec.rsplit_once('@'))
        .map(|(name, version)| (name.to_owned(), version.to_owned()));
    let address = version.as_deref().and_then(origin::of_address);
    let (name, version, origin) = match (alias, address) {
        (Some((name, version)), _) => {
            let origin = registry(entry.resolved.as_ref(), &name);
            (Some(Cow::Owned(name)), Some(Cow::Owned(version)), origin)
        }
        (None, Some(origin)) => (None, None, origin),
        (None, None) => {
            let origin = registry(entry.resolved.as_ref(), in_path);
            (None, version, origin)
        }
    };

    Installed {
        path: Cow::Owned(path),
        installed_at,
        line,
        name,
        version,
        integrity: entry.integrity.map(|Text(integrity)| integrity),
        origin,
        link: None,
        scope: scope(entry.dev, entry.optional, false),
        bundled: entry.bundled,
        needs: Needs {
            runtime: entry.requires.0,
            ..Needs::default()
        },
    }
}

/// The origin of a copy with a version. In version 1 a copy that is not from a registry has an
/// address as its version, so an address in `resolved` is a registry's whatever its layout.
fn registry(resolved: Option<&Text<'_>>, name: &str) -> Origin {
    match origin::of_resolved(resolved.map(|Text(address)| &**address), name) {
        Origin::Url(address) => Origin::Registry(Some(address)),
        origin => origin,
    }
}

fn root(name: Option<Cow<'_, str>>) -> Installed<'_> {
    Installed {
        path: Cow::Borrowed(""),
        installed_at: None,
        line: 1,
        name,
        version: None,
        integrity: None,
        origin: Origin::Path(None),
        link: None,
        scope: scope(false, false, false),
        bundled: false,
        needs: Needs::default(),
    }
}

/// Converts the line of an error in a part of the document to a line of the document.
fn below(text: &str, part: &str, mut error: ParseError) -> ParseError {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let before = text.as_bytes().get(..start).unwrap_or_default();
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    error.line = error
        .line
        .map(|line| line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX)));
    error
}
