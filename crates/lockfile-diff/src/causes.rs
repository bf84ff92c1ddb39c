//! Changed entries that nothing asks for.
//!
//! A fix changes the package with the finding, the packages that its new version asks for, and the
//! dependents that did not admit it. An entry that changes for none of these reasons was changed by
//! hand. The smallest such change is not looked for: that a version is higher than it has to be is
//! no attack by itself.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Upgradable;
use patchgate_model::{Edge, Lockfile, Package, PackageIndex};

use crate::changed_entries::changed_entries;

/// A change of an entry without a certain cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncausedChange {
    /// Name of the package.
    pub package: String,
    /// Version before; `None` for an entry that comes.
    pub from: Option<String>,
    /// Version after.
    pub to: String,
    /// Path of the lockfile.
    pub lockfile: String,
    /// A change that may have caused it, when the lockfile states no requirements: the name and the
    /// version of the package that depends on it, or that it depends on.
    pub possible_cause: Option<String>,
}

/// The entries that come or get another version without a certain cause.
///
/// `is_fixed` says whether a package of the first lockfile has a finding that the change fixes. An
/// entry has a cause when
///
/// 1. its version before has such a finding, or
/// 2. an entry with a cause depends on it, and did not admit its version before, or
/// 3. it depends on an entry with a cause that its version before did not admit, or
/// 4. its version before depended on a package with such a finding, or on one that only leads to
///    such packages, and it does not any more.
///
/// All copies of one package in one version share a cause, because npm may place them anywhere.
#[must_use]
pub fn uncaused_changes(
    ecosystem: &dyn Upgradable,
    before: &Lockfile,
    after: &Lockfile,
    is_fixed: &dyn Fn(&Package) -> bool,
) -> Vec<UncausedChange> {
    let changes = Changes::new(ecosystem, before, after, is_fixed);
    let seeds = changes.seeds();
    let certain = changes.closure(seeds, |admitted| admitted == Some(false));
    let possible = changes.closure(
        certain.keys().map(|index| (*index, None)).collect(),
        |admitted| admitted != Some(true),
    );

    // One more copy of what was installed before brings nothing new.
    let known: BTreeSet<(&str, &str)> = before
        .packages
        .iter()
        .map(|package| (package.name.as_str(), package.version.as_str()))
        .collect();

    let mut uncaused = BTreeMap::new();
    for (index, from) in &changes.arrivals {
        let Some(package) = after.package(*index) else {
            continue;
        };
        let is_known = known.contains(&(package.name.as_str(), package.version.as_str()));
        if !certain.contains_key(index) && !is_known {
            let from = from.and_then(|from| before.package(from));
            let from = from.map(|package| package.version.clone());
            let key = (&package.name, from, &package.version);
            uncaused.insert(key, possible.get(index).cloned().flatten());
        }
    }
    let change =
        |((package, from, to), possible_cause): ((&String, _, &String), _)| UncausedChange {
            package: package.clone(),
            from,
            to: to.clone(),
            lockfile: after.path.clone(),
            possible_cause,
        };
    uncaused.into_iter().map(change).collect()
}

/// The entries with a cause, each with the entry that caused it.
type Caused = BTreeMap<PackageIndex, Option<String>>;

struct Changes<'a> {
    ecosystem: &'a dyn Upgradable,
    before: &'a Lockfile,
    after: &'a Lockfile,
    /// Entries of the second lockfile that come or get another version, with the entry before.
    arrivals: BTreeMap<PackageIndex, Option<PackageIndex>>,
    /// The arrivals of each package and version.
    copies: BTreeMap<(&'a str, &'a str), Vec<PackageIndex>>,
    /// The arrivals that depend on an arrival.
    dependents: BTreeMap<PackageIndex, Vec<(PackageIndex, &'a Edge)>>,
    /// Entries of the first lockfile that left or changed and have a finding that is fixed.
    fixed: BTreeSet<PackageIndex>,
    /// Entries of the first lockfile that have no successor.
    gone: BTreeSet<PackageIndex>,
}

impl<'a> Changes<'a> {
    fn new(
        ecosystem: &'a dyn Upgradable,
        before: &'a Lockfile,
        after: &'a Lockfile,
        is_fixed: &dyn Fn(&Package) -> bool,
    ) -> Self {
        let changed = changed_entries(ecosystem, before, after);
        let arrivals: BTreeMap<_, _> = changed
            .iter()
            .filter_map(|entry| Some((entry.after?, entry.before)))
            .collect();

        let mut copies: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut dependents: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for index in arrivals.keys() {
            let Some(package) = after.package(*index) else {
                continue;
            };
            let key = (package.name.as_str(), package.version.as_str());
            copies.entry(key).or_default().push(*index);
            for edge in package
                .edges
                .iter()
                .filter(|edge| arrivals.contains_key(&edge.to))
            {
                dependents.entry(edge.to).or_default().push((*index, edge));
            }
        }

        let departures = changed.iter().filter_map(|entry| entry.before);
        let has_finding = |index: &PackageIndex| before.package(*index).is_some_and(is_fixed);
        Self {
            ecosystem,
            before,
            after,
            arrivals,
            copies,
            dependents,
            fixed: departures.filter(has_finding).collect(),
            gone: changed
                .iter()
                .filter(|entry| entry.after.is_none())
                .filter_map(|entry| entry.before)
                .collect(),
        }
    }

    /// Entries whose own version before had a finding, or depended on a package with one.
    fn seeds(&self) -> Vec<(PackageIndex, Option<String>)> {
        let unwanted = self.unwanted();
        let is_seed = |index: &PackageIndex, from: &PackageIndex| {
            self.fixed.contains(from) || self.drops(*index, *from, &unwanted)
        };
        self.arrivals
            .iter()
            .filter_map(|(index, from)| Some((*index, (*from)?)))
            .filter(|(index, from)| is_seed(index, from))
            .map(|(index, _)| (index, None))
            .collect()
    }

    /// The packages with a finding that is fixed, and those that left and depended on one of them.
    fn unwanted(&self) -> BTreeSet<PackageIndex> {
        let mut unwanted = self.fixed.clone();
        loop {
            let leads_there = |index: &PackageIndex| {
                self.before.package(*index).is_some_and(|package| {
                    package.edges.iter().any(|edge| unwanted.contains(&edge.to))
                })
            };
            let more: Vec<PackageIndex> = self
                .gone
                .iter()
                .filter(|index| !unwanted.contains(*index) && leads_there(index))
                .copied()
                .collect();
            if more.is_empty() {
                return unwanted;
            }
            unwanted.extend(more);
        }
    }

    /// Whether an entry depended on an unwanted package and does not name it any more.
    fn drops(
        &self,
        index: PackageIndex,
        from: PackageIndex,
        unwanted: &BTreeSet<PackageIndex>,
    ) -> bool {
        let (Some(now), Some(was)) = (self.after.package(index), self.before.package(from)) else {
            return false;
        };
        was.edges
            .iter()
            .filter(|edge| unwanted.contains(&edge.to))
            .any(|edge| now.edges.iter().all(|other| other.name != edge.name))
    }

    /// Everything that follows from some entries. `counts` says whether an edge is a cause, from
    /// whether its requirement admits the other version (`None` when it is not known).
    fn closure(
        &self,
        seeds: Vec<(PackageIndex, Option<String>)>,
        counts: impl Fn(Option<bool>) -> bool,
    ) -> Caused {
        let mut caused = Caused::new();
        let mut open = seeds;
        while let Some((index, cause)) = open.pop() {
            let Some(package) = self.after.package(index) else {
                continue;
            };
            let key = (package.name.as_str(), package.version.as_str());
            for copy in self.copies.get(&key).into_iter().flatten() {
                if caused.contains_key(copy) {
                    continue;
                }
                caused.insert(*copy, cause.clone());
                let next = self.asked_by(*copy).chain(self.admitting(*copy));
                open.extend(
                    next.filter(|(_, admitted, _)| counts(*admitted))
                        .map(|(index, _, label)| (index, Some(label))),
                );
            }
        }
        caused
    }

    /// The arrivals that an entry depends on, and whether its requirement admitted their version
    /// before. A package that was not there before, or only comes, is admitted by none.
    fn asked_by(
        &self,
        index: PackageIndex,
    ) -> impl Iterator<Item = (PackageIndex, Option<bool>, String)> {
        let package = self.after.package(index);
        let edges = package.map(|package| package.edges.as_slice());
        let label = package.map(label).unwrap_or_default();
        edges.unwrap_or_default().iter().filter_map(move |edge| {
            let from = self.arrivals.get(&edge.to)?;
            let admitted = match from.and_then(|from| self.before.package(from)) {
                Some(was) => self.admits(edge, was),
                None => Some(false),
            };
            Some((edge.to, admitted, label.clone()))
        })
    }

    /// The arrivals that depend on an entry, and whether they admitted its version before they
    /// changed themselves. One that did not depend on it before has no such reason.
    fn admitting(
        &self,
        index: PackageIndex,
    ) -> impl Iterator<Item = (PackageIndex, Option<bool>, String)> {
        let package = self.after.package(index);
        let label = package.map(label).unwrap_or_default();
        let dependents = self.dependents.get(&index).into_iter().flatten();
        dependents.filter_map(move |(dependent, edge)| {
            let was = self.before.package((*self.arrivals.get(dependent)?)?)?;
            let of_name = was.edges.iter().filter(|old| old.name == edge.name);
            let answers: Vec<Option<bool>> =
                of_name.map(|old| self.admits(old, package?)).collect();
            let admitted = if answers.is_empty() || answers.contains(&Some(true)) {
                Some(true)
            } else if answers.contains(&None) {
                None
            } else {
                Some(false)
            };
            Some((*dependent, admitted, label.clone()))
        })
    }

    /// Whether an edge's requirement admits a version; `None` when that is not known.
    fn admits(&self, edge: &Edge, package: &Package) -> Option<bool> {
        let requirement = edge.requirement.as_deref()?;
        self.ecosystem.admits(requirement, &package.version).ok()
    }
}

fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Change, entry, npm};

    /// The changes without a cause when `qs 1.0.0` has a finding that is fixed.
    fn uncaused(before: Value, after: Value) -> Vec<String> {
        let (before, after) = (npm(json!({}), before), npm(json!({}), after));
        shown(&Change::new("package-lock.json", &before, &after))
    }

    fn shown(change: &Change<'_>) -> Vec<String> {
        let (ecosystem, before, after) = change.lockfiles();
        let is_fixed = |package: &Package| package.name == "qs" && package.version == "1.0.0";
        let text = |change: UncausedChange| {
            let from = change.from.unwrap_or_else(|| "-".to_owned());
            let maybe = change.possible_cause.map(|cause| format!(" ({cause}?)"));
            format!(
                "{} {from} -> {}{}",
                change.package,
                change.to,
                maybe.unwrap_or_default()
            )
        };
        let changes = uncaused_changes(ecosystem, &before, &after, &is_fixed);
        changes.into_iter().map(text).collect()
    }

    fn needs(name: &str, requirement: &str) -> Value {
        json!({ "dependencies": { name: requirement } })
    }

    #[test]
    fn the_package_with_the_finding_is_a_cause_and_another_is_not() {
        let tree = |qs: &str, other: &str| {
            json!({
                "node_modules/qs": entry("qs", qs, json!({})),
                "node_modules/other": entry("other", other, json!({})),
            })
        };
        assert!(uncaused(tree("1.0.0", "1.0.0"), tree("1.0.1", "1.0.0")).is_empty());
        assert_eq!(
            uncaused(tree("1.0.0", "1.0.0"), tree("1.0.1", "1.0.1")),
            ["other 1.0.0 -> 1.0.1"]
        );
        // Another copy of the package without the finding.
        let two = |nested: &str, qs: &str| {
            json!({
                "node_modules/qs": entry("qs", qs, json!({})),
                "node_modules/other": entry("other", "1.0.0", needs("qs", "*")),
                "node_modules/other/node_modules/qs": entry("qs", nested, json!({})),
            })
        };
        assert_eq!(
            uncaused(two("2.0.0", "1.0.0"), two("2.9.0", "1.0.1")),
            ["qs 2.0.0 -> 2.9.0"]
        );
    }

    #[test]
    fn what_the_new_version_asks_for_has_a_cause() {
        let tree = |qs: &str, requirement: &str, dep: &str, deep: &str| {
            json!({
                "node_modules/qs": entry("qs", qs, needs("dep", requirement)),
                "node_modules/dep": entry("dep", dep, needs("deep", &format!("^{deep}"))),
                "node_modules/deep": entry("deep", deep, json!({})),
            })
        };
        let before = tree("1.0.0", "^1.0.0", "1.0.0", "1.0.0");
        let asked = tree("1.0.1", "^1.2.0", "1.2.0", "1.3.0");
        assert!(uncaused(before.clone(), asked).is_empty());
        // The requirement admits the version before.
        let admitted = tree("1.0.1", "^1.0.0", "1.2.0", "1.0.0");
        assert_eq!(uncaused(before, admitted), ["dep 1.0.0 -> 1.2.0"]);
    }

    #[test]
    fn a_new_package_has_a_cause_when_a_caused_change_asks_for_it() {
        let tree = |asks: &str| {
            let mut tree = json!({
                "node_modules/qs": entry("qs", "1.0.1", json!({})),
                "node_modules/stays": entry("stays", "1.0.0", json!({})),
                "node_modules/new": entry("new", "1.0.0", json!({})),
            });
            tree[asks]["dependencies"] = json!({ "new": "^1" });
            tree
        };
        let before = json!({
            "node_modules/qs": entry("qs", "1.0.0", json!({})),
            "node_modules/stays": entry("stays", "1.0.0", json!({})),
        });
        assert!(uncaused(before.clone(), tree("node_modules/qs")).is_empty());
        assert_eq!(
            uncaused(before, tree("node_modules/stays")),
            ["new - -> 1.0.0"]
        );
    }

    #[test]
    fn a_dependent_changes_when_it_did_not_admit_the_fix() {
        let tree = |parent: &str, requirement: &str, qs: &str| {
            json!({
                "node_modules/parent": entry("parent", parent, needs("qs", requirement)),
                "node_modules/qs": entry("qs", qs, json!({})),
            })
        };
        assert!(
            uncaused(
                tree("1.0.0", "^1.0.0", "1.0.0"),
                tree("2.0.0", "^2.0.0", "2.0.1")
            )
            .is_empty()
        );
        assert_eq!(
            uncaused(
                tree("1.0.0", "^1.0.0", "1.0.0"),
                tree("1.5.0", "^1.0.1", "1.0.1")
            ),
            ["parent 1.0.0 -> 1.5.0"]
        );
    }

    #[test]
    fn a_dependent_changes_to_lose_the_package_with_the_finding() {
        let before = |parent: &str| {
            let mut tree = json!({
                "node_modules/parent": entry("parent", parent, needs("middle", "1")),
                "node_modules/middle": entry("middle", "1.0.0", needs("qs", "1")),
                "node_modules/qs": entry("qs", "1.0.0", json!({})),
            });
            if parent == "2.0.0" {
                tree = json!({ "node_modules/parent": entry("parent", parent, json!({})) });
            }
            tree
        };
        assert!(uncaused(before("1.0.0"), before("2.0.0")).is_empty());
    }

    #[test]
    fn without_requirements_a_cause_is_only_possible() {
        let lockfile = |smallvec: &str, dep: &str, other: &str| {
            let source = "source = \"registry+https://registry.invalid/index\"";
            format!(
                "version = 4\n\n\
                 [[package]]\nname = \"dep\"\nversion = \"{dep}\"\n{source}\n\n\
                 [[package]]\nname = \"other\"\nversion = \"{other}\"\n{source}\n\n\
                 [[package]]\nname = \"qs\"\nversion = \"{smallvec}\"\n{source}\n\
                 dependencies = [\n \"dep\",\n]\n"
            )
        };
        let before = lockfile("1.0.0", "1.0.0", "1.0.0");
        let after = lockfile("1.0.1", "1.0.1", "1.0.1");
        assert_eq!(
            shown(&Change::new("Cargo.lock", &before, &after)),
            ["dep 1.0.0 -> 1.0.1 (qs 1.0.1?)", "other 1.0.0 -> 1.0.1"]
        );
    }
}
