//! Reader of `packages.lock.json`
//! (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies>).

use std::collections::HashSet;

use patchgate_model::{DependencyKind, Edge, FormatId, Lockfile, Origin, Package, Root};

use super::central::Locked;
use super::libraries::Libraries;
use super::{check_name, check_version, project_files, scopes};
use crate::syntax::{Node, json};
use crate::{Input, ParseError};

/// Reads a lockfile, together with the project files next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let (mut lockfile, direct) = read(input)?;
    lockfile.roots = roots(input, direct);
    scopes::set(&mut lockfile);
    Ok(lockfile)
}

/// The locked versions of each direct dependency, by lower-case name.
pub(super) fn direct_versions(input: &Input<'_>) -> Result<Locked, ParseError> {
    let (lockfile, direct) = read(input)?;
    let mut versions = Locked::new();
    for edge in direct {
        if let Some(package) = lockfile.package(edge.to)
            && matches!(package.origin, Origin::Registry(_))
        {
            let of_name = versions.entry(edge.name.to_ascii_lowercase()).or_default();
            of_name.insert(package.version.clone());
        }
    }

    Ok(versions)
}

/// The packages, and the edges to the direct dependencies.
fn read(input: &Input<'_>) -> Result<(Lockfile, Vec<Edge>), ParseError> {
    let document = json(input.text()?)?;
    let mut libraries = Libraries::new(input.path, format(&document)?);
    let targets = document
        .get("dependencies")
        .filter(|targets| targets.is_map())
        .ok_or_else(|| ParseError::new("lacks the map `dependencies`"))?;

    let mut direct = Vec::new();
    let mut known = HashSet::new();
    for (target, packages) in targets.entries() {
        if !packages.is_map() {
            return Err(packages.unexpected(&target.name, "a map"));
        }

        let mut entries = Vec::new();
        for (name, entry) in packages.entries() {
            let package = package(&name.name, entry, name.line)?;
            let index = libraries.add(Some(&target.name), package)?;
            entries.push((index, entry));
            let requirement = entry.optional_text("requested")?.map(str::to_owned);

            if is_direct(entry)? && known.insert((index, requirement.clone())) {
                direct.push(Edge {
                    to: index,
                    name: (&*name.name).into(),
                    requirement: requirement.map(Into::into),
                    kind: DependencyKind::Runtime,
                });
            }
        }

        // The edges of a target, for which all of its packages must be known.
        for (index, entry) in entries {
            for (name, requirement) in entry.optional_map("dependencies")? {
                libraries.depend(&target.name, index, &name.name, requirement.text())?;
            }
        }
    }

    Ok((libraries.lockfile, direct))
}

fn format(document: &Node<'_>) -> Result<FormatId, ParseError> {
    match document.get("version").and_then(Node::scalar) {
        Some("1") => Ok(FormatId::new("nuget-lock-v1")),
        Some("2") => Ok(FormatId::new("nuget-lock-v2")),
        Some(other) => Err(ParseError::new(format!(
            "has the unsupported format version {other:?}"
        ))
        .with_hint("versions 1 and 2 are supported; a newer Patchgate may support this one")),
        None => Err(ParseError::new("lacks its format `version`")
            .with_hint("re-create the file with `dotnet restore --force-evaluate`")),
    }
}

/// A package, or another project of the same build.
fn package(name: &str, entry: &Node<'_>, line: u32) -> Result<Package, ParseError> {
    if !entry.is_map() {
        return Err(entry.unexpected(name, "a map"));
    }

    let kind = entry.need_text("type")?;
    let version = entry.optional_text("resolved")?;
    if kind.eq_ignore_ascii_case("project") {
        return Ok(Package {
            line,
            origin: Origin::Path(None),
            ..Package::new(
                super::NAME,
                name.to_owned(),
                version.unwrap_or_default().to_owned(),
            )
        });
    }

    let version = version
        .ok_or_else(|| ParseError::new(format!("locks `{name}` without `resolved`")))
        .map_err(|error| error.at_line(line as usize))?;
    check_name(name, line)?;
    check_version(version, name, line)?;

    Ok(Package {
        line,
        integrity: entry.optional_text("contentHash")?.map(str::to_owned),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// Whether the project itself requires an entry. All entries for other projects count as direct,
/// because the file does not say which of them the project references itself.
fn is_direct(entry: &Node<'_>) -> Result<bool, ParseError> {
    let kind = entry.need_text("type")?;
    Ok(kind.eq_ignore_ascii_case("direct") || kind.eq_ignore_ascii_case("project"))
}

/// The projects next to the lockfile, which own it. Each project file says which packages it uses
/// only for development.
fn roots(input: &Input<'_>, direct: Vec<Edge>) -> Vec<Root> {
    let projects = project_files::beside(input);
    if projects.is_empty() {
        return vec![Root {
            edges: direct,
            ..Root::default()
        }];
    }

    projects
        .into_iter()
        .map(|project| {
            let development = project.development_packages();
            let mut edges = direct.clone();
            for edge in &mut edges {
                if development.contains(&edge.name.to_ascii_lowercase()) {
                    edge.kind = DependencyKind::Development;
                }
            }

            Root {
                name: project.name,
                manifest: Some(project.path),
                edges,
            }
        })
        .collect()
}
