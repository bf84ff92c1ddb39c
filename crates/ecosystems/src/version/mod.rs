//! Building blocks of the version orders: [`number`] for digits of any size, [`semantic`] for
//! Semantic Versioning, [`runs`] for versions that are split between letters and digits, and
//! [`comparison`] for requirements. The
//! order of one ecosystem is in its own module.

pub(crate) mod comparison;
pub(crate) mod number;
pub(crate) mod r;
pub(crate) mod runs;
pub(crate) mod semantic;

use patchgate_model::{Bump, EcosystemName};
use std::cmp::Ordering;

use crate::VersionError;

/// Compares two texts as versions of an ecosystem.
///
/// # Errors
/// If `parse` rejects one of them.
pub(crate) fn compare<'a, V: Ord>(
    ecosystem: EcosystemName,
    parse: impl Fn(&'a str) -> Option<V>,
    a: &'a str,
    b: &'a str,
) -> Result<Ordering, VersionError> {
    let read = |text: &'a str| checked(ecosystem, text, parse(text));
    Ok(read(a)?.cmp(&read(b)?))
}

/// What was parsed from the text of a version.
///
/// # Errors
/// If nothing was, because the text is not a version of the ecosystem.
pub(crate) fn checked<V>(
    ecosystem: EcosystemName,
    text: &str,
    parsed: Option<V>,
) -> Result<V, VersionError> {
    parsed.ok_or_else(|| VersionError {
        version: text.to_owned(),
        ecosystem,
    })
}

/// How much may break between two versions, by their leading numbers. The first number, and the first
/// that is not zero, count as breaking: `0.2` and `0.3` are not compatible.
pub(crate) fn numbered_bump(from: &[&str], to: &[&str]) -> Bump {
    let number = |numbers: &[&str], index: usize| {
        let digits = numbers.get(index).copied().unwrap_or_default();
        digits.trim_start_matches('0').to_owned()
    };
    let length = from.len().max(to.len());
    let leading = (0..length)
        .take_while(|index| number(from, *index).is_empty())
        .count();
    let changed = (0..length).find(|index| number(from, *index) != number(to, *index));
    match changed {
        None => Bump::Patch,
        Some(index) if index <= leading => Bump::Major,
        Some(1) => Bump::Minor,
        Some(_) => Bump::Patch,
    }
}

/// The numbers of a semantic version, without a pre-release and a build.
pub(crate) fn numbers(version: &str) -> Vec<&str> {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').collect()
}

/// Asserts that texts are in rising order: any two of them compare as their positions do.
#[cfg(test)]
#[track_caller]
pub(crate) fn assert_rising<'t>(texts: &[&'t str], compare: impl Fn(&'t str, &'t str) -> Ordering) {
    for (i, a) in texts.iter().enumerate() {
        for (j, b) in texts.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
        }
    }
}
