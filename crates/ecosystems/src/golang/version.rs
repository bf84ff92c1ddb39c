//! Version order of Go: Semantic Versioning 2.0 as implemented by `golang.org/x/mod/semver`
//! (<https://pkg.go.dev/golang.org/x/mod/semver>), and the names of Go's own releases
//! (<https://go.dev/doc/toolchain#version>).
//!
//! A leading `v` is optional: files write `v1.2.3`, OSV writes `1.2.3`. A missing minor or patch
//! number is zero. `1.21rc2` equals `1.21.0-rc.2`, as in the Go vulnerability database. The
//! language version `1.21` counts as the release `1.21.0`, because no older release accepts a file
//! that requires it. Build metadata (`+incompatible`) is ignored.

use std::cmp::Ordering;

use patchgate_model::Bump;

use crate::version::number::is_plain;
use crate::version::runs::split;
use crate::version::semantic::{
    Build, Prerelease, Rules, Semantic, caret_bump, compare_identifiers,
};

const RULES: Rules = Rules::STRICT.with_missing_numbers();

/// A version. `None` is OSV's `0`, which precedes every version
/// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'a>(Option<Semantic<'a, 3, Pre<'a>>>);

/// The pre-release part of a version.
#[derive(Debug, Clone, Copy)]
enum Pre<'a> {
    /// In the notation of Semantic Versioning.
    Of(Prerelease<'a>),
    /// In the name of a Go release, such as `rc2`: two identifiers without a dot between them.
    Named([&'a str; 2]),
}

impl<'a> Version<'a> {
    /// Parses a version; `None` if the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text == "0" {
            return Some(Self(None));
        }

        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, _) = Build::split(text)?;
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Pre::Of(RULES.prerelease(pre)?)),
            None => match split(text, |byte| !byte.is_ascii_alphabetic()) {
                (_, "") => (text, Pre::Of(Prerelease::NONE)),
                (numbers, name) => (numbers, Pre::named(name)?),
            },
        };
        let core = RULES.core(numbers)?;

        Some(Self(Some(Semantic { core, pre })))
    }

    /// Whether the version precedes a release. A commit without a tag does.
    pub(super) fn is_prerelease(&self) -> bool {
        self.0.is_some_and(|version| !version.pre.is_none())
    }

    /// The size of the change to `other`: a change of the leftmost nonzero number, or of one before
    /// it, is breaking. Go promises compatibility within a path from version 1 only
    /// (<https://go.dev/doc/modules/version-numbers>).
    pub(super) fn bump_to(&self, other: &Self) -> Bump {
        match (self.0, other.0) {
            (Some(from), Some(to)) => caret_bump(&from.core, &to.core),
            _ if self == other => Bump::Patch,
            _ => Bump::Major,
        }
    }
}

/// The release that a pre-release precedes: `1.22` for `1.22rc1`, `v1.2.0` for `v1.2.0-rc.1`.
pub(super) fn release_of(version: &str) -> Option<String> {
    Version::parse(version)?;
    let number = version.strip_prefix('v').unwrap_or(version);
    let (number, _) = Build::split(number)?;
    let (numbers, pre) = split(number, |byte: u8| byte.is_ascii_digit() || byte == b'.');
    let prefix = if version.starts_with('v') { "v" } else { "" };
    (!pre.is_empty()).then(|| format!("{prefix}{numbers}"))
}

impl<'a> Pre<'a> {
    /// Parses `rc2` or `beta1`.
    fn named(text: &'a str) -> Option<Self> {
        let (kind, number) = split(text, |byte| !byte.is_ascii_digit());
        (matches!(kind, "alpha" | "beta" | "rc") && is_plain(number))
            .then_some(Self::Named([kind, number]))
    }

    fn is_none(self) -> bool {
        matches!(self, Self::Of(pre) if pre.is_none())
    }

    fn identifiers(self) -> impl Iterator<Item = &'a str> {
        let (dotted, named) = match self {
            Self::Of(pre) => (Some(pre.text().split('.')), None),
            Self::Named(named) => (None, Some(named)),
        };
        let named = named.into_iter().flatten();
        dotted.into_iter().flatten().chain(named)
    }
}

impl Ord for Pre<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.is_none()
            .cmp(&other.is_none())
            .then_with(|| compare_identifiers(self.identifiers(), other.identifiers(), str::cmp))
    }
}

impl PartialOrd for Pre<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pre<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Pre<'_> {}

/// Whether a text is a version as `go.mod` requires it: `v`, three numbers, and optional suffixes.
/// Any other text there is a query (`master`, `latest`, `v1`), which Go resolves at its next run.
pub(super) fn is_canonical(text: &str) -> bool {
    text.strip_prefix('v')
        .is_some_and(|text| Rules::STRICT.read::<3>(text).is_some())
}

/// Orders two module versions; a text that is not a version is the smaller one.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    Version::parse(a).cmp(&Version::parse(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;
    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_go_does() {
        let rising = [
            "0",
            "v0.0.0-20191109021931-daa7c04131f5",
            "v0.0.0-20200109021931-000000000000",
            "v0.0.0",
            "1.0.0-alpha",
            "v1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "v1.0.0",
            "v1.0.1-0.20190101000000-abcdefabcdef",
            "v1.0.1-pre",
            "v1.0.1-pre.0.20190101000000-abcdefabcdef",
            "1.0.1",
            "v2.0.0-20190101000000-abcdefabcdef+incompatible",
            "2.0.0",
            "2.10.0+incompatible",
            "2.10.28446744073709551616",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn orders_releases_of_go() {
        let rising = [
            "1.9beta2",
            "1.9rc1",
            "1.9",
            "1.20.14",
            "1.21.0-0",
            "1.21beta1",
            "1.21rc2",
            "1.21rc10",
            "1.21",
            "1.21.1",
            "1.21.10",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("v1.2.3", "1.2.3"),
            ("v1.2", "1.2.0"),
            ("v1", "1.0.0"),
            ("1.21rc2", "1.21.0-rc.2"),
            ("v2.0.0+incompatible", "2.0.0"),
        ] {
            assert_eq!(version(a).cmp(&version(b)), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "",
            "v",
            "master",
            "1.2.3.4",
            "v01.2.3",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.x",
            " 1.2.3",
            "1.2.3\n",
            "vv1.2.3",
            "1.21rc",
            "1.21rc01",
            "1.21foo1",
            "1.2.3-ä",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn canonical_versions_are_told_from_queries() {
        for text in ["v1.2.3", "v0.0.0-2019-a", "v2.0.0+incompatible"] {
            assert!(is_canonical(text), "{text}");
        }
        for text in [
            "1.2.3",
            "v1.2",
            "v1",
            "master",
            "v1.21rc2",
            "v1.2.3rc4",
            "0",
        ] {
            assert!(!is_canonical(text), "{text}");
        }
    }
}
