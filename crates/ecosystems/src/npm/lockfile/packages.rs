//! Versions 2 and 3: a flat object `packages`, keyed by install path.

use std::borrow::Cow;

use patchgate_model::Origin;
use serde::Deserialize;

use super::lines::Lines;
use super::{Copy, Needs, check, installed_name, origin, scope};
use crate::ParseError;
use crate::npm::json::{Map, Object, Text};

/// One value of `packages`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    version: Option<Text<'a>>,
    #[serde(borrow, default)]
    resolved: Option<Text<'a>>,
    #[serde(borrow, default)]
    integrity: Option<Text<'a>>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    dev_optional: bool,
    #[serde(default)]
    in_bundle: bool,
    #[serde(borrow, default)]
    dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow, default)]
    dev_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow, default)]
    optional_dependencies: Map<'a, Option<Text<'a>>>,
    #[serde(borrow, default)]
    peer_dependencies: Map<'a, Option<Text<'a>>>,
}

/// The copies that `packages` lists, the root project (`""`) among them.
pub(super) fn copies<'a>(
    text: &'a str,
    document_name: Option<Cow<'a, str>>,
    entries: Map<'a, Object<Entry<'a>>>,
) -> Result<Vec<Copy<'a>>, ParseError> {
    let mut lines = Lines::new(text);
    let section = Cow::Borrowed("packages");
    let mut copies = Vec::with_capacity(entries.0.len() + 1);
    for (path, Object(entry)) in entries.0 {
        let line = lines.line(&[&section, &path])?;
        let mut copy = copy(path, line, entry);
        if copy.path.is_empty() && copy.name.is_none() {
            copy.name.clone_from(&document_name);
        }
        check(&copy)?;
        copies.push(copy);
    }
    Ok(copies)
}

fn copy<'a>(path: Cow<'a, str>, line: u32, entry: Entry<'a>) -> Copy<'a> {
    let name = entry.name.map(|Text(name)| name);
    let resolved = entry.resolved.map(|Text(resolved)| resolved);
    let link = if entry.link {
        Some(resolved.clone().unwrap_or_default())
    } else {
        None
    };
    let origin = match (installed_name(&path), &link) {
        (_, Some(target)) => Origin::Path(Some(target.to_string())),
        (None, None) => Origin::Path(Some(path.to_string())),
        (Some(in_path), None) => {
            origin::of_resolved(resolved.as_deref(), name.as_deref().unwrap_or(in_path))
        }
    };
    Copy {
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
