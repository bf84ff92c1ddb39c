//! Tags of actions in order.
//!
//! Most actions keep tags that move: `v4` stands for the newest release `v4.x.y`, and `v4.1` for
//! the newest `v4.1.x` (<https://docs.github.com/en/actions/how-tos/create-and-publish-actions/using-immutable-releases-and-tags-to-manage-your-actions-releases>).
//! Such a tag therefore comes after every release that it can stand for, so that an advisory fixed
//! in `4.1.3` does not name `v4`, and one fixed in `5.0.0` does.

use std::cmp::Ordering;

use crate::VersionError;

/// A tag with its numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Up to three numbers, leading zeros left out.
    numbers: Vec<&'a str>,
    prerelease: Vec<&'a str>,
}

/// Reads `v1`, `v1.2`, `v1.2.3`, `v1.2.3-beta.1` or the same without `v`.
///
/// # Errors
/// For a branch, a commit and any other text: nobody can tell which release it is.
pub(super) fn parse(text: &str) -> Result<Tag<'_>, VersionError> {
    let error = || VersionError {
        version: text.to_owned(),
        ecosystem: super::NAME,
    };
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let bare = bare.split('+').next().unwrap_or(bare);
    let (numbers, prerelease) = match bare.split_once('-') {
        Some((numbers, prerelease)) => (numbers, prerelease.split('.').collect()),
        None => (bare, Vec::new()),
    };
    let numbers: Vec<&str> = numbers.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // A commit of digits alone is a number of forty digits, and no release.
    let sound = numbers.len() <= 4
        && numbers.iter().all(digits)
        && numbers.iter().all(|part| part.len() < 40)
        && (numbers.len() >= 3 || prerelease.is_empty())
        && prerelease.iter().all(|part: &&str| !part.is_empty());
    if !sound {
        return Err(error());
    }
    let numbers = numbers
        .into_iter()
        .map(|part| part.trim_start_matches('0'))
        .collect();
    Ok(Tag {
        numbers,
        prerelease,
    })
}

impl Ord for Tag<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let common = self.numbers.iter().zip(&other.numbers);
        for (a, b) in common {
            let order = number(a, b);
            if order != Ordering::Equal {
                return order;
            }
        }
        let moving = |tag: &Self| tag.numbers.len() < 3;
        match self.numbers.len().cmp(&other.numbers.len()) {
            Ordering::Equal => prereleases(&self.prerelease, &other.prerelease),
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

/// Numbers of any size, without leading zeros.
fn number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// As Semantic Versioning 2.0 has it, section 11.
fn prereleases(a: &[&str], b: &[&str]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let numeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    for (a, b) in a.iter().zip(b) {
        let order = match (numeric(a), numeric(b)) {
            (true, true) => number(a.trim_start_matches('0'), b.trim_start_matches('0')),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn the_order_is_total(
            texts in prop::collection::vec("v?[0-3]{1,2}(\\.[0-3]){0,3}", 3),
            pre in prop::option::of("(a|1|b2)(\\.[0-2a])?"),
        ) {
            let mut texts = texts;
            if let Some(pre) = pre && texts[0].split('.').count() >= 3 {
                texts[0] = format!("{}-{pre}", texts[0]);
            }
            let tags: Vec<Tag<'_>> = texts.iter().map(|text| parse(text).unwrap()).collect();
            let (a, b, c) = (&tags[0], &tags[1], &tags[2]);
            prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
            prop_assert_eq!(a.cmp(a), Ordering::Equal);
            if a <= b && b <= c {
                prop_assert!(a <= c, "{texts:?}");
            }
        }
    }
}
