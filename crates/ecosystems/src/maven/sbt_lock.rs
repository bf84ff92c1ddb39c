//! Reader of `build.sbt.lock`, which the plugin sbt-dependency-lock writes
//! (<https://stringbean.github.io/sbt-dependency-lock/file-formats/version-1.html>).

use std::collections::BTreeSet;

use patchgate_model::{FormatId, Lockfile, Package, Scope};

use super::{NAME, coordinates};
use crate::syntax::{self, Node};
use crate::{Input, ParseError};

/// Reads every dependency, including the transitive ones. The file contains no graph.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let root = syntax::json(input.text()?)?;
    match root.get("lockVersion").and_then(Node::scalar) {
        Some("1") => {}
        Some(other) => {
            return Err(ParseError::new(format!(
                "has version {}; only version 1 is supported",
                other.chars().take(20).collect::<String>()
            )));
        }
        None => return Err(ParseError::new("lacks `lockVersion`")),
    }

    let Some(dependencies) = root.get("dependencies").filter(|node| node.is_list()) else {
        return Err(ParseError::new("lacks the list `dependencies`"));
    };
    let packages = dependencies
        .items()
        .iter()
        .map(dependency)
        .collect::<Result<Vec<_>, _>>()?;
    coordinates::within_limit(packages.len())?;

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: NAME,
        format: FormatId::new("sbt-lock"),
        packages,
        ..Lockfile::default()
    })
}

fn dependency(node: &Node<'_>) -> Result<Package, ParseError> {
    let package = coordinates::package(
        node.need_text("org")?,
        node.need_text("name")?,
        node.need_text("version")?,
        node.line,
    )?;
    let mut groups = BTreeSet::new();
    for group in node.optional_list("configurations")? {
        match group.text() {
            Some(name) => groups.insert(name.to_owned()),
            None => return Err(group.unexpected("configurations", "a text")),
        };
    }

    let mut hashes = Vec::new();
    for artifact in node.optional_list("artifacts")? {
        hashes.extend(artifact.optional_text("hash")?);
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
