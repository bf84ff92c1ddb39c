//! Reader of `dotnet-tools.json`
//! (<https://learn.microsoft.com/dotnet/core/tools/local-tools-how-to-use>): the tools of a
//! repository, each with one version. Their dependencies ship inside them and are not listed.

use patchgate_model::{
    DependencyKind, Edge, FormatId, Lockfile, Loss, Package, PackageIndex, Root, Scope,
};

use super::{check_name, check_version};
use crate::syntax::Node;
use crate::{Input, ParseError, SkippedEntries, duplicate_keys, limits, salvage};

/// Reads a tool manifest.
pub(super) fn parse(input: &Input<'_>) -> Result<Lockfile, ParseError> {
    let mut skipped = SkippedEntries::default();
    let document = duplicate_keys::jsonc(input.text()?, &mut skipped)?;
    match document.get("version").and_then(Node::scalar) {
        Some("1") => {}
        Some(other) => {
            salvage::other_version(&mut skipped, document.line, other, "version 1 is");
        }
        None => skipped.package(document.line, "lacks its format `version`"),
    }

    let tools = document
        .get("tools")
        .filter(|tools| tools.is_map())
        .ok_or_else(|| ParseError::new("lacks the map `tools`"))?;

    let mut packages = Vec::new();
    let mut edges = Vec::new();
    for (key, tool) in tools.entries() {
        if packages.len() >= limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "names more than {} tools",
                limits::MAX_PACKAGES
            )));
        }

        let version = tool.need_text("version").and_then(|version| {
            check_name(&key.name, key.line)?;
            check_version(version, &key.name, key.line)?;
            Ok(version)
        });
        let Some(version) = skipped.recover(Loss::Package, key.line, version) else {
            continue;
        };
        let index = u32::try_from(packages.len()).unwrap_or(u32::MAX);
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

    let lockfile = Lockfile {
        path: input.path.to_owned(),
        ecosystem: super::NAME,
        format: FormatId::new("dotnet-tools"),
        packages,
        roots: vec![Root {
            edges,
            ..Root::default()
        }],
        ..Lockfile::default()
    };
    salvage::finish(lockfile, skipped)
}
