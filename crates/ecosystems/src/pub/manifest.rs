//! Reader of `pubspec.yaml` (<https://dart.dev/tools/pub/pubspec>): the requirements of a project.

use std::collections::HashSet;

use patchgate_model::{DependencyKind, Unresolved};

use crate::syntax::{Node, yaml};
use crate::{Input, ParseError};

/// Most members of a workspace.
const MAX_MEMBERS: usize = 10_000;

/// The contents of a manifest.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    /// Name of the project; empty if it has none.
    pub(super) name: String,
    /// Requirements from all kinds of sources.
    pub(super) open: Vec<Unresolved>,
    /// Directories of the workspace's members.
    members: Vec<String>,
}

/// The requirements of a manifest that has no lockfile. Directories and SDKs are left out, because
/// they have no versions to pin.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let document = yaml(input.text()?)?;
    let is_left_out = |node: &Node<'_>| node.get("path").is_some() || node.get("sdk").is_some();
    let mut manifest = read(&document, is_left_out)?;
    let file = overrides_file(input)?;
    override_requirements(
        file.as_ref().unwrap_or(&document),
        is_left_out,
        &mut manifest,
    )?;

    let documents: Vec<&Node<'_>> = file.iter().chain([&document]).collect();
    for one in &mut manifest.open {
        // The code comes from the repository, whatever versions the registry has.
        if let Some(address) = repository(&documents, &one.name) {
            address.clone_into(&mut one.requirement);
        }
        // A requirement of the other file is reported at the one that it replaces.
        if let Some(file) = &file
            && file
                .get(OVERRIDES)
                .and_then(|all| all.get(&one.name))
                .is_some()
        {
            one.line = line_of(&document, &one.name);
        }
    }
    Ok(manifest.open)
}

/// Key with requirements that replace those of the project and of its dependencies
/// (<https://dart.dev/tools/pub/dependencies#dependency-overrides>).
const OVERRIDES: &str = "dependency_overrides";

/// File whose overrides count instead of those of the manifest next to it
/// (<https://dart.dev/tools/pub/dependencies#dependency-overrides>).
pub(super) const OVERRIDES_FILE: &str = "pubspec_overrides.yaml";

/// The overrides in a file of their own; `None` if there are none.
fn overrides_file<'a>(input: &Input<'a>) -> Result<Option<Node<'a>>, ParseError> {
    let Some(bytes) = input.siblings.get(&input.beside(OVERRIDES_FILE)) else {
        return Ok(None);
    };
    let file = Input {
        path: OVERRIDES_FILE,
        bytes,
        siblings: input.siblings,
    };
    let document = file.text().and_then(yaml).map_err(|error| {
        ParseError::new(format!(
            "has requirements that `{OVERRIDES_FILE}` replaces, which {}",
            error.reason
        ))
    })?;
    Ok(document.get(OVERRIDES).is_some().then_some(document))
}

/// The line of the manifest's own requirement of a package; 1 if it has none.
fn line_of(document: &Node<'_>, name: &str) -> u32 {
    let sections = ["dependencies", "dev_dependencies"];
    let mut entries = sections
        .iter()
        .filter_map(|section| document.get(section))
        .flat_map(Node::entries);
    entries
        .find(|(key, _)| *key.name == *name)
        .map_or(1, |(key, _)| key.line)
}

/// Replaces the requirements of the packages that a project overrides.
fn override_requirements(
    document: &Node<'_>,
    is_left_out: fn(&Node<'_>) -> bool,
    manifest: &mut Manifest,
) -> Result<(), ParseError> {
    let mut overrides = Manifest::default();
    requirements(
        document,
        (OVERRIDES, DependencyKind::Runtime),
        is_left_out,
        &mut overrides,
    )?;
    let overridden = document.optional_map(OVERRIDES)?;
    let is_overridden =
        |one: &Unresolved| overridden.iter().any(|(name, _)| *name.name == *one.name);
    manifest.open.retain(|one| !is_overridden(one));
    manifest.open.extend(overrides.open);

    Ok(())
}

/// The address of the repository that a dependency comes from.
fn repository<'d>(documents: &[&'d Node<'_>], name: &str) -> Option<&'d str> {
    // The first one that names the package decides.
    let keys = [OVERRIDES, "dependencies", "dev_dependencies"];
    let stated = keys.iter().find_map(|key| {
        let mut stated = documents
            .iter()
            .filter_map(|document| document.get(key)?.get(name));
        stated.next()
    })?;
    let git = stated.get("git")?;
    git.text().or_else(|| git.get("url")?.text())
}

/// The manifests that belong to a lockfile, starting with the one next to it. An unreadable
/// manifest is included, without requirements.
pub(super) fn workspace(input: &Input<'_>) -> Vec<(String, Manifest)> {
    let mut manifests: Vec<(String, Manifest)> = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![input.beside("")];
    while let Some(directory) = waiting.pop() {
        let path = format!("{directory}pubspec.yaml");
        if manifests.len() >= MAX_MEMBERS || !seen.insert(path.clone()) {
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
        let contents = manifest
            .text()
            .and_then(yaml)
            .and_then(|document| read(&document, |_| false))
            .unwrap_or_default();
        let members = contents.members.iter().rev().filter(|member| {
            !member.starts_with('/') && member.split('/').all(|part| part != "..")
        });
        waiting.extend(members.map(|member| {
            let member = member.trim_start_matches("./").trim_end_matches('/');
            format!("{directory}{member}/")
        }));
        manifests.push((path, contents));
    }

    manifests
}

fn read(document: &Node<'_>, is_left_out: fn(&Node<'_>) -> bool) -> Result<Manifest, ParseError> {
    if !document.is_map() {
        return Err(document.unexpected("pubspec.yaml", "a map"));
    }

    let mut manifest = Manifest {
        name: document
            .optional_text("name")?
            .unwrap_or_default()
            .to_owned(),
        ..Manifest::default()
    };
    for (key, kind) in [
        ("dependencies", DependencyKind::Runtime),
        ("dev_dependencies", DependencyKind::Development),
    ] {
        requirements(document, (key, kind), is_left_out, &mut manifest)?;
    }

    for member in document.optional_list("workspace")? {
        manifest.members.extend(member.text().map(str::to_owned));
    }

    Ok(manifest)
}

/// Adds the requirements below a key.
fn requirements(
    document: &Node<'_>,
    (key, kind): (&str, DependencyKind),
    is_left_out: fn(&Node<'_>) -> bool,
    manifest: &mut Manifest,
) -> Result<(), ParseError> {
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
        manifest.open.push(Unresolved {
            ecosystem: crate::pub_dart::NAME,
            name: name.name.clone().into_owned(),
            requirement: requirement.unwrap_or_default().to_owned(),
            kind,
            line: name.line,
        });
    }

    Ok(())
}
