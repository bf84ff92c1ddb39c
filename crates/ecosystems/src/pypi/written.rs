//! Checks of a lockfile that is written: before, of its order, and after, that it has exactly the
//! packages of the graph.

use patchgate_model::Lockfile;

use super::name::normalize;
use crate::{Input, ParseError, TargetGraph};

/// Reads the text of a new lockfile, and checks that it has the packages of the graph.
///
/// # Errors
/// If it cannot be read as a whole, or has other packages, as a fragment for a person.
pub(super) fn verify(
    input: &Input<'_>,
    text: &str,
    parse: impl Fn(&Input<'_>) -> Result<Lockfile, ParseError>,
    lockfile: &Lockfile,
    target: &TargetGraph,
) -> Result<(), String> {
    let after = parse(&Input {
        bytes: text.as_bytes(),
        ..*input
    })
    .map_err(|error| format!("the result {error}"))?;
    let mut expected: Vec<(String, &str)> = (0..)
        .zip(&target.nodes)
        .map(|(number, node)| {
            let version = target.version(lockfile, number).unwrap_or_default();
            (normalize(&node.name).into_owned(), version)
        })
        .collect();
    let mut found: Vec<(String, &str)> = after
        .packages
        .iter()
        .map(|package| (normalize(&package.name).into_owned(), &*package.version))
        .collect();
    expected.sort();
    found.sort();
    match expected == found && after.skipped.len() <= lockfile.skipped.len() {
        true => Ok(()),
        false => Err("the result would not have the intended packages".to_owned()),
    }
}

/// Checks that the entries of a file are in the order of their names, where new ones need a position
/// among them.
///
/// # Errors
/// The obstacle, as a fragment for a person.
pub(super) fn check_sorted<'n>(
    names: impl Iterator<Item = &'n String>,
    target: &TargetGraph,
) -> Result<(), String> {
    let has_new = target.nodes.iter().any(|node| node.was.is_none());
    match has_new && !names.is_sorted() {
        true => Err("its entries are not sorted".to_owned()),
        false => Ok(()),
    }
}
