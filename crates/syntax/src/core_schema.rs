//! The core schema of YAML 1.2: which plain scalars are truth values and numbers
//! (<https://yaml.org/spec/1.2.2/#103-core-schema>).
//!
//! Infinities and "not a number" are left out and stay texts: JSON cannot express them.

use std::borrow::Cow;

use crate::node::Value;

/// The value of a plain scalar.
pub(crate) fn resolve(text: Cow<'_, str>) -> Value<'_> {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        number if float(number).is_some() => Value::Number(text),
        _ => Value::Text(text),
    }
}

/// The whole number that a text is: decimal, octal with `0o` or hexadecimal with `0x`. A number
/// beyond the range of `i64` becomes the nearest one in it, so that a check of bounds reports it.
pub(crate) fn integer(text: &str) -> Option<i64> {
    for (prefix, radix) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let shaped = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
            return shaped.then(|| i64::from_str_radix(digits, radix).unwrap_or(i64::MAX));
        }
    }

    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let nearest = match text.starts_with('-') {
        true => i64::MIN,
        false => i64::MAX,
    };
    let shaped = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    shaped.then(|| text.parse().unwrap_or(nearest))
}

/// The finite number that a text is.
pub(crate) fn float(text: &str) -> Option<f64> {
    if let Some(number) = integer(text) {
        return Some(number as f64);
    }

    // `f64` also takes `inf` and `nan`, so the first characters are looked at here.
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_core_schema() {
        for (text, number) in [
            ("0", Some(0)),
            ("-12", Some(-12)),
            ("+007", Some(7)),
            ("0o17", Some(15)),
            ("0xFf", Some(255)),
            ("99999999999999999999", Some(i64::MAX)),
            ("-99999999999999999999", Some(i64::MIN)),
            ("0x", None),
            ("0o8", None),
            ("0x-1", None),
            ("1_000", None),
            ("1.0", None),
            ("", None),
        ] {
            assert_eq!(integer(text), number, "{text}");
        }

        for (text, number) in [
            ("12.5", Some(12.5)),
            ("-.5", Some(-0.5)),
            ("1.", Some(1.0)),
            ("1e3", Some(1000.0)),
            ("0x10", Some(16.0)),
            ("1e999", None),
            (".inf", None),
            ("nan", None),
            ("2027-01-31", None),
            ("1.2.3", None),
        ] {
            assert_eq!(float(text), number, "{text}");
        }
    }

    #[test]
    fn plain_scalars_are_resolved_and_the_rest_is_text() {
        for (text, expected) in [
            ("true", Value::Bool(true)),
            ("FALSE", Value::Bool(false)),
            ("~", Value::Null),
            ("1.10", Value::Number("1.10".into())),
            ("yes", Value::Text("yes".into())),
            ("2027-01-31", Value::Text("2027-01-31".into())),
        ] {
            assert_eq!(resolve(text.into()), expected, "{text}");
        }
    }
}
