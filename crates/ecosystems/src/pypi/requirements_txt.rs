//! Requirements files of pip
//! (<https://pip.pypa.io/en/stable/reference/requirements-file-format/>), written by hand or by
//! `pip freeze`, pip-tools or uv.
//!
//! - Only `==` and `===` state a version. Every other requirement is unresolved, unless a constraints
//!   file (`-c`) states its version.
//! - Included files (`-r`) count as part of the file, at the line that includes them.
//! - pip-tools and uv add a comment to each package that names its dependents. Edges come from these
//!   comments.
//! - Constraints files limit versions of packages that other files require. They require nothing
//!   themselves.

mod lines;
pub(super) mod read;
mod target;
mod via;
mod write;

use std::collections::BTreeMap;

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Origin, Package, PackageIndex, Root, Unresolved,
};

use self::read::{File, Files, Line};
use self::target::RequirementTarget;
use self::via::Reason;
pub(super) use self::write::RequirementsWriter;
use super::address::{path_from, without_credentials};
use super::graph::{DependencyRequest, Graph};
use super::name::normalize;
use crate::{Input, ParseError};

/// Paths, from the repository's root, of the files that a requirements file includes directly. Empty
/// for a file that cannot be read, because reading it as a lockfile or manifest reports the error.
pub(super) fn included(input: &Input<'_>) -> Vec<String> {
    read::File::read(input)
        .map(|file| file.paths(input.path))
        .unwrap_or_default()
}

/// Reads a requirements file, with the files that it includes.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut files = Files::read(input)?;
    let mut graph = Graph::new(input, FormatId::new("pip-requirements"));
    graph.skipped = std::mem::take(&mut files.skipped);
    let mut locked = Vec::new();

    for line in &files.lines {
        match package(line, &files) {
            Some(package) => {
                let index = graph.push(package)?;
                locked.push((index, line));
            }
            // A directory without a name belongs to the repository, and its manifest is read on its
            // own.
            None if files.is_constraints || line.is_folder() => {}
            None => graph.lockfile.unresolved.push(Unresolved {
                ecosystem: crate::pypi::NAME,
                name: line.name(),
                requirement: line.requirement(),
                kind: DependencyKind::Runtime,
                line: line.line,
            }),
        }
    }

    for (path, line) in &files.unread {
        graph.lockfile.unresolved.push(Unresolved {
            ecosystem: crate::pypi::NAME,
            name: without_credentials(path).into_owned(),
            requirement: unread(path),
            kind: DependencyKind::Runtime,
            line: *line,
        });
    }

    connect(&mut graph, input, &locked)?;
    graph.finish()
}

/// A file that was not read as a requirement, so that it is not taken for a project without one.
fn unread(path: &str) -> String {
    let path = without_credentials(path);
    match path.contains("://") {
        true => path.into_owned(),
        false => format!("file:{path}"),
    }
}

/// The package of a line; `None` if its version is unknown.
fn package(line: &Line, files: &Files) -> Option<Package> {
    let clean = |text: &str| without_credentials(text).into_owned();
    let (name, version, origin) = match line.target()? {
        RequirementTarget::Index(requirement) => {
            let constraint = || {
                let constraint = files
                    .constraints
                    .get(normalize(requirement.name).as_ref())?;
                constraint.as_deref()
            };
            let version = requirement.exact_version().or_else(constraint)?;
            let index = files.index.as_deref().map(clean);
            (requirement.name, version, Origin::Registry(index))
        }
        RequirementTarget::Archive { name, version, url } => {
            (name, version, Origin::Url(clean(url)))
        }
        RequirementTarget::Directory {
            name: Some(name),
            path,
        } => (name, "", Origin::Path(Some(clean(path)))),
        RequirementTarget::Directory { name: None, .. } | RequirementTarget::Address { .. } => {
            return None;
        }
    };

    Some(Package {
        line: line.line,
        origin,
        integrity: (!line.hashes.is_empty()).then(|| line.hashes.join(" ")),
        ..Package::new(super::NAME, name.to_owned(), version.to_owned())
    })
}

/// One line of a requirements file, found in a file of another format.
#[derive(Debug)]
pub(crate) enum Pinned {
    /// A package, at line 1.
    Package(Box<Package>),
    /// A requirement without a version.
    Open { name: String, requirement: String },
    /// A directory of the repository, or an option of pip.
    Nothing,
}

/// Reads a line of a requirements file that is part of another file; `None` if it is invalid.
pub(crate) fn pinned(text: &str) -> Option<Pinned> {
    let siblings = crate::Siblings::new();
    let file = File::read(&Input {
        path: "",
        bytes: text.as_bytes(),
        siblings: &siblings,
    })
    .ok()?;
    let Some(line) = file.lines.first() else {
        return Some(match file.included.first() {
            Some((path, _)) => Pinned::Open {
                name: without_credentials(path).into_owned(),
                requirement: unread(path),
            },
            None => Pinned::Nothing,
        });
    };

    Some(match package(line, &Files::default()) {
        Some(package) => Pinned::Package(Box::new(package)),
        None if line.is_folder() => Pinned::Nothing,
        None => Pinned::Open {
            name: line.name(),
            requirement: line.requirement(),
        },
    })
}

/// Adds the edges that comments state, and the roots.
///
/// A package without a comment is required by the file itself. A reason that is not a package of the
/// file is the project from which the file was compiled.
fn connect(
    graph: &mut Graph,
    input: &Input<'_>,
    locked: &[(PackageIndex, &Line)],
) -> Result<(), ParseError> {
    let mut own = Vec::new();
    let mut roots: BTreeMap<(String, Option<String>), Vec<Edge>> = BTreeMap::new();
    for (index, line) in locked {
        let Some(package) = graph.lockfile.package(*index) else {
            continue;
        };
        let edge = Edge {
            to: *index,
            name: package.name.as_str().into(),
            requirement: None,
            kind: DependencyKind::Runtime,
        };
        // A pin is the lock itself, not a requirement that limits it.
        if line.reasons.is_empty() {
            let open = (!line.is_pinned()).then(|| line.requirement().into());
            own.push(Edge {
                requirement: open,
                ..edge.clone()
            });
        }

        // A reason is an edge from another package, or from a root.
        for reason in &line.reasons {
            match reason {
                Reason::Package(name) if !graph.copies(name).is_empty() => {
                    let from = graph.edges_to(&DependencyRequest {
                        name,
                        requirement: None,
                        version: None,
                        kind: DependencyKind::Runtime,
                    })?;
                    for from in from {
                        graph.connect(from.to, vec![edge.clone()]);
                    }
                }
                Reason::Package(name) => {
                    let key = (name.clone(), project(input, name));
                    roots.entry(key).or_default().push(edge.clone());
                }
                Reason::File { name, path } => {
                    let manifest =
                        path_from(input.path, path).filter(|path| input.sibling(path).is_some());
                    let key = (name.clone().unwrap_or_default(), manifest);
                    roots.entry(key).or_default().push(edge.clone());
                }
                Reason::Constraint => {}
            }
        }
    }

    // The file itself comes first, then the projects and files from which it was compiled.
    if !own.is_empty() || roots.is_empty() {
        let itself = input.sibling(input.path).map(|_| input.path.to_owned());
        graph.add_root(Root {
            name: String::new(),
            manifest: itself,
            edges: own,
        });
    }

    for ((name, manifest), mut edges) in roots {
        if let Some(manifest) = &manifest {
            require(input, manifest, &mut edges);
        }
        graph.add_root(Root {
            name,
            manifest,
            edges,
        });
    }

    Ok(())
}

/// Adds the requirements of a manifest to the edges from it. A project that it requires several times
/// gets none.
fn require(input: &Input<'_>, path: &str, edges: &mut [Edge]) {
    let Some(manifest) = super::manifest::read(input, path) else {
        return;
    };
    let mut required: BTreeMap<String, Option<&str>> = BTreeMap::new();
    for direct in &manifest.direct {
        required
            .entry(normalize(&direct.name).into_owned())
            .and_modify(|known| *known = known.filter(|known| *known == direct.requirement))
            .or_insert(Some(&direct.requirement));
    }
    for edge in edges {
        let requirement = required.get(normalize(&edge.name).as_ref());
        edge.requirement = requirement.copied().flatten().map(Into::into);
    }
}

/// The path of the `pyproject.toml` in the file's directory; `None` if it is of another project.
fn project(input: &Input<'_>, name: &str) -> Option<String> {
    let path = input.beside("pyproject.toml");
    let manifest = super::manifest::read(input, &path)?;
    (normalize(&manifest.name) == normalize(name)).then_some(path)
}
