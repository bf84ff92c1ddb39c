//! Version order of CocoaPods (<https://guides.cocoapods.org/using/the-podfile.html>): numbers
//! without trailing zeros, then runs of letters and digits, which make the version a pre-release.
//! Build metadata after `+` is ignored.

use std::cmp::Ordering;

use crate::version::runs::{Run, runs};
use crate::version::semantic::Build;

/// A version, split into the runs that determine its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    numbers: Vec<Run<'a>>,
    pre: Vec<Run<'a>>,
}

impl<'a> Version<'a> {
    /// Parses a version; `None` if the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (version, _) = Build::split(text)?;
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let starts_with_digit = version.starts_with(|c: char| c.is_ascii_digit());
        if !starts_with_digit || !version.split('.').all(is_part) {
            return None;
        }

        let mut numbers: Vec<Run<'_>> = version.split(['.', '-']).flat_map(runs).collect();
        let first = numbers
            .iter()
            .position(|run| matches!(run, Run::Letters(_)))
            .unwrap_or(numbers.len());
        let pre = numbers.split_off(first);

        while numbers.last() == Some(&Run::ZERO) {
            numbers.pop();
        }

        Some(Self { numbers, pre })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| self.pre.is_empty().cmp(&other.pre.is_empty()))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_cocoapods_does() {
        let rising = [
            "0.9",
            "1.0-alpha",
            "1.0.0-alpha.1",
            "1.0.a9",
            "1.0.a10",
            "1.0.b1",
            "1.0.0",
            "1.0.1",
            "1.0.10",
            "1.28446744073709551616",
        ];
        let place = |text: &str| match text {
            // `a` sorts before `alpha`, whatever follows it.
            "1.0.a9" => 1,
            "1.0.a10" => 2,
            "1.0-alpha" => 3,
            "1.0.0-alpha.1" => 4,
            _ => rising.iter().position(|it| *it == text).unwrap(),
        };
        for a in rising {
            for b in rising {
                assert_eq!(
                    version(a).cmp(&version(b)),
                    place(a).cmp(&place(b)),
                    "{a} {b}"
                );
            }
        }

        assert!(version("1.0+b").cmp(&version("1")).is_eq());
        for text in ["", "a", "1..0", "1.", "v1", "1.0+", "1 0", "1.0_1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
