//! `composer.json` (<https://getcomposer.org/doc/04-schema.md>): what a project asks for.

use patchgate_model::{DependencyKind, Edge, Root, Unresolved};

use super::is_platform;
use super::package::{Packages, requirements};
use crate::syntax::{Node, json};
use crate::{Input, ParseError};

/// The keys with requirements.
const KINDS: [(&str, DependencyKind); 2] = [
    ("require", DependencyKind::Runtime),
    ("require-dev", DependencyKind::Development),
];

/// What a manifest without a lockfile asks for.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = read(input)?;
    let mut open = Vec::new();
    for (key, kind) in KINDS {
        // This checks the kinds of all values; the lines are those of the names.
        let asked = requirements(&document, key)?;
        let names = document.get(key).map(Node::entries).unwrap_or_default();
        let names = names.iter().filter(|(name, _)| !is_platform(&name.name));
        for ((name, requirement), (at, _)) in asked.into_iter().zip(names) {
            open.push(Unresolved {
                name: name.to_owned(),
                requirement: requirement.to_owned(),
                kind,
                line: at.line,
            });
        }
    }

    Ok(open)
}

/// The project whose manifest stands at `path`, where it does.
pub(super) fn root(input: &Input<'_>, path: &str, packages: &Packages<'_>) -> Option<Root> {
    let manifest = Input {
        path,
        bytes: input.sibling(path)?,
        siblings: input.siblings,
    };
    // One that cannot be read still belongs to this lockfile.
    let asked = unresolved(&manifest).unwrap_or_default();

    let mut edges = Vec::new();
    for asked in asked {
        edges.extend(packages.find(&asked.name).iter().map(|to| Edge {
            to: *to,
            name: asked.name.as_str().into(),
            requirement: Some(asked.requirement.as_str().into()),
            kind: asked.kind,
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
