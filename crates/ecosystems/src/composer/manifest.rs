//! Reader of `composer.json` (<https://getcomposer.org/doc/04-schema.md>): the requirements of a
//! project.

use patchgate_model::{DependencyKind, Edge, Root, Unresolved};

use super::is_platform;
use super::package::{Packages, requirements};
use crate::syntax::{Node, json};
use crate::{Input, ParseError};

/// Keys that contain requirements, with their kind.
const KINDS: [(&str, DependencyKind); 2] = [
    ("require", DependencyKind::Runtime),
    ("require-dev", DependencyKind::Development),
];

/// The requirements of a manifest that has no lockfile.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = read(input)?;
    let mut open = Vec::new();
    for (key, kind) in KINDS {
        // `requirements` checks the types of all values; the lines come from the names.
        let required = requirements(&document, key)?;
        let names = document.get(key).map(Node::entries).unwrap_or_default();
        let names = names.iter().filter(|(name, _)| !is_platform(&name.name));
        for ((name, requirement), (at, _)) in required.into_iter().zip(names) {
            open.push(Unresolved {
                ecosystem: crate::composer::NAME,
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                kind,
                line: at.line,
            });
        }
    }

    Ok(open)
}

/// The project whose manifest is at `path`; `None` if there is no such file.
pub(super) fn root(input: &Input<'_>, path: &str, packages: &Packages<'_>) -> Option<Root> {
    let manifest = Input {
        path,
        bytes: input.sibling(path)?,
        siblings: input.siblings,
    };
    // An unreadable manifest still belongs to this lockfile.
    let requirements = unresolved(&manifest).unwrap_or_default();

    let mut edges = Vec::new();
    for required in requirements {
        edges.extend(packages.find(&required.name).iter().map(|to| Edge {
            to: *to,
            name: required.name.as_str().into(),
            requirement: Some(required.requirement.as_str().into()),
            kind: required.kind,
        }));
    }

    let name = read(&manifest)
        .ok()
        .and_then(|document| Some(document.optional_text("name").ok()??.to_owned()));
    Some(Root {
        name: name.unwrap_or_default(),
        manifest: Some(path.to_owned()),
        edges,
    })
}

fn read<'a>(input: &Input<'a>) -> Result<Node<'a>, ParseError> {
    let document = json(input.text()?)?;
    if document.is_map() {
        Ok(document)
    } else {
        Err(document.unexpected("composer.json", "a map"))
    }
}
