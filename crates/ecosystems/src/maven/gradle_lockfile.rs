//! Readers of Gradle's lockfiles
//! (<https://docs.gradle.org/current/userguide/dependency_locking.html>).
//!
//! There is one file per project (`gradle.lockfile`), one for the plugins of its build script
//! (`buildscript-gradle.lockfile`), and before Gradle 7 one per configuration in
//! `gradle/dependency-locks`.

mod declare;
mod lines;
mod write;

use std::collections::{BTreeSet, HashMap};

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Package, PackageIndex, Root, Scope,
};

pub(super) use self::write::LockWriter;
use super::gradle_lines::entries;
use super::{NAME, coordinates, gradle_catalog};
use crate::{Input, ParseError, SkippedEntries, limits, salvage};

/// Key of the last line, which lists the configurations without dependencies.
const EMPTY: &str = "empty";

/// Reads a project's lockfile, together with the nearest version catalog.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let whole = input.text()?;
    let name = file_name(input.path);
    let for_build = name.starts_with("buildscript-") || name.starts_with("settings-");
    let mut packages = Vec::new();
    let mut is_whole = false;
    let mut groups_left = limits::MAX_EDGES;
    let mut skipped = SkippedEntries::default();

    for (line, text) in entries(whole) {
        let Some((key, configurations)) = text.split_once('=') else {
            skipped.package(line, format!("has a line without `=`: `{}`", excerpt(text)));
            continue;
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
            let reason = format!("locks `{}` for no configuration", excerpt(key));
            skipped.detail(line, reason);
        }

        groups_left = groups_left.checked_sub(groups.len()).ok_or_else(|| {
            ParseError::new("names too many configurations").at_line(line as usize)
        })?;
        let Some(mut package) = skipped.recover(Loss::Package, line, locked(key, line)) else {
            continue;
        };
        package.scope = scope_of(groups.iter().copied(), for_build);
        package.groups = groups.into_iter().map(str::to_owned).collect();
        packages.push(package);
        coordinates::within_limit(packages.len())?;
    }

    // Gradle writes the line last, and does not need it to read the others.
    if !is_whole {
        salvage::may_be_cut(&mut skipped, whole, "the line `empty=`")?;
    }

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new("gradle-lock"),
        roots: roots(input, &packages),
        packages,
        ..Lockfile::default()
    };
    salvage::finish(lockfile, skipped)
}

/// Reads the lockfile of a single configuration, whose name is the name of the file.
pub(super) fn parse_single(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let text = input.text()?;
    if !text.ends_with('\n') {
        return Err(ParseError::new(
            "is truncated: its last line has no line break",
        ));
    }

    let name = file_name(input.path);
    let name = name.strip_suffix(".lockfile").unwrap_or(name);
    let (configuration, for_build) = match name.strip_prefix("buildscript-") {
        Some(configuration) => (configuration, true),
        None => (name, false),
    };

    let mut packages = Vec::new();
    let mut skipped = SkippedEntries::default();
    let last = entries(text).last().map(|(line, _)| line);
    for (line, text) in entries(text) {
        let mut package = match locked(text, line) {
            Ok(package) => package,
            // A last line that cannot be read is a sign of a truncated file.
            Err(error) if last == Some(line) => return Err(error),
            Err(error) => {
                skipped.package(line, error.reason);
                continue;
            }
        };
        package.scope = scope_of([configuration].into_iter(), for_build);
        package.groups = vec![configuration.to_owned()];
        packages.push(package);
        coordinates::within_limit(packages.len())?;
    }

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new("gradle-dependency-locks"),
        packages,
        ..Lockfile::default()
    };
    salvage::finish(lockfile, skipped)
}

fn locked(coordinates: &str, line: u32) -> Result<Package, ParseError> {
    let mut parts = coordinates.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(group), Some(artifact), Some(version), None) => {
            coordinates::package(group, artifact, version, line)
        }
        _ => Err(ParseError::new(format!(
            "has `{}` where `group:artifact:version` is expected",
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

/// The directory of the project that a lockfile belongs to.
fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The strongest scope of the configurations.
fn scope_of<'a>(configurations: impl Iterator<Item = &'a str>, for_build: bool) -> Scope {
    configurations
        .map(|name| {
            if for_build {
                Scope::Build
            } else {
                scope_of_configuration(name)
            }
        })
        .min()
        .unwrap_or_default()
}

/// Prefixes of the names of configurations that contain build tools: annotation processors,
/// compilers, and the tools of Gradle's own and of widely used plugins.
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

/// The scope of a configuration. The build chooses the names, so an unknown name counts as needed
/// at run time.
fn scope_of_configuration(configuration: &str) -> Scope {
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

/// The dependencies in the nearest version catalog as a root. The build files themselves are
/// programs and are not run.
fn roots(input: &Input<'_>, packages: &[Package]) -> Vec<Root> {
    let Some((path, catalog)) = gradle_catalog::above(input, directory(input.path)) else {
        return Vec::new();
    };
    let requirements: HashMap<&str, &str> = catalog.requirements().collect();
    let edges: Vec<Edge> = (0u32..)
        .zip(packages)
        .filter_map(|(index, package)| {
            let requirement = requirements.get(package.name.as_str())?;
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

#[cfg(test)]
mod tests;
