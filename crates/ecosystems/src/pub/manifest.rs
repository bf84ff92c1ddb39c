//! `pubspec.yaml` (<https://dart.dev/tools/pub/pubspec>): what a project asks for.

use std::collections::HashSet;

use patchgate_model::{DependencyKind, Unresolved};

use crate::syntax::{Node, yaml};
use crate::{Input, ParseError};

/// Most members of a workspace.
const MAX_MEMBERS: usize = 10_000;

/// What a manifest says.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The project's name.
    pub(super) name: String,
    /// What it asks for, from wherever.
    pub(super) open: Vec<Unresolved>,
    /// The folders of the workspace's members.
    members: Vec<String>,
}

/// What a manifest without a lockfile asks for from a registry or a git repository: a folder and an
/// SDK have no versions to pin.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = yaml(input.text()?)?;
    let asked = read(&document, |node| {
        node.get("path").is_some() || node.get("sdk").is_some()
    })?;
    Ok(asked.open)
}

/// The manifests that a lockfile pins, the one beside it first. One that cannot be read still belongs
/// to it.
pub(super) fn workspace(input: &Input<'_>) -> Vec<(String, Asked)> {
    let mut found: Vec<(String, Asked)> = Vec::new();
    let mut seen = HashSet::new();

    let mut waiting = vec![input.beside("")];
    while let Some(folder) = waiting.pop() {
        let path = format!("{folder}pubspec.yaml");
        if found.len() >= MAX_MEMBERS || !seen.insert(path.clone()) {
            continue;
        }
        let Some(bytes) = input.sibling(&path) else {
            continue;
        };
        let manifest = Input {
            path: &path,
            bytes,
            siblings: input.siblings,
        };
        let asked = manifest
            .text()
            .and_then(yaml)
            .and_then(|document| read(&document, |_| false))
            .unwrap_or_default();
        let members = asked.members.iter().rev().filter(|member| {
            !member.starts_with('/') && member.split('/').all(|part| part != "..")
        });
        waiting.extend(members.map(|member| {
            let member = member.trim_start_matches("./").trim_end_matches('/');
            format!("{folder}{member}/")
        }));
        found.push((path, asked));
    }

    found
}

fn read(document: &Node<'_>, is_left_out: fn(&Node<'_>) -> bool) -> Result<Asked, ParseError> {
    if !document.is_map() {
        return Err(document.unexpected("pubspec.yaml", "a map"));
    }

    let mut asked = Asked {
        name: document
            .optional_text("name")?
            .unwrap_or_default()
            .to_owned(),
        ..Asked::default()
    };
    for (key, kind) in [
        ("dependencies", DependencyKind::Runtime),
        ("dev_dependencies", DependencyKind::Development),
    ] {
        for (name, value) in document.optional_map(key)? {
            if is_left_out(value) || name.name.is_empty() {
                continue;
            }

            let requirement = match value.text() {
                Some(text) => Some(text),
                None if value.is_map() => value.optional_text("version")?,
                None if value.is_null() => None,
                None => return Err(value.unexpected(&name.name, "a text or a map")),
            };
            asked.open.push(Unresolved {
                name: name.name.clone().into_owned(),
                requirement: requirement.unwrap_or_default().to_owned(),
                kind,
                line: name.line,
            });
        }
    }

    for member in document.optional_list("workspace")? {
        asked.members.extend(member.text().map(str::to_owned));
    }

    Ok(asked)
}
