//! Whether a release works with the oldest runtime or compiler that a project supports.

use std::ops::Bound;

use crate::{Ecosystem, Interval, Siblings, VersionSet};

/// A manifest beside a lockfile, as text.
pub(crate) fn manifest_beside<'f>(
    lockfile: &str,
    name: &str,
    files: &'f Siblings,
) -> Option<&'f str> {
    let path = match lockfile.rsplit_once('/') {
        Some((directory, _)) => format!("{directory}/{name}"),
        None => name.to_owned(),
    };
    std::str::from_utf8(files.get(&path)?).ok()
}

/// Whether a requirement admits a version of the oldest line that `stated` admits: the first
/// `numbers` numbers of a version make its line (1 for Node.js 18, 2 for Python 3.8).
///
/// A requirement that cannot be read excludes nothing: package managers only warn about those.
pub(crate) fn admits_oldest(
    order: &dyn Ecosystem,
    required: &str,
    stated: &str,
    numbers: usize,
) -> bool {
    let admits = || {
        let required = order.admitted_versions(required).ok()?;
        let oldest = oldest(order, &order.admitted_versions(stated).ok()?)?;
        let line = Interval::between(&oldest, &next_line(&oldest, numbers)?);
        let both = required.intersection(order, &VersionSet::from(line)).ok()?;
        both.is_empty(order).ok().map(|is_empty| !is_empty)
    };
    admits().unwrap_or(true)
}

/// The lowest bound of a set. `None` where it has none.
fn oldest(order: &dyn Ecosystem, set: &VersionSet) -> Option<String> {
    let mut oldest: Option<&str> = None;
    for interval in &set.intervals {
        let (Bound::Included(lower) | Bound::Excluded(lower)) = &interval.lower else {
            return None;
        };
        let is_older = oldest.is_none_or(|known| {
            let order = order.compare_versions(lower, known);
            order.is_ok_and(std::cmp::Ordering::is_lt)
        });
        if is_older {
            oldest = Some(lower);
        }
    }
    oldest.map(str::to_owned)
}

fn next_line(version: &str, numbers: usize) -> Option<String> {
    let mut line = version_numbers(version);
    line.resize(numbers, 0);
    let last = line.last_mut()?;
    *last = last.checked_add(1)?;
    line.resize(numbers.max(3), 0);
    let text: Vec<String> = line.iter().map(u64::to_string).collect();
    Some(text.join("."))
}

/// Whether a compiler's version is at least another: `1.60` is `1.60.0`.
pub(crate) fn is_at_least(version: &str, required: &str) -> bool {
    let (mut version, mut required) = (version_numbers(version), version_numbers(required));
    let count = version.len().max(required.len());
    version.resize(count, 0);
    required.resize(count, 0);
    version >= required
}

/// The numbers at the start of a version: of `1.21rc1` these are 1 and 21.
fn version_numbers(version: &str) -> Vec<u64> {
    let mut numbers = Vec::new();
    for part in version.trim_start_matches('v').split('.') {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next();
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(number) => numbers.push(number),
            None => break,
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_name;

    #[test]
    fn a_release_must_work_with_the_oldest_line_of_a_project() {
        for (ecosystem, required, stated, works) in [
            ("npm", ">=16", ">=14", false),
            ("npm", "^12.20 || >=14.13", ">=14", true),
            ("npm", ">=16", "^18 || >=20", true),
            ("npm", ">=20", "^18 || >=20", false),
            ("npm", ">=16", "*", true),
            ("npm", "node >= 0.8", ">=14", true),
            ("PyPI", ">=3.8", ">=3.7", false),
            ("PyPI", ">=3.8,<4", ">=3.8", true),
            ("PyPI", ">=3.8.1", ">=3.8", true),
        ] {
            let order = by_name(ecosystem).unwrap();
            let numbers = if ecosystem == "npm" { 1 } else { 2 };
            assert_eq!(
                admits_oldest(order, required, stated, numbers),
                works,
                "{required} {stated}"
            );
        }
    }

    #[test]
    fn compilers_are_compared_by_their_numbers() {
        for (version, required, is_enough) in [
            ("1.60", "1.60.0", true),
            ("1.60", "1.60.1", false),
            ("1.9", "1.10", false),
            ("1.21rc1", "1.21", true),
            ("1.23.4", "1.23", true),
        ] {
            assert_eq!(
                is_at_least(version, required),
                is_enough,
                "{version} {required}"
            );
        }
    }
}
