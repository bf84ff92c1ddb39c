//! Julia's order of versions (`VersionNumber`,
//! <https://docs.julialang.org/en/v1/manual/strings/#man-version-number-literals>): as Semantic
//! Versioning has it, but builds count (`1.2.13+1` of a binary is newer than `1.2.13+0`), minor and
//! patch may be missing, the `-` before a pre-release may be missing, and a `-` at the end stands
//! before all pre-releases.

use std::cmp::Ordering;

/// A version, cut into the parts that decide its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    core: [Part<'a>; 3],
    /// `None` for a release, which comes after its pre-releases.
    pre: Option<Vec<Part<'a>>>,
    build: Vec<Part<'a>>,
}

/// An identifier: the empty one comes first, then numbers, then texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Empty,
    /// How many digits there are without leading zeros, and which.
    Number(usize, &'a str),
    Text(&'a str),
}

impl<'a> Version<'a> {
    /// Reads a version; `None` when the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = match text.split_once('+') {
            Some((text, build)) => (text, identifiers(build)?),
            None => (text, Vec::new()),
        };
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (numbers, rest) = text.split_at_checked(end)?;
        let pre = match rest.strip_prefix('-') {
            Some("") => Some(vec![Part::Empty]),
            Some(rest) => Some(identifiers(rest)?),
            None if rest.is_empty() => None,
            None => Some(identifiers(rest)?),
        };
        let mut core = [Part::Number(0, ""); 3];
        let mut parts = numbers.split('.');
        for (place, part) in core.iter_mut().zip(parts.by_ref()) {
            *place = number(part)?;
        }
        parts.next().is_none().then_some(Self { core, pre, build })
    }
}

fn number(text: &str) -> Option<Part<'_>> {
    let digits = text.trim_start_matches('0');
    let known = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    known.then_some(Part::Number(digits.len(), digits))
}

fn identifiers(text: &str) -> Option<Vec<Part<'_>>> {
    let identifier = |part| {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        number(part)
            .or_else(|| (!part.is_empty() && part.bytes().all(word)).then_some(Part::Text(part)))
    };
    text.split('.').map(identifier).collect()
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.core
            .cmp(&other.core)
            .then_with(|| match (&self.pre, &other.pre) {
                (Some(a), Some(b)) => a.cmp(b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            })
            .then_with(|| self.build.cmp(&other.build))
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
    fn orders_as_julia_does() {
        let rising = [
            "0",
            "0.1",
            "1.2-",
            "1.2-1",
            "1.2-alpha",
            "1.2.0-rc.1",
            "1.2.0-rc.1+1",
            "1.2.0-rc1",
            "1.2",
            "1.2.0+0",
            "1.2.0+1",
            "1.2.0+10",
            "1.2.0+a",
            "1.2.1",
            "1.10",
            "1.18446744073709551617",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(version(a).cmp(&version(b)), i.cmp(&j), "{a} {b}");
            }
        }
        assert_eq!(version("v1.2rc1"), version("1.2.0-rc1"));
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "", "v", ".", "1.", "1.2.3.4", "1.2+", "1.2-a..b", "1_2", "1.2 ", "a",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_total(
            a in "(0|1|[0-9]{20})(\\.(0|1|2)){0,2}(-|-(1|a|b1)(\\.(1|a))?|rc1)?(\\+(0|1|a))?",
            b in "(0|1|[0-9]{20})(\\.(0|1|2)){0,2}(-|-(1|a|b1)(\\.(1|a))?|rc1)?(\\+(0|1|a))?",
            c in "(0|1|[0-9]{20})(\\.(0|1|2)){0,2}(-|-(1|a|b1)(\\.(1|a))?|rc1)?(\\+(0|1|a))?",
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
