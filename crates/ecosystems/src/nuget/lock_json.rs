//! Reader of `packages.lock.json`
//! (<https://learn.microsoft.com/nuget/consume-packages/package-references-in-project-files#locking-dependencies>).

use std::collections::HashSet;

use patchgate_model::{DependencyKind, Edge, FormatId, Lockfile, Loss, Origin, Package, Root};

use super::central::Locked;
use super::libraries::Libraries;
use super::{check_name, check_version, project_files, scopes};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, salvage};

/// Reads a lockfile, together with the project files next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let (mut lockfile, direct, skipped) = read(input)?;
    lockfile.roots = roots(input, direct);
    scopes::set(&mut lockfile);
    salvage::finish(lockfile, skipped)
}

/// The locked versions of each direct dependency, by lower-case name.
pub(super) fn direct_versions(input: &Input<'_>) -> Result<Locked, ParseError> {
    let (lockfile, direct, _) = read(input)?;
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

/// The packages, the edges to the direct dependencies, and the entries that could not be read.
fn read(input: &Input<'_>) -> Result<(Lockfile, Vec<Edge>, SkippedEntries), ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let targets = document
        .get("dependencies")
        .filter(|targets| targets.is_map())
        .ok_or_else(|| ParseError::new("lacks the map `dependencies`"))?;
    let mut libraries = Libraries::new(input.path, format(&document, &mut skipped));

    let mut direct = Vec::new();
    let mut known = HashSet::new();
    for (target, packages) in targets.entries() {
        if !packages.is_map() {
            let error = packages.unexpected(&target.name, "a map");
            skipped.package(target.line, error.reason);
            continue;
        }

        let mut entries = Vec::new();
        for (name, entry) in packages.entries() {
            let package = package(&name.name, entry, name.line, &mut skipped);
            let Some(package) = skipped.recover(Loss::Package, name.line, package) else {
                continue;
            };
            let index = libraries.add(Some(&target.name), package)?;
            entries.push((index, entry));
            let requested = entry.optional_text("requested");
            let requested = skipped.recover(Loss::Detail, name.line, requested);
            let requirement = requested.flatten().map(str::to_owned);

            if is_direct(entry) && known.insert((index, requirement.clone())) {
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
            let needed = entry.optional_map("dependencies");
            let needed = skipped.recover(Loss::Edge, entry.line, needed);
            for (name, requirement) in needed.unwrap_or_default() {
                libraries.depend(&target.name, index, &name.name, requirement.text())?;
            }
        }
    }

    Ok((libraries.lockfile, direct, skipped))
}

/// The format by its version. Both known versions have the same form.
fn format(document: &Node<'_>, skipped: &mut SkippedEntries) -> FormatId {
    match document.get("version").and_then(Node::scalar) {
        Some("1") => FormatId::new("nuget-lock-v1"),
        Some("2") => FormatId::new("nuget-lock-v2"),
        Some(other) => {
            salvage::other_version(skipped, document.line, other, "versions 1 and 2 are");
            FormatId::new("nuget-lock")
        }
        None => {
            skipped.package(document.line, "lacks its format `version`");
            FormatId::new("nuget-lock")
        }
    }
}

/// A package, or another project of the same build.
fn package(
    name: &str,
    entry: &Node<'_>,
    line: u32,
    skipped: &mut SkippedEntries,
) -> Result<Package, ParseError> {
    if !entry.is_map() {
        return Err(entry.unexpected(name, "a map"));
    }

    let version = entry.optional_text("resolved")?;
    let kind = entry.need_text("type");
    let kind = skipped.recover(Loss::Edge, line, kind).unwrap_or_default();
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
        integrity: skipped
            .recover(Loss::Detail, line, entry.optional_text("contentHash"))
            .flatten()
            .map(str::to_owned),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// Whether the project itself requires an entry. All entries for other projects count as direct,
/// because the file does not say which of them the project references itself.
fn is_direct(entry: &Node<'_>) -> bool {
    let kind = entry.get("type").and_then(Node::text).unwrap_or_default();
    kind.eq_ignore_ascii_case("direct") || kind.eq_ignore_ascii_case("project")
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
