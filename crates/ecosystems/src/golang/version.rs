//! Go's order of versions: Semantic Versioning 2.0 as `golang.org/x/mod/semver` has it
//! (<https://pkg.go.dev/golang.org/x/mod/semver>), and the names of Go's own releases
//! (<https://go.dev/doc/toolchain#version>).
//!
//! `v` may stand in front or be missing: files write `v1.2.3`, OSV `1.2.3`. A missing minor or patch
//! number is zero. `1.21rc2` is `1.21.0-rc.2`, as the Go vulnerability database counts it. The
//! language version `1.21` counts as the release `1.21.0`: no release is older and takes a file
//! that asks for it. Numbers stay the digits that they are, whatever their size.

use std::cmp::Ordering;

/// A version, cut into the parts that decide its order. Build metadata (`+incompatible`) is not
/// among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Version<'a> {
    /// OSV's `0`, which stands before every version
    /// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
    BeforeAll,
    /// A version of up to three numbers.
    Numbered {
        /// Major, minor and patch, without leading zeros.
        core: [&'a str; 3],
        /// The identifiers of the pre-release, none for a release.
        pre: Vec<&'a str>,
    },
}

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text == "0" {
            return Some(Self::BeforeAll);
        }
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if !build.is_none_or(|build| build.split('.').all(is_identifier)) {
            return None;
        }
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, pre.split('.').collect()),
            None => match text.find(|c: char| c.is_ascii_alphabetic()) {
                Some(at) => (text.get(..at)?, release_candidate(text.get(at..)?)?),
                None => (text, Vec::new()),
            },
        };
        if !pre.iter().all(|part| is_prerelease_identifier(part)) {
            return None;
        }
        let mut core = ["0"; 3];
        let mut parts = numbers.split('.');
        core[0] = parts.next().filter(|part| is_number(part))?;
        for (place, part) in core.iter_mut().skip(1).zip(parts.by_ref()) {
            *place = Some(part).filter(|part| is_number(part))?;
        }
        parts
            .next()
            .is_none()
            .then_some(Self::Numbered { core, pre })
    }

    /// Orders by precedence (<https://semver.org/#spec-item-11>).
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::BeforeAll, Self::BeforeAll) => Ordering::Equal,
            (Self::BeforeAll, _) => Ordering::Less,
            (_, Self::BeforeAll) => Ordering::Greater,
            (
                Self::Numbered { core, pre },
                Self::Numbered {
                    core: other_core,
                    pre: other_pre,
                },
            ) => core
                .iter()
                .zip(other_core)
                .map(|(a, b)| compare_numbers(a, b))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| compare_prereleases(pre, other_pre)),
        }
    }
}

/// Whether a text is a version as `go.mod` requires it: `v`, three numbers, and what may follow. Any
/// other text there is a query (`master`, `latest`, `v1`) which Go answers at its next run.
pub(super) fn is_canonical(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix('v') else {
        return false;
    };
    let core = numbers.split(['-', '+']).next().unwrap_or_default();
    core.split('.').count() == 3
        && core
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && Version::parse(text).is_some()
}

/// The larger of two versions of modules; a text that is none is smaller.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Some(a), Some(b)) => a.precedence(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The pre-release in the name of a release of Go: `rc2`, `beta1`.
fn release_candidate(text: &str) -> Option<Vec<&str>> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let (kind, number) = text.split_at(at);
    (matches!(kind, "alpha" | "beta" | "rc") && is_number(number)).then(|| vec![kind, number])
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_prerelease_identifier(text: &str) -> bool {
    is_identifier(text) && (!is_digits(text) || is_number(text))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

/// Orders two numbers without leading zeros: the longer one is larger.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_prereleases(a: &[&str], b: &[&str]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    a.iter()
        .zip(b)
        .map(|(a, b)| match (is_digits(a), is_digits(b)) {
            (true, true) => compare_numbers(a, b),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
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
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
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
            assert_eq!(
                version(a).precedence(&version(b)),
                Ordering::Equal,
                "{a} {b}"
            );
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

    prop_compose! {
        fn any_version()(
            v in "v?",
            core in prop::collection::vec(prop_oneof!["0", "[1-9]", "[1-9][0-9]{19,21}"], 1..4),
            pre in prop_oneof![
                Just(String::new()),
                "-(0|[1-9]|[1-9][0-9]{20}|[a-b-]|[0-9]a|rc)(\\.(0|[1-9]|[a-b])){0,2}",
                "(alpha|beta|rc)[1-9]",
            ],
            build in prop::option::of("[0-9a-b]{1,2}"),
        ) -> String {
            let mut text = format!("{v}{}{pre}", core.join("."));
            if let Some(build) = build { text += &format!("+{build}"); }
            text
        }
    }

    proptest! {
        #[test]
        fn order_is_total(a in any_version(), b in any_version(), c in any_version()) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            let mut sorted = [a.clone(), b.clone(), c.clone()];
            sorted.sort_by(Version::precedence);
            prop_assert!(sorted[0].precedence(&sorted[2]).is_le());
            if a.precedence(&b).is_eq() {
                prop_assert_eq!(a.precedence(&c), b.precedence(&c));
            }
        }

        #[test]
        fn agrees_with_the_semver_crate(a in any_version(), b in any_version()) {
            if let (Ok(x), Ok(y)) = (semver::Version::parse(&a), semver::Version::parse(&b)) {
                prop_assert_eq!(version(&a).precedence(&version(&b)), x.cmp_precedence(&y));
            }
        }
    }
}
