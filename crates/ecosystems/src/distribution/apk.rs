//! Version order of apk (apk-package(5), "Package version specification"), for versions such as
//! `1.2.3a_alpha1_p2~0af1-r4`.

use std::cmp::Ordering;

use crate::VersionError;
use crate::version::number::{Number, is_digits};
use crate::version::runs::split;
use patchgate_model::EcosystemName;

/// A version, split into the parts that determine its order.
#[derive(Debug)]
struct Version<'a> {
    /// Numbers between dots, as written.
    numbers: Vec<&'a str>,
    /// A single letter after the numbers.
    letter: Option<u8>,
    /// Ranks of the suffixes, each with its number.
    suffixes: Vec<(i8, &'a str)>,
    /// Hash of a commit, after `~`.
    commit: Option<&'a str>,
    /// Revision of the package, after `-r`.
    revision: Option<&'a str>,
}

/// Suffixes with their rank. A version without suffix has rank 0.
const SUFFIXES: [(&str, i8); 9] = [
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 1),
    ("svn", 2),
    ("git", 3),
    ("hg", 4),
    ("p", 5),
];

/// Compares two versions of a distribution.
pub(super) fn compare(name: EcosystemName, a: &str, b: &str) -> Result<Ordering, VersionError> {
    crate::version::compare(name, parse, a, b)
}

/// Parses a version; `None` if the text is not one.
fn parse(text: &str) -> Option<Version<'_>> {
    let (rest, revision) = match text.rsplit_once("-r") {
        Some((rest, revision)) if is_digits(revision) => (rest, Some(revision)),
        Some(_) => return None,
        None => (text, None),
    };
    let (rest, commit) = match rest.split_once('~') {
        Some((rest, commit)) => (rest, Some(commit)),
        None => (rest, None),
    };
    if commit.is_some_and(|hash| hash.is_empty() || !hash.bytes().all(|b| b.is_ascii_hexdigit())) {
        return None;
    }

    let mut parts = rest.split('_');
    let main = parts.next()?;
    let suffixes = parts.map(suffix).collect::<Option<_>>()?;
    let (main, letter) = match main.as_bytes().last() {
        Some(byte) if byte.is_ascii_lowercase() => (main.get(..main.len() - 1)?, Some(*byte)),
        _ => (main, None),
    };
    let numbers: Vec<&str> = main.split('.').collect();

    numbers
        .iter()
        .all(|number| is_digits(number))
        .then_some(Version {
            numbers,
            letter,
            suffixes,
            commit,
            revision,
        })
}

fn suffix(text: &str) -> Option<(i8, &str)> {
    let (name, number) = split(text, |byte| !byte.is_ascii_digit());
    let (_, rank) = SUFFIXES.iter().find(|(known, _)| *known == name)?;
    (number.is_empty() || is_digits(number)).then_some((*rank, number))
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let none = (0, "");

        numbers(&self.numbers, &other.numbers)
            .then_with(|| self.letter.cmp(&other.letter))
            .then_with(|| {
                let longest = self.suffixes.len().max(other.suffixes.len());
                (0..longest)
                    .map(|at| {
                        let a = self.suffixes.get(at).unwrap_or(&none);
                        let b = other.suffixes.get(at).unwrap_or(&none);
                        a.0.cmp(&b.0).then_with(|| number(a.1, b.1))
                    })
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
            .then_with(|| self.commit.cmp(&other.commit))
            .then_with(|| {
                number(
                    self.revision.unwrap_or_default(),
                    other.revision.unwrap_or_default(),
                )
            })
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

/// The first numbers are compared numerically. As in apk itself, two later numbers are compared as
/// decimal fractions if one of them has a leading zero.
fn numbers(a: &[&str], b: &[&str]) -> Ordering {
    for (index, (x, y)) in a.iter().zip(b).enumerate() {
        let as_text = index > 0 && (x.starts_with('0') || y.starts_with('0'));
        let order = if as_text {
            x.trim_end_matches('0').cmp(y.trim_end_matches('0'))
        } else {
            number(x, y)
        };
        if order.is_ne() {
            return order;
        }
    }

    a.len().cmp(&b.len())
}

fn number(a: &str, b: &str) -> Ordering {
    Number::new(a).cmp(&Number::new(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_specification() {
        let ascending = [
            "0.1.0_alpha",
            "0.1.0_alpha2",
            "0.1.0_beta1",
            "0.1.0_pre3",
            "0.1.0_rc1",
            "0.1.0",
            "0.1.0-r1",
            "0.1.0-r10",
            "0.1.0_git20240101",
            "0.1.0_p1",
            "0.1.0a",
            "0.1.0b",
            "0.1.0.1",
            "1.2",
            "1.10",
            "99999999999999999999999",
        ];
        for pair in ascending.windows(2) {
            let (a, b) = (parse(pair[0]).unwrap(), parse(pair[1]).unwrap());
            assert_eq!(a.cmp(&b), Ordering::Less, "{pair:?}");
            assert_eq!(b.cmp(&a), Ordering::Greater, "{pair:?}");
        }

        for text in [
            "", "a", "1.a", "1-2", "1-r", "1_x", "1..2", "1.0A", "1~", "1~g",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
