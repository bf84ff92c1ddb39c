//! The order of pub's versions (<https://dart.dev/tools/pub/versioning>, `pub_semver`): Semantic
//! Versioning, but what stands behind `+` counts: a build is above the version without one.

use std::cmp::Ordering;

/// A version, cut into the parts that decide its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    /// Digits without leading zeros: zero is empty.
    core: [&'a str; 3],
    pre: Vec<&'a str>,
    build: Vec<&'a str>,
}

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, build.split('.').collect()),
            None => (text, Vec::new()),
        };
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, pre.split('.').collect()),
            None => (text, Vec::new()),
        };
        let mut parts = numbers.split('.');
        let core = [
            number(parts.next()?)?,
            number(parts.next()?)?,
            number(parts.next()?)?,
        ];
        let is_whole = parts.next().is_none() && pre.iter().chain(&build).all(is_identifier);
        is_whole.then_some(Self { core, pre, build })
    }

    /// Orders as pub does.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        let core = self.core.iter().zip(&other.core);
        core.map(|(a, b)| compare_numbers(a, b))
            .find(|order| order.is_ne())
            // A release is above its pre-releases, and below its builds.
            .unwrap_or_else(|| self.pre.is_empty().cmp(&other.pre.is_empty()))
            .then_with(|| compare_identifiers(&self.pre, &other.pre))
            .then_with(|| other.build.is_empty().cmp(&self.build.is_empty()))
            .then_with(|| compare_identifiers(&self.build, &other.build))
    }
}

fn number(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.trim_start_matches('0'))
}

fn is_identifier(text: &&str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_identifiers(a: &[&str], b: &[&str]) -> Ordering {
    let pairs = a.iter().zip(b);
    pairs
        .map(|(a, b)| match (number(a), number(b)) {
            (Some(a), Some(b)) => compare_numbers(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => a.cmp(b),
        })
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_pub_does() {
        let rising = [
            "1.0.0-alpha",
            "1.0.0-alpha+1",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0-rc.1+build.1",
            "1.0.0",
            "1.0.0+0.3.7",
            "1.0.0+1",
            "1.0.0+10",
            "1.3.7+build",
            "1.3.7+build.2.b8f12d7",
            "1.3.7+build.11.e0f985a",
            "2.0.0",
            "18446744073709551616.0.0",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        for text in [
            "", "1", "1.0", "v1.0.0", "1.0.0.0", "1.0.0-", "1.0.0+", "any", "^1.0.0",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "[01]\\.[0-1]\\.0(-(0|1|10|a|b-)(\\.[0a])?)?(\\+(0|1|10|a|b-)(\\.[0a])?)?",
            b in "[01]\\.[0-1]\\.0(-(0|1|10|a|b-)(\\.[0a])?)?(\\+(0|1|10|a|b-)(\\.[0a])?)?",
            c in "[01]\\.[0-1]\\.0(-(0|1|10|a|b-)(\\.[0a])?)?(\\+(0|1|10|a|b-)(\\.[0a])?)?",
        ) {
            let (x, y, z) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(x.precedence(&y), y.precedence(&x).reverse());
            prop_assert_eq!(x.precedence(&y).is_eq(), a == b);
            if x.precedence(&y).is_le() && y.precedence(&z).is_le() {
                prop_assert!(x.precedence(&z).is_le());
            }
        }
    }
}
