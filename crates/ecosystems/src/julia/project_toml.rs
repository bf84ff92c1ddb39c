//! Reader of `Project.toml` (<https://pkgdocs.julialang.org/v1/toml-files/#Project.toml>): direct
//! dependencies by name and UUID, their accepted versions in `[compat]`, and the addresses of those in
//! `[sources]`.

use patchgate_model::{DependencyKind, Unresolved, without_credentials};

use crate::syntax::{Node, toml};
use crate::{Input, ParseError};

/// Packages that are part of Julia and have its version.
const WITH_JULIA: [&str; 33] = [
    "Artifacts",
    "Base64",
    "Dates",
    "DelimitedFiles",
    "Distributed",
    "Downloads",
    "FileWatching",
    "Future",
    "InteractiveUtils",
    "LazyArtifacts",
    "LibGit2",
    "Libdl",
    "LinearAlgebra",
    "Logging",
    "Markdown",
    "Mmap",
    "Pkg",
    "Printf",
    "Profile",
    "REPL",
    "Random",
    "SHA",
    "Serialization",
    "SharedArrays",
    "Sockets",
    "SparseArrays",
    "Statistics",
    "SuiteSparse",
    "TOML",
    "Tar",
    "Test",
    "UUIDs",
    "Unicode",
];

/// The requirements of a project without a manifest, except for the standard library.
///
/// # Errors
/// If the file is not TOML, or an entry has an unexpected type.
pub(super) fn unresolved(manifest: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let mut requirements = Project::parse(manifest.text()?)?.requirements;
    requirements.retain(|one| !comes_with_julia(&one.name));
    Ok(requirements)
}

/// Whether a package is part of Julia.
pub(super) fn comes_with_julia(name: &str) -> bool {
    WITH_JULIA.contains(&name)
}

/// The contents of a project file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Project {
    /// Name of the project; empty if it has none.
    pub(super) name: String,
    /// Required packages, ordered by line.
    pub(super) requirements: Vec<Unresolved>,
    /// Directories of the projects that share its manifest.
    pub(super) members: Vec<String>,
}

impl Project {
    /// Parses the text of a `Project.toml`.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let document = toml(text)?;
        let compat = document.optional_map("compat")?;
        let sources = document.optional_map("sources")?;
        let requirement = |name: &str| {
            // The version of a repository or a directory is unknown.
            let source = sources.iter().find(|(key, _)| key.name == name);
            let address = source.and_then(|(_, node)| {
                ["url", "path"].iter().find_map(|key| {
                    Some(format!(
                        "{key}:{}",
                        without_credentials(node.get(key)?.text()?)
                    ))
                })
            });
            if let Some(address) = address {
                return address;
            }

            let found = compat.iter().find(|(key, _)| key.name == name);
            found
                .and_then(|(_, node)| node.text())
                .unwrap_or_default()
                .to_owned()
        };

        let mut requirements: Vec<Unresolved> = Vec::new();
        let mut take = |name: &str, line: u32, kind: DependencyKind| {
            if !name.is_empty() {
                requirements.push(Unresolved {
                    ecosystem: crate::julia::NAME,
                    name: name.to_owned(),
                    requirement: requirement(name),
                    kind,
                    line,
                });
            }
        };

        let direct = document.optional_map("deps")?;
        for (key, _) in direct {
            take(&key.name, key.line, DependencyKind::Runtime);
        }
        for (key, node) in document.optional_map("targets")? {
            let kind = match &*key.name {
                "build" => DependencyKind::Build,
                _ => DependencyKind::Test,
            };
            for item in node.items() {
                let name = item
                    .text()
                    .ok_or_else(|| item.unexpected(&key.name, "a name"))?;
                take(name, item.line, kind);
            }
        }

        requirements.sort_by_key(|one| one.line);
        let members = match document.get("workspace") {
            Some(workspace) => workspace.optional_list("projects")?,
            None => &[],
        };

        Ok(Self {
            name: document
                .optional_text("name")?
                .unwrap_or_default()
                .to_owned(),
            requirements,
            members: members
                .iter()
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect(),
        })
    }
}
