//! `pyproject.toml`: the `[project]` table
//! (<https://packaging.python.org/en/latest/specifications/pyproject-toml/>), dependency groups
//! (<https://packaging.python.org/en/latest/specifications/dependency-groups/>), and the tables of
//! Poetry, PDM, flit and uv.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::DependencyKind;

use super::{Direct, Manifest, poetry};
use crate::ParseError;
use crate::pypi::address::{is_folder, without_credentials};
use crate::pypi::name::normalize;
use crate::syntax::{Node, toml};

/// Maximum number of requirements in one manifest, including those that groups include from others.
const MAX_DIRECT: usize = 100_000;

/// Reads the requirements from all tables of a `pyproject.toml`.
pub(super) fn parse(text: &str) -> Result<Manifest, ParseError> {
    let file = toml(text)?;
    let mut manifest = Manifest::default();

    if let Some(project) = table(&file, "project")? {
        project
            .optional_text("name")?
            .unwrap_or_default()
            .clone_into(&mut manifest.name);
        let runtime = project.optional_list("dependencies")?;
        texts(runtime, DependencyKind::Runtime, None, &mut manifest)?;
        for (extra, wanted) in project.optional_map("optional-dependencies")? {
            list(&extra.name, wanted, DependencyKind::Optional, &mut manifest)?;
        }
    }

    // Groups that only serve to be included are listed as well: each can be installed on its own.
    let groups = file.optional_map("dependency-groups")?;
    let mut includes = Includes {
        groups: groups
            .iter()
            .map(|(key, wanted)| (normalize(&key.name).into_owned(), (&*key.name, wanted)))
            .collect(),
        steps: 0,
    };
    for (group, _) in groups {
        includes.add(&group.name, &mut manifest)?;
    }

    if let Some(tool) = table(&file, "tool")? {
        if let Some(settings) = table(tool, "poetry")? {
            poetry::add(settings, &mut manifest)?;
        }
        if let Some(settings) = table(tool, "pdm")? {
            for (group, wanted) in settings.optional_map("dev-dependencies")? {
                list(
                    &group.name,
                    wanted,
                    DependencyKind::Development,
                    &mut manifest,
                )?;
            }
        }
        if let Some(settings) = table(tool, "flit")? {
            flit(settings, &mut manifest)?;
        }
        if let Some(settings) = table(tool, "uv")? {
            uv(settings, &mut manifest)?;
        }
    }

    Ok(manifest)
}

fn table<'n, 'a>(node: &'n Node<'a>, name: &str) -> Result<Option<&'n Node<'a>>, ParseError> {
    match node.get(name) {
        Some(table) if table.is_map() => Ok(Some(table)),
        Some(other) => Err(other.unexpected(name, "a table")),
        None => Ok(None),
    }
}

fn list(
    group: &str,
    wanted: &Node<'_>,
    kind: DependencyKind,
    manifest: &mut Manifest,
) -> Result<(), ParseError> {
    if !wanted.is_list() {
        return Err(wanted.unexpected(group, "a list"));
    }
    texts(wanted.items(), kind, Some(group), manifest)
}

fn texts(
    items: &[Node<'_>],
    kind: DependencyKind,
    group: Option<&str>,
    manifest: &mut Manifest,
) -> Result<(), ParseError> {
    for item in items {
        let text = item
            .text()
            .ok_or_else(|| item.unexpected("dependencies", "a text"))?;
        // PDM allows editable directories of the repository in its own groups.
        if text.starts_with("-e ") {
            continue;
        }
        push(manifest, Direct::from_text(text, kind, group, item.line)?)?;
    }

    Ok(())
}

fn push(manifest: &mut Manifest, direct: Direct) -> Result<(), ParseError> {
    if manifest.direct.len() >= MAX_DIRECT {
        return Err(
            ParseError::new(format!("has more than {MAX_DIRECT} requirements"))
                .at_line(direct.line as usize),
        );
    }
    manifest.direct.push(direct);
    Ok(())
}

/// Expansion of dependency groups that include each other.
struct Includes<'g, 'a> {
    /// The groups by normalized name, with the name as written.
    groups: BTreeMap<String, (&'g str, &'g Node<'a>)>,
    /// Number of entries visited so far, over all groups.
    steps: usize,
}

impl Includes<'_, '_> {
    /// Adds the requirements of a dependency group, and those of the groups that it includes. Each
    /// group is included once, so cycles end.
    fn add(&mut self, group: &str, manifest: &mut Manifest) -> Result<(), ParseError> {
        let mut seen = BTreeSet::new();
        let mut next = vec![normalize(group).into_owned()];
        while let Some(name) = next.pop() {
            let Some((written, wanted)) = self.groups.get(&name).copied() else {
                continue;
            };
            if !seen.insert(name) {
                continue;
            }
            if !wanted.is_list() {
                return Err(wanted.unexpected(written, "a list"));
            }

            for item in wanted.items() {
                self.steps += 1;
                if self.steps > MAX_DIRECT {
                    return Err(ParseError::new(format!(
                        "has dependency groups with more than {MAX_DIRECT} entries"
                    ))
                    .at_line(item.line as usize));
                }

                if let Some(other) = item.get("include-group").and_then(Node::text) {
                    next.push(normalize(other).into_owned());
                } else if !item.is_map() {
                    let kind = DependencyKind::Development;
                    texts(std::slice::from_ref(item), kind, Some(group), manifest)?;
                }
            }
        }

        Ok(())
    }
}

/// Reads the requirements in flit's older table (<https://flit.pypa.io/en/stable/pyproject_toml.html#old-style-metadata>).
fn flit(settings: &Node<'_>, manifest: &mut Manifest) -> Result<(), ParseError> {
    let Some(metadata) = table(settings, "metadata")? else {
        return Ok(());
    };
    let runtime = metadata.optional_list("requires")?;
    texts(runtime, DependencyKind::Runtime, None, manifest)?;
    let dev = metadata.optional_list("dev-requires")?;
    texts(dev, DependencyKind::Development, Some("dev"), manifest)?;
    for (extra, wanted) in metadata.optional_map("requires-extra")? {
        list(&extra.name, wanted, DependencyKind::Optional, manifest)?;
    }
    Ok(())
}

/// Reads uv's settings: its own development group, and the sources that make a requirement local.
fn uv(settings: &Node<'_>, manifest: &mut Manifest) -> Result<(), ParseError> {
    let dev = settings.optional_list("dev-dependencies")?;
    texts(dev, DependencyKind::Development, Some("dev"), manifest)?;
    let mut overrides = Manifest::default();
    let listed = settings.optional_list("override-dependencies")?;
    texts(listed, DependencyKind::Runtime, None, &mut overrides)?;
    manifest.overrides = overrides.direct;
    let Some(sources) = settings.get("sources") else {
        return Ok(());
    };
    let local: BTreeSet<String> = sources
        .entries()
        .iter()
        .filter(|(_, source)| {
            source.get("workspace").and_then(Node::bool) == Some(true)
                || source
                    .get("path")
                    .and_then(Node::text)
                    .is_some_and(is_folder)
        })
        .map(|(name, _)| normalize(&name.name).into_owned())
        .collect();
    // A source may be a list with one for each environment. If one of them is a repository or an
    // archive, the version is unknown.
    let addresses: BTreeMap<String, &str> = sources
        .entries()
        .iter()
        .filter_map(|(name, source)| {
            let alternatives = match source.is_list() {
                true => source.items(),
                false => std::slice::from_ref(source),
            };
            let address = alternatives.iter().find_map(|source| {
                ["git", "url", "path"]
                    .iter()
                    .find_map(|key| source.get(key)?.text())
            });
            Some((normalize(&name.name).into_owned(), address?))
        })
        .collect();

    for direct in &mut manifest.direct {
        let name = normalize(&direct.name);
        direct.is_local |= local.contains(name.as_ref());
        if let Some(address) = addresses.get(name.as_ref()) {
            direct.requirement = format!("@ {}", without_credentials(address));
        }
    }

    Ok(())
}
