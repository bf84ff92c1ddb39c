//! Reader of `composer.json` (<https://getcomposer.org/doc/04-schema.md>): the requirements of a
//! project.

use patchgate_model::{DependencyKind, Edge, Root, Unresolved};

use super::is_platform;
use super::package::{Packages, requirements};
use crate::syntax::{DuplicateKey, Node, json_with_duplicates};
use crate::{Input, ParseError};

/// Keys that contain requirements, with their kind.
const KINDS: [(&str, DependencyKind); 2] = [
    ("require", DependencyKind::Runtime),
    ("require-dev", DependencyKind::Development),
];

/// The requirements of a manifest that has no lockfile.
///
/// # Errors
/// When the file is not a manifest. Also when a key has several values that differ: Composer uses
/// the last one, and without a lockfile nothing else says what the others ask for.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let (document, duplicates) = read(input)?;
    match duplicates.iter().find(|key| !key.is_same) {
        None => stated(&document),
        Some(key) => Err(ParseError::new(format!("has the key `{}` twice", key.name))
            .at_line(key.counting_line as usize)),
    }
}

/// The requirements in a manifest.
fn stated(document: &Node<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let mut open = Vec::new();
    for (key, kind) in KINDS {
        // `requirements` checks the types of all values; the lines come from the names.
        let required = requirements(document, key)?;
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
    // An unreadable manifest still belongs to this lockfile. Of a key that it has twice, the last
    // value counts, as for Composer.
    let document = read(&manifest).map(|(document, _)| document).ok();
    let requirements = document.as_ref().and_then(|document| stated(document).ok());

    let mut edges = Vec::new();
    for required in requirements.unwrap_or_default() {
        edges.extend(packages.find(&required.name).iter().map(|to| Edge {
            to: *to,
            name: required.name.as_str().into(),
            requirement: Some(required.requirement.as_str().into()),
            kind: required.kind,
        }));
    }

    let name = document
        .as_ref()
        .and_then(|document| Some(document.optional_text("name").ok()??.to_owned()));
    Some(Root {
        name: name.unwrap_or_default(),
        manifest: Some(path.to_owned()),
        edges,
    })
}

/// A manifest, with the keys that it has again further down.
fn read<'a>(input: &Input<'a>) -> Result<(Node<'a>, Vec<DuplicateKey<'a>>), ParseError> {
    let (document, duplicates) = json_with_duplicates(input.text()?)?;
    if document.is_map() {
        Ok((document, duplicates))
    } else {
        Err(document.unexpected("composer.json", "a map"))
    }
}
