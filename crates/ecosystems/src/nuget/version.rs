//! NuGet's order of versions
//! (<https://learn.microsoft.com/nuget/concepts/package-versioning>): one to four numbers, of which
//! missing ones are zero and leading zeros do not count, then Semantic Versioning's pre-releases,
//! compared without case. Numbers stay the digits that they are, whatever their size.

use std::cmp::Ordering;

/// A version, cut into the parts that decide its order. Build metadata is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Version<'a> {
    /// OSV's `0`, which stands before every version
    /// (<https://ossf.github.io/osv-schema/#affectedrangesevents-fields>).
    BeforeAll,
    /// A version of up to four numbers.
    Numbered {
        /// Major, minor, patch and revision, without leading zeros: zero is empty.
        core: [&'a str; 4],
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
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        if !build.is_none_or(|build| build.split('.').all(is_identifier)) {
            return None;
        }
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, pre.split('.').collect()),
            None => (text, Vec::new()),
        };
        if !pre.iter().all(|part| is_identifier(part)) {
            return None;
        }
        let mut core = [""; 4];
        let mut parts = numbers.split('.');
        let first = parts.next()?;
        let mut places = core.iter_mut();
        *places.next()? = number(first)?;
        for part in parts {
            *places.next()? = number(part)?;
        }
        Some(Self::Numbered { core, pre })
    }

    /// Orders as NuGet does.
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

/// Digits without leading zeros.
fn number(text: &str) -> Option<&str> {
    is_digits(text).then(|| text.trim_start_matches('0'))
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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
        .map(|(a, b)| match (number(a), number(b)) {
            (Some(a), Some(b)) => compare_numbers(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => without_case(a).cmp(without_case(b)),
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn without_case(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().map(|byte| byte.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
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

    prop_compose! {
        fn any_version()(
            core in prop::collection::vec(prop_oneof!["0{1,2}", "0?[1-9]", "[1-9][0-9]{19,21}"], 1..5),
            pre in prop::option::of("(0|[1-9]|[1-9][0-9]{20}|[abAB-]|[0-9]a)(\\.(0|0?[1-9]|[aAb])){0,2}"),
            build in prop::option::of("[0-9a-b]{1,2}"),
        ) -> String {
            let mut text = core.join(".");
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
            let mut sorted = [a.clone(), b.clone(), c.clone()];
            sorted.sort_by(Version::precedence);
            prop_assert!(sorted[0].precedence(&sorted[2]).is_le());
            if a.precedence(&b).is_eq() {
                prop_assert_eq!(a.precedence(&c), b.precedence(&c));
            }
        }

        #[test]
        fn agrees_with_the_semver_crate(a in any_version(), b in any_version()) {
            let (a, b) = (a.to_lowercase(), b.to_lowercase());
            if let (Ok(x), Ok(y)) = (semver::Version::parse(&a), semver::Version::parse(&b)) {
                prop_assert_eq!(version(&a).precedence(&version(&b)), x.cmp_precedence(&y));
            }
        }
    }
}
