//! Semantic Versioning 2.0 (<https://semver.org/>), with numbers of any size.
//!
//! Advisories and hostile lockfiles hold numbers that fit no machine integer, and an order that
//! stops at some size is no total order; so numbers stay the digits that they are.

use std::cmp::Ordering;

use patchgate_model::Bump;

/// A version, cut into the parts that decide its order. Build metadata is not among them
/// (section 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version<'a> {
    /// OSV's `0`, which stands before every version
    /// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
    BeforeAll,
    /// A version of three numbers.
    Numbered {
        /// Major, minor and patch, without leading zeros.
        core: [&'a str; 3],
        /// The pre-release, empty where there is none.
        pre: &'a str,
    },
}

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text == "0" {
            return Some(Self::BeforeAll);
        }
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if !build.is_none_or(|build| build.split('.').all(is_identifier)) {
            return None;
        }
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (text, None),
        };
        if !pre.is_none_or(|pre| pre.split('.').all(is_prerelease_identifier)) {
            return None;
        }
        let mut parts = numbers.split('.');
        let core = [parts.next()?, parts.next()?, parts.next()?];
        (parts.next().is_none() && core.iter().all(|part| is_number(part))).then(|| {
            Self::Numbered {
                core,
                pre: pre.unwrap_or_default(),
            }
        })
    }

    /// Whether it is a pre-release.
    pub(super) fn is_prerelease(&self) -> bool {
        matches!(self, Self::Numbered { pre, .. } if !pre.is_empty())
    }

    /// Orders by section 11.
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

    /// How far the move to `other` goes, by Cargo's caret rule: the leftmost number that is not
    /// zero is the breaking one
    /// (<https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html#default-requirements>).
    pub(super) fn bump_to(&self, other: &Self) -> Bump {
        let (Self::Numbered { core: a, .. }, Self::Numbered { core: b, .. }) = (self, other) else {
            return if self == other {
                Bump::Patch
            } else {
                Bump::Major
            };
        };
        let Some(changed) = (0..3).find(|index| a[*index] != b[*index]) else {
            return Bump::Patch;
        };
        let breaking = a.iter().position(|part| *part != "0").unwrap_or(2);
        match changed {
            _ if changed <= breaking => Bump::Major,
            1 => Bump::Minor,
            _ => Bump::Patch,
        }
    }
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

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (is_digits(a), is_digits(b)) {
                (true, true) => compare_numbers(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(
            version("1.0.0+b").precedence(&version("1.0.0+a")),
            Ordering::Equal
        );
    }

    #[test]
    fn rejects_what_is_no_version() {
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

    prop_compose! {
        fn any_version()(
            core in prop::array::uniform3(prop_oneof!["0", "[1-9]", "[1-9][0-9]{19,21}"]),
            pre in prop::option::of("(0|[1-9]|[1-9][0-9]{20}|[a-b-]|[0-9]a)(\\.(0|[1-9]|[a-b])){0,2}"),
            build in prop::option::of("[0-9a-b]{1,2}"),
        ) -> String {
            let [major, minor, patch] = core;
            let mut text = format!("{major}.{minor}.{patch}");
            if let Some(pre) = pre { text += &format!("-{pre}"); }
            if let Some(build) = build { text += &format!("+{build}"); }
            text
        }
    }

    proptest! {
        #[test]
        fn order_is_total(a in any_version(), b in any_version(), c in any_version()) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            let mut sorted = [a, b, c];
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

        #[test]
        fn reads_what_the_semver_crate_reads(text in "[0-9a.+-]{1,12}") {
            let own = Version::parse(&text).is_some();
            prop_assert_eq!(own, semver::Version::parse(&text).is_ok() || text == "0");
        }
    }
}
