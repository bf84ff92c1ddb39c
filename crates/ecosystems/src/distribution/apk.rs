//! Version order of apk (apk-package(5), "Package version specification"), for versions such as
//! `1.2.3a_alpha1_p2~0af1-r4`.
//!
//! apk also orders texts that it calls invalid (`apk version -t`): it compares them up to the first
//! part that does not belong there, and that part sorts before the end of a version. So `5.1p1-r0`,
//! in which a number follows a letter, is the version `5.1p` for the order, and it equals `5.1p2-r0`.
//! A text without a number at its start is an error here, because apk takes all of them for equal.

use std::cmp::Ordering;

use crate::VersionError;
use crate::version::number::Number;
use crate::version::runs::split;
use patchgate_model::EcosystemName;

/// A version as its parts, which are compared one by one. The last one is an [`Part::Invalid`] or a
/// [`Part::End`].
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version<'a> {
    first: Number<&'a str>,
    parts: Vec<Part<'a>>,
}

/// A part of a version. Of two kinds of parts in the same position, the later one in this list makes
/// the greater version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    /// A suffix before the release, as an index into [`BEFORE`].
    Before(usize),
    /// The first text that does not belong there. The rest of the version does not count.
    Invalid,
    /// The end of the version.
    End,
    /// Revision of the package, after `-r`.
    Revision(Number<&'a str>),
    /// Hash of a commit, after `~`.
    Commit(&'a str),
    /// The number of a suffix.
    SuffixNumber(Number<&'a str>),
    /// A suffix after the release, as an index into [`AFTER`].
    After(usize),
    /// A single letter after the numbers.
    Letter(u8),
    /// A further number, with a leading zero. Two of them, and one of them and a number without,
    /// are compared as texts.
    Fraction(&'a str),
    /// A further number.
    Number(Number<&'a str>),
}

/// Suffixes that sort before the version without a suffix, in their order.
const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];

/// Suffixes that sort after the version without a suffix, in their order.
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// Compares two versions of a distribution.
pub(super) fn compare(name: EcosystemName, a: &str, b: &str) -> Result<Ordering, VersionError> {
    crate::version::compare(name, parse, a, b)
}

/// Parses a version; `None` if it does not start with a number.
fn parse(text: &str) -> Option<Version<'_>> {
    let (first, mut rest) = split(text, |byte| byte.is_ascii_digit());
    let first = Number::parse(first)?;

    let mut parts = Vec::new();
    let mut stage = Stage::Numbers;
    loop {
        let (part, after) = next(rest, stage);
        parts.push(part);
        stage = match part {
            Part::End | Part::Invalid => break,
            Part::Fraction(_) | Part::Number(_) => Stage::Numbers,
            Part::Letter(_) | Part::SuffixNumber(_) => Stage::Suffixes,
            Part::Before(_) | Part::After(_) => Stage::SuffixNumber,
            Part::Commit(_) => Stage::Revision,
            Part::Revision(_) => Stage::End,
        };
        rest = after;
    }

    Some(Version { first, parts })
}

/// The parts that may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// A number, a letter, and everything in the later stages.
    Numbers,
    /// The number of a suffix, and everything in the later stages.
    SuffixNumber,
    /// A suffix, a commit, and everything in the later stages.
    Suffixes,
    /// The revision, or the end.
    Revision,
    /// Only the end.
    End,
}

/// The next part and the text behind it.
fn next(text: &str, stage: Stage) -> (Part<'_>, &str) {
    let invalid = (Part::Invalid, "");
    let digits = |text| split(text, |byte: u8| byte.is_ascii_digit());
    let Some(first) = text.bytes().next() else {
        return (Part::End, "");
    };
    let rest = text.get(1..).unwrap_or_default();

    match first {
        b'.' if stage == Stage::Numbers => match digits(rest) {
            ("", _) => invalid,
            (number, rest) if number.starts_with('0') => (Part::Fraction(number), rest),
            (number, rest) => (Part::Number(Number::new(number)), rest),
        },
        b'a'..=b'z' if stage == Stage::Numbers => (Part::Letter(first), rest),
        b'0'..=b'9' if stage == Stage::SuffixNumber => {
            let (number, rest) = digits(text);
            (Part::SuffixNumber(Number::new(number)), rest)
        }
        b'_' if stage <= Stage::Suffixes => {
            let (name, rest) = split(rest, |byte| byte.is_ascii_lowercase());
            let rank = |known: &[&str]| known.iter().position(|suffix| *suffix == name);
            match (rank(&BEFORE), rank(&AFTER)) {
                (Some(rank), _) => (Part::Before(rank), rest),
                (_, Some(rank)) => (Part::After(rank), rest),
                _ => invalid,
            }
        }
        b'~' if stage <= Stage::Suffixes => match split(rest, |byte| byte.is_ascii_hexdigit()) {
            ("", _) => invalid,
            (hash, rest) => (Part::Commit(hash), rest),
        },
        b'-' if stage <= Stage::Revision => match rest.strip_prefix('r').map(digits) {
            None | Some(("", _)) => invalid,
            Some((number, rest)) => (Part::Revision(Number::new(number)), rest),
        },
        _ => invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Version<'_> {
        parse(text).unwrap_or_else(|| panic!("`{text}` starts with a number"))
    }

    #[test]
    fn follows_the_specification() {
        let rising = [
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
            "0.1.01",
            "0.1.1",
            "1.2",
            "1.2~aa",
            "1.2~aa1",
            "1.2~ab",
            "1.10",
            "99999999999999999999999",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        for text in ["", "a", "v1.0", ".1", "-r1", "_p1"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    /// The answers of `apk version -t`, which orders such texts as well.
    #[test]
    fn invalid_versions_are_ordered_up_to_the_part_that_is_invalid() {
        for (a, b, expected) in [
            ("5.1p1-r0", "5.1_p1-r2", Ordering::Greater),
            ("5.1p1-r0", "5.1p2-r0", Ordering::Equal),
            ("5.1p1-r0", "5.1p", Ordering::Less),
            ("5.1p1-r0", "5.1p-r0", Ordering::Less),
            ("5.1p1-r0", "5.1", Ordering::Greater),
            ("5.1p1-r0", "5.1-r9", Ordering::Greater),
            ("5.1p1-r0", "5.2", Ordering::Less),
            ("5.1p1-r0", "5.1q", Ordering::Less),
            ("1.2-3", "1.2", Ordering::Less),
            ("1.2-3", "1.2-r0", Ordering::Less),
            ("1.2-3", "1.2_rc1", Ordering::Greater),
            ("1.2-3", "1.1", Ordering::Greater),
            ("1.2_x", "1.2_y1", Ordering::Equal),
            ("1..2", "1.0", Ordering::Less),
            ("1.0A", "1.0", Ordering::Less),
            ("1~", "1", Ordering::Less),
            ("1-r", "1-r0", Ordering::Less),
            ("1.2_p1.5", "1.2_p1", Ordering::Less),
            ("1.2_p1.5", "1.2", Ordering::Greater),
            ("1.2-r1-r2", "1.2-r1", Ordering::Less),
        ] {
            assert_eq!(version(a).cmp(&version(b)), expected, "{a} {b}");
            assert_eq!(version(b).cmp(&version(a)), expected.reverse(), "{b} {a}");
        }
    }
}
