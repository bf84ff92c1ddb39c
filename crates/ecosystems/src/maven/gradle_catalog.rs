//! Reader of Gradle's version catalogs
//! (<https://docs.gradle.org/current/userguide/version_catalogs.html>).
//!
//! A catalog states the version that a build requests. Gradle may select a newer one that a
//! dependency requests, so the lockfiles below the catalog's project take precedence.

mod write;

use std::collections::HashMap;

use patchgate_model::{DependencyKind, FormatId, Lockfile, Loss, Package, Scope, Unresolved};

use super::{NAME, coordinates, gradle_lines};
use crate::syntax::{self, Node};
use crate::{Input, ParseError, SkippedEntries, salvage};

pub(super) use self::write::{CatalogWriter, change, version_positions};

/// Largest catalog that is read to find the direct dependencies of a lockfile, in bytes. The
/// catalog is read again for each lockfile.
const MAX_CATALOG_BYTES: usize = 256 * 1024;

/// The entries of a catalog, ordered by line.
pub(super) struct Catalog {
    entries: Vec<Entry>,
    skipped: SkippedEntries,
}

struct Entry {
    name: String,
    /// As written; empty if a platform determines the version.
    requirement: String,
    /// The single requested version, if there is one.
    version: Option<String>,
    is_plugin: bool,
    line: u32,
}

impl Catalog {
    pub(super) fn read(text: &str) -> Result<Self, ParseError> {
        let root = syntax::toml(text)?;
        let mut skipped = SkippedEntries::default();
        let mut versions = HashMap::new();
        for (key, node) in root.optional_map("versions")? {
            let version = skipped.recover(Loss::Detail, key.line, requirement(node));
            if let Some(version) = version {
                versions.insert(&*key.name, version);
            }
        }

        let mut entries = Vec::new();
        for (key, node) in root.optional_map("libraries")? {
            let library = library(node, key.line, &versions);
            entries.extend(skipped.recover(Loss::Package, key.line, library));
        }
        for (key, node) in root.optional_map("plugins")? {
            let plugin = plugin(node, key.line, &versions);
            entries.extend(skipped.recover(Loss::Package, key.line, plugin));
        }

        entries.sort_by_key(|entry| entry.line);
        Ok(Self { entries, skipped })
    }

    /// The versions that the catalog requests of a package, where it is one.
    pub(super) fn versions_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(move |entry| entry.name == name)
            .filter_map(|entry| entry.version.as_deref())
    }

    /// Names and requirements of the libraries.
    pub(super) fn requirements(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .filter(|entry| !entry.is_plugin)
            .map(|entry| (entry.name.as_str(), entry.requirement.as_str()))
    }
}

/// Reads a catalog as a list of direct dependencies, without those that a lockfile contains.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let catalog = Catalog::read(input.text()?)?;
    coordinates::within_limit(catalog.entries.len())?;
    let locked = gradle_lines::locked_below(input, project(input.path));

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new("gradle-version-catalog"),
        direct_only: true,
        ..Lockfile::default()
    };
    for entry in catalog.entries {
        if !entry.is_plugin && locked.contains(&entry.name) {
            continue;
        }

        let kind = if entry.is_plugin {
            DependencyKind::Build
        } else {
            DependencyKind::Runtime
        };
        match entry.version {
            Some(version) => lockfile.packages.push(Package {
                line: entry.line,
                scope: Scope::from(kind),
                ..Package::new(NAME, entry.name, version)
            }),
            None => lockfile.unresolved.push(Unresolved {
                ecosystem: crate::maven::NAME,
                name: entry.name,
                requirement: entry.requirement,
                kind,
                line: entry.line,
            }),
        }
    }

    salvage::finish(lockfile, catalog.skipped)
}

/// The nearest catalog at or above a directory, with its path. It only determines which
/// dependencies are direct, so an unreadable catalog counts as none.
pub(super) fn above(input: &Input<'_>, directory: &str) -> Option<(String, Catalog)> {
    let mut directory = directory;
    loop {
        let path = match directory {
            "" => "gradle/libs.versions.toml".to_owned(),
            _ => format!("{directory}/gradle/libs.versions.toml"),
        };
        if let Some(bytes) = input.sibling(&path) {
            if bytes.len() > MAX_CATALOG_BYTES {
                return None;
            }

            let file = Input {
                path: &path,
                bytes,
                siblings: input.siblings,
            };
            let catalog = Catalog::read(file.text().ok()?).ok()?;
            return Some((path, catalog));
        }

        directory = match directory.rsplit_once('/') {
            Some((parent, _)) => parent,
            None if directory.is_empty() => return None,
            None => "",
        };
    }
}

/// The directory of the project that a catalog belongs to: the parent of its `gradle` directory.
fn project(path: &str) -> &str {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    directory
        .rsplit_once('/')
        .map_or("", |(project, _)| project)
}

/// A requirement as written, and the single version that it requests.
type RequestedVersion = (String, Option<String>);

/// Parses a plain or a rich version.
fn requirement(node: &Node<'_>) -> Result<RequestedVersion, ParseError> {
    if let Some(text) = node.text() {
        return Ok(parse_requirement(text));
    }
    if !node.is_map() {
        return Err(node.unexpected("version", "a text or a table"));
    }
    // The preferred version lies within the strict or required range, so it only counts if that range
    // has no single version.
    let mut written = Vec::new();
    let mut exact = None;
    for key in ["strictly", "require", "prefer"] {
        if let Some(text) = node.optional_text(key)? {
            let (text, version) = parse_requirement(text);
            written.push(format!("{key} {text}"));
            exact = exact.or(version);
        }
    }

    Ok((written.join(", "), exact))
}

/// Parses a requirement in one string. `1.0!!` is short for a strict version, `[1,2)!!1.5` for a
/// strict range with a preferred version.
fn parse_requirement(text: &str) -> RequestedVersion {
    let exact = match text.split_once("!!") {
        Some((strict, "")) => strict,
        Some((strict, preferred)) if !coordinates::is_version(strict) => preferred,
        Some((strict, _)) => strict,
        None => text,
    };
    let version = coordinates::is_version(exact).then(|| exact.to_owned());
    (text.to_owned(), version)
}

/// The version of an entry: its own, or the one that it refers to.
fn version_of(
    node: &Node<'_>,
    line: u32,
    versions: &HashMap<&str, RequestedVersion>,
) -> Result<RequestedVersion, ParseError> {
    let Some(version) = node.get("version") else {
        return Ok((String::new(), None));
    };

    match version.optional_text("ref")? {
        None => requirement(version),
        Some(name) => versions.get(name).cloned().ok_or_else(|| {
            ParseError::new(format!(
                "refers to the version `{name}`, which it does not have"
            ))
            .at_line(line as usize)
        }),
    }
}

fn library(
    node: &Node<'_>,
    line: u32,
    versions: &HashMap<&str, RequestedVersion>,
) -> Result<Entry, ParseError> {
    let (module, version) = match node.text() {
        Some(text) => split_last(text, line)?,
        None if node.is_map() => {
            let module = match node.optional_text("module")? {
                Some(module) => module.to_owned(),
                None => format!("{}:{}", node.need_text("group")?, node.need_text("name")?),
            };
            (module, version_of(node, line, versions)?)
        }
        None => return Err(node.unexpected("libraries", "a text or a table")),
    };

    entry(&module, version, false, line)
}

fn plugin(
    node: &Node<'_>,
    line: u32,
    versions: &HashMap<&str, RequestedVersion>,
) -> Result<Entry, ParseError> {
    let (id, version) = match node.text() {
        Some(text) => split_last(text, line)?,
        None if node.is_map() => (
            node.need_text("id")?.to_owned(),
            version_of(node, line, versions)?,
        ),
        None => return Err(node.unexpected("plugins", "a text or a table")),
    };
    // Gradle resolves a plugin through its marker artifact
    // (https://docs.gradle.org/current/userguide/plugins.html#sec:plugin_markers).
    entry(&format!("{id}:{id}.gradle.plugin"), version, true, line)
}

/// Splits a text at its last colon into the module and the requirement.
fn split_last(text: &str, line: u32) -> Result<(String, RequestedVersion), ParseError> {
    let (module, version) = text.rsplit_once(':').ok_or_else(|| {
        ParseError::new(format!(
            "has `{}` where `name:version` is expected",
            text.chars().take(100).collect::<String>()
        ))
        .at_line(line as usize)
    })?;
    Ok((module.to_owned(), parse_requirement(version)))
}

fn entry(
    module: &str,
    (requirement, version): RequestedVersion,
    is_plugin: bool,
    line: u32,
) -> Result<Entry, ParseError> {
    match module.split_once(':') {
        Some((group, artifact)) if coordinates::is_id(group) && coordinates::is_id(artifact) => {
            Ok(Entry {
                name: module.to_owned(),
                requirement,
                version,
                is_plugin,
                line,
            })
        }
        _ => Err(ParseError::new(format!(
            "names `{}`, which is not an artifact",
            module.chars().take(100).collect::<String>()
        ))
        .at_line(line as usize)),
    }
}
