//! The order of Hex's versions, which is that of Elixir's `Version`
//! (<https://hexdocs.pm/elixir/Version.html>): Semantic Versioning 2.0 with all three numbers.

use std::cmp::Ordering;

/// A version, cut into the parts that decide its order. Build metadata is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    core: [&'a str; 3],
    pre: Vec<&'a str>,
}

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, Some(build)),
            None => (text, None),
        };
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, pre.split('.').collect()),
            None => (text, Vec::new()),
        };
        if !build.is_none_or(|build| build.split('.').all(is_identifier))
            || !pre.iter().all(|part| is_identifier(part))
        {
            return None;
        }
        let mut parts = numbers.split('.');
        let core = [
            number(parts.next()?)?,
            number(parts.next()?)?,
            number(parts.next()?)?,
        ];
        parts.next().is_none().then_some(Self { core, pre })
    }

    /// Orders as Semantic Versioning does.
    pub(super) fn precedence(&self, other: &Self) -> Ordering {
        let core = self.core.iter().zip(&other.core);
        core.map(|(a, b)| compare_numbers(a, b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                _ => compare_identifiers(&self.pre, &other.pre),
            })
    }
}

/// Digits without leading zeros.
fn number(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.trim_start_matches('0'))
}

fn is_identifier(text: &str) -> bool {
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
    fn orders_as_semantic_versioning_does() {
        let rising = [
            "0.0.0",
            "1.0.0-1",
            "1.0.0-10",
            "1.0.0-Alpha",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0",
            "1.0.1",
            "1.0.10",
            "1.28446744073709551616.0",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).precedence(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        for text in [
            "",
            "0",
            "1.0",
            "v1.0.0",
            "main",
            "1.0.0.0",
            "1..0",
            "1.0.0-",
            "1.0.0+",
            "1.0.0-a..b",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_semver_crate(
            a in "[0-2]\\.[0-2]\\.[0-2](-(0|[1-9]|[a-b]|1a)(\\.(0|1|a)){0,2})?(\\+[ab])?",
            b in "[0-2]\\.[0-2]\\.[0-2](-(0|[1-9]|[a-b]|1a)(\\.(0|1|a)){0,2})?(\\+[ab])?",
        ) {
            let [x, y] = [&a, &b].map(|text| semver::Version::parse(text).unwrap());
            prop_assert_eq!(version(&a).precedence(&version(&b)), x.cmp_precedence(&y));
        }

        #[test]
        fn order_is_total(
            a in "[0-2]{1,2}(\\.[0-2]){2}(-[01ab](\\.[01ab]){0,2})?",
            b in "[0-2]{1,2}(\\.[0-2]){2}(-[01ab](\\.[01ab]){0,2})?",
            c in "[0-2]{1,2}(\\.[0-2]){2}(-[01ab](\\.[01ab]){0,2})?",
        ) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            if a.precedence(&b).is_le() && b.precedence(&c).is_le() {
                prop_assert!(a.precedence(&c).is_le());
            }
        }
    }
}
