//! Gradle's lockfiles (<https://docs.gradle.org/current/userguide/dependency_locking.html>).
//!
//! One file a project (`gradle.lockfile`), one for the plugins of its build script
//! (`buildscript-gradle.lockfile`), and before Gradle 7 one a configuration in
//! `gradle/dependency-locks`.

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{DependencyKind, Edge, Lockfile, Package, PackageIndex, Root, Scope};

use super::gradle_lines::entries;
use super::{NAME, coordinates, gradle_catalog};
use crate::{Input, ParseError, limits};

/// The key of the last line, which names the configurations without dependencies.
const EMPTY: &str = "empty";

/// Reads a project's lockfile.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    let name = file_name(input.path);
    let for_build = name.starts_with("buildscript-") || name.starts_with("settings-");
    let mut packages = Vec::new();
    let mut is_whole = false;

    let mut groups_left = limits::MAX_EDGES;
    for (line, text) in entries(text) {
        let Some((key, configurations)) = text.split_once('=') else {
            return Err(
                ParseError::new(format!("has a line without `=`: `{}`", excerpt(text)))
                    .at_line(line as usize),
            );
        };
        if key == EMPTY {
            is_whole = true;
            continue;
        }

        let groups: BTreeSet<&str> = configurations
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if groups.is_empty() {
            return Err(
                ParseError::new(format!("locks `{}` for no configuration", excerpt(key)))
                    .at_line(line as usize),
            );
        }

        groups_left = groups_left.checked_sub(groups.len()).ok_or_else(|| {
            ParseError::new("names more configurations than can be read").at_line(line as usize)
        })?;
        let mut package = locked(key, line)?;
        package.scope = scope_of(groups.iter().copied(), for_build);
        package.groups = groups.into_iter().map(str::to_owned).collect();
        packages.push(package);
        coordinates::within_limit(packages.len())?;
    }

    if !is_whole {
        return Err(ParseError::new(
            "is truncated: it lacks the line `empty=`, which Gradle writes last",
        )
        .with_hint("write it again with `gradle dependencies --write-locks`"));
    }

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: "gradle-lock",
        roots: roots(input, &packages),
        packages,
        ..Lockfile::default()
    })
}

/// Reads the lockfile of a single configuration, which the file's name tells.
pub(super) fn parse_single(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    if !text.ends_with('\n') {
        return Err(ParseError::new("is truncated: its last line does not end"));
    }

    let name = file_name(input.path);
    let name = name.strip_suffix(".lockfile").unwrap_or(name);
    let (configuration, for_build) = match name.strip_prefix("buildscript-") {
        Some(configuration) => (configuration, true),
        None => (name, false),
    };

    let mut packages = Vec::new();
    for (line, text) in entries(text) {
        let mut package = locked(text, line)?;
        package.scope = scope_of([configuration].into_iter(), for_build);
        package.groups = vec![configuration.to_owned()];
        packages.push(package);
        coordinates::within_limit(packages.len())?;
    }

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: "gradle-dependency-locks",
        packages,
        ..Lockfile::default()
    })
}

fn locked(coordinates: &str, line: u32) -> Result<Package, ParseError> {
    let mut parts = coordinates.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(group), Some(artifact), Some(version), None) => {
            coordinates::package(group, artifact, version, line)
        }
        _ => Err(ParseError::new(format!(
            "has `{}` where `group:artifact:version` belongs",
            excerpt(coordinates)
        ))
        .at_line(line as usize)),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(100).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The folder of the project that a lockfile is of.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The strongest reason that the configurations give.
fn scope_of<'a>(configurations: impl Iterator<Item = &'a str>, for_build: bool) -> Scope {
    configurations
        .map(|name| {
            if for_build {
                Scope::Build
            } else {
                reason(name)
            }
        })
        .min()
        .unwrap_or_default()
}

/// Beginnings of the names of configurations that hold tools of the build: processors of
/// annotations, compilers, and the tools of Gradle's own and widely used plugins.
const TOOLS: &[&str] = &[
    "annotationprocessor",
    "checkstyle",
    "codenarc",
    "detekt",
    "errorprone",
    "jacoco",
    "kapt",
    "kotlinbuildtools",
    "kotlincompiler",
    "kotlinklib",
    "kotlinscriptdef",
    "ksp",
    "ktlint",
    "pmd",
    "protobuftools",
    "scalacompiler",
    "spotbugs",
    "zinc",
];

/// Why a configuration is there. Names are the build's own, so one that says nothing counts as
/// needed to run.
fn reason(configuration: &str) -> Scope {
    let name = configuration.to_ascii_lowercase();
    if name.contains("test") {
        Scope::Test
    } else if name.ends_with("annotationprocessor")
        || name.ends_with("annotationprocessorclasspath")
        || TOOLS.iter().any(|tool| name.starts_with(tool))
    {
        Scope::Build
    } else {
        Scope::Runtime
    }
}

/// What the nearest version catalog names is what the build files ask for: they themselves are
/// programs, which are not run.
fn roots(input: &Input<'_>, packages: &[Package]) -> Vec<Root> {
    let Some((path, catalog)) = gradle_catalog::above(input, folder(input.path)) else {
        return Vec::new();
    };
    let asked: HashMap<&str, &str> = catalog.requirements().collect();
    let edges: Vec<Edge> = (0u32..)
        .zip(packages)
        .filter_map(|(index, package)| {
            let requirement = asked.get(package.name.as_str())?;
            Some(Edge {
                to: PackageIndex(index),
                name: package.name.as_str().into(),
                requirement: Some((*requirement).to_owned())
                    .filter(|text| !text.is_empty())
                    .map(Into::into),
                kind: match package.scope {
                    Scope::Build => DependencyKind::Build,
                    Scope::Test => DependencyKind::Test,
                    _ => DependencyKind::Runtime,
                },
            })
        })
        .collect();
    if edges.is_empty() {
        return Vec::new();
    }

    vec![Root {
        name: String::new(),
        manifest: Some(path),
        edges,
    }]
}
