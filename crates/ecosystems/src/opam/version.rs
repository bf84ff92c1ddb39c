//! opam's order of versions (its manual, "Version ordering"): runs of
//! what is no digit and numbers in turn. Within the former `~` comes before the end, the end before
//! letters, and letters before the rest. It is Debian's order without epochs and revisions.

use std::cmp::Ordering;

/// A version, cut into runs: a text, then a number without leading zeros, and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one
    /// (the manual's grammar of versions).
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+.~".contains(&byte);
        if text.is_empty() || !text.bytes().all(known) {
            return None;
        }
        let mut runs = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (letters, after) = split(rest, |byte| !byte.is_ascii_digit());
            let (digits, after) = split(after, |byte| byte.is_ascii_digit());
            runs.push((letters, digits.trim_start_matches('0')));
            rest = after;
        }
        Some(Self(runs))
    }
}

fn split(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !belongs(byte));
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

/// The place of a byte in a run of what is no digit; the end of the run is 1.
fn weight(byte: u8) -> u16 {
    match byte {
        b'~' => 0,
        letter if letter.is_ascii_alphabetic() => u16::from(letter) + 2,
        other => u16::from(other) + 258,
    }
}

fn texts(a: &str, b: &str) -> Ordering {
    let weights = |text: &str| text.bytes().map(weight).chain([1]).collect::<Vec<_>>();
    weights(a).cmp(&weights(b))
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.0.len().max(other.0.len());
        let run = |version: &Self, at| version.0.get(at).copied().unwrap_or_default();
        for at in 0..longest {
            let ((a, m), (b, n)) = (run(self, at), run(other, at));
            let numbers = || m.len().cmp(&n.len()).then_with(|| m.cmp(n));
            let order = texts(a, b).then_with(numbers);
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
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
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        assert!(version("1.01").cmp(&version("1.1")).is_eq());
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", "1 2", "1/2", "ä", "\"1\""] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "[0-2a~+.-]{1,7}|[0-9]{20}~?",
            b in "[0-2a~+.-]{1,7}|[0-9]{20}~?",
            c in "[0-2a~+.-]{1,7}|[0-9]{20}~?",
        ) {
            let (a, b, c) = (version(&a), version(&b), version(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            let mut sorted = [&a, &b, &c];
            sorted.sort();
            prop_assert!(sorted[0] <= sorted[2]);
            if a.cmp(&b).is_eq() {
                prop_assert_eq!(a.cmp(&c), b.cmp(&c));
            }
        }
    }
}
