//! Version order of Perl (<https://perldoc.perl.org/version>).
//!
//! `v1.2.3`, and anything with two or more dots, is a list of numbers. `1.002003` is a decimal
//! number in which every three digits of the fraction are one number, so the two forms can be
//! equal. `_` and `-TRIAL` mark trial releases and do not affect the order. Some old releases omit
//! a zero at either end of a decimal number: `.5`, `1.`.

use crate::version::number::{self, Number};

/// Parses a version into its numbers, without trailing zeros; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Vec<Number<String>>> {
    let text = text.strip_suffix("-TRIAL").unwrap_or(text);
    let (text, starts_with_v) = match text.strip_prefix('v') {
        Some(rest) => (rest, true),
        None => (text, false),
    };

    let mut plain: String = text.chars().filter(|c| *c != '_').collect();
    if plain.starts_with('.') && plain.len() > 1 && !starts_with_v {
        plain.insert(0, '0');
    }
    if !starts_with_v && plain.matches('.').count() < 2 {
        plain = in_threes(&plain);
    }

    let numbers = number::list(&plain, &['.'])?;
    let mut numbers: Vec<Number<String>> = numbers.into_iter().map(Number::owned).collect();
    while numbers.last().is_some_and(Number::is_zero) {
        numbers.pop();
    }

    Some(numbers)
}

/// Inserts a dot before every three digits of a fraction: `1.00203` becomes `1.002.030`.
fn in_threes(decimal: &str) -> String {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let threes = fraction.as_bytes().chunks(3).map(String::from_utf8_lossy);
    threes.fold(whole.to_owned(), |text, digits| {
        format!("{text}.{digits:0<3}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Vec<Number<String>> {
        parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
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

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn forms_of_one_version_are_equal() {
        for (a, b) in [
            ("v1.2.3", "1.002003"),
            ("1.2.3", "v1.2.3"),
            ("1.20", "1.2"),
            ("1.02_03", "1.0203"),
            ("0.5-TRIAL", "0.5"),
            (".5", "0.5"),
            ("1.", "1"),
            (".9.1", "v0.9.1"),
        ] {
            assert_eq!(version(a), version(b), "{a} {b}");
        }
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in [
            "", "v", ".", "v.1", "v1.", "1..2", ".1.", "1.2a", "undef", "1 2", "-1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
