//! Cargo's versions: Semantic Versioning 2.0 (<https://semver.org/>) with numbers of any size.

use patchgate_model::Bump;

use crate::version::semantic::{Semantic, caret_bump, strict};

/// A version. `None` is OSV's `0`, which sorts before every version
/// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'a>(Option<Semantic<'a>>);

impl<'a> Version<'a> {
    /// Parses a version; `None` for a text that is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text == "0" {
            return Some(Self(None));
        }
        strict(text).map(|version| Self(Some(version)))
    }

    /// Whether it is a pre-release.
    pub(super) fn is_prerelease(&self) -> bool {
        self.0.is_some_and(|version| !version.pre.is_none())
    }

    /// How much may break when it changes to `other` ([`caret_bump`]).
    pub(super) fn bump_to(&self, other: &Self) -> Bump {
        match (self.0, other.0) {
            (Some(from), Some(to)) => caret_bump(&from.core, &to.core),
            _ if self == other => Bump::Patch,
            _ => Bump::Major,
        }
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
    fn orders_as_the_specification_says() {
        let rising = [
            "0",
            "0.0.0-0",
            "0.0.0",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
            "1.10.18446744073709551616",
            "1.10.28446744073709551616",
            "184467440737095516160.0.0",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        assert_eq!(
            version("1.0.0+b").cmp(&version("1.0.0+a")),
            std::cmp::Ordering::Equal
        );
    }

    #[test]
    fn rejects_invalid_versions() {
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.02.3",
            "v1.2.3",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.x",
            " 1.2.3",
            "1.2.3\n",
            "-1.2.3",
            "1.2.3-ä",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_leftmost_number_that_is_not_zero_breaks() {
        for (from, to, bump) in [
            ("1.2.3", "1.2.4", Bump::Patch),
            ("1.2.3", "1.3.0", Bump::Minor),
            ("1.2.3", "2.0.0", Bump::Major),
            ("0.2.3", "0.2.9", Bump::Patch),
            ("0.2.3", "0.3.0", Bump::Major),
            ("0.0.3", "0.0.4", Bump::Major),
            ("0.0.3", "0.1.0", Bump::Major),
            ("0.9.0", "1.0.0", Bump::Major),
            ("0.0.0", "0.0.1", Bump::Major),
            ("1.0.0-rc.1", "1.0.0", Bump::Patch),
            ("1.2.3", "1.2.3", Bump::Patch),
        ] {
            assert_eq!(version(from).bump_to(&version(to)), bump, "{from} {to}");
        }
    }
}
