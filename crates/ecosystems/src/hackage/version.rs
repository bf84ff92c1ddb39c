//! Version order of Haskell (`Data.Version` of its base library): numbers between dots, compared
//! one by one. A version sorts before its extensions.

use crate::version::number::{self, Number};

/// Parses a version; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Vec<Number<&str>>> {
    number::list(text, &['.'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Vec<Number<&str>> {
        parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_haskell_does() {
        let rising = [
            "0",
            "0.1",
            "0.1.0",
            "0.2",
            "0.10",
            "1",
            "1.0",
            "1.18446744073709551617",
        ];

        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", ".", "1.", "1.*", "1-2", "1..2", "a", "1 "] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
