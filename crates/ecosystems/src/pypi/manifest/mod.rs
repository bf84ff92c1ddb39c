//! Python manifests and the requirements that they state.
//!
//! `build-system.requires` is deliberately absent: these are the build tool's requirements, they are
//! resolved again at each build, and no Python lockfile contains them.

mod pipfile;
mod poetry;
mod pyproject;
mod requirements_in;
mod setup_cfg;

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{DependencyKind, Unresolved};

use super::address::without_credentials;
use super::name::normalize;
use super::requirement::Requirement;
use crate::syntax::Node;
use crate::{Input, ParseError, Siblings};

pub(super) use poetry::{DEFAULT_GROUP, requirement};

/// The content of a manifest that is relevant for dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Path from the repository's root.
    pub(super) path: String,
    /// The project's name; empty if the manifest has none.
    pub(super) name: String,
    /// Direct dependencies of all kinds.
    pub(super) direct: Vec<Direct>,
    /// Requirements that replace all others of the same project in uv, but not in pip.
    pub(super) overrides: Vec<Direct>,
}

/// One requirement of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Direct {
    /// Name of the required project, as written.
    pub(super) name: String,
    /// The requirement as written, without credentials.
    pub(super) requirement: String,
    /// The extras that it asks for, as written.
    pub(super) extras: Vec<String>,
    pub(super) kind: DependencyKind,
    /// The group or extra that it is part of, as named in the manifest.
    pub(super) group: Option<String>,
    /// Whether it is a directory of the same repository.
    pub(super) is_local: bool,
    /// Whether it is limited to some environments.
    pub(super) has_marker: bool,
    /// Line of the requirement in the manifest, from 1.
    pub(super) line: u32,
}

impl Direct {
    /// Parses a requirement in the form of PEP 508.
    ///
    /// # Errors
    /// If the text is not a requirement.
    fn from_text(
        text: &str,
        kind: DependencyKind,
        group: Option<&str>,
        line: u32,
    ) -> Result<Self, ParseError> {
        let requirement = Requirement::parse(text).ok_or_else(|| {
            let shown: String = without_credentials(text).chars().take(80).collect();
            ParseError::new(format!("has `{}` instead of a requirement", shown.trim()))
                .at_line(line as usize)
        })?;
        let wanted = match requirement.url {
            Some(url) => format!("@ {url}"),
            None => requirement.specifier.to_owned(),
        };

        Ok(Self {
            name: requirement.name.to_owned(),
            requirement: without_credentials(&wanted).into_owned(),
            extras: requirement.extras().map(str::to_owned).collect(),
            kind,
            group: group.map(str::to_owned),
            is_local: requirement.url.is_some_and(|url| url.starts_with("file:")),
            has_marker: !requirement.marker.is_empty(),
            line,
        })
    }
}

/// Reads the manifest at a path; `None` if it is missing or cannot be read. The latter is reported
/// when the manifest itself is scanned.
pub(super) fn read(input: &Input<'_>, path: &str) -> Option<Manifest> {
    parse(&Input {
        path,
        bytes: input.sibling(path)?,
        siblings: input.siblings,
    })
    .ok()
}

/// Reads a manifest, in the format that its name implies.
pub(super) fn parse(input: &Input<'_>) -> Result<Manifest, ParseError> {
    let mut manifest = match input.path.rsplit('/').next().unwrap_or(input.path) {
        "Pipfile" => pipfile::parse(input.text()?)?,
        "setup.cfg" => setup_cfg::parse(input.text()?)?,
        name if name.ends_with(".in") => requirements_in::parse(input)?,
        _ => pyproject::parse(input.text()?)?,
    };
    input.path.clone_into(&mut manifest.path);
    Ok(manifest)
}

/// The dependencies of a manifest from outside the repository.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let manifest = parse(input)?;
    let is_locked = |lockfile: &&str| input.sibling(&input.beside(lockfile)).is_some();

    // A project can have requirements in both `setup.cfg` and `pyproject.toml`; a lockfile pins
    // those of both.
    if input.path.ends_with("setup.cfg") && LOCKFILES.iter().any(is_locked) {
        return Ok(Vec::new());
    }

    let own = normalize(&manifest.name);
    Ok(manifest
        .direct
        .iter()
        .chain(&manifest.overrides)
        // An extra may require other extras of its own project.
        .filter(|direct| !direct.is_local && normalize(&direct.name) != own)
        .map(|direct| Unresolved {
            ecosystem: crate::pypi::NAME,
            name: direct.name.clone(),
            requirement: direct.requirement.clone(),
            kind: direct.kind,
            line: direct.line,
        })
        .collect())
}

/// The extras of a requirement in the form of a table: `extras = ["a", "b"]`.
fn extras(wanted: &Node<'_>) -> Vec<String> {
    let listed = wanted.get("extras").map(Node::items).unwrap_or_default();
    let names = listed.iter().filter_map(Node::text);
    names.map(str::to_owned).collect()
}

/// The extras that a manifest asks of each package, by its normalized name.
pub(super) fn asked_extras(path: &str, manifests: &Siblings) -> BTreeMap<String, BTreeSet<String>> {
    let input = Input {
        path,
        bytes: b"",
        siblings: manifests,
    };
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for direct in read(&input, path).into_iter().flat_map(|one| one.direct) {
        let name = normalize(&direct.name).into_owned();
        asked.entry(name).or_default().extend(direct.extras);
    }

    asked
}

/// Lockfiles of projects that may have requirements in `setup.cfg`.
const LOCKFILES: [&str; 5] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "Pipfile.lock",
];
