//! Version order of NuGet (<https://learn.microsoft.com/nuget/concepts/package-versioning>): one to
//! four numbers, where missing ones are zero and leading zeros are ignored, then the pre-releases
//! of Semantic Versioning, compared without case.
//!
//! NuGet itself reads the identifier `-1` as a negative number. Here it is a word, as in the
//! specification.

use std::cmp::Ordering;

use crate::version::semantic::{Prerelease, Rules, Semantic};

const RULES: Rules = Rules::STRICT.with_missing_numbers().with_leading_zeros();

/// A version. `None` is OSV's `0`, which precedes every version
/// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'a>(Option<Semantic<'a, 4, WithoutCase<'a>>>);

/// A pre-release that is compared without case.
#[derive(Debug, Clone, Copy)]
struct WithoutCase<'a>(Prerelease<'a>);

impl<'a> Version<'a> {
    /// Parses a version; `None` if the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text == "0" {
            return Some(Self(None));
        }
        let (Semantic { core, pre }, _) = RULES.read(text)?;
        let pre = WithoutCase(pre);
        Some(Self(Some(Semantic { core, pre })))
    }
}

impl Ord for WithoutCase<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .compare_by(other.0, |a, b| upper_case(a).cmp(upper_case(b)))
    }
}

fn upper_case(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().map(|byte| byte.to_ascii_uppercase())
}

impl PartialOrd for WithoutCase<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for WithoutCase<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for WithoutCase<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;
    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_nuget_does() {
        let rising = [
            "0",
            "0.0.0-a",
            "0.0.0",
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0-ALPHA.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-Beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1",
            "1.0.0.1-a",
            "1.0.0.1",
            "1.0.01.0",
            "1.0.10",
            "1.0.28446744073709551616",
            "1.2",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("1", "1.0.0.0"),
            ("1.0", "1.0.0"),
            ("1.00.01", "1.0.1"),
            ("1.0.0-RC", "1.0-rc"),
            ("1.0.0+b", "1.0.0+a"),
            ("1.0.0-01", "1.0.0-1"),
            ("0.0", "0.0.0"),
        ] {
            assert_eq!(version(a).cmp(&version(b)), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "",
            "v1.0",
            "1.2.3.4.5",
            "1..2",
            "1.",
            ".1",
            "1.*",
            "1.2.x",
            "[1.0]",
            "1.0-",
            "1.0+",
            "1.0-a..b",
            " 1.0",
            "1.0\n",
            "$(V)",
            "1.0-ä",
            "1.0-*",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
