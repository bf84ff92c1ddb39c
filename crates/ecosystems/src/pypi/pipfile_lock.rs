//! `Pipfile.lock` (<https://pipenv.pypa.io/en/stable/pipfile.html>).
//!
//! The file has no edges between packages. Only the dependencies of the project itself are known,
//! from `Pipfile`.

mod write;

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Scope, Unresolved,
};

pub(super) use self::write::PipfileLockWriter;
use super::address::{archive_version, git, without_credentials};
use super::graph::Graph;
use super::name::{is_name, normalize};
use super::requirement::exact_version;
use super::roots;
use crate::later_version::later_version;
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys};

/// Key of the metadata; all other keys are categories of packages.
const META: &str = "_meta";

/// Category of runtime dependencies.
const DEFAULT: &str = "default";

/// Reads a `Pipfile.lock`, with the `Pipfile` in its directory.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let file = duplicate_keys::json(input.text()?, &mut skipped)?;
    let meta = file.get(META).filter(|meta| meta.is_map());
    let mut categories = [DEFAULT, "develop"].iter();
    let has_entries = categories.any(|name| {
        file.get(name)
            .is_some_and(|node| !node.entries().is_empty())
    });
    if meta.is_none() && !has_entries {
        return Err(
            ParseError::new("is not a lockfile of Pipenv: it lacks `_meta`")
                .with_hint("re-create the file with `pipenv lock`"),
        );
    }

    let (format, sources) = match meta {
        Some(meta) => (
            format(meta, has_entries, &mut skipped)?,
            skipped.recover(Loss::Detail, meta.line, sources(meta)),
        ),
        None => {
            skipped.detail(1, "lacks `_meta`, which has the addresses of registries");
            (FormatId::new("pipfile-lock-v6"), None)
        }
    };
    let sources = sources.unwrap_or_default();
    let mut graph = Graph::new(input, format);
    graph.skipped = skipped;
    let mut copies: HashMap<(String, String), PackageIndex> = HashMap::new();

    for (category, entries) in file.entries() {
        if category.name == META {
            continue;
        }
        if !entries.is_map() {
            let reason = entries.unexpected(&category.name, "a map").reason;
            graph.skipped.package(entries.line, reason);
            continue;
        }

        let scope = match &*category.name {
            DEFAULT => Scope::Runtime,
            _ => Scope::Development,
        };
        for (key, entry) in entries.entries() {
            // JSON that ends is not cut.
            let read = package(&key.name, key.line, entry, &sources);
            let Some(read) = graph.recover(false, key.line, read)? else {
                continue;
            };
            match read {
                Locked::Package(package) => {
                    let package = Package {
                        scope,
                        groups: vec![category.name.clone().into_owned()],
                        ..*package
                    };
                    add(&mut graph, &mut copies, package)?;
                }
                Locked::Unknown(requirement) => graph.lockfile.unresolved.push(Unresolved {
                    ecosystem: crate::pypi::NAME,
                    name: key.name.clone().into_owned(),
                    requirement,
                    kind: match scope {
                        Scope::Runtime => DependencyKind::Runtime,
                        _ => DependencyKind::Development,
                    },
                    line: key.line,
                }),
            }
        }
    }

    roots::add_beside(&mut graph, input, "Pipfile")?;
    roots::add_folders(&mut graph, input)?;

    graph.finish()
}

/// An entry of a category.
enum Locked {
    Package(Box<Package>),
    /// A requirement, repository or address without a version, as written.
    Unknown(String),
}

/// Adds a package. If another category has it already, only the category is added to that one.
fn add(
    graph: &mut Graph,
    copies: &mut HashMap<(String, String), PackageIndex>,
    package: Package,
) -> Result<(), ParseError> {
    let key = (
        normalize(&package.name).into_owned(),
        format!("{} {:?}", package.version, package.origin),
    );
    match copies.get(&key).and_then(|index| graph.package_mut(*index)) {
        Some(earlier) => {
            earlier.scope = earlier.scope.min(package.scope);
            earlier.groups.extend(package.groups);
            earlier.groups.sort();
            earlier.groups.dedup();
        }
        None => {
            let index = graph.push(package)?;
            copies.insert(key, index);
        }
    }

    Ok(())
}

/// The name of the format. Versions 5 and 6 have the same form. A file of an unknown version is read as far as it has the known form.
fn format(
    meta: &Node<'_>,
    has_entries: bool,
    skipped: &mut SkippedEntries,
) -> Result<FormatId, ParseError> {
    let Some(spec) = meta.get("pipfile-spec") else {
        return Ok(FormatId::new("pipfile-lock-v6"));
    };
    match spec.scalar() {
        Some("5") => Ok(FormatId::new("pipfile-lock-v5")),
        Some("6") => Ok(FormatId::new("pipfile-lock-v6")),
        other => {
            later_version(other.unwrap_or("?"), spec.line, has_entries, skipped)?;
            Ok(FormatId::new("pipfile-lock"))
        }
    }
}

/// The addresses of registries, by their names in the file.
fn sources<'n>(meta: &'n Node<'_>) -> Result<HashMap<&'n str, &'n str>, ParseError> {
    let mut sources = HashMap::new();
    for source in meta.optional_list("sources")? {
        if let (Some(name), Some(url)) =
            (source.optional_text("name")?, source.optional_text("url")?)
        {
            sources.insert(name, url);
        }
    }

    Ok(sources)
}

/// The package of one entry. A version is taken from a pin, or from the file name of an archive.
fn package(
    name: &str,
    line: u32,
    entry: &Node<'_>,
    sources: &HashMap<&str, &str>,
) -> Result<Locked, ParseError> {
    if !is_name(name) {
        return Err(ParseError::new("has a package with an invalid name").at_line(line as usize));
    }
    if !entry.is_map() {
        return Err(entry.unexpected(name, "a map"));
    }

    let stated = entry.optional_text("version")?;
    let version = stated.and_then(exact_version);
    let origin = origin(entry, sources)?;
    let version = match (version, &origin) {
        (Some(version), _) => version,
        (None, Origin::Path(_)) => "",
        (None, Origin::Url(url)) => match archive_version(url, name) {
            Some(version) => return Ok(locked(name, version, line, entry, origin.clone())),
            None => return Ok(Locked::Unknown(url.clone())),
        },
        (None, Origin::Git { url, commit }) => {
            let revision = commit.as_deref().or(entry.optional_text("ref")?);
            let at = revision.map(|revision| format!("@{revision}"));
            return Ok(Locked::Unknown(format!(
                "git+{url}{}",
                at.unwrap_or_default()
            )));
        }
        (None, Origin::Registry(_)) => {
            return Ok(Locked::Unknown(stated.unwrap_or_default().to_owned()));
        }
    };

    Ok(locked(name, version, line, entry, origin))
}

fn locked(name: &str, version: &str, line: u32, entry: &Node<'_>, origin: Origin) -> Locked {
    let hashes: Vec<&str> = entry
        .get("hashes")
        .map(Node::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Node::text)
        .collect();

    Locked::Package(Box::new(Package {
        line,
        origin,
        integrity: (!hashes.is_empty()).then(|| hashes.join(" ")),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    }))
}

fn origin(entry: &Node<'_>, sources: &HashMap<&str, &str>) -> Result<Origin, ParseError> {
    for system in ["git", "hg", "svn", "bzr"] {
        if let Some(url) = entry.optional_text(system)? {
            return Ok(git(url, entry.optional_text("ref")?));
        }
    }

    if let Some(path) = entry.optional_text("path")? {
        return Ok(Origin::Path(Some(path.to_owned())));
    }
    if let Some(file) = entry.optional_text("file")? {
        return Ok(Origin::Url(without_credentials(file).into_owned()));
    }

    // Only direct dependencies name their registry. For the others it is known if there is only one.
    let named = entry
        .optional_text("index")?
        .and_then(|name| sources.get(name));
    let only = sources.values().next().filter(|_| sources.len() == 1);
    let address = named
        .or(only)
        .map(|url| without_credentials(url).into_owned());

    Ok(Origin::Registry(address))
}
