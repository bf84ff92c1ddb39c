//! Reader of Gradle's dependency verification metadata
//! (<https://docs.gradle.org/current/userguide/dependency_verification.html>).
//!
//! The file lists every component that a build has ever resolved, with the hashes of its files. It
//! contains no configurations, so all components count as needed at run time.

mod write;

use patchgate_model::{FormatId, Lockfile, Loss, Package};

pub(super) use self::write::{Lacking, Used, add, lacking};
use super::{NAME, coordinates};
use crate::syntax::{self, Element};
use crate::{Input, ParseError, SkippedEntries, salvage};

/// Elements that contain a hash of a file, named after their algorithm.
const HASHES: &[&str] = &["md5", "sha1", "sha256", "sha512"];

/// Reads the components with their hashes.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let root = syntax::xml(input.text()?)?;
    if root.name != "verification-metadata" {
        return Err(ParseError::new(format!(
            "begins with `<{}>`, not with `<verification-metadata>`",
            root.name
        ))
        .at_line(root.line as usize));
    }

    let mut skipped = SkippedEntries::default();
    let mut packages = Vec::new();
    let components = root
        .all("components")
        .flat_map(|components| components.all("component"));
    for component in components {
        let package = package(component);
        let Some(mut package) = skipped.recover(Loss::Package, component.line, package) else {
            continue;
        };
        let integrity = skipped.recover(Loss::Detail, component.line, integrity(component));
        package.integrity = integrity.flatten();
        packages.push(package);
        coordinates::within_limit(packages.len())?;
    }

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new("gradle-verification-metadata"),
        packages,
        ..Lockfile::default()
    };
    salvage::finish(lockfile, skipped)
}

fn package(component: &Element<'_>) -> Result<Package, ParseError> {
    coordinates::package(
        need(component, "group")?,
        need(component, "name")?,
        need(component, "version")?,
        component.line,
    )
}

/// The hashes of a component's files, each prefixed with its algorithm.
fn integrity(component: &Element<'_>) -> Result<Option<String>, ParseError> {
    let mut hashes = Vec::new();
    for artifact in component.all("artifact") {
        let of_file = artifact
            .children
            .iter()
            .filter(|child| HASHES.contains(&&*child.name));
        for hash in of_file {
            hashes.push(format!("{}:{}", hash.name, need(hash, "value")?));
            for other in hash.all("also-trust") {
                hashes.push(format!("{}:{}", hash.name, need(other, "value")?));
            }
        }
    }

    Ok(Some(hashes.join(" ")).filter(|hashes| !hashes.is_empty()))
}

fn need<'a>(element: &'a Element<'_>, name: &str) -> Result<&'a str, ParseError> {
    element
        .attribute(name)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            ParseError::new(format!("has a `<{}>` without `{name}`", element.name))
                .at_line(element.line as usize)
        })
}
