//! Attribution of a failure to the version changes that caused it.

use std::collections::BTreeSet;

use patchgate_model::{Lockfile, PackageIndex};
use patchgate_upgrade::PlannedUpgrade;

use crate::violation::Violation;

/// The version changes that caused a violation in the resulting lockfile: those of the packages
/// that it is about, else the nearest ones above them. Empty when none of them is related to it.
pub(super) fn changes_behind<'m>(
    lockfile: &Lockfile,
    violation: &Violation,
    moves: &'m [PlannedUpgrade],
) -> Vec<&'m PlannedUpgrade> {
    let is_about = |(_, package): &(PackageIndex, &patchgate_model::Package)| {
        violation
            .packages
            .iter()
            .any(|about| about.name == package.name && about.version == package.version)
    };
    let mut layer: BTreeSet<PackageIndex> = lockfile
        .indexed()
        .filter(is_about)
        .map(|(copy, _)| copy)
        .collect();

    let mut seen = BTreeSet::new();
    while !layer.is_empty() {
        let found: Vec<&PlannedUpgrade> = moves
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

/// The version changes that a package manager mentions in its message, as `name@version` or
/// `name version`.
pub(super) fn named<'m>(reason: &str, moves: &'m [PlannedUpgrade]) -> Vec<&'m PlannedUpgrade> {
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

#[cfg(test)]
mod tests {
    use patchgate_ecosystems::Release;
    use patchgate_model::{Bump, DependencyKind, EcosystemName, Edge, Package, PackageVersion};

    use super::*;

    /// `top 2.0.0` needs `middle 1.0.0`, which needs `leaf 1.0.0`, and `other 1.0.0` has no edges.
    fn lockfile() -> Lockfile {
        let package = |name: &str, version: &str, needs: Option<u32>| Package {
            edges: needs
                .into_iter()
                .map(|to| Edge {
                    to: PackageIndex(to),
                    name: "needed".into(),
                    requirement: None,
                    kind: DependencyKind::Runtime,
                })
                .collect(),
            ..Package::new(
                EcosystemName::new("npm"),
                name.to_owned(),
                version.to_owned(),
            )
        };

        Lockfile {
            packages: vec![
                package("top", "2.0.0", Some(1)),
                package("middle", "1.0.0", Some(2)),
                package("leaf", "1.0.0", None),
                package("other", "1.0.0", None),
            ],
            ..Lockfile::default()
        }
    }

    fn step(name: &str, to: &str) -> PlannedUpgrade {
        PlannedUpgrade {
            copy: PackageIndex(0),
            name: name.to_owned(),
            from: "0.1.0".to_owned(),
            release: Release {
                version: to.to_owned(),
                yanked: false,
                ..Release::default()
            },
            bump: Bump::Major,
            fixes: Vec::new(),
            because_of: None,
            edits: Vec::new(),
        }
    }

    fn about(name: &str, version: &str) -> Violation {
        Violation {
            text: String::new(),
            packages: vec![PackageVersion::new(name, version)],
        }
    }

    fn names(moves: &[&PlannedUpgrade]) -> Vec<String> {
        moves.iter().map(|step| step.name.clone()).collect()
    }

    #[test]
    fn the_package_itself_is_to_blame_or_the_nearest_above_it() {
        let lockfile = lockfile();
        let moves = [step("top", "2.0.0"), step("other", "1.0.0")];
        let blamed = |moves: &[PlannedUpgrade], violation: Violation| {
            names(&changes_behind(&lockfile, &violation, moves))
        };

        assert_eq!(blamed(&moves, about("leaf", "1.0.0")), ["top"]);
        assert_eq!(blamed(&moves, about("other", "1.0.0")), ["other"]);

        let nearer = [step("top", "2.0.0"), step("middle", "1.0.0")];
        assert_eq!(blamed(&nearer, about("leaf", "1.0.0")), ["middle"]);
        assert_eq!(blamed(&nearer, about("other", "1.0.0")), [""; 0]);
        assert_eq!(blamed(&moves, about("absent", "1.0.0")), [""; 0]);
    }

    #[test]
    fn a_manager_names_packages_as_whole_words() {
        let moves = [step("react", "17.0.2"), step("widget", "2.0.0")];
        let says = |reason: &str| names(&named(reason, &moves));
        assert_eq!(
            says("found react@17.0.2, but peer react@\"^18.0.0\" from widget@2.0.0"),
            ["react", "widget"]
        );
        assert_eq!(says("required by package `widget v2.0.0`"), ["widget"]);
        assert_eq!(says("found react@17.0.20 and react-dom@17.0.2"), [""; 0]);
    }
}
