//! `pdm.lock` (<https://pdm-project.org/en/latest/usage/lockfile/>).
//!
//! A package that is locked with extras has one entry for each set of extras. These entries are
//! merged into one package.

mod write;

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Scope,
};

pub(super) use self::write::PdmLockWriter;
use super::address::{git, is_folder, without_credentials};
use super::graph::{DependencyRequest, Graph};
use super::manifest;
use super::name::{is_name, normalize};
use super::requirement::Requirement;
use super::roots;
use crate::later_version::later_version;
use crate::syntax::{Node, toml};
use crate::{Input, ParseError, SkippedEntries};

/// PDM's name for the group of runtime dependencies.
const DEFAULT_GROUP: &str = "default";

/// Reads a `pdm.lock`, with the `pyproject.toml` in its directory.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = toml(input.text()?)?;
    // PDM does not install from a file without the table: it locks again.
    let metadata = match file.get("metadata") {
        Some(metadata) if metadata.is_map() => metadata,
        _ => {
            return Err(
                ParseError::new("is not a lockfile of PDM: it lacks `metadata`")
                    .with_hint("re-create the file with `pdm lock`"),
            );
        }
    };

    let mut graph = Graph::new(input, FormatId::new("pdm-lock-v3"));
    let listed = file.optional_list("package")?;
    graph.lockfile.format = format(metadata, !listed.is_empty(), &mut graph.skipped)?;
    let manifest = manifest::read(input, &input.beside("pyproject.toml"));
    let kinds: HashMap<String, DependencyKind> = manifest
        .iter()
        .flat_map(|manifest| &manifest.direct)
        .filter_map(|direct| Some((direct.group.clone()?, direct.kind)))
        .collect();

    // Before version 4.1, one table has the hashes of all packages.
    let shared: HashMap<&str, &Node<'_>> = metadata
        .optional_map("files")?
        .iter()
        .map(|(key, files)| (&*key.name, files))
        .collect();

    // The packages. A package has one entry for each of its sets of extras.
    let mut copies: HashMap<(String, String), PackageIndex> = HashMap::new();
    let mut entries = Vec::new();
    let mut has_groups = false;
    for (number, entry) in (1..).zip(listed) {
        has_groups |= groups_of(entry).is_some();
        let package = package(entry, &shared, &kinds);
        let may_be_cut = number == listed.len();
        let Some(package) = graph.recover(may_be_cut, entry.line, package)? else {
            continue;
        };
        let key = (
            normalize(&package.name).into_owned(),
            format!("{} {:?}", package.version, package.origin),
        );
        let index = match copies.get(&key) {
            Some(index) => {
                merge(&mut graph, *index, package);
                *index
            }
            None => {
                let index = graph.push(package)?;
                copies.insert(key, index);
                index
            }
        };
        entries.push((index, entry));
    }

    for (number, (index, entry)) in (1..).zip(&entries) {
        let may_be_cut = number == entries.len();
        match edges(&mut graph, *index, entry) {
            Ok(edges) => graph.connect(*index, edges),
            Err(error) => graph.skip_edges(may_be_cut, entry.line, error)?,
        }
    }

    // Files without groups: they follow from the manifest.
    if let Some(manifest) = manifest {
        let starts = roots::add(&mut graph, manifest)?;
        if !has_groups {
            graph.spread_scopes(&starts);
            graph.spread_groups(&starts);
        }
    }

    roots::add_folders(&mut graph, input)?;
    graph.finish()
}

/// The name of the format. PDM writes `lock_version` since version 2 of the format. A file of an
/// unknown version is read as far as it has the known form.
fn format(
    metadata: &Node<'_>,
    has_entries: bool,
    skipped: &mut SkippedEntries,
) -> Result<FormatId, ParseError> {
    let Some(version) = metadata.get("lock_version") else {
        return Ok(FormatId::new("pdm-lock-v1"));
    };
    match version.text().and_then(|text| text.split('.').next()) {
        Some("1") => Ok(FormatId::new("pdm-lock-v1")),
        Some("2" | "3") => Ok(FormatId::new("pdm-lock-v3")),
        Some("4") => Ok(FormatId::new("pdm-lock-v4")),
        _ => {
            let number = version.scalar().unwrap_or("?");
            later_version(number, version.line, has_entries, skipped)?;
            Ok(FormatId::new("pdm-lock"))
        }
    }
}

/// The groups of an entry, which PDM before 1.0 wrote as `sections`.
fn groups_of<'n>(entry: &'n Node<'_>) -> Option<&'n Node<'n>> {
    entry.get("groups").or_else(|| entry.get("sections"))
}

/// The package of one entry, without edges.
fn package(
    entry: &Node<'_>,
    shared: &HashMap<&str, &Node<'_>>,
    kinds: &HashMap<String, DependencyKind>,
) -> Result<Package, ParseError> {
    let name = entry.need_text("name")?;
    if !is_name(name) {
        return Err(
            ParseError::new("has a package with an invalid name").at_line(entry.line as usize)
        );
    }

    let version = entry.need_text("version")?;
    let mut groups = Vec::new();
    for group in groups_of(entry).map(Node::items).unwrap_or_default() {
        let group = group
            .text()
            .ok_or_else(|| group.unexpected("groups", "a text"))?;
        groups.push(group.to_owned());
    }

    groups.sort();
    groups.dedup();
    let scope = groups.iter().map(|group| scope(group, kinds)).min();

    // Hashes are in the entry, or in one table for all packages.
    let key = format!("{name} {version}");
    let files = match entry.optional_list("files")? {
        [] => shared
            .get(key.as_str())
            .map(|files| files.items())
            .unwrap_or_default(),
        files => files,
    };
    let hashes: Vec<&str> = files
        .iter()
        .filter_map(|file| file.get("hash").and_then(Node::text))
        .collect();

    Ok(Package {
        line: entry.line,
        origin: origin(entry)?,
        integrity: (!hashes.is_empty()).then(|| hashes.join(" ")),
        scope: scope.unwrap_or_default(),
        groups,
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// The scope of a group. The lockfile does not separate extras from development groups, only
/// `pyproject.toml` does; without it the stronger scope is assumed.
fn scope(group: &str, kinds: &HashMap<String, DependencyKind>) -> Scope {
    match (group, kinds.get(group)) {
        (DEFAULT_GROUP, _) => Scope::Runtime,
        (_, Some(kind)) => (*kind).into(),
        (_, None) => Scope::Optional,
    }
}

fn origin(entry: &Node<'_>) -> Result<Origin, ParseError> {
    let clean = |text: &str| without_credentials(text).into_owned();
    for system in ["git", "hg", "svn", "bzr"] {
        if let Some(url) = entry.optional_text(system)? {
            return Ok(git(url, entry.optional_text("revision")?));
        }
    }

    if let Some(path) = entry.optional_text("path")? {
        return Ok(match is_folder(path) {
            true => Origin::Path(Some(clean(path))),
            false => Origin::Url(clean(path)),
        });
    }

    Ok(match entry.optional_text("url")? {
        Some(url) => Origin::Url(clean(url)),
        None => Origin::Registry(None),
    })
}

/// Merges another entry of the same package.
fn merge(graph: &mut Graph, index: PackageIndex, other: Package) {
    if let Some(package) = graph.package_mut(index) {
        package.scope = package.scope.min(other.scope);
        package.groups.extend(other.groups);
        package.groups.sort();
        package.groups.dedup();
        package.integrity = package.integrity.take().or(other.integrity);
    }
}

/// The new edges of an entry. A dependency that is not in the file is for another environment. PDM
/// before 1.0 wrote a table from name to requirement, later versions write a list.
fn edges(graph: &mut Graph, from: PackageIndex, entry: &Node<'_>) -> Result<Vec<Edge>, ParseError> {
    let mut edges = Vec::new();
    let dependencies = entry.get("dependencies");
    for (name, wanted) in dependencies.map(Node::entries).unwrap_or_default() {
        edges.extend(graph.edges_to(&DependencyRequest {
            name: &name.name,
            requirement: Some(&manifest::requirement(&name.name, wanted)?),
            version: None,
            kind: DependencyKind::Runtime,
        })?);
    }

    let listed = match dependencies {
        Some(table) if table.is_map() => &[],
        _ => entry.optional_list("dependencies")?,
    };
    for wanted in listed {
        let text = wanted
            .text()
            .ok_or_else(|| wanted.unexpected("dependencies", "a text"))?;
        let Some(requirement) = Requirement::parse(text) else {
            return Err(
                ParseError::new("has a dependency with an invalid requirement")
                    .at_line(wanted.line as usize),
            );
        };
        let targets = graph.edges_to(&DependencyRequest {
            name: requirement.name,
            requirement: Some(requirement.specifier),
            version: requirement.exact_version(),
            kind: DependencyKind::Runtime,
        })?;

        // An entry with extras depends on the package itself.
        edges.extend(targets.into_iter().filter(|edge| edge.to != from));
    }

    let known: BTreeSet<PackageIndex> = graph
        .lockfile
        .package(from)
        .map(|package| package.edges.iter().map(|edge| edge.to).collect())
        .unwrap_or_default();
    edges.retain(|edge| !known.contains(&edge.to));

    Ok(edges)
}
