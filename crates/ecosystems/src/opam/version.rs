//! Version order of opam (its manual, "Version ordering"): the order of Debian, without epochs and
//! revisions.

use std::cmp::Ordering;

use crate::version::runs::compare_in_turn;

/// A version, compared as text in Debian's order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version<'a>(&'a str);

impl<'a> Version<'a> {
    /// Parses a version; `None` if the text is not one by the grammar in the manual.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+.~".contains(&byte);
        (!text.is_empty() && text.bytes().all(known)).then_some(Self(text))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_in_turn(self.0, other.0)
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_opam_does() {
        let rising = [
            "~~",
            "~",
            "~beta2",
            "~beta10",
            "0.1",
            "1.0~beta",
            "1.0",
            "1.0-test",
            "1.0.10",
            "1.9",
            "1.10",
            "1.18446744073709551617",
            "dev",
            "v0.15.0",
            "v0.16.0",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        assert!(version("1.01").cmp(&version("1.1")).is_eq());
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", "1 2", "1/2", "ä", "\"1\""] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
