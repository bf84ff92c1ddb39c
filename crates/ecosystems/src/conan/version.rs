//! Version order of Conan (<https://docs.conan.io/2/tutorial/versioning/version_ranges.html>):
//! items between dots, where trailing zeros are ignored. A pre-release after the first `-` sorts
//! before its release, a build after the last `+` sorts after it.
//!
//! Conan compares two numbers as numbers and all other items as texts. The result is not an order
//! when both kinds meet: `9 < 10`, `10 < 5a` and `5a < 9`. Here the leading digits of an item
//! always are a number and the rest is a text after it, which agrees with Conan in all other cases.

use std::cmp::Ordering;

use super::reference::is_word;
use crate::version::number::Number;
use crate::version::runs;

/// A version, split into the parts that determine its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version<'a> {
    main: Vec<Item<'a>>,
    pre: Option<Vec<Item<'a>>>,
    build: Option<Vec<Item<'a>>>,
}

/// An item between two dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item<'a> {
    /// The value of the leading digits; `None` without leading digits.
    number: Option<Number<&'a str>>,
    rest: &'a str,
}

impl<'a> Version<'a> {
    /// Parses a version; `None` if the text is not one.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if !is_word(text) {
            return None;
        }

        let (text, build) = split(text.rsplit_once('+'), text);
        let (main, pre) = split(text.split_once('-'), text);

        Some(Self {
            main: items(main),
            pre: pre.map(items),
            build: build.map(items),
        })
    }
}

fn split<'a>(parts: Option<(&'a str, &'a str)>, whole: &'a str) -> (&'a str, Option<&'a str>) {
    match parts {
        Some((front, back)) => (front, Some(back)),
        None => (whole, None),
    }
}

fn items(text: &str) -> Vec<Item<'_>> {
    let mut items: Vec<Item<'_>> = text.split('.').map(Item::parse).collect();
    while items.last().is_some_and(Item::is_zero) {
        items.pop();
    }
    items
}

impl<'a> Item<'a> {
    fn parse(text: &'a str) -> Self {
        let (digits, rest) = runs::split(text, |byte| byte.is_ascii_digit());
        Self {
            number: Number::parse(digits),
            rest,
        }
    }

    fn is_zero(&self) -> bool {
        self.number.is_some_and(|number| number.is_zero()) && self.rest.is_empty()
    }
}

impl Ord for Item<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = match (self.number, other.number) {
            (Some(a), Some(b)) => a.cmp(&b),
            // Digits sort before letters, and an empty item sorts first.
            (None, Some(_)) if self.rest.is_empty() => Ordering::Less,
            (Some(_), None) if other.rest.is_empty() => Ordering::Greater,
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        numbers.then_with(|| self.rest.cmp(other.rest))
    }
}

impl PartialOrd for Item<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.main
            .cmp(&other.main)
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
    use super::*;
    use crate::version::assert_rising;
    fn version(text: &str) -> Version<'_> {
        Version::parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_conan_does() {
        let rising = [
            "0.9",
            "1-",
            "1-rc.1",
            "1-rc.2",
            "1",
            "1+1",
            "1+2",
            "1.0.2",
            "1.0.2a",
            "1.0.2k",
            "1.1.1",
            "1.9",
            "1.10",
            "2.18446744073709551617",
            "cci.20200101",
            "cci.20200102",
            "system",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn zeros_at_the_end_do_not_count() {
        for (a, b) in [("1", "1.0.0"), ("1.0-rc", "1-rc.0"), ("01.2", "1.2")] {
            assert_eq!(version(a).cmp(&version(b)), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", "[>=1 <2]", "1 2", "1/2", "1@a", "ä"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
