//! Decimal numbers of any size.
//!
//! Advisories and hostile lockfiles contain numbers that fit no machine integer, and an order that
//! stops at some size is not total. Numbers are therefore kept as digits.

/// A number as its digits, borrowed (`&str`) or owned (`String`). Leading zeros are ignored.
///
/// The derived order compares the fields in this order: the longer number is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number<D> {
    length: usize,
    /// Without leading zeros; zero itself is `0`.
    digits: D,
}

impl Number<&'static str> {
    pub(crate) const ZERO: Self = Self {
        length: 1,
        digits: "0",
    };
}

impl<'a> Number<&'a str> {
    /// The value of a text of digits only; an empty text is zero.
    pub(crate) fn new(digits: &'a str) -> Self {
        // Nearly all numbers lack leading zeros. Checking for one first is cheaper than trimming.
        let digits = if digits.starts_with('0') {
            digits.trim_start_matches('0')
        } else {
            digits
        };
        if digits.is_empty() {
            return Number::ZERO;
        }

        Self {
            length: digits.len(),
            digits,
        }
    }

    /// Parses a number; `None` if the text is not one or more digits.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        is_digits(text).then(|| Self::new(text))
    }

    /// The digits without leading zeros.
    pub(crate) fn digits(self) -> &'a str {
        self.digits
    }

    /// An owned copy, for a version that outlives its text.
    pub(crate) fn owned(self) -> Number<String> {
        Number {
            length: self.length,
            digits: self.digits.to_owned(),
        }
    }
}

impl<D: AsRef<str>> Number<D> {
    /// The digits without leading zeros.
    pub(crate) fn text(&self) -> &str {
        self.digits.as_ref()
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits.as_ref() == Number::ZERO.digits
    }
}

impl<D: From<&'static str>> Default for Number<D> {
    /// The number zero.
    fn default() -> Self {
        Self {
            length: Number::ZERO.length,
            digits: Number::ZERO.digits.into(),
        }
    }
}

/// The number after another one, both as digits. Leading zeros are dropped.
pub(crate) fn successor(digits: &str) -> String {
    let mut next: Vec<char> = Number::new(digits).digits.chars().rev().collect();
    for digit in &mut next {
        match char::from_digit(digit.to_digit(10).unwrap_or_default() + 1, 10) {
            Some(raised) => {
                *digit = raised;
                return next.into_iter().rev().collect();
            }
            None => *digit = '0',
        }
    }
    next.push('1');
    next.into_iter().rev().collect()
}

/// Whether a text consists of one or more ASCII digits.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is a number without leading zeros.
pub(crate) fn is_plain(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

/// Parses the numbers between separators; `None` if one of them is not a number. A `Vec` orders
/// lists of numbers as R and Haskell do: element by element, and a list sorts before its
/// extensions.
pub(crate) fn list<'a>(text: &'a str, separators: &[char]) -> Option<Vec<Number<&'a str>>> {
    text.split(separators).map(Number::parse).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leading_zeros_do_not_count() {
        assert_eq!(Number::parse("007"), Number::parse("7"));
        assert_eq!(Number::parse("000"), Some(Number::ZERO));
        assert_eq!(Number::<String>::default(), Number::new("").owned());
        assert!(Number::new("00").is_zero() && !Number::new("10").is_zero());
        assert_eq!(Number::new("0010").digits(), "10");
        assert_eq!(Number::new("0").digits(), "0");
    }

    #[test]
    fn digits_are_told_from_other_texts() {
        for text in ["", "-1", "+1", "1a", " 1", "1.0", "\u{661}", "1e3"] {
            assert_eq!(Number::parse(text), None, "{text}");
            assert!(!is_plain(text), "{text}");
        }
        assert!(is_plain("0") && is_plain("10") && !is_plain("01") && !is_plain("00"));
    }

    #[test]
    fn numbers_that_fit_no_machine_integer_are_ordered() {
        let rising = [
            "18446744073709551615",
            "18446744073709551616",
            "28446744073709551616",
            "100000000000000000000",
        ];
        for pair in rising.windows(2) {
            assert!(Number::new(pair[0]) < Number::new(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn a_shorter_list_is_smaller() {
        let read = |text| list(text, &['.', '-']);
        assert!(read("1.2") < read("1.2-0"));
        assert!(read("1.9") < read("1.10"));
        assert_eq!(read("1..2"), None);
    }

    #[test]
    fn the_next_number_may_be_longer() {
        for (digits, next) in [
            ("", "1"),
            ("0", "1"),
            ("009", "10"),
            ("1299", "1300"),
            ("18446744073709551615", "18446744073709551616"),
        ] {
            assert_eq!(successor(digits), next);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_machine_integers(
            a in prop_oneof![any::<u128>(), 0_u128..12],
            b in prop_oneof![any::<u128>(), 0_u128..12],
            zeros in "0{0,2}",
        ) {
            let (x, y) = (format!("{zeros}{a}"), b.to_string());
            prop_assert_eq!(Number::parse(&x).cmp(&Number::parse(&y)), a.cmp(&b));
        }
    }
}
