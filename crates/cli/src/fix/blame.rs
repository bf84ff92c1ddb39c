//! Which moves stand behind something that must not be.

use std::collections::BTreeSet;

use patchgate_model::{Lockfile, PackageIndex};
use patchgate_upgrade::Move;

use super::verify::Violation;

/// The moves that stand behind a violation in the lockfile that they led to: those of the packages
/// that it is about, else the nearest ones above them. Empty when none of the moves has to do with
/// it.
pub(super) fn movers<'m>(
    lockfile: &Lockfile,
    violation: &Violation,
    moves: &'m [Move],
) -> Vec<&'m Move> {
    let is_about = |(_, package): &(PackageIndex, &patchgate_model::Package)| {
        violation
            .packages
            .iter()
            .any(|(name, version)| *name == package.name && *version == package.version)
    };
    let mut layer: BTreeSet<PackageIndex> = lockfile
        .indexed()
        .filter(is_about)
        .map(|(copy, _)| copy)
        .collect();
    let mut seen = BTreeSet::new();
    while !layer.is_empty() {
        let found: Vec<&Move> = moves
            .iter()
            .filter(|step| {
                layer.iter().any(|copy| {
                    lockfile.package(*copy).is_some_and(|package| {
                        package.name == step.name && package.version == step.to()
                    })
                })
            })
            .collect();
        if !found.is_empty() {
            return found;
        }
        seen.extend(layer.iter().copied());
        layer = lockfile
            .indexed()
            .filter(|(copy, package)| {
                !seen.contains(copy) && package.edges.iter().any(|edge| layer.contains(&edge.to))
            })
            .map(|(copy, _)| copy)
            .collect();
    }
    Vec::new()
}

/// The moves that a package manager names in what it says, as `name@version` or `name version`.
pub(super) fn named<'m>(reason: &str, moves: &'m [Move]) -> Vec<&'m Move> {
    let words: BTreeSet<&str> = reason
        .split(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | ',' | ';' | '(' | ')'))
        .collect();
    moves
        .iter()
        .filter(|step| {
            words.contains(format!("{}@{}", step.name, step.to()).as_str())
                || (words.contains(step.name.as_str())
                    && (words.contains(step.to())
                        || words.contains(format!("v{}", step.to()).as_str())))
        })
        .collect()
}
