//! Version order of R (`package_version`,
//! <https://stat.ethz.ch/R-manual/R-devel/library/base/html/numeric_version.html>): numbers
//! separated by `.` or `-`, which are equivalent, compared one by one. A version sorts before its
//! extensions.
//!
//! R requires at least two numbers. OSV's `0`, which precedes all versions, has only one.

use crate::version::number::{self, Number};

/// Parses a version; `None` if the text is not one.
pub(crate) fn parse(text: &str) -> Option<Vec<Number<&str>>> {
    number::list(text, &['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Vec<Number<&str>> {
        parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
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
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        assert_eq!(version("1.2-3"), version("1.2.03"));
    }

    #[test]
    fn rejects_what_is_no_version() {
        for text in ["", ".", "1.", "-1", "1..2", "1.2a", "v1.2", "1.2 ", "1.2+3"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
