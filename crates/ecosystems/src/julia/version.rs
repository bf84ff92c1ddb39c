//! Version order of Julia (`VersionNumber`,
//! <https://docs.julialang.org/en/v1/manual/strings/#man-version-number-literals>).
//!
//! It differs from Semantic Versioning: builds count (`1.2.13+1` of a binary is newer than
//! `1.2.13+0`), minor and patch are optional, the `-` before a pre-release is optional, and a
//! trailing `-` sorts before all pre-releases.

use crate::version::runs::split;
use crate::version::semantic::{Build, Prerelease, Rules, Semantic};

const RULES: Rules = Rules::STRICT.with_missing_numbers().with_leading_zeros();

/// A version and its build, compared in this order.
pub(super) type Version<'a> = (Semantic<'a, 3, Pre<'a>>, Build<'a>);

/// The pre-release part of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pre<'a> {
    /// A trailing `-`, which sorts before every pre-release.
    BeforeAll,
    /// In the notation of Semantic Versioning.
    Of(Prerelease<'a>),
}

/// Parses a version; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Version<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (text, build) = Build::split(text)?;
    let (numbers, rest) = split(text, |byte| byte.is_ascii_digit() || byte == b'.');
    let pre = match rest.strip_prefix('-') {
        Some("") => Pre::BeforeAll,
        None if rest.is_empty() => Pre::Of(Prerelease::NONE),
        dashed => Pre::Of(RULES.prerelease(dashed.unwrap_or(rest))?),
    };
    let core = RULES.core(numbers)?;

    Some((Semantic { core, pre }, build))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Version<'_> {
        parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_julia_does() {
        let rising = [
            "0",
            "0.1",
            "1.2-",
            "1.2-1",
            "1.2-alpha",
            "1.2.0-rc.1",
            "1.2.0-rc.1+1",
            "1.2.0-rc1",
            "1.2",
            "1.2.0+0",
            "1.2.0+1",
            "1.2.0+10",
            "1.2.0+a",
            "1.2.1",
            "1.10",
            "1.18446744073709551617",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        assert_eq!(version("v1.2rc1"), version("1.2.0-rc1"));
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "", "v", ".", "1.", "1.2.3.4", "1.2+", "1.2-a..b", "1_2", "1.2 ", "a",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
