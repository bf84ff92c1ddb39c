//! The entries that come, go or get another version, counted one by one.
//!
//! [`crate::compare`] says what a person has to judge, by package. This module says how much of a
//! file changes, by entry: a package with five copies has five. An entry that only changes its
//! location is not among them, because the same version is installed as before.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use patchgate_ecosystems::Upgradable;
use patchgate_model::{Bump, Lockfile, Origin, Package, PackageIndex};

use crate::version_change::bump;

/// An entry that comes, goes or gets another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedEntry {
    /// The entry in the first lockfile; `None` for one that comes.
    pub before: Option<PackageIndex>,
    /// The entry in the second lockfile; `None` for one that goes.
    pub after: Option<PackageIndex>,
    /// The size of the step, if it is in both. A step that cannot be measured, such as one to a
    /// pre-release, counts as [`Bump::Major`].
    pub bump: Option<Bump>,
}

/// An entry of one package, with its place in the lockfile.
type Copy<'a> = (PackageIndex, &'a Package);

/// The changed entries, ordered by package, then by version.
///
/// Entries of one package that left are paired with new ones: first those at the same install path,
/// then each new one with the highest version below it. What has no partner comes or goes, so no
/// pair is a step down.
#[must_use]
pub fn changed_entries(
    ecosystem: &dyn Upgradable,
    before: &Lockfile,
    after: &Lockfile,
) -> Vec<ChangedEntry> {
    let mut packages: BTreeMap<_, (Vec<Copy<'_>>, Vec<Copy<'_>>)> = BTreeMap::new();
    let key = |package: &Package| {
        let name = ecosystem.normalize_name(&package.name).into_owned();
        (package.ecosystem, name)
    };
    for (index, package) in before.indexed() {
        let copies = packages.entry(key(package)).or_default();
        copies.0.push((index, package));
    }
    for (index, package) in after.indexed() {
        let copies = packages.entry(key(package)).or_default();
        copies.1.push((index, package));
    }

    let mut changed = Vec::new();
    for (mut gone, mut new) in packages.into_values() {
        take_pairs(&mut gone, &mut new, |a, b| {
            is_same(a, b) && a.install_path == b.install_path
        });
        take_pairs(&mut gone, &mut new, is_same);
        changed.extend(moves(ecosystem, gone, new));
    }

    changed
}

/// Whether two entries install the same.
fn is_same(a: &Package, b: &Package) -> bool {
    fn commit(package: &Package) -> Option<&str> {
        match &package.origin {
            Origin::Git { commit, .. } => commit.as_deref(),
            _ => None,
        }
    }

    a.version == b.version && commit(a) == commit(b)
}

/// Removes the pairs for which `is_pair` is true from both lists, and returns them.
fn take_pairs<'a>(
    gone: &mut Vec<Copy<'a>>,
    new: &mut Vec<Copy<'a>>,
    is_pair: impl Fn(&Package, &Package) -> bool,
) -> Vec<(Copy<'a>, Copy<'a>)> {
    let mut pairs = Vec::new();
    new.retain(|to| {
        let from = gone.iter().position(|from| is_pair(from.1, to.1));
        match from {
            Some(from) => {
                pairs.push((gone.remove(from), *to));
                false
            }
            None => true,
        }
    });

    pairs
}

/// The changes of one package, without the entries that stay.
fn moves<'a>(
    ecosystem: &dyn Upgradable,
    mut gone: Vec<Copy<'a>>,
    mut new: Vec<Copy<'a>>,
) -> Vec<ChangedEntry> {
    // Versions that cannot be compared count as equal: they are paired in the order of the file.
    let order = |a: &Package, b: &Package| {
        ecosystem
            .compare_versions(&a.version, &b.version)
            .unwrap_or(Ordering::Equal)
    };
    gone.sort_by(|a, b| order(b.1, a.1));
    new.sort_by(|a, b| order(b.1, a.1));

    let is_step_up = |from: &Package, to: &Package| order(from, to) != Ordering::Greater;
    let mut pairs = take_pairs(&mut gone, &mut new, |from, to| {
        from.install_path.is_some() && from.install_path == to.install_path && is_step_up(from, to)
    });
    pairs.extend(take_pairs(&mut gone, &mut new, is_step_up));
    pairs.sort_by(|a, b| order(a.1.1, b.1.1).then(order(a.0.1, b.0.1)));

    let moved = pairs.into_iter().map(|(from, to)| ChangedEntry {
        before: Some(from.0),
        after: Some(to.0),
        bump: Some(bump(ecosystem, &from.1.version, &to.1.version).unwrap_or(Bump::Major)),
    });
    let goes = gone.into_iter().rev().map(|(index, _)| ChangedEntry {
        before: Some(index),
        after: None,
        bump: None,
    });
    let comes = new.into_iter().rev().map(|(index, _)| ChangedEntry {
        before: None,
        after: Some(index),
        bump: None,
    });

    moved.chain(goes).chain(comes).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Change, entry, npm};

    /// The changes between two sets of npm entries; see [`shown`].
    fn changes(before: Value, after: Value) -> Vec<String> {
        let (before, after) = (npm(json!({}), before), npm(json!({}), after));
        shown(&Change::new("package-lock.json", &before, &after))
    }

    /// Each changed entry as `name from -> to bump`.
    fn shown(change: &Change<'_>) -> Vec<String> {
        let (ecosystem, before, after) = change.lockfiles();
        let entry = |changed: &ChangedEntry| {
            let from = changed.before.and_then(|index| before.package(index));
            let to = changed.after.and_then(|index| after.package(index));
            let version = |package: Option<&Package>| {
                package.map_or_else(|| "-".to_owned(), |package| package.version.clone())
            };
            let bump = changed
                .bump
                .map_or(String::new(), |bump| format!(" {bump:?}"));
            let name = &to.or(from).unwrap().name;
            format!("{name} {} -> {}{bump}", version(from), version(to))
        };
        let changed = changed_entries(ecosystem, &before, &after);
        changed.iter().map(entry).collect()
    }

    #[test]
    fn every_copy_counts_and_what_stays_does_not() {
        let before = json!({
            "node_modules/a": entry("a", "1.0.0", json!({})),
            "node_modules/b": entry("b", "1.0.0", json!({})),
            "node_modules/b/node_modules/a": entry("a", "1.0.0", json!({})),
            "node_modules/old": entry("old", "3.0.0", json!({})),
        });
        let after = json!({
            "node_modules/a": entry("a", "1.0.1", json!({})),
            "node_modules/b": entry("b", "2.0.0", json!({})),
            "node_modules/b/node_modules/a": entry("a", "1.0.1", json!({})),
            "node_modules/new": entry("new", "1.0.0", json!({})),
        });
        assert_eq!(
            changes(before, after),
            [
                "a 1.0.0 -> 1.0.1 Patch",
                "a 1.0.0 -> 1.0.1 Patch",
                "b 1.0.0 -> 2.0.0 Major",
                "new - -> 1.0.0",
                "old 3.0.0 -> -",
            ]
        );
    }

    #[test]
    fn a_copy_that_changes_its_location_is_not_changed() {
        let before = json!({
            "node_modules/a": entry("a", "1.0.0", json!({})),
            "node_modules/b": entry("b", "1.0.0", json!({})),
            "node_modules/b/node_modules/a": entry("a", "2.0.0", json!({})),
        });
        let after = json!({
            "node_modules/a": entry("a", "2.0.0", json!({})),
            "node_modules/b": entry("b", "1.0.0", json!({})),
        });
        assert_eq!(changes(before, after), ["a 1.0.0 -> -"]);
    }

    #[test]
    fn a_smaller_version_comes_and_is_no_step_down() {
        let before = json!({ "node_modules/a": entry("a", "2.0.0", json!({})) });
        let after = json!({ "node_modules/a": entry("a", "1.0.0", json!({})) });
        assert_eq!(changes(before, after), ["a 2.0.0 -> -", "a - -> 1.0.0"]);
    }

    #[test]
    fn without_paths_each_new_version_gets_the_highest_below_it() {
        let lockfile = |versions: [&str; 2]| {
            let entries = versions.map(|version| {
                format!(
                    "[[package]]\nname = \"a\"\nversion = \"{version}\"\n\
                     source = \"registry+https://registry.invalid/index\"\n"
                )
            });
            format!("version = 4\n\n{}", entries.join("\n"))
        };
        let (before, after) = (lockfile(["1.0.0", "2.0.0"]), lockfile(["1.0.1", "2.0.1"]));
        let change = Change::new("Cargo.lock", &before, &after);
        assert_eq!(
            shown(&change),
            ["a 1.0.0 -> 1.0.1 Patch", "a 2.0.0 -> 2.0.1 Patch"]
        );
    }
}
