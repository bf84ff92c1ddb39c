//! Readers of `project.assets.json`, which a restore writes to `obj/`, and `*.deps.json`, which a
//! build writes next to its output
//! (<https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>).
//!
//! Both contain the graph of each target framework under `targets`, with keys of the form
//! `name/version`, and the details of each key under `libraries`.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, PackageIndex, Root,
};

use super::libraries::Libraries;
use super::{check_name, check_version, project_files, scopes};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, salvage};

/// Prefix of the names in `*.deps.json` of packages that contain the runtime itself.
const RUNTIME_PACK: &str = "runtimepack.";

/// Reads a `project.assets.json`, which `dotnet restore` writes.
pub(super) fn parse_assets(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let format = match document.get("version").and_then(Node::scalar) {
        Some("2") => "nuget-assets-v2",
        Some("3") => "nuget-assets-v3",
        Some("4") => "nuget-assets-v4",
        Some(other) => {
            salvage::other_version(&mut skipped, document.line, other, "versions 2 to 4 are");
            "nuget-assets"
        }
        None => {
            skipped.package(document.line, "lacks its format `version`");
            "nuget-assets"
        }
    };
    let libraries = graph(input, &document, FormatId::new(format), &mut skipped)?;
    let mut edges = direct(&libraries, &document, &mut skipped);
    let own = document
        .get("project")
        .and_then(|project| project.get("restore"));
    let project = own
        .and_then(|restore| restore.get("projectPath"))
        .and_then(Node::text)
        .and_then(|path| path.rsplit(['/', '\\']).next())
        .and_then(|file| project_files::above(input, file));

    let mut lockfile = libraries.lockfile;
    if let Some(project) = &project {
        let development = project.development_packages();
        for edge in &mut edges {
            if development.contains(&edge.name.to_ascii_lowercase()) {
                edge.kind = DependencyKind::Development;
            }
        }
    }

    let stated_name = own
        .and_then(|restore| restore.get("projectName"))
        .and_then(Node::text)
        .unwrap_or_default();
    lockfile.roots.push(Root {
        name: stated_name.to_owned(),
        manifest: project.map(|project| project.path),
        edges,
    });
    scopes::set(&mut lockfile);

    salvage::finish(lockfile, skipped)
}

/// Reads a `*.deps.json`, which `dotnet build` writes next to a program.
pub(super) fn parse_deps(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let format = FormatId::new("dotnet-deps");
    let libraries = graph(input, &document, format, &mut skipped)?;
    let mut lockfile = libraries.lockfile;

    // The first project is the one that was built. The file lists it like any other library.
    let own = lockfile
        .packages
        .iter()
        .find(|package| matches!(package.origin, Origin::Path(_)));
    if let Some(own) = own {
        let root = Root {
            name: own.name.clone(),
            manifest: None,
            edges: own.edges.clone(),
        };
        lockfile.roots.push(root);
    }

    salvage::finish(lockfile, skipped)
}

/// The direct requirements of the project. A group can have another name than its target: `net6.0`
/// for `.NETCoreApp,Version=v6.0`.
fn direct(libraries: &Libraries, document: &Node<'_>, skipped: &mut SkippedEntries) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut known = HashSet::new();
    let groups = document.optional_map("projectFileDependencyGroups");
    let groups = skipped.recover(Loss::Edge, document.line, groups);
    for (target, requirements) in groups.unwrap_or_default() {
        for requirement in requirements.items() {
            let Some(text) = requirement.text() else {
                let error = requirement.unexpected(&target.name, "a list of texts");
                skipped.edge(requirement.line, error.reason);
                continue;
            };
            let (name, requirement) = match text.split_once(' ') {
                Some((name, requirement)) => (name, Some(requirement.to_owned())),
                None => (text, None),
            };
            let Some(to) = libraries.find_anywhere(&target.name, name) else {
                continue;
            };

            if known.insert((to, requirement.clone())) {
                edges.push(Edge {
                    to,
                    name: name.into(),
                    requirement: requirement.map(Into::into),
                    kind: DependencyKind::Runtime,
                });
            }
        }
    }

    edges
}

/// Reads the graph, which has the same form in both files.
fn graph(
    input: &Input<'_>,
    document: &Node<'_>,
    format: FormatId,
    skipped: &mut SkippedEntries,
) -> Result<Libraries, ParseError> {
    let map = |name: &str| document.get(name).filter(|node| node.is_map());
    let stated = map("libraries").map(Node::entries).unwrap_or_default();
    if stated.is_empty() && map("targets").is_none() {
        return Err(ParseError::new(
            "has neither the map `targets` nor any library",
        ));
    }

    // Each of the two maps names every package; only `targets` has the edges.
    if map("targets").is_none() {
        skipped.edge(document.line, "lacks the map `targets`");
    }
    if map("libraries").is_none() {
        skipped.detail(document.line, "lacks the map `libraries`");
    }
    let mut details: HashMap<&str, (&Node<'_>, u32, bool)> = stated
        .iter()
        .map(|(key, node)| (&*key.name, (node, key.line, false)))
        .collect();

    let mut libraries = Libraries::new(input.path, format);
    for (target, entries) in map("targets").map(Node::entries).unwrap_or_default() {
        if !entries.is_map() {
            let error = entries.unexpected(&target.name, "a map");
            skipped.edge(target.line, error.reason);
            continue;
        }

        let mut entries_of_target: Vec<(PackageIndex, &Node<'_>)> = Vec::new();
        for (key, entry) in entries.entries() {
            let package = match details.get_mut(&*key.name) {
                Some((detail, line, taken)) => {
                    // A package that cannot be read is recorded once, and not for each target.
                    let is_first = !std::mem::replace(taken, true);
                    let mut again = SkippedEntries::default();
                    let skipped = if is_first { &mut *skipped } else { &mut again };
                    let package = package(&key.name, detail, entry, *line, skipped);
                    skipped.recover(Loss::Package, *line, package)
                }
                None => {
                    let reason = "in a target and not among its libraries";
                    skipped.detail(key.line, format!("has `{}` {reason}", key.name));
                    let package = package(&key.name, entry, entry, key.line, skipped);
                    skipped.recover(Loss::Package, key.line, package)
                }
            };
            let Some(package) = package else { continue };
            entries_of_target.push((libraries.add(Some(&target.name), package)?, entry));
        }

        for (from, entry) in entries_of_target {
            let needed = entry.optional_map("dependencies");
            let needed = skipped.recover(Loss::Edge, entry.line, needed);
            for (name, requirement) in needed.unwrap_or_default() {
                let name = name.name.strip_prefix(RUNTIME_PACK).unwrap_or(&name.name);
                libraries.depend(&target.name, from, name, requirement.text())?;
            }
        }
    }
    // Libraries without a target are restored but not built. They are installed all the same.
    for (key, detail) in stated {
        if let Some((_, line, false)) = details.get(&*key.name) {
            let package = package(&key.name, detail, detail, *line, skipped);
            if let Some(package) = skipped.recover(Loss::Package, *line, package) {
                libraries.add(None, package)?;
            }
        }
    }

    Ok(libraries)
}

/// A library from its key, its details, and its entry in a target. One without a type counts as a
/// package.
fn package(
    key: &str,
    detail: &Node<'_>,
    entry: &Node<'_>,
    line: u32,
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    let (name, version) = key.split_once('/').ok_or_else(|| {
        ParseError::new(format!(
            "has the library `{key}`, which is not a name and a version"
        ))
        .at_line(line as usize)
    })?;
    let stated = [detail, entry].into_iter().find_map(|node| {
        let kind = node.get("type").and_then(Node::text);
        kind.filter(|kind| !kind.is_empty())
    });
    let kind = stated.unwrap_or_else(|| {
        skipped.detail(line, format!("lacks the `type` of `{key}`"));
        "package"
    });
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let integrity = skipped
        .recover(Loss::Detail, line, detail.optional_text("sha512"))
        .flatten()
        .filter(|hash| !hash.is_empty())
        .map(str::to_owned);

    if !is("package") && !is("runtimepack") {
        if name.is_empty() {
            return Err(ParseError::new("has a library without a name").at_line(line as usize));
        }
        return Ok(Package {
            line,
            origin: Origin::Path(detail.get("path").and_then(Node::text).map(str::to_owned)),
            ..Package::new(super::NAME, name.to_owned(), version.to_owned())
        });
    }

    let name = match name.strip_prefix(RUNTIME_PACK) {
        Some(rest) if is("runtimepack") => rest,
        _ => name,
    };
    check_name(name, line)?;
    check_version(version, name, line)?;

    Ok(Package {
        line,
        integrity,
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}
