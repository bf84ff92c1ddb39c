//! Order of the tags of actions: one to four numbers, where missing ones are zero, and the
//! pre-releases of Semantic Versioning.
//!
//! A tag with fewer than three numbers is compared as a bound of an advisory. In a workflow it can
//! point to many releases, which the module `requirement` computes.

use std::cmp::Ordering;

use crate::VersionError;
use crate::version::number::{self, Number};
use crate::version::semantic::Prerelease;

/// Tags with fewer numbers than this are moving: `v4`, `v4.1`.
const MOVING_BELOW: usize = 3;

/// A tag with its numbers.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    /// One to four numbers.
    numbers: Vec<Number<&'a str>>,
    /// The pre-release part, compared as in Semantic Versioning 2.0.
    pre: Prerelease<'a>,
}

/// Parses `v1`, `v1.2`, `v1.2.3`, `v1.2.3-beta.1`, or the same without `v`.
///
/// # Errors
/// If the text is a branch, a commit or anything else, because its release is unknown.
pub(crate) fn parse(text: &str) -> Result<Tag<'_>, VersionError> {
    tag(text).ok_or_else(|| VersionError {
        version: text.to_owned(),
        ecosystem: super::NAME,
    })
}

fn tag(text: &str) -> Option<Tag<'_>> {
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let bare = bare.split('+').next().unwrap_or(bare);
    let (numbers, pre) = match bare.split_once('-') {
        Some((_, pre)) if pre.split('.').any(str::is_empty) => return None,
        Some((numbers, pre)) => (numbers, Prerelease::new(pre)),
        None => (bare, Prerelease::NONE),
    };

    // A commit of digits only is a number with forty digits and not a release.
    let is_commit = numbers.split('.').any(|part| part.len() >= 40);
    let numbers = number::list(numbers, &['.'])?;
    let is_sound = numbers.len() <= 4 && (numbers.len() >= MOVING_BELOW || pre.is_none());

    (is_sound && !is_commit).then_some(Tag { numbers, pre })
}

impl<'a> Tag<'a> {
    /// Whether the tag follows the newest of several releases.
    pub(crate) fn is_moving(&self) -> bool {
        self.numbers.len() < MOVING_BELOW
    }

    /// The release that a pre-release precedes.
    pub(crate) fn release(&self) -> Option<String> {
        let numbers: Vec<&str> = self.digits().collect();
        (!self.pre.is_none()).then(|| numbers.join("."))
    }

    /// The numbers that the tag states, without leading zeros.
    pub(crate) fn digits(&self) -> impl Iterator<Item = &'a str> {
        self.numbers.iter().map(|number| number.digits())
    }
}

impl Ord for Tag<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let at = |tag: &Self, index: usize| tag.numbers.get(index).copied().unwrap_or(Number::ZERO);
        let longer = self.numbers.len().max(other.numbers.len());
        (0..longer)
            .map(|index| at(self, index).cmp(&at(other, index)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.pre.cmp(&other.pre))
    }
}

impl PartialEq for Tag<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Tag<'_> {}

impl PartialOrd for Tag<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        parse(a).unwrap().cmp(&parse(b).unwrap())
    }

    #[test]
    fn missing_numbers_are_zero() {
        for (a, b) in [
            ("v4", "4.1.3"),
            ("v4", "v4.1"),
            ("v4.1", "v4.1.9"),
            ("v4.0.0-beta.2", "v4"),
            ("v4", "v5.0.0"),
            ("v4", "v5"),
            ("v4.1", "v4.2.0"),
            ("v4.0.0-beta.2", "v4.0.0-beta.10"),
            ("v4.0.0-beta.2", "v4.0.0"),
            ("v1.2.3", "v1.2.3.1"),
            ("v9", "v18446744073709551616.0.0"),
        ] {
            assert_eq!(order(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(order(b, a), Ordering::Greater, "{b} {a}");
        }

        assert_eq!(order("v1.02.3", "1.2.3+x"), Ordering::Equal);
        assert_eq!(order("v4", "4.0.0.0"), Ordering::Equal);
        assert_eq!(
            parse("v4.1.0-rc.1").unwrap().release().as_deref(),
            Some("4.1.0")
        );
        assert_eq!(parse("v4.1.0").unwrap().release(), None);
    }

    #[test]
    fn branches_and_commits_are_no_versions() {
        for text in [
            "main",
            "release/v1",
            "",
            "v",
            "v1.x",
            "v1-beta",
            "11bd71901bbe5b1630ceea73d27597364c9af683",
            "1111111111111111111111111111111111111111",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
