//! What a project's own files ask for.
//!
//! `build-system.requires` is left out: it is what the tool that builds the project needs, it is
//! chosen anew at each build, and no lockfile of Python holds it.

mod pipfile;
mod poetry;
mod pyproject;
mod requirements_in;
mod setup_cfg;

use patchgate_model::{DependencyKind, Unresolved};

use super::address::without_credentials;
use super::name::normalize;
use super::requirement::Requirement;
use crate::{Input, ParseError};

pub(super) use poetry::{DEFAULT_GROUP, requirement};

/// A manifest's own statements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Path from the repository's root.
    pub(super) path: String,
    /// The project's name, empty where it states none.
    pub(super) name: String,
    /// What it asks for.
    pub(super) direct: Vec<Direct>,
}

/// One requirement of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Direct {
    /// The project that is asked for, as written.
    pub(super) name: String,
    /// The requirement as written, without secrets.
    pub(super) requirement: String,
    /// Which part of the project asks.
    pub(super) kind: DependencyKind,
    /// The group or extra that it is in, by the manifest's own name.
    pub(super) group: Option<String>,
    /// Whether it is a folder of the repository itself.
    pub(super) is_local: bool,
    /// Whether only some environments need it.
    pub(super) has_marker: bool,
    /// Line from 1.
    pub(super) line: u32,
}

impl Direct {
    /// A requirement as PEP 508 writes it.
    ///
    /// # Errors
    /// When it is none.
    fn from_text(
        text: &str,
        kind: DependencyKind,
        group: Option<&str>,
        line: u32,
    ) -> Result<Self, ParseError> {
        let requirement = Requirement::parse(text).ok_or_else(|| {
            let shown: String = without_credentials(text).chars().take(80).collect();
            ParseError::new(format!(
                "has `{}` where a requirement belongs",
                shown.trim()
            ))
            .at_line(line as usize)
        })?;
        let wanted = match requirement.url {
            Some(url) => format!("@ {url}"),
            None => requirement.specifier.to_owned(),
        };

        Ok(Self {
            name: requirement.name.to_owned(),
            requirement: without_credentials(&wanted).into_owned(),
            kind,
            group: group.map(str::to_owned),
            is_local: requirement.url.is_some_and(|url| url.starts_with("file:")),
            has_marker: !requirement.marker.is_empty(),
            line,
        })
    }
}

/// Reads the manifest at a path; `None` where there is none or it cannot be read, which is an error
/// of its own.
pub(super) fn read(input: &Input<'_>, path: &str) -> Option<Manifest> {
    parse(&Input {
        path,
        bytes: input.sibling(path)?,
        siblings: input.siblings,
    })
    .ok()
}

/// Reads a manifest by its name.
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

/// What a manifest asks for from outside the repository.
pub(super) fn unresolved(input: &Input<'_>) -> Result<Vec<Unresolved>, ParseError> {
    let manifest = parse(input)?;
    let is_locked = |lockfile: &&str| input.sibling(&input.beside(lockfile)).is_some();

    // `setup.cfg` states what `pyproject.toml` leaves to it, and a lockfile pins both.
    if input.path.ends_with("setup.cfg") && LOCKFILES.iter().any(is_locked) {
        return Ok(Vec::new());
    }

    let own = normalize(&manifest.name);
    Ok(manifest
        .direct
        .iter()
        // An extra may ask for other extras of its own project.
        .filter(|direct| !direct.is_local && normalize(&direct.name) != own)
        .map(|direct| Unresolved {
            name: direct.name.clone(),
            requirement: direct.requirement.clone(),
            kind: direct.kind,
            line: direct.line,
        })
        .collect())
}

/// Lockfiles of a project that may keep its requirements in `setup.cfg`.
const LOCKFILES: [&str; 5] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pylock.toml",
    "Pipfile.lock",
];
