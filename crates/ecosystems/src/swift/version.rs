//! Version order of Swift packages: Semantic Versioning 2.0
//! (<https://semver.org/spec/v2.0.0.html>). A tag can have a leading `v` and lack trailing numbers.

use crate::version::semantic::{Rules, Semantic};

const RULES: Rules = Rules::STRICT.with_missing_numbers().with_leading_zeros();

/// Parses a version; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Semantic<'_>> {
    let text = text.strip_prefix('v').unwrap_or(text);
    RULES.read(text).map(|(version, _)| version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Semantic<'_> {
        parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_semantic_versioning_does() {
        let rising = [
            "0",
            "1.0.0-1",
            "1.0.0-10",
            "1.0.0-Alpha",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "v1.0",
            "1.0.1",
            "1.0.10",
            "1.28446744073709551616.0",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        for text in [
            "",
            "main",
            "1.0.0.0",
            "1..0",
            "1.0.0-",
            "1.0.0+",
            "1.0.0-a..b",
            "vv1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
