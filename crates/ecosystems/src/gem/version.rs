//! Version order of RubyGems, which is the order of `Gem::Version`
//! (<https://docs.ruby-lang.org/en/master/Gem/Version.html>): runs of digits and runs of letters.
//! Letters sort before every number, and trailing zeros of either part are ignored.

use std::cmp::Ordering;

use crate::version::number::is_digits;
use crate::version::runs::{Run, runs};

/// A version, split into the runs that determine its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a>(Vec<Run<'a>>);

impl<'a> Version<'a> {
    /// Parses a version; `None` if the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        if !is_version(text) {
            return None;
        }

        let mut segments = Vec::new();
        for (index, part) in text.split('-').enumerate() {
            if index > 0 {
                segments.push(Run::Letters("pre"));
            }
            segments.extend(part.split('.').flat_map(runs));
        }

        let first_letters = segments
            .iter()
            .position(|segment| matches!(segment, Run::Letters(_)))
            .unwrap_or(segments.len());
        let mut pre = segments.split_off(first_letters);
        drop_zeros(&mut segments);
        drop_zeros(&mut pre);
        segments.append(&mut pre);

        Some(Self(segments))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let longer = self.0.len().max(other.0.len());
        let at = |version: &Self, index: usize| version.0.get(index).copied().unwrap_or(Run::ZERO);
        (0..longer)
            .map(|index| at(self, index).cmp(&at(other, index)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a text has the form of a version: digits, then parts of letters and digits separated by
/// dots, then optionally a dash and more such parts, which may contain dashes.
fn is_version(text: &str) -> bool {
    let (release, pre) = match text.split_once('-') {
        Some((release, pre)) => (release, Some(pre)),
        None => (text, None),
    };
    let mut parts = release.split('.');
    let all = |part: &str, allowed: fn(u8) -> bool| !part.is_empty() && part.bytes().all(allowed);

    parts.next().is_some_and(is_digits)
        && parts.all(|part| all(part, |byte| byte.is_ascii_alphanumeric()))
        && pre.is_none_or(|pre| {
            pre.split('.')
                .all(|part| all(part, |byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        })
}

fn drop_zeros(segments: &mut Vec<Run<'_>>) {
    while segments.last() == Some(&Run::ZERO) {
        segments.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_gem_version_does() {
        let rising = [
            "0.a",
            "0",
            "0.0.1.beta",
            "0.0.1",
            "1.A",
            "1.a",
            "1.a1.b",
            "1.a.1",
            "1.a2",
            "1.a10",
            "1.b",
            "1-a",
            "1-a.1",
            "1-1",
            "1-10",
            "1.rc1",
            "1",
            "1.0.0.1",
            "1.0.10",
            "1.9",
            "1.10",
            "1.28446744073709551616",
            "2.0.0.pre1",
            "2.0.0.rc.2",
            "2.0.0",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("", "0"),
            ("1", "1.0.0"),
            ("1.0.a", "1.a"),
            ("1.a.0", "1.a"),
            ("1.0.a10", "1.a.10"),
            ("1.01", "1.1"),
            ("1-a", "1.pre.a"),
            (" 1.2 ", "1.2"),
        ] {
            assert_eq!(version(a).cmp(&version(b)), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "a", "v1", "1.", "1..2", "1.2_3", "1-", "1+b", "~> 1", "1.ä", "1 2",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
