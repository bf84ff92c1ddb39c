//! Versions that are split at every boundary between letters and digits.

use std::cmp::Ordering;

use super::number::Number;

/// A run of letters or of digits. Letters sort before numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Run<'a> {
    /// Characters that are not digits.
    Letters(&'a str),
    /// The value of a run of digits.
    Number(Number<&'a str>),
}

impl Run<'static> {
    pub(crate) const ZERO: Self = Self::Number(Number::ZERO);
}

/// The runs of a text, from left to right.
pub(crate) fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.bytes().next()?;
        let digits = first.is_ascii_digit();
        let run;
        (run, rest) = split(rest, |byte| byte.is_ascii_digit() == digits);
        Some(if digits {
            Run::Number(Number::new(run))
        } else {
            Run::Letters(run)
        })
    })
}

/// Splits a text after its longest prefix of bytes that `belongs` accepts. `belongs` must accept
/// all bytes of a character or none of them.
pub(crate) fn split(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !belongs(byte))
        .unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The order of Debian (deb-version(7)), which opam adopted: runs of non-digits and numbers
/// alternate. In the former, `~` sorts before the end, the end before letters, and letters before
/// other characters.
pub(crate) fn compare_in_turn(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let (a_text, a_rest) = split(a, |byte| !byte.is_ascii_digit());
        let (b_text, b_rest) = split(b, |byte| !byte.is_ascii_digit());
        let (a_number, a_rest) = split(a_rest, |byte| byte.is_ascii_digit());
        let (b_number, b_rest) = split(b_rest, |byte| byte.is_ascii_digit());
        let order = weights(a_text)
            .cmp(weights(b_text))
            .then_with(|| Number::new(a_number).cmp(&Number::new(b_number)));
        if order.is_ne() {
            return order;
        }

        (a, b) = (a_rest, b_rest);
    }

    Ordering::Equal
}

/// The sort weights of the bytes in a run of non-digits, followed by the weight of its end.
fn weights(text: &str) -> impl Iterator<Item = u16> + '_ {
    let weight = |byte| match byte {
        b'~' => 0,
        letter if letter.is_ascii_alphabetic() => u16::from(letter) + 2,
        other => u16::from(other) + 258,
    };
    text.bytes().map(weight).chain([1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    #[test]
    fn texts_are_cut_where_letters_and_digits_meet() {
        let cut: Vec<Run<'_>> = runs("rc01ä2").collect();
        let expected = [
            Run::Letters("rc"),
            Run::Number(Number::new("1")),
            Run::Letters("ä"),
            Run::Number(Number::new("2")),
        ];

        assert_eq!(cut, expected);
        assert_eq!(runs("").count(), 0);
        assert!(Run::Letters("z") < Run::ZERO);
    }

    #[test]
    fn a_tilde_comes_before_the_end_and_letters_before_the_rest() {
        let rising = ["~~", "~~a", "~", "", "a~", "a", "b", "+", "-", "."];
        assert_rising(&rising, compare_in_turn);
        assert_eq!(compare_in_turn("1.09", "1.9"), Ordering::Equal);
        assert_eq!(compare_in_turn("", "0"), Ordering::Equal);
    }
}
