//! Requirements with a new lower bound.

use crate::{Ecosystem, Interval, VersionSet};

/// The requirement in place of `requirement` that admits `version` and nothing below it: in the same
/// style (exact, caret, tilde, …) if that is possible, and otherwise the one that admits every later
/// version too.
///
/// ```
/// use patchgate_ecosystems::{by_name, raised_requirement};
///
/// let npm = by_name("npm").unwrap();
/// assert_eq!(raised_requirement(npm, "^1.2.0", "1.4.1"), "^1.4.1");
/// assert_eq!(raised_requirement(npm, "*", "1.4.1"), ">=1.4.1");
/// ```
#[must_use]
pub fn raised_requirement(ecosystem: &dyn Ecosystem, requirement: &str, version: &str) -> String {
    let below = VersionSet::from(Interval::below(version));
    let admits_nothing_below = |raised: &String| {
        let admitted = ecosystem.admitted_versions(raised);
        admitted.is_ok_and(|admitted| {
            let lower = admitted.intersection(ecosystem, &below);
            lower.is_ok_and(|lower| lower.intervals.is_empty())
        })
    };

    let in_style = match ecosystem.upgradable() {
        Some(_) if requirement.is_empty() => None,
        Some(upgradable) => upgradable.raise_requirement(requirement, version).ok(),
        // A floor stays a floor: `>=1.16` of Go's standard library is not a version of a module.
        None => requirement
            .strip_prefix(">=")
            .filter(|floor| !floor.contains([',', ' ', '<', '|']))
            .map(|_| format!(">={version}")),
    };
    in_style
        .filter(admits_nothing_below)
        .unwrap_or_else(|| ecosystem.at_least(version))
}
