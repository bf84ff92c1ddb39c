//! The settings of uv that count: those that say what is locked, and from where
//! (<https://docs.astral.sh/uv/reference/settings/>).

use std::collections::{BTreeMap, BTreeSet};

use patchgate_syntax::{Node, toml};
use toml_edit::{DocumentMut, Item, TableLike};

use super::MANIFEST;
use crate::manager::parent;
use crate::{ConfigurationFile, RelockError};

/// Settings that are passed on. Others say how uv works: caches, programs for passwords, the Python
/// to run.
const KEPT: [&str; 24] = [
    "build-constraint-dependencies",
    "conflicts",
    "constraint-dependencies",
    "default-groups",
    "dependency-groups",
    "dependency-metadata",
    "dev-dependencies",
    "environments",
    "exclude-dependencies",
    "exclude-newer",
    "exclude-newer-package",
    "extra-index-url",
    "fork-strategy",
    "index",
    "index-strategy",
    "index-url",
    "managed",
    "override-dependencies",
    "package",
    "prerelease",
    "required-environments",
    "resolution",
    "sources",
    "workspace",
];

/// Keys of a manifest that are passed on, besides `tool.uv`.
const TABLES: [&str; 3] = ["project", "dependency-groups", "build-system"];

/// A `pyproject.toml` as uv sees it.
///
/// # Errors
/// When it cannot be read, or names a directory outside of the repository.
pub(super) fn manifest(path: &str, content: &[u8]) -> Result<String, RelockError> {
    let mut document = parse(path, content)?;
    document.retain(|key, _| TABLES.contains(&key) || key == "tool");
    if let Some(tool) = document.get_mut("tool").and_then(Item::as_table_like_mut) {
        retain(tool, &["uv"]);
        if let Some(uv) = tool.get_mut("uv").and_then(Item::as_table_like_mut) {
            retain(uv, &KEPT);
            check_directories(path, uv)?;
        }
    }
    Ok(document.to_string())
}

/// A `uv.toml` as uv sees it.
///
/// # Errors
/// When it cannot be read, or names a directory outside of the repository.
pub(super) fn file(path: &str, content: &[u8]) -> Result<String, RelockError> {
    let mut document = parse(path, content)?;
    retain(document.as_table_mut(), &KEPT);
    check_directories(path, document.as_table())?;
    Ok(document.to_string())
}

fn parse(path: &str, content: &[u8]) -> Result<DocumentMut, RelockError> {
    let unusable = |reason: &str| RelockError::Unusable {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let text = std::str::from_utf8(content).map_err(|_| unusable("it is not UTF-8"))?;
    // The bounds of the other reader hold for both.
    toml(text).map_err(|error| unusable(&format!("it {error}")))?;
    text.parse()
        .map_err(|_| unusable("it is not a file of TOML"))
}

fn retain(table: &mut dyn TableLike, keys: &[&str]) {
    let gone: Vec<String> = table
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| !keys.contains(&key.as_str()))
        .collect();
    for key in gone {
        table.remove(&key);
    }
}

/// Checks that the directories of sources, of members and of flat indexes are in the repository.
fn check_directories(path: &str, settings: &dyn TableLike) -> Result<(), RelockError> {
    let mut named = Vec::new();
    for key in ["sources", "workspace", "index"] {
        if let Some(item) = settings.get(key) {
            texts(item, &mut named);
        }
    }
    let is_outside = |text: &String| {
        let is_address = text.contains("://") && !text.starts_with("file:");
        !is_address && leads_out(parent(path), text)
    };
    match named.iter().find(|text| is_outside(text)) {
        None => Ok(()),
        Some(text) => Err(RelockError::Unusable {
            path: path.to_owned(),
            reason: format!("it names `{text}`, which may be outside of the repository"),
        }),
    }
}

/// Whether a path leads out of the repository.
fn leads_out(directory: &str, path: &str) -> bool {
    if path.starts_with(['/', '~', '\\']) || path.contains(':') {
        return true;
    }
    let mut depth = directory.split('/').filter(|part| !part.is_empty()).count();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// All texts of an item that may be paths. Markers are none.
fn texts(item: &Item, found: &mut Vec<String>) {
    if let Some(text) = item.as_str() {
        found.push(text.to_owned());
    } else if let Some(table) = item.as_table_like() {
        for (_, item) in table.iter().filter(|(key, _)| *key != "marker") {
            texts(item, found);
        }
    } else if let Some(tables) = item.as_array_of_tables() {
        for table in tables {
            for (_, item) in table {
                texts(item, found);
            }
        }
    } else if let Some(array) = item.as_array() {
        for value in array {
            texts(&Item::Value(value.clone()), found);
        }
    }
}

/// The indexes that packages without an index of their own may come from: those in the lockfile,
/// without those that the settings keep for the packages that name them.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn indexes(
    configuration: &[ConfigurationFile],
) -> Result<BTreeSet<String>, RelockError> {
    let mut indexes = BTreeSet::new();
    let mut explicit = BTreeMap::new();
    for file in configuration {
        let unusable = |reason: String| RelockError::Unusable {
            path: file.path.clone(),
            reason,
        };
        let text = std::str::from_utf8(&file.content)
            .map_err(|_| unusable("it is not UTF-8".to_owned()))?;
        let document = toml(text).map_err(|error| unusable(format!("it {error}")))?;
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let settings = match name {
            MANIFEST => document.get("tool").and_then(|tool| tool.get("uv")),
            "uv.toml" => Some(&document),
            _ => None,
        };
        if let Some(settings) = settings {
            for index in settings.get("index").map(Node::items).unwrap_or_default() {
                let is_explicit = index.get("explicit").and_then(Node::bool) == Some(true);
                if let Some(url) = index.get("url").and_then(Node::text) {
                    explicit.insert(url.trim_end_matches('/').to_owned(), is_explicit);
                }
            }
            continue;
        }

        for package in document.get("package").map(Node::items).unwrap_or_default() {
            let source = package.get("source");
            let index = source.and_then(|source| source.get("registry"));
            indexes.extend(index.and_then(Node::text).map(str::to_owned));
        }
    }

    indexes.retain(|index| explicit.get(index.trim_end_matches('/')) != Some(&true));
    Ok(indexes)
}
