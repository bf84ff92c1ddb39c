//! Reader of `build.sbt.lock`, which the plugin sbt-dependency-lock writes
//! (<https://stringbean.github.io/sbt-dependency-lock/file-formats/version-1.html>).

use std::collections::BTreeSet;

use patchgate_model::{FormatId, Lockfile, Loss, Package, Scope};

use super::{NAME, coordinates};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, salvage};

/// Reads every dependency, including the transitive ones. The file contains no graph.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let root = duplicate_keys::json(input.text()?, &mut skipped)?;
    match root.get("lockVersion").and_then(Node::scalar) {
        Some("1") => {}
        Some(other) => {
            salvage::other_version(&mut skipped, root.line, other, "version 1 is");
        }
        None => skipped.package(root.line, "lacks `lockVersion`"),
    }

    let Some(dependencies) = root.get("dependencies").filter(|node| node.is_list()) else {
        return Err(ParseError::new("lacks the list `dependencies`"));
    };
    let packages = dependencies
        .items()
        .iter()
        .filter_map(|node| {
            let package = dependency(node, &mut skipped);
            skipped.recover(Loss::Package, node.line, package)
        })
        .collect::<Vec<_>>();
    coordinates::within_limit(packages.len())?;

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new("sbt-lock"),
        packages,
        ..Lockfile::default()
    };
    salvage::finish(lockfile, skipped)
}

fn dependency(node: &Node<'_>, skipped: &mut SkippedEntries) -> Result<Package, ParseError> {
    let package = coordinates::package(
        node.need_text("org")?,
        node.need_text("name")?,
        node.need_text("version")?,
        node.line,
    )?;
    let mut groups = BTreeSet::new();
    let configurations = node.optional_list("configurations");
    let configurations = skipped.recover(Loss::Detail, node.line, configurations);
    for group in configurations.unwrap_or_default() {
        match group.text() {
            Some(name) => drop(groups.insert(name.to_owned())),
            None => {
                let error = group.unexpected("configurations", "a text");
                skipped.detail(group.line, error.reason);
            }
        }
    }

    let mut hashes = Vec::new();
    for artifact in node.get("artifacts").map(Node::items).unwrap_or_default() {
        let hash = artifact.optional_text("hash");
        let hash = skipped.recover(Loss::Detail, artifact.line, hash);
        hashes.extend(hash.flatten());
    }

    Ok(Package {
        scope: groups
            .iter()
            .map(|name| scope(name))
            .min()
            .unwrap_or_default(),
        groups: groups.into_iter().collect(),
        integrity: Some(hashes.join(" ")).filter(|hashes| !hashes.is_empty()),
        ..package
    })
}

/// The scope of an Ivy configuration
/// (<https://www.scala-sbt.org/1.x/docs/Library-Management.html>).
fn scope(configuration: &str) -> Scope {
    match configuration {
        "optional" => Scope::Optional,
        "plugin" | "scala-tool" | "scala-doc-tool" => Scope::Build,
        "test" | "it" | "test-internal" | "it-internal" => Scope::Test,
        _ => Scope::Runtime,
    }
}
