//! Reader of `go.work` (<https://go.dev/ref/mod#go-work-file>).
//!
//! The modules that the members require are read from their own `go.mod` files. This reader adds
//! only the workspace's own contents: the Go release and the replacements.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Edge, FormatId, Lockfile, PackageIndex, Root, Unresolved};

use super::directives::{Directives, Stated};
use super::go_mod::{push, release_of_go, replaced};
use super::module_path;
use crate::{Input, ParseError, salvage};

/// Reads a `go.work`, together with the `go.mod` files of its members.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut file = Directives::parse(input.text()?)?;
    let skipped = std::mem::take(&mut file.skipped);
    if file.go.is_none() && file.uses.is_empty() {
        return Err(ParseError::new(
            "is not a workspace: it has no `go` and no `use`",
        ));
    }

    let mut lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("go-work"),
        ..Lockfile::default()
    };
    let release = release_of_go(&mut lockfile, &file);
    let replacements = add_replacements(&mut lockfile, &file);

    let mut members = BTreeSet::new();
    for member in &file.uses {
        match module_path::file_in(input.path, &member.text, "go.mod") {
            Some(path) if input.sibling(&path).is_some() => {
                if members.insert(path.clone()) {
                    let root = root(input, path, &release, &replacements);
                    lockfile.roots.push(root);
                }
            }
            _ => lockfile.unresolved.push(outside(member)),
        }
    }

    salvage::finish(lockfile, skipped)
}

/// A member outside the repository, whose requirements are unknown. Its requirement is the path, so
/// that it never counts as a module without advisories.
fn outside(member: &Stated) -> Unresolved {
    Unresolved {
        ecosystem: crate::golang::NAME,
        name: member.text.clone(),
        requirement: match member.text.as_str() {
            path if path.contains('/') => path.to_owned(),
            path => format!("./{path}"),
        },
        kind: DependencyKind::Runtime,
        line: member.line,
    }
}

/// Adds the replacement modules of the workspace, and returns their indices by the path of the
/// module that they replace. All are added, because only Go can say whether a build needs the
/// replaced version.
fn add_replacements(
    lockfile: &mut Lockfile,
    file: &Directives,
) -> BTreeMap<String, Vec<PackageIndex>> {
    let mut indices: BTreeMap<String, Vec<PackageIndex>> = BTreeMap::new();
    for (path, by) in file.replacements() {
        let Some(version) = &by.version else { continue };

        match replaced(path, by, version) {
            Some(package) => {
                let index = push(lockfile, package);
                indices.entry(path.to_owned()).or_default().push(index);
            }
            None => lockfile.unresolved.push(Unresolved {
                ecosystem: crate::golang::NAME,
                name: by.to.clone(),
                requirement: version.clone(),
                kind: DependencyKind::Runtime,
                line: by.line,
            }),
        }
    }

    indices
}

/// A member with its edges into the workspace's packages. An unreadable member is reported as an
/// error of its own file.
fn root(
    input: &Input<'_>,
    path: String,
    release: &[Edge],
    replacements: &BTreeMap<String, Vec<PackageIndex>>,
) -> Root {
    let member = input.sibling(&path).and_then(|bytes| {
        let member = Input {
            path: &path,
            bytes,
            siblings: input.siblings,
        };
        Directives::parse(member.text().ok()?).ok()
    });
    let member = member.unwrap_or_default();

    let mut edges = release.to_vec();
    for require in member.requires.iter().filter(|require| !require.indirect) {
        for index in replacements.get(&require.path).into_iter().flatten() {
            edges.push(Edge {
                to: *index,
                name: require.path.as_str().into(),
                requirement: Some(require.version.as_str().into()),
                kind: DependencyKind::Runtime,
            });
        }
    }

    Root {
        name: member.module,
        manifest: Some(path),
        edges,
    }
}
