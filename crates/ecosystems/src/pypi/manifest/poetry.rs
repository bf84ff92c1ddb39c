//! The table `[tool.poetry]` of a `pyproject.toml` (<https://python-poetry.org/docs/pyproject/>).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::DependencyKind;

use super::{Direct, Manifest};
use crate::ParseError;
use crate::pypi::address::{is_folder, without_credentials};
use crate::pypi::name::normalize;
use crate::syntax::Node;

/// Poetry's name for the group of runtime dependencies.
pub(in crate::pypi) const DEFAULT_GROUP: &str = "main";

/// Keys of a requirement that is not from an index. Pipenv knows more kinds of repositories than git.
const SOURCES: [&str; 7] = ["git", "hg", "svn", "bzr", "url", "file", "path"];

/// Adds the requirements of the table. For a dependency that `[project]` has already stated, the
/// table only adds a source, so its requirement is not added again.
pub(super) fn add(settings: &Node<'_>, manifest: &mut Manifest) -> Result<(), ParseError> {
    if manifest.name.is_empty() {
        settings
            .optional_text("name")?
            .unwrap_or_default()
            .clone_into(&mut manifest.name);
    }

    let stated: BTreeSet<String> = manifest
        .direct
        .iter()
        .map(|direct| normalize(&direct.name).into_owned())
        .collect();
    let mut local = BTreeSet::new();
    let mut addresses = BTreeMap::new();
    for (key, wanted) in settings.optional_map("dependencies")? {
        let name = normalize(&key.name);
        if name == "python" {
            continue;
        }
        if stated.contains(name.as_ref()) {
            match first(wanted) {
                Some(wanted) if is_local(wanted) => {
                    local.insert(name.into_owned());
                }
                Some(wanted) if SOURCES.iter().any(|key| wanted.get(key).is_some()) => {
                    let address = requirement(&key.name, wanted)?;
                    addresses.insert(name.into_owned(), address);
                }
                _ => {}
            }
            continue;
        }

        let optional = first(wanted)
            .and_then(|wanted| wanted.get("optional"))
            .and_then(Node::bool)
            == Some(true);
        let kind = if optional {
            DependencyKind::Optional
        } else {
            DependencyKind::Runtime
        };
        push(&key.name, key.line, wanted, kind, None, manifest)?;
    }
    for direct in &mut manifest.direct {
        direct.is_local |= local.contains(normalize(&direct.name).as_ref());
        if let Some(address) = addresses.get(normalize(&direct.name).as_ref()) {
            direct.requirement = without_credentials(address).into_owned();
        }
    }

    // Groups, in the old form and in the current one.
    for (key, wanted) in settings.optional_map("dev-dependencies")? {
        let kind = DependencyKind::Development;
        push(&key.name, key.line, wanted, kind, Some("dev"), manifest)?;
    }
    for (group, table) in settings.optional_map("group")? {
        let kind = match &*group.name {
            DEFAULT_GROUP => DependencyKind::Runtime,
            _ => DependencyKind::Development,
        };
        for (key, wanted) in table.optional_map("dependencies")? {
            push(
                &key.name,
                key.line,
                wanted,
                kind,
                Some(&group.name),
                manifest,
            )?;
        }
    }

    Ok(())
}

/// The requirement; if it is a list with one for each environment, the first of them.
fn first<'n, 'a>(wanted: &'n Node<'a>) -> Option<&'n Node<'a>> {
    match wanted.is_list() {
        true => wanted.items().first(),
        false => Some(wanted),
    }
}

fn is_local(wanted: &Node<'_>) -> bool {
    wanted
        .get("path")
        .and_then(Node::text)
        .is_some_and(is_folder)
}

/// Adds a requirement, or each one of a list.
fn push(
    name: &str,
    line: u32,
    wanted: &Node<'_>,
    kind: DependencyKind,
    group: Option<&str>,
    manifest: &mut Manifest,
) -> Result<(), ParseError> {
    let alternatives = match wanted.is_list() {
        true => wanted.items(),
        false => std::slice::from_ref(wanted),
    };
    for wanted in alternatives {
        manifest.direct.push(Direct {
            name: name.to_owned(),
            requirement: without_credentials(&requirement(name, wanted)?).into_owned(),
            extras: super::extras(wanted),
            kind,
            group: group.map(str::to_owned),
            is_local: is_local(wanted),
            has_marker: ["markers", "python", "platform"]
                .iter()
                .any(|key| wanted.get(key).is_some()),
            // A list may extend over several lines.
            line: line.max(wanted.line),
        });
    }

    Ok(())
}

/// The requirement as text: the address or the path if there is one, else the versions.
///
/// The version of a repository or an archive is unknown, even if the entry has versions too. A path
/// is written so that it cannot be taken for a version: `./1.0`.
pub(in crate::pypi) fn requirement<'n>(
    name: &str,
    wanted: &'n Node<'_>,
) -> Result<Cow<'n, str>, ParseError> {
    if let Some(text) = wanted.text() {
        return Ok(text.into());
    }
    if !wanted.is_map() {
        return Err(wanted.unexpected(name, "a requirement"));
    }

    for key in SOURCES {
        if let Some(text) = wanted.optional_text(key)? {
            return Ok(match text.contains(['/', '\\', ':']) {
                true => text.into(),
                false => format!("./{text}").into(),
            });
        }
    }

    Ok(wanted.optional_text("version")?.unwrap_or_default().into())
}
