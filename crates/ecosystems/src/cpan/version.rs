//! Perl's order of versions (<https://perldoc.perl.org/version>): `v1.2.3` and anything with two
//! dots or more is a list of numbers; `1.002003` is a decimal number, whose digits behind the dot
//! count in threes, so that both are one version. A `_` marks a release for trial and counts for
//! nothing in the order, as does `-TRIAL`.

use std::cmp::Ordering;

/// A version: its numbers without leading zeros, zeros at the end left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(Vec<String>);

impl Version {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix("-TRIAL").unwrap_or(text);
        let (text, dotted) = match text.strip_prefix('v') {
            Some(rest) => (rest, true),
            None => (text, text.matches('.').count() > 1),
        };
        let plain: String = text.chars().filter(|c| *c != '_').collect();
        let known = plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !known || !plain.starts_with(|c: char| c.is_ascii_digit()) || plain.ends_with('.') {
            return None;
        }
        let mut numbers: Vec<String> = if dotted {
            plain.split('.').map(str::to_owned).collect()
        } else {
            let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
            let threes = fraction.as_bytes().chunks(3).map(|digits| {
                let digits = String::from_utf8_lossy(digits);
                format!("{digits:0<3}")
            });
            std::iter::once(whole.to_owned()).chain(threes).collect()
        };
        if numbers.iter().any(String::is_empty) {
            return None;
        }
        for number in &mut numbers {
            *number = number.trim_start_matches('0').to_owned();
        }
        while numbers.last().is_some_and(String::is_empty) {
            numbers.pop();
        }
        Some(Self(numbers))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_perl_does() {
        let rising = [
            "0",
            "0.0001",
            "0.002",
            "0.31",
            "1.02",
            "1.1",
            "v1.200",
            "1.21",
            "v1.210.1",
            "v1.1000",
            "2.001000",
            "v2.1.1",
            "v18446744073709551617",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("v1.2.3", "1.002003"),
            ("1.2.3", "v1.2.3"),
            ("1.20", "1.2"),
            ("1.02_03", "1.0203"),
            ("0.5-TRIAL", "0.5"),
        ] {
            assert_eq!(version(a), version(b), "{a} {b}");
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", "v", ".1", "1.", "1..2", "1.2a", "undef", "1 2", "-1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "v?(0|1|[0-9]{20})(\\.(0|1|02|[0-9]{4})){0,3}",
            b in "v?(0|1|[0-9]{20})(\\.(0|1|02|[0-9]{4})){0,3}",
            c in "v?(0|1|[0-9]{20})(\\.(0|1|02|[0-9]{4})){0,3}",
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
