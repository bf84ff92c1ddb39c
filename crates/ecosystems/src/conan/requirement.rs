//! Version ranges of Conan (<https://docs.conan.io/2/tutorial/versioning/version_ranges.html>).

use std::ops::Bound;

use super::version::Version;
use super::{Conan, NAME};
use crate::version::comparison::{Comparison, check_length, in_all, refuse, successor};
use crate::version::number::is_digits;
use crate::{Interval, RequirementError, VersionSet};

/// The versions that a version or a range in brackets admits. Pre-releases between the bounds count,
/// although Conan takes one only with an option. As in Conan 2, only the part before the first comma
/// counts, so `[>1,<2]` is the range `[>1]`.
pub(super) fn admitted(requirement: &str) -> Result<VersionSet, RequirementError> {
    check_length(requirement)?;
    let text = requirement.trim();
    let wrong = || refuse(NAME, requirement);
    let Some(range) = text.strip_prefix('[') else {
        return match text {
            "" => Ok(VersionSet::all()),
            _ if Version::parse(text).is_some() => Ok(Interval::exactly(text).into()),
            _ => Err(wrong()),
        };
    };

    let range = range.strip_suffix(']').ok_or_else(wrong)?;
    let (range, options) = range.split_once(',').unwrap_or((range, ""));
    let with_prereleases = options.contains("include_prerelease");
    let mut set = VersionSet::default();
    for alternative in range.split("||") {
        let mut sets = Vec::new();
        let mut words = alternative.split_whitespace();
        while let Some(word) = words.next() {
            // Conan 1 allows a blank between the sign and the version.
            let joined = match word.trim_end_matches(['<', '>', '=', '~', '^']) {
                "" => format!("{word}{}", words.next().ok_or_else(wrong)?),
                _ => word.to_owned(),
            };
            sets.push(condition(&joined, with_prereleases).ok_or_else(wrong)?);
        }
        set.intervals
            .extend(in_all(&Conan, requirement, sets)?.intervals);
    }
    Ok(set)
}

/// One condition. With pre-releases, `>=1.0` also admits those of 1.0.
fn condition(text: &str, with_prereleases: bool) -> Option<VersionSet> {
    if matches!(text, "*" | "-") {
        return Some(VersionSet::all());
    }
    if let Some(version) = text.strip_prefix('~') {
        let numbers = main(version)?;
        let position = usize::from(numbers.len() > 1);
        return Some(up_to(version, &numbers, position, with_prereleases));
    }
    if let Some(version) = text.strip_prefix('^') {
        let numbers = main(version)?;
        let first = numbers
            .iter()
            .position(|number| number.bytes().any(|digit| digit != b'0'));
        let position = first.unwrap_or(numbers.len() - 1);
        return Some(up_to(version, &numbers, position, with_prereleases));
    }

    let (sign, version) = match Comparison::split(text) {
        Some((Comparison::NotEqual, _)) => return None,
        Some(_) if text.starts_with("==") => return None,
        Some(split) => split,
        None => (Comparison::Equal, text),
    };
    Version::parse(version)?;
    Some(match sign {
        Comparison::GreaterEqual if with_prereleases && !version.contains('-') => {
            sign.set(&format!("{version}-"))
        }
        sign => sign.set(version),
    })
}

/// The numbers of a version without its pre-release and build; `None` if an item is no number,
/// because its successor is then unknown.
fn main(version: &str) -> Option<Vec<&str>> {
    Version::parse(version)?;
    let numbers: Vec<&str> = version.split(['-', '+']).next()?.split('.').collect();
    numbers
        .iter()
        .all(|item| is_digits(item))
        .then_some(numbers)
}

/// The versions from one up to the next number in a position.
fn up_to(version: &str, numbers: &[&str], position: usize, with_prereleases: bool) -> VersionSet {
    let mut next: Vec<String> = numbers
        .iter()
        .take(position + 1)
        .map(|number| (*number).to_owned())
        .collect();
    if let Some(last) = next.last_mut() {
        *last = successor(last);
    }
    let low = match with_prereleases && !version.contains('-') {
        true => format!("{version}-"),
        false => version.to_owned(),
    };

    // `2-` precedes every pre-release of 2.
    Interval::new(
        Bound::Included(low.into()),
        Bound::Excluded(format!("{}-", next.join(".")).into()),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::comparison::{assert_admitted, assert_refused};

    #[test]
    fn ranges_admit_what_conan_admits() {
        assert_admitted(
            &Conan,
            &[
                ("1.2.11", &["1.2.11"], &["1.2.12"]),
                ("cci.20200101", &["cci.20200101"], &["cci.20200102"]),
                (
                    "[>=1.0 <2]",
                    &["1.0", "1.9.9", "2-rc"],
                    &["0.9", "2", "2.0.1"],
                ),
                ("[>= 1.0 < 2]", &["1.0"], &["2"]),
                ("[>1 <=2.0]", &["1.1", "2.0"], &["1.0", "2.1"]),
                ("[~1.2]", &["1.2", "1.2.99"], &["1.1", "1.3", "1.3-rc"]),
                ("[~1.2.3]", &["1.2.3", "1.2.99"], &["1.2.2", "1.3"]),
                ("[~1]", &["1.0", "1.99"], &["2", "2-rc"]),
                ("[^1.2]", &["1.2", "1.99"], &["1.1", "2"]),
                ("[^0.1.2]", &["0.1.2", "0.1.9"], &["0.2"]),
                ("[^0.0.3]", &["0.0.3"], &["0.0.4"]),
                ("[>=1 <2 || ^3.1]", &["1.5", "3.2"], &["2.5", "3.0", "4"]),
                ("[=1.0]", &["1.0.0"], &["1.0.1"]),
                ("[1.0]", &["1.0"], &["1.0.1"]),
                ("[*]", &["0.1", "9"], &[]),
                ("[]", &["0.1", "9"], &[]),
                ("[>=1.0, include_prerelease]", &["1.0-rc", "1.0"], &["0.9"]),
                ("[~1.2, include_prerelease=True]", &["1.2-rc"], &["1.3-rc"]),
                ("[>1,<2]", &["1.5", "2.5"], &["1"]),
                ("[>=1.0 <2.0, loose=False]", &["1.5"], &["2.0"]),
                ("", &["0.1"], &[]),
            ],
        );
    }

    #[test]
    fn what_is_no_range_is_an_error() {
        let text = "is not a requirement of ConanCenter";
        assert_refused(
            &Conan,
            &[
                ("[>=1.0", text),
                ("[>=]", text),
                ("[!=1.0]", text),
                ("[~cci.2020]", text),
                ("[>=1/2]", text),
                ("1 2", text),
            ],
        );
    }
}
