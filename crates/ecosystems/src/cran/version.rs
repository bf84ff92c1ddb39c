//! R's order of versions (`package_version`,
//! <https://stat.ethz.ch/R-manual/R-devel/library/base/html/numeric_version.html>): numbers between
//! `.` and `-`, which mean the same, compared one by one; of two lists that begin alike the shorter
//! one is smaller.
//!
//! R asks for two numbers at least; OSV's `0`, which stands before all versions, is one.

use std::cmp::Ordering;

use crate::VersionError;

/// A version: its numbers without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version<'a>(Vec<&'a str>);

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let number = |part: &'a str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.trim_start_matches('0'))
        };
        text.split(['.', '-'])
            .map(number)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Orders two versions of an ecosystem.
    pub(crate) fn compare(
        a: &str,
        b: &str,
        ecosystem: &'static str,
    ) -> Result<Ordering, VersionError> {
        let parse = |version| {
            Version::parse(version).ok_or_else(|| VersionError {
                version: version.to_owned(),
                ecosystem,
            })
        };
        Ok(parse(a)?.cmp(&parse(b)?))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let sized = |version: &Self| -> Vec<(usize, String)> {
            let numbers = version.0.iter();
            numbers
                .map(|digits| (digits.len(), (*digits).to_owned()))
                .collect()
        };
        sized(self).cmp(&sized(other))
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
    fn orders_as_r_does() {
        let rising = [
            "0",
            "0.1",
            "0.1.0",
            "0.1-1",
            "0.1-10",
            "0.2",
            "0.10",
            "1.0.9000",
            "1.18446744073709551617",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(version("1.2-3"), version("1.2.03"));
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", ".", "1.", "-1", "1..2", "1.2a", "v1.2", "1.2 ", "1.2+3"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "(0|1|10|[0-9]{20})([.-](0|1|2|01)){0,3}",
            b in "(0|1|10|[0-9]{20})([.-](0|1|2|01)){0,3}",
            c in "(0|1|10|[0-9]{20})([.-](0|1|2|01)){0,3}",
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
