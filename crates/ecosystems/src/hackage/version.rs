//! Haskell's order of versions (`Data.Version` of its base library): numbers between dots, compared
//! one by one; of two lists that begin alike the shorter one is smaller.

use std::cmp::Ordering;

/// A version: its numbers without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a>(Vec<&'a str>);

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let number = |part: &'a str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.trim_start_matches('0'))
        };
        text.split('.').map(number).collect::<Option<_>>().map(Self)
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_haskell_does() {
        let rising = [
            "0",
            "0.1",
            "0.1.0",
            "0.2",
            "0.10",
            "1",
            "1.0",
            "1.18446744073709551617",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", ".", "1.", "1.*", "1-2", "1..2", "a", "1 "] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "(0|1|10|[0-9]{20})(\\.(0|1|2|01)){0,3}",
            b in "(0|1|10|[0-9]{20})(\\.(0|1|2|01)){0,3}",
            c in "(0|1|10|[0-9]{20})(\\.(0|1|2|01)){0,3}",
        ) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b).is_eq(), a == b);
            let mut sorted = [&a, &b, &c];
            sorted.sort();
            prop_assert!(sorted[0] <= sorted[2]);
        }
    }
}
