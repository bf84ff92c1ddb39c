//! Versions 2 and 3: the flat object `packages`, keyed by install path.

use std::borrow::Cow;
use std::fmt;

use patchgate_model::Origin;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::lines::Lines;
use super::{Installed, check, installed_at, origin, scope};
use crate::npm::json::{Map, Object, Text};
use crate::npm::needs::Needs;
use crate::{ParseError, SkippedEntries, limits};

/// One value of `packages`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) resolved: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) integrity: Option<Text<'a>>,
    #[serde(default)]
    pub(super) link: bool,
    #[serde(default)]
    pub(super) dev: bool,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) dev_optional: bool,
    #[serde(default)]
    pub(super) in_bundle: bool,
    #[serde(borrow, default)]
    pub(super) dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow, default)]
    pub(super) dev_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow, default)]
    pub(super) optional_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow, default)]
    pub(super) peer_dependencies: Map<'a, Option<Text<'a>>>,
}

/// The value of `packages`, with one copy for each entry. Copies that serde read have no line yet.
/// Duplicate paths are not detected here but when the graph is built.
pub(super) struct Entries<'a>(pub(super) Vec<Installed<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut copies = Vec::new();
                while let Some(Text(path)) = map.next_key()? {
                    if copies.len() > limits::MAX_PACKAGES {
                        // The file will be refused, so no more memory is spent on it.
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let Object(entry) = map.next_value()?;
                    copies.push(copy(path, 0, entry));
                }

                Ok(Entries(copies))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// The copies in `packages`, including the root project (`""`), with their lines.
pub(super) fn copies<'a>(
    text: &'a str,
    document_name: Option<Cow<'a, str>>,
    Entries(mut copies): Entries<'a>,
    skipped: &mut SkippedEntries,
) -> Result<Vec<Installed<'a>>, ParseError> {
    let mut lines = Lines::new(text);
    let section = Cow::Borrowed("packages");
    let mut incomplete = false;
    for copy in &mut copies {
        if copy.line == 0 {
            copy.line = lines.line(&[&section, &copy.path])?;
        }
        if copy.path.is_empty() && copy.name.is_none() {
            copy.name.clone_from(&document_name);
        }
        if !check(copy, skipped)? {
            copy.line = 0;
            incomplete = true;
        }
    }
    if incomplete {
        copies.retain(|copy| copy.line > 0);
    }

    Ok(copies)
}

/// The copy at a path; `line` is 0 if it is not known yet.
pub(super) fn copy<'a>(path: Cow<'a, str>, line: u32, entry: Entry<'a>) -> Installed<'a> {
    let name = entry.name.map(|Text(name)| name);
    let resolved = entry.resolved.map(|Text(resolved)| resolved);
    let link = if entry.link {
        Some(resolved.clone().unwrap_or_default())
    } else {
        None
    };
    let installed_at = installed_at(&path);
    let in_path = installed_at.and_then(|at| path.get(at..));
    let origin = match (in_path, &link) {
        (_, Some(target)) => Origin::Path(Some(target.to_string())),
        (None, None) => Origin::Path(Some(path.to_string())),
        (Some(in_path), None) => {
            origin::of_resolved(resolved.as_deref(), name.as_deref().unwrap_or(in_path))
        }
    };

    Installed {
        installed_at,
        line,
        name,
        version: entry.version.map(|Text(version)| version),
        integrity: entry.integrity.map(|Text(integrity)| integrity),
        origin,
        link,
        scope: scope(entry.dev, entry.optional, entry.dev_optional),
        bundled: entry.in_bundle,
        needs: Needs {
            runtime: entry.dependencies,
            optional: entry.optional_dependencies,
            peer: entry.peer_dependencies,
            development: entry.dev_dependencies,
        },
        path,
    }
}
