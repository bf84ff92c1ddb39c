//! Reader of `dotnet-tools.json`
//! (<https://learn.microsoft.com/dotnet/core/tools/local-tools-how-to-use>): the tools of a
//! repository, each with one version. Their dependencies ship inside them and are not listed.

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Package, PackageIndex, Root, Scope,
};

use super::{check_name, check_version};
use crate::syntax::{Node, jsonc};
use crate::{Input, ParseError, limits};

/// Reads a tool manifest.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let document = jsonc(input.text()?)?;
    if document.get("version").and_then(Node::scalar) != Some("1") {
        return Err(ParseError::new("is not of format version 1")
            .with_hint("version 1 is supported; a newer Patchgate may support this one"));
    }

    let tools = document
        .get("tools")
        .filter(|tools| tools.is_map())
        .ok_or_else(|| ParseError::new("lacks the map `tools`"))?;

    let mut packages = Vec::new();
    let mut edges = Vec::new();
    for ((key, tool), index) in tools.entries().iter().zip(0u32..) {
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
            to: PackageIndex(index),
            name: (&*key.name).into(),
            requirement: Some(version.into()),
            kind: DependencyKind::Development,
        });
    }

    Ok(Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("dotnet-tools"),
        packages,
        roots: vec![Root {
            edges,
            ..Root::default()
        }],
        ..Lockfile::default()
    })
}
