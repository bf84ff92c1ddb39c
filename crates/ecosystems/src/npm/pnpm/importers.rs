//! The projects of a document and their dependencies.

use patchgate_model::{DependencyKind, Edge, Loss, Root};

use super::packages::Links;
use crate::npm::tree::{self, project_at};
use crate::syntax::{Key, Node};
use crate::{Input, ParseError};

/// The dependency sections of a project. `configDependencies` and `packageManagerDependencies` are
/// required by pnpm itself.
const SECTIONS: [(&str, DependencyKind); 5] = [
    ("dependencies", DependencyKind::Runtime),
    ("optionalDependencies", DependencyKind::Optional),
    ("devDependencies", DependencyKind::Development),
    ("configDependencies", DependencyKind::Build),
    ("packageManagerDependencies", DependencyKind::Build),
];

/// Adds the projects of a document to `roots`, by their directories. If an earlier document has the
/// root project as well, it gets the edges of both.
pub(super) fn read(
    document: &Node<'_>,
    input: &Input<'_>,
    links: &mut Links<'_, '_>,
    roots: &mut Vec<(String, Root)>,
) -> Result<(), ParseError> {
    let Some(importers) = document.get("importers") else {
        // In a file with only one project its sections are at the top level.
        return add(".", document, None, input, links, roots);
    };
    if !importers.is_map() {
        return Err(importers.unexpected("importers", "a map"));
    }

    for (directory, importer) in importers.entries() {
        add(
            &directory.name,
            importer,
            document.get("catalogs"),
            input,
            links,
            roots,
        )?;
    }

    Ok(())
}

/// The projects of a document by their directories. A file with only one project has its sections at
/// the top.
pub(super) fn listed<'n, 't>(document: &'n Node<'t>) -> Vec<(&'n str, &'n Node<'t>)> {
    match document.get("importers") {
        None => vec![(".", document)],
        Some(importers) => importers
            .entries()
            .iter()
            .map(|(directory, importer)| (&*directory.name, importer))
            .collect(),
    }
}

fn add(
    directory: &str,
    importer: &Node<'_>,
    catalogs: Option<&Node<'_>>,
    input: &Input<'_>,
    links: &mut Links<'_, '_>,
    roots: &mut Vec<(String, Root)>,
) -> Result<(), ParseError> {
    if !importer.is_map() && !importer.is_null() {
        let error = Err(importer.unexpected("importers", "a map"));
        return links
            .recover(Loss::Edge, importer.line, error)
            .map(|_: Option<()>| ());
    }

    let edges = edges(importer, catalogs, links)?;
    let project = project_at(input, directory);
    let manifest = project.as_ref().map(|project| project.path.clone());
    // Searching is cheap: it is only done once per document.
    if directory == "."
        && let Some((_, root)) = roots.iter_mut().find(|(known, _)| known == directory)
    {
        root.edges.extend(edges);
        return Ok(());
    }

    let name = project.as_ref().and_then(|project| project.manifest.name());
    let in_path = if directory == "." { "" } else { directory };
    let root = Root {
        name: name.unwrap_or(in_path).to_owned(),
        manifest,
        edges,
    };
    roots.push((directory.to_owned(), root));

    Ok(())
}

fn edges(
    importer: &Node<'_>,
    catalogs: Option<&Node<'_>>,
    links: &mut Links<'_, '_>,
) -> Result<Vec<Edge>, ParseError> {
    let specifiers = importer.get("specifiers");
    let mut edges = Vec::new();
    let mut buffer = String::new();

    for (section, kind) in SECTIONS {
        let listed = importer.optional_map(section);
        let listed = links.recover(Loss::Edge, importer.line, listed)?;
        for (name, value) in listed.unwrap_or_default() {
            let found = links.recover(Loss::Edge, name.line, stated(name, value))?;
            let Some((reference, stated)) = found else {
                continue;
            };
            let Some(to) = links.find(name, reference, kind, &mut buffer)? else {
                continue;
            };

            let requirement = stated.or_else(|| {
                specifiers
                    .and_then(|specifiers| specifiers.get(&name.name))
                    .and_then(Node::text)
            });
            let requirement = requirement.map(|requirement| {
                catalog_entry(catalogs, requirement, &name.name)
                    .and_then(|entry| entry.get("specifier")?.text())
                    .unwrap_or(requirement)
            });
            edges.push(tree::edge(to, &name.name, requirement, kind));
        }
    }

    Ok(edges)
}

/// The entry of a catalog that a requirement such as `catalog:` or `catalog:old` refers to
/// (<https://pnpm.io/catalogs>).
pub(super) fn catalog_entry<'n, 't>(
    catalogs: Option<&'n Node<'t>>,
    requirement: &str,
    name: &str,
) -> Option<&'n Node<'t>> {
    let catalog = match requirement.strip_prefix("catalog:")?.trim() {
        "" => "default",
        catalog => catalog,
    };
    catalogs?.get(catalog)?.get(name)
}

/// The reference that a project's dependency is locked to, and the requirement if it is next to it.
/// Older files have requirements in `specifiers` instead.
fn stated<'n>(
    name: &Key<'_>,
    value: &'n Node<'_>,
) -> Result<(&'n str, Option<&'n str>), ParseError> {
    if let Some(reference) = value.text() {
        return Ok((reference, None));
    }
    if !value.is_map() {
        return Err(value.unexpected(&name.name, "a version"));
    }

    Ok((
        value.need_text("version")?,
        value.optional_text("specifier")?,
    ))
}
