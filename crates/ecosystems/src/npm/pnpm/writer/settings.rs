//! The parts of a lockfile that repeat a project's settings: overrides, and the checksums of what
//! changes the manifests of packages.

use std::collections::BTreeMap;

use super::document::Document;
use super::entry::pair;
use super::old::Form;
use crate::npm::pnpm::workspace;
use crate::syntax::Node;
use crate::{Input, TargetGraph};

/// The keys at the top of a lockfile before which the overrides are.
const AFTER_OVERRIDES: [&str; 9] = [
    "packageExtensionsChecksum",
    "pnpmfileChecksum",
    "patchedDependencies",
    "importers",
    "specifiers",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "packages",
];

/// Names of the programs that can change what a package needs (<https://pnpm.io/pnpmfile>). Only
/// version 9 of the format has their checksum.
pub(super) const HOOKS: [&str; 2] = [".pnpmfile.cjs", "pnpmfile.js"];

/// Checks that nothing changes what a new release needs besides its own manifest.
///
/// # Errors
/// The setting that may do so.
pub(super) fn check(
    input: &Input<'_>,
    own: &Node<'_>,
    target: &TargetGraph,
    form: Form,
) -> Result<(), String> {
    let has = |name: &str| {
        let path = workspace::next_to(input.path, name);
        input.siblings.contains_key(&path)
    };
    if form != Form::Nine && workspace::has_overrides(input.path, input.siblings) {
        return Err(format!(
            "its version of pnpm does not read the overrides in `{}`",
            workspace::WORKSPACE
        ));
    }
    let mut new = target
        .nodes
        .iter()
        .filter(|node| node.release.is_some())
        .peekable();
    if new.peek().is_none() {
        return Ok(());
    }

    let has_hook = form != Form::Nine && HOOKS.iter().any(|name| has(name));
    if own.get("pnpmfileChecksum").is_some() || has_hook {
        return Err("a program of the project, `.pnpmfile.cjs`, may change new entries".to_owned());
    }
    if own.get("time").is_some() {
        return Err("it has times of publication".to_owned());
    }
    if own.get("packageExtensionsChecksum").is_some() {
        let extended = workspace::extended(input.path, input.siblings);
        if extended.is_empty() {
            return Err("its `packageExtensions` are unknown".to_owned());
        }
        let is_extended = |name: &str| {
            extended
                .iter()
                .any(|selector| workspace::about(selector) == name)
        };
        if let Some(node) = new.find(|node| is_extended(&node.name)) {
            return Err(format!("`packageExtensions` change `{}`", node.name));
        }
    }

    Ok(())
}

/// The overrides in the manifests that the lockfile does not repeat yet.
pub(super) fn changed_overrides(input: &Input<'_>, own: &Node<'_>) -> BTreeMap<String, String> {
    let listed = own.get("overrides");
    let known = |pattern: &str| listed.and_then(|listed| listed.get(pattern)?.text());
    workspace::overrides(input.path, input.siblings)
        .into_iter()
        .filter(|(_, value)| !value.starts_with('$') && !value.starts_with("catalog:"))
        .filter(|(pattern, value)| known(pattern) != Some(value))
        .collect()
}

/// Writes overrides into the lockfile, in the order of the manifest, which has new ones at its end.
///
/// # Errors
/// If the file has another layout than pnpm's.
pub(super) fn write_overrides(
    own: &Node<'_>,
    overrides: &BTreeMap<String, String>,
    document: &mut Document,
) -> Result<(), String> {
    let unusual = |pattern: &str| format!("the override `{pattern}` is unusual");
    let listed = own.get("overrides").map(Node::entries).unwrap_or_default();
    let mut new = Vec::new();
    for (pattern, value) in overrides {
        match listed.iter().find(|(key, _)| key.name == *pattern) {
            Some((key, _)) => {
                let line = pair(2, pattern, value).ok_or_else(|| unusual(pattern))?;
                document.set_line(key.line, &line)?;
            }
            None => new.push(pair(2, pattern, value).ok_or_else(|| unusual(pattern))?),
        }
    }
    if new.is_empty() {
        return Ok(());
    }

    if let Some((last, _)) = listed.last() {
        return document.insert_after(last.line, &new.join("\n"));
    }
    let next = own
        .entries()
        .iter()
        .find(|(key, _)| AFTER_OVERRIDES.contains(&&*key.name));
    let Some((next, _)) = next else {
        return Err("it has another layout than pnpm's".to_owned());
    };
    document.insert_before(next.line, &format!("overrides:\n{}\n", new.join("\n")))
}
