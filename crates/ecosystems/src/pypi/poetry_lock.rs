//! `poetry.lock` (<https://python-poetry.org/docs/basic-usage/#installing-dependencies>).
//!
//! Poetry 2 writes the groups of each package, and Poetry up to 1.4 a category, `main` or `dev`. The
//! versions between write neither; there, groups and scopes follow from `pyproject.toml` and the
//! edges.

mod write;

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Scope,
};

use super::address::{git, without_credentials};
use super::graph::{DependencyRequest, Graph, Start};
use super::manifest::DEFAULT_GROUP;
use super::name::{is_name, normalize};
use super::roots;
use crate::later_version::later_version;
use crate::syntax::{Node, Value, toml};
use crate::{Input, ParseError, SkippedEntries};
pub(super) use write::PoetryLockWriter;

/// Reads a `poetry.lock`, with the `pyproject.toml` in its directory.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let file = toml(input.text()?)?;
    let metadata = metadata(&file)?;
    let mut graph = Graph::new(input, FormatId::new("poetry-lock-v0"));
    let listed = file.optional_list("package")?;
    graph.lockfile.format = format(metadata, !listed.is_empty(), &mut graph.skipped)?;
    let shared = shared(metadata, &mut graph.skipped);

    // `metadata` comes last, so no entry is cut.
    let mut entries = Vec::new();
    for entry in listed {
        let package = package(entry, &shared, &mut graph.skipped);
        if let Some(package) = graph.recover(false, entry.line, package)? {
            entries.push((graph.push(package)?, entry));
        }
    }

    for (index, entry) in &entries {
        match edges(&mut graph, entry) {
            Ok(edges) => graph.connect(*index, edges),
            Err(error) => graph.skip_edges(false, entry.line, error)?,
        }
    }

    if let Some(starts) = roots::add_beside(&mut graph, input, "pyproject.toml")? {
        if entries.iter().any(|(_, entry)| has_group(entry)) {
            roots::add_folders(&mut graph, input)?;
            return graph.finish();
        }

        graph.spread_scopes(&starts);
        let named: Vec<Start> = starts.into_iter().map(in_named_group).collect();
        graph.spread_groups(&named);
    }

    roots::add_folders(&mut graph, input)?;
    graph.finish()
}

/// The table that Poetry writes last. Without it the file is truncated, and Poetry refuses it as well.
fn metadata<'n>(file: &'n Node<'n>) -> Result<&'n Node<'n>, ParseError> {
    let metadata = file.get("metadata").filter(|metadata| metadata.is_map());
    match metadata {
        Some(metadata) if metadata.get("content-hash").is_some() => Ok(metadata),
        _ => Err(ParseError::new(
            "is not a complete lockfile of Poetry: its `metadata` is missing",
        )
        .with_hint("re-create the file with `poetry lock`")),
    }
}

/// The name of the format. A file of an unknown version is read as far as it has the known form.
fn format(
    metadata: &Node<'_>,
    has_entries: bool,
    skipped: &mut SkippedEntries,
) -> Result<FormatId, ParseError> {
    let Some(version) = metadata.get("lock-version") else {
        return Ok(FormatId::new("poetry-lock-v0"));
    };

    match version.text().and_then(|text| text.split('.').next()) {
        Some("1") => Ok(FormatId::new("poetry-lock-v1")),
        Some("2") => Ok(FormatId::new("poetry-lock-v2")),
        _ => {
            let number = version.scalar().unwrap_or("?");
            later_version(number, version.line, has_entries, skipped)?;
            Ok(FormatId::new("poetry-lock"))
        }
    }
}

/// Whether an entry has groups or a category.
fn has_group(entry: &Node<'_>) -> bool {
    entry.get("groups").is_some() || entry.get("category").is_some()
}

/// The start with a group for runtime dependencies, whose group has no name in `pyproject.toml`.
fn in_named_group(start: Start) -> Start {
    let group = match start.scope {
        Scope::Runtime | Scope::Optional => Some(DEFAULT_GROUP.to_owned()),
        _ => start.group,
    };
    Start { group, ..start }
}

/// The package of one entry, without edges.
fn package(
    entry: &Node<'_>,
    shared: &Shared<'_>,
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    let name = entry.need_text("name")?;
    if !is_name(name) {
        return Err(
            ParseError::new("has a package with an invalid name").at_line(entry.line as usize)
        );
    }

    let version = entry.need_text("version")?;
    let (scope, groups) = skipped
        .recover(Loss::Detail, entry.line, scope(entry))
        .unwrap_or_default();
    let integrity = skipped.recover(Loss::Detail, entry.line, hashes(entry, shared, name));

    Ok(Package {
        line: entry.line,
        origin: origin(entry)?,
        integrity: integrity.flatten(),
        scope,
        groups,
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// The scope and groups of an entry. An entry without groups counts as a runtime dependency, unless
/// it is optional.
fn scope(entry: &Node<'_>) -> Result<(Scope, Vec<String>), ParseError> {
    let mut groups = Vec::new();
    for group in entry.optional_list("groups")? {
        let group = group
            .text()
            .ok_or_else(|| group.unexpected("groups", "a text"))?;
        groups.push(group.to_owned());
    }

    groups.extend(entry.optional_text("category")?.map(str::to_owned));
    groups.sort();
    groups.dedup();

    let optional = match entry.get("optional") {
        None => false,
        Some(optional) => optional
            .bool()
            .ok_or_else(|| optional.unexpected("optional", "a truth value"))?,
    };
    let is_main = groups.is_empty() || groups.iter().any(|group| group == DEFAULT_GROUP);
    let scope = match (is_main, optional) {
        (true, false) => Scope::Runtime,
        (true, true) => Scope::Optional,
        (false, _) => Scope::Development,
    };

    Ok((scope, groups))
}

fn origin(entry: &Node<'_>) -> Result<Origin, ParseError> {
    let Some(source) = entry.get("source") else {
        return Ok(Origin::Registry(None));
    };
    if !source.is_map() {
        return Err(source.unexpected("source", "a table"));
    }

    let address = source.need_text("url")?;
    let clean = || without_credentials(address).into_owned();

    Ok(match source.optional_text("type")? {
        Some("git") => git(address, source.optional_text("resolved_reference")?),
        Some("directory") => Origin::Path(Some(clean())),
        Some("url" | "file") => Origin::Url(clean()),
        _ => Origin::Registry(Some(clean())),
    })
}

/// The files of every package, by its normalized name.
type Shared<'n> = HashMap<String, &'n Node<'n>>;

/// The table with the hashes of all packages, in versions of the format before 2.
fn shared<'n>(metadata: &'n Node<'n>, skipped: &mut SkippedEntries) -> Shared<'n> {
    let mut shared = HashMap::new();
    for table in ["files", "hashes"] {
        let files = metadata.optional_map(table);
        let files = skipped.recover(Loss::Detail, metadata.line, files);
        for (name, files) in files.unwrap_or_default() {
            shared.insert(normalize(&name.name).into_owned(), files);
        }
    }
    shared
}

/// The hashes of a package, separated by spaces: from its own entry since version 2 of the format,
/// before that from one table for all packages.
fn hashes(entry: &Node<'_>, shared: &Shared<'_>, name: &str) -> Result<Option<String>, ParseError> {
    let own = entry.optional_list("files")?;
    let listed = shared
        .get(normalize(name).as_ref())
        .map(|files| files.items());
    let files = if own.is_empty() {
        listed.unwrap_or_default()
    } else {
        own
    };
    let hashes: Vec<&str> = files
        .iter()
        .filter_map(|file| match &file.value {
            Value::Text(hash) => Some(hash.as_ref()),
            _ => file.get("hash").and_then(Node::text),
        })
        .collect();

    Ok((!hashes.is_empty()).then(|| hashes.join(" ")))
}

/// The edges of a package. A dependency that is not in the file is for an environment that the
/// project excludes, or for an extra that is not used.
fn edges(graph: &mut Graph, entry: &Node<'_>) -> Result<Vec<Edge>, ParseError> {
    let mut edges = Vec::new();
    for (name, wanted) in entry.optional_map("dependencies")? {
        let alternatives = match wanted.is_list() {
            true => wanted.items(),
            false => std::slice::from_ref(wanted),
        };
        let mut seen: BTreeSet<PackageIndex> = BTreeSet::new();

        for wanted in alternatives {
            let requirement = super::manifest::requirement(&name.name, wanted)?;
            let optional = wanted.get("optional").and_then(Node::bool) == Some(true);
            let targets = graph.edges_to(&DependencyRequest {
                name: &name.name,
                requirement: Some(&requirement),
                version: None,
                kind: match optional {
                    true => DependencyKind::Optional,
                    false => DependencyKind::Runtime,
                },
            })?;

            for edge in targets {
                if seen.insert(edge.to) {
                    edges.push(edge);
                }
            }
        }
    }

    Ok(edges)
}
