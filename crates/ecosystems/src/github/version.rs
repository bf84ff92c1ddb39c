//! Order of the tags of actions.
//!
//! Most actions have moving tags: `v4` refers to the newest release `v4.x.y`, and `v4.1` to the
//! newest `v4.1.x`
//! (<https://docs.github.com/en/actions/how-tos/create-and-publish-actions/using-immutable-releases-and-tags-to-manage-your-actions-releases>).
//! Such a tag sorts after every release that it can refer to. An advisory fixed in `4.1.3`
//! therefore does not match `v4`, and one fixed in `5.0.0` does.

use std::cmp::Ordering;

use crate::VersionError;
use crate::version::number::{self, Number};
use crate::version::semantic::Prerelease;

/// Tags with fewer numbers than this are moving: `v4`, `v4.1`.
const MOVING_BELOW: usize = 3;

/// A tag with its numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// One to four numbers.
    numbers: Vec<Number<&'a str>>,
    /// The pre-release part, compared as in Semantic Versioning 2.0.
    pre: Prerelease<'a>,
}

/// Parses `v1`, `v1.2`, `v1.2.3`, `v1.2.3-beta.1`, or the same without `v`.
///
/// # Errors
/// If the text is a branch, a commit or anything else, because its release is unknown.
pub(super) fn parse(text: &str) -> Result<Tag<'_>, VersionError> {
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

impl Ord for Tag<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let common = self.numbers.iter().zip(&other.numbers);
        if let Some(order) = common.map(|(a, b)| a.cmp(b)).find(|order| order.is_ne()) {
            return order;
        }

        let moving = |tag: &Self| tag.numbers.len() < MOVING_BELOW;
        match self.numbers.len().cmp(&other.numbers.len()) {
            Ordering::Equal => self.pre.cmp(&other.pre),
            Ordering::Less if moving(self) => Ordering::Greater,
            Ordering::Greater if moving(other) => Ordering::Less,
            order => order,
        }
    }
}

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
    fn a_moving_tag_comes_after_what_it_can_stand_for() {
        for (a, b) in [
            ("4.1.3", "v4"),
            ("v4.1", "v4"),
            ("v4.1.9", "v4.1"),
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
