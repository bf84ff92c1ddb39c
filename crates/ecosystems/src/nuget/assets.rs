//! Readers of `project.assets.json`, which a restore writes to `obj/`, and `*.deps.json`, which a
//! build writes next to its output
//! (<https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>).
//!
//! Both contain the graph of each target framework under `targets`, with keys of the form
//! `name/version`, and the details of each key under `libraries`.

use std::collections::{HashMap, HashSet};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root,
};

use super::libraries::Libraries;
use super::{check_name, check_version, project_files, scopes};
use crate::syntax::{Node, json};
use crate::{Input, ParseError};

/// Prefix of the names in `*.deps.json` of packages that contain the runtime itself.
const RUNTIME_PACK: &str = "runtimepack.";

/// Reads a `project.assets.json`, which `dotnet restore` writes.
pub(super) fn parse_assets(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = json(input.text()?)?;
    let format = match document.get("version").and_then(Node::scalar) {
        Some("2") => "nuget-assets-v2",
        Some("3") => "nuget-assets-v3",
        Some("4") => "nuget-assets-v4",
        Some(other) => {
            return Err(
                ParseError::new(format!("has the unsupported format version {other:?}")).with_hint(
                    "versions 2 to 4 are supported; a newer Patchgate may support this one",
                ),
            );
        }
        None => {
            return Err(ParseError::new("lacks its format `version`")
                .with_hint("re-create the file with `dotnet restore`"));
        }
    };
    let libraries = graph(input, &document, FormatId::new(format))?;
    let mut edges = direct(&libraries, &document)?;
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

    Ok(lockfile)
}

/// Reads a `*.deps.json`, which `dotnet build` writes next to a program.
pub(super) fn parse_deps(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = json(input.text()?)?;
    let libraries = graph(input, &document, FormatId::new("dotnet-deps"))?;
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

    Ok(lockfile)
}

/// The direct requirements of the project. A group can have another name than its target: `net6.0`
/// for `.NETCoreApp,Version=v6.0`.
fn direct(libraries: &Libraries, document: &Node<'_>) -> Result<Vec<Edge>, ParseError> {
    let mut edges = Vec::new();
    let mut known = HashSet::new();
    for (target, requirements) in document.optional_map("projectFileDependencyGroups")? {
        for requirement in requirements.items() {
            let Some(text) = requirement.text() else {
                return Err(requirement.unexpected(&target.name, "a list of texts"));
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

    Ok(edges)
}

/// Reads the graph, which has the same form in both files.
fn graph(
    input: &Input<'_>,
    document: &Node<'_>,
    format: FormatId,
) -> Result<Libraries, ParseError> {
    let need_map = |name: &str| {
        document
            .get(name)
            .filter(|node| node.is_map())
            .ok_or_else(|| ParseError::new(format!("lacks the map `{name}`")))
    };
    let mut details: HashMap<&str, (&Node<'_>, u32, bool)> = need_map("libraries")?
        .entries()
        .iter()
        .map(|(key, node)| (&*key.name, (node, key.line, false)))
        .collect();

    let mut libraries = Libraries::new(input.path, format);
    for (target, entries) in need_map("targets")?.entries() {
        if !entries.is_map() {
            return Err(entries.unexpected(&target.name, "a map"));
        }

        let mut entries_of_target: Vec<(PackageIndex, &Node<'_>)> = Vec::new();
        for (key, entry) in entries.entries() {
            let Some((detail, line, taken)) = details.get_mut(&*key.name) else {
                return Err(ParseError::new(format!(
                    "has `{}` in a target and not among its libraries",
                    key.name
                ))
                .at_line(key.line as usize));
            };

            *taken = true;
            let package = package(&key.name, detail, *line)?;
            entries_of_target.push((libraries.add(Some(&target.name), package)?, entry));
        }

        for (from, entry) in entries_of_target {
            for (name, requirement) in entry.optional_map("dependencies")? {
                let name = name.name.strip_prefix(RUNTIME_PACK).unwrap_or(&name.name);
                libraries.depend(&target.name, from, name, requirement.text())?;
            }
        }
    }
    // Libraries without a target are restored but not built. They are installed all the same.
    for (key, detail) in need_map("libraries")?.entries() {
        if let Some((_, line, false)) = details.get(&*key.name) {
            libraries.add(None, package(&key.name, detail, *line)?)?;
        }
    }

    Ok(libraries)
}

/// A library from its key and its details.
fn package(key: &str, detail: &Node<'_>, line: u32) -> Result<Package, ParseError> {
    let (name, version) = key.split_once('/').ok_or_else(|| {
        ParseError::new(format!(
            "has the library `{key}`, which is not a name and a version"
        ))
        .at_line(line as usize)
    })?;
    let kind = detail.need_text("type")?;
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let integrity = detail
        .optional_text("sha512")?
        .filter(|hash| !hash.is_empty())
        .map(str::to_owned);

    if !is("package") && !is("runtimepack") {
        if name.is_empty() {
            return Err(ParseError::new("has a library without a name").at_line(line as usize));
        }
        return Ok(Package {
            line,
            origin: Origin::Path(detail.optional_text("path")?.map(str::to_owned)),
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
