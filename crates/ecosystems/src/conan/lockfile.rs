//! Reader of `conan.lock` (<https://docs.conan.io/2/tutorial/versioning/lockfiles.html>): lists of
//! references since Conan 2, a graph in Conan 1.

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, PackageIndex, Root, Scope, Unresolved,
};

use super::conanfile::Manifest;
use super::graph_lock;
use super::reference::{Reference, parse_reference};
use crate::syntax::{Node, json};
use crate::{Input, ParseError, limits};

/// The lists of Conan 2 with the kind of their packages, strongest kind first.
const LISTS: [(&str, DependencyKind); 4] = [
    ("requires", DependencyKind::Runtime),
    ("build_requires", DependencyKind::Build),
    ("python_requires", DependencyKind::Build),
    ("config_requires", DependencyKind::Development),
];

/// Reads a lockfile, together with the `conanfile.txt` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = json(input.text()?)?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        ..Lockfile::default()
    };
    let manifest = Manifest::beside(input);
    match document.need_text("version")? {
        "0.1" | "0.2" | "0.3" | "0.4" => {
            lockfile.format = FormatId::new("conan-lock-v1");
            graph_lock::read(&document, manifest.as_ref(), &mut lockfile)?;
        }
        "0.5" => {
            lockfile.format = FormatId::new("conan-lock-v2");
            lists(&document, &mut lockfile)?;
            if let Some(manifest) = manifest {
                direct(manifest, &mut lockfile);
            }
        }
        other => {
            let short: String = other.chars().take(20).collect();
            return Err(ParseError::new(format!(
                "has version `{short}`; versions 0.1 to 0.5 are supported"
            )));
        }
    }

    Ok(lockfile)
}

fn lists(document: &Node<'_>, lockfile: &mut Lockfile) -> Result<(), ParseError> {
    if !LISTS.iter().any(|(key, _)| document.get(key).is_some()) {
        return Err(ParseError::new(
            "is not a Conan lockfile: it lacks `requires`",
        ));
    }

    let mut known: HashMap<Reference<'_>, usize> = HashMap::new();
    for (key, kind) in LISTS {
        for item in document.optional_list(key)? {
            let text = item
                .text()
                .ok_or_else(|| item.unexpected(key, "a reference"))?;
            let reference = parse_reference(text, item.line)?;
            if reference.is_range() {
                lockfile.unresolved.push(Unresolved {
                    ecosystem: crate::conan::NAME,
                    name: reference.name.to_owned(),
                    requirement: reference.version.to_owned(),
                    kind,
                    line: item.line,
                });
                continue;
            }

            if lockfile.packages.len() >= limits::MAX_PACKAGES {
                return Err(
                    ParseError::new("contains too many packages").at_line(item.line as usize)
                );
            }

            let index = *known.entry(reference.clone()).or_insert_with(|| {
                let mut package = reference.package(item.line);
                package.scope = Scope::from(kind);
                lockfile.packages.push(package);
                lockfile.packages.len() - 1
            });
            let groups = lockfile
                .packages
                .get_mut(index)
                .map(|package| &mut package.groups);

            if let Some(groups) = groups.filter(|groups| !groups.iter().any(|one| one == key)) {
                groups.push(key.to_owned());
                groups.sort();
            }
        }
    }

    Ok(())
}

/// Adds the direct dependencies from the manifest. A range matches every locked version of its
/// name.
fn direct(manifest: Manifest, lockfile: &mut Lockfile) {
    let mut by_name: HashMap<&str, Vec<PackageIndex>> = HashMap::new();
    for (index, package) in lockfile.indexed() {
        by_name.entry(&package.name).or_default().push(index);
    }

    let mut edges = Vec::new();
    let mut missing = Vec::new();
    for required in manifest.requirements {
        let exact = !required.requirement.starts_with('[');
        let mut found = false;
        for to in by_name.get(&*required.name).into_iter().flatten().copied() {
            let version = lockfile.package(to).map(|package| &package.version);
            if exact && version != Some(&required.requirement) {
                continue;
            }

            found = true;
            if edges.len() < limits::MAX_EDGES {
                edges.push(Edge {
                    to,
                    name: required.name.as_str().into(),
                    requirement: Some(required.requirement.as_str().into()),
                    kind: required.kind,
                });
            }
        }

        if !found {
            // The lockfile does not contain the package, so there is no better line.
            missing.push(Unresolved {
                line: 1,
                ..required
            });
        }
    }

    lockfile.unresolved.extend(missing);
    lockfile.roots.push(Root {
        manifest: Some(manifest.path),
        edges,
        ..Root::default()
    });
}
