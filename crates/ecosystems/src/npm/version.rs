//! npm's versions, parsed and ordered as in node-semver (<https://semver.org/spec/v2.0.0.html>).
//!
//! Numbers have no upper bound here, so the order is total. node-semver refuses numbers above
//! `Number.MAX_SAFE_INTEGER`, so no published version has one, but OSV ranges and hostile lockfiles
//! may.

use std::cmp::Ordering;

use patchgate_model::Bump;

use super::NAME;
use crate::VersionError;
use crate::version::checked;
use crate::version::number::Number;
use crate::version::semantic::{Prerelease, Rules, Semantic};

/// Maximum length of a version, in bytes, as in node-semver.
const MAX_LENGTH: usize = 256;

/// A version, as slices of its text. Build metadata is dropped, because the order ignores it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a> {
    pub(super) major: &'a str,
    pub(super) minor: &'a str,
    pub(super) patch: &'a str,
    /// The part after `-`, empty for a release.
    pub(super) prerelease: &'a str,
}

impl<'a> Version<'a> {
    /// Parses a version: a strict one, or one with the leading `v` or `=` that node-semver's loose
    /// mode accepts. OSV's `0`, the start of every range, becomes `0.0.0-0`, the smallest version.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if let Some(version) = Self::three_numbers(text) {
            return Some(version);
        }

        let text = text.trim();
        let text = match text {
            "0" => "0.0.0-0",
            _ if text.len() > MAX_LENGTH => return None,
            _ => text.trim_start_matches(['v', '=']).trim_start(),
        };
        let (Semantic { core, pre }, _) = Rules::STRICT.read(text)?;
        let [major, minor, patch] = core.map(Number::digits);

        Some(Self {
            major,
            minor,
            patch,
            prerelease: pre.text(),
        })
    }

    /// Parses a version of three numbers without anything else, as almost all are. A fast path,
    /// because tens of thousands of versions are compared with ranges.
    fn three_numbers(text: &'a str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }

        let mut dots = [0; 2];
        let mut count = 0;
        for (index, byte) in text.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => {}
                b'.' => {
                    *dots.get_mut(count)? = index;
                    count += 1;
                }
                _ => return None,
            }
        }

        let [first, second] = dots;
        let major = text.get(..first)?;
        let minor = text.get(first + 1..second)?;
        let patch = text.get(second + 1..)?;
        let is_number =
            |text: &str| text.len() == 1 || (!text.is_empty() && !text.starts_with('0'));

        (is_number(major) && is_number(minor) && is_number(patch)).then_some(Self {
            major,
            minor,
            patch,
            prerelease: "",
        })
    }

    /// The order of section 11 of the specification.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        self.semantic().cmp(&other.semantic())
    }

    fn semantic(&self) -> Semantic<'a> {
        Semantic {
            core: [self.major, self.minor, self.patch].map(Number::new),
            pre: Prerelease::new(self.prerelease),
        }
    }
}

/// Parses a version; an error for a text that is not one.
pub(super) fn parse(text: &str) -> Result<Version<'_>, VersionError> {
    checked(NAME, text, Version::parse(text))
}

/// The size of a version change, by npm's caret rule: a change of the leftmost nonzero number, or of
/// one before it, is breaking.
pub(super) fn bump(from: &str, to: &str) -> Result<Bump, VersionError> {
    let (from, to) = (parse(from)?, parse(to)?);
    let zero_major = from.major == "0" && to.major == "0";
    let zero_minor = zero_major && from.minor == "0" && to.minor == "0";

    Ok(if from.major != to.major {
        Bump::Major
    } else if from.minor != to.minor {
        if zero_major { Bump::Major } else { Bump::Minor }
    } else if from.patch != to.patch && zero_minor {
        Bump::Major
    } else {
        Bump::Patch
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(a: &str, b: &str) -> Ordering {
        parse(a).unwrap().compare(&parse(b).unwrap())
    }

    #[test]
    fn orders_as_the_specification_says() {
        let ascending = [
            "0",
            "0.0.0",
            "0.0.1",
            "1.0.0-0",
            "1.0.0-9",
            "1.0.0-10",
            "1.0.0-99999999999999999999999",
            "1.0.0--",
            "1.0.0-Beta",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.1.0",
            "1.0.0-alpha.beta",
            "1.0.0-alpha-1",
            "1.0.0",
            "1.9.0",
            "1.10.0",
            "9.0.0",
            "10.0.0",
            "18446744073709551616.0.0",
            "18446744073709551617.0.0",
        ];

        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(order(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn accepts_the_prefixes_that_npm_accepts() {
        for text in ["v1.2.3", "=1.2.3", " 1.2.3 ", "1.2.3+build.1", "v 1.2.3"] {
            assert_eq!(order(text, "1.2.3"), Ordering::Equal, "{text}");
        }

        let long = format!("1.2.3-{}", "a".repeat(300));
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.02.3",
            "1.2.00",
            "1..3",
            "1.2.",
            ".2.3",
            "1.2.3.",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3+",
            "1.2.x",
            "latest",
            "1.2.3 4",
            "-1.2.3",
            "1.2.3-ü",
            &long,
        ] {
            let error = parse(text).map(|_| ()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{text}` is not a version of npm")
            );
        }
    }

    #[test]
    fn the_leftmost_number_that_is_not_zero_breaks() {
        for (from, to, expected) in [
            ("1.2.3", "1.2.4", Bump::Patch),
            ("1.2.3", "1.3.0", Bump::Minor),
            ("1.2.3", "2.0.0", Bump::Major),
            ("0.2.3", "0.2.4", Bump::Patch),
            ("0.2.3", "0.3.0", Bump::Major),
            ("0.0.3", "0.0.4", Bump::Major),
            ("0.9.0", "1.0.0", Bump::Major),
            ("1.2.3-rc.1", "1.2.3", Bump::Patch),
        ] {
            assert_eq!(bump(from, to).unwrap(), expected, "{from} {to}");
        }
    }
}
