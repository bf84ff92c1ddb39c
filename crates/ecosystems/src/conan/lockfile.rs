//! Reader of `conan.lock` (<https://docs.conan.io/2/tutorial/versioning/lockfiles.html>): lists of
//! references since Conan 2, a graph in Conan 1.

use std::collections::HashMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, PackageIndex, Root, Scope, Unresolved,
};

use super::conanfile::Manifest;
use super::graph_lock;
use super::reference::{Reference, parse_reference};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, limits, salvage};

/// The lists of Conan 2 with the kind of their packages, strongest kind first.
const LISTS: [(&str, DependencyKind); 4] = [
    ("requires", DependencyKind::Runtime),
    ("build_requires", DependencyKind::Build),
    ("python_requires", DependencyKind::Build),
    ("config_requires", DependencyKind::Development),
];

/// Reads a lockfile, together with the `conanfile.txt` next to it.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::json(input.text()?, &mut skipped)?;
    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        ..Lockfile::default()
    };
    let manifest = Manifest::beside(input);
    let version = document.need_text("version")?;
    match version {
        "0.0" | "0.1" | "0.2" | "0.3" | "0.4" | "0.5" => {}
        other => {
            let line = document.line;
            salvage::other_version(&mut skipped, line, other, "versions 0.0 to 0.5 are");
        }
    }

    // Conan 2 writes only the lists that have an entry.
    let has_lists = LISTS.iter().any(|(key, _)| document.get(key).is_some());
    if document.get("graph_lock").is_some() {
        lockfile.format = FormatId::new("conan-lock-v1");
        graph_lock::read(&document, manifest.as_ref(), &mut lockfile, &mut skipped)?;
    } else if has_lists || version == "0.5" {
        lockfile.format = FormatId::new("conan-lock-v2");
        lists(&document, &mut lockfile, &mut skipped)?;
        if let Some(manifest) = manifest {
            direct(manifest, &mut lockfile);
        }
    } else {
        return Err(ParseError::new(
            "is not a Conan lockfile: it has neither `requires` nor `graph_lock`",
        ));
    }

    salvage::finish(lockfile, skipped)
}

fn lists(
    document: &Node<'_>,
    lockfile: &mut Lockfile,
    skipped: &mut SkippedEntries,
) -> Result<(), ParseError> {
    let mut known: HashMap<Reference<'_>, usize> = HashMap::new();
    for (key, kind) in LISTS {
        let items = skipped.recover(Loss::Package, document.line, document.optional_list(key));
        for item in items.unwrap_or_default() {
            let text = item
                .text()
                .ok_or_else(|| item.unexpected(key, "a reference"));
            let reference = text.and_then(|text| parse_reference(text, item.line));
            let Some(reference) = skipped.recover(Loss::Package, item.line, reference) else {
                continue;
            };
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
