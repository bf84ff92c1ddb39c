//! `pom.xml` and version catalogs: with the versions of dependencies cut out, the text is the same.
//!
//! A new entry in `dependencyManagement` counts as a change of a version only for a package that the
//! project requires itself. Nothing says which version another package had before.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use patchgate_ecosystems::Ecosystem as _;
use patchgate_ecosystems::maven::{self, Masked, managed_names, masked};

use super::lines::extra;
use super::{Differences, State};

/// Compares two states of a file.
///
/// # Errors
/// When one of them cannot be read.
pub(super) fn compare(
    base: State<'_>,
    head: State<'_>,
    differences: &mut Differences,
) -> Result<(), String> {
    let path = head.lockfile.path.as_str();
    let (before, now) = (text(base)?, text(head)?);
    let is_pom = path.ends_with(".xml");
    let mut new = BTreeSet::new();
    if is_pom {
        let known = managed_names(before).map_err(|error| error.reason)?;
        new = managed_names(now).map_err(|error| error.reason)?;
        new.retain(|name| !known.contains(name));
    }
    for name in &new {
        let mut packages = head.lockfile.packages.iter();
        if !packages.any(|package| package.name == *name) {
            differences.unclear(format!(
                "`dependencyManagement` decides the version of `{name}`"
            ));
        }
    }

    let masked = |text: &str, without: &BTreeSet<String>| {
        masked(path, text, without).map_err(|error| error.reason)
    };
    let (before, now) = (masked(before, &BTreeSet::new())?, masked(now, &new)?);
    compare_versions(&before, &now, head, differences);

    let lines = |masked: &Masked| -> Vec<String> {
        let lines = masked.text.lines().filter(|line| !line.trim().is_empty());
        lines.map(str::to_owned).collect()
    };
    let (before, now) = (lines(&before), lines(&now));
    for line in extra(&now, &before) {
        differences.unclear(format!("the line `{}` is new", line.trim()));
    }
    for line in extra(&before, &now) {
        differences.unclear(format!("the line `{}` is gone", line.trim()));
    }
    let has_same_lines = extra(&now, &before).is_empty() && extra(&before, &now).is_empty();
    if has_same_lines && before != now {
        differences.unclear("lines change their order");
    }

    Ok(())
}

/// Compares the versions that other projects of the repository may use: properties, and those that are
/// managed. The projects themselves need not be among the changed files.
fn compare_versions(before: &Masked, now: &Masked, head: State<'_>, differences: &mut Differences) {
    let mut of_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in &before.versions {
        of_name.entry(name).or_default().push(version);
    }
    for versions in of_name.values_mut() {
        versions.reverse();
    }

    for (name, version) in &now.versions {
        let earlier = of_name.get_mut(name.as_str()).and_then(Vec::pop);
        let Some(earlier) = earlier.filter(|earlier| earlier != version) else {
            continue;
        };
        let is_literal = !earlier.contains("${") && !version.contains("${");
        match maven::Maven.compare_versions(version, earlier) {
            Ok(Ordering::Less) if is_literal => {
                differences.certain(format!("`{name}` falls from {earlier} to {version}"));
            }
            Ok(Ordering::Greater) if is_literal => {}
            _ => {
                // The versions of the project's own packages are compared as such.
                let mut packages = head.lockfile.packages.iter();
                if !packages.any(|package| package.name == *name) {
                    let text = format!("`{name}` changes from `{earlier}` to `{version}`");
                    differences.unclear(text);
                }
            }
        }
    }
}

fn text(state: State<'_>) -> Result<&str, String> {
    std::str::from_utf8(state.bytes).map_err(|_| "it is not UTF-8".to_owned())
}
