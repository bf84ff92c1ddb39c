//! Files with a package per line, such as `go.mod` and workflows: with the versions cut out, the lines
//! are the same.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_model::{Lockfile, Origin, Package};

use super::{Differences, State};

/// Compares two states of a file.
///
/// `may_come_and_go` is whether a line of a package may be new or gone. Lines that only open and close
/// a block may then be too.
///
/// # Errors
/// When one of them is not UTF-8.
pub(super) fn compare(
    base: State<'_>,
    head: State<'_>,
    may_come_and_go: bool,
    differences: &mut Differences,
) -> Result<(), String> {
    let names = |lockfile: &Lockfile| -> BTreeSet<String> {
        let packages = lockfile.packages.iter();
        packages.map(|package| package.name.clone()).collect()
    };
    let (base_names, head_names) = (names(base.lockfile), names(head.lockfile));
    let skipped = |others: &BTreeSet<String>, package: &Package| {
        may_come_and_go && !others.contains(&package.name)
    };
    let before = masked(base, |package| skipped(&head_names, package))?;
    let now = masked(head, |package| skipped(&base_names, package))?;

    let content = |lines: &[String]| -> Vec<String> {
        let is_content =
            |line: &&String| !may_come_and_go || !matches!(line.trim(), "" | "require (" | ")");
        lines.iter().filter(is_content).cloned().collect()
    };
    let (before, now) = (content(&before), content(&now));
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

/// The lines with the versions and commits of their packages cut out, without those of packages that
/// are skipped.
fn masked(state: State<'_>, is_skipped: impl Fn(&Package) -> bool) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(state.bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut of_line: BTreeMap<usize, Vec<&Package>> = BTreeMap::new();
    for package in &state.lockfile.packages {
        of_line
            .entry(package.line as usize)
            .or_default()
            .push(package);
    }

    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let packages = of_line.get(&number).map(Vec::as_slice).unwrap_or_default();
        let is_of_skipped = packages
            .iter()
            .any(|package| is_skipped(package) && line.contains(&package.name));
        if is_of_skipped {
            continue;
        }

        let mut line = line.to_owned();
        for package in packages {
            if let Origin::Git {
                commit: Some(commit),
                ..
            } = &package.origin
            {
                line = line.replace(commit.as_str(), "{commit}");
            }
            line = line.replace(&package.version, "{version}");
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The lines that occur more often in one list than in the other.
pub(super) fn extra<'a>(lines: &'a [String], others: &[String]) -> Vec<&'a str> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in others {
        *left.entry(line).or_default() += 1;
    }
    lines
        .iter()
        .map(String::as_str)
        .filter(|line| match left.get_mut(line) {
            Some(count @ 1..) => {
                *count -= 1;
                false
            }
            _ => true,
        })
        .collect()
}
