//! `dotnet-tools.json` (<https://learn.microsoft.com/dotnet/core/tools/local-tools-how-to-use>): the
//! tools of a repository, each at one version. What they need ships within them.

use patchgate_model::{DependencyKind, Edge, Lockfile, Package, PackageIndex, Root, Scope};

use super::{check_name, check_version};
use crate::syntax::{Node, jsonc};
use crate::{Input, ParseError, limits};

/// Reads a manifest of tools.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = jsonc(input.text()?)?;
    if document.get("version").and_then(Node::scalar) != Some("1") {
        return Err(ParseError::new("is not of format version 1")
            .with_hint("version 1 is read; a newer Patchgate may read this one"));
    }

    let tools = document
        .get("tools")
        .filter(|tools| tools.is_map())
        .ok_or_else(|| ParseError::new("lacks the map `tools`"))?;
    let mut packages = Vec::new();

    let mut edges = Vec::new();
    for ((key, tool), place) in tools.entries().iter().zip(0u32..) {
        if packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "names more than {} tools",
                limits::MAX_PACKAGES
            )));
        }

        let version = tool.need_text("version")?;
        check_name(&key.name, key.line)?;
        check_version(version, &key.name, key.line)?;
        packages.push(Package {
            line: key.line,
            scope: Scope::Development,
            ..Package::new(
                super::NAME,
                key.name.clone().into_owned(),
                version.to_owned(),
            )
        });
        edges.push(Edge {
            to: PackageIndex(place),
            name: (&*key.name).into(),
            requirement: Some(version.into()),
            kind: DependencyKind::Development,
        });
    }

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: "dotnet-tools",
        packages,
        roots: vec![Root {
            edges,
            ..Root::default()
        }],
        ..Lockfile::default()
    })
}
