//! Version order of Hex, which is the order of Elixir's `Version`
//! (<https://hexdocs.pm/elixir/Version.html>): Semantic Versioning 2.0 with all three numbers.

use crate::version::semantic::{Rules, Semantic};

/// Elixir refuses leading zeros. They are ignored here so that an advisory that writes them is
/// understood.
const RULES: Rules = Rules::STRICT.with_leading_zeros();

/// Parses a version; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Semantic<'_>> {
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
            "0.0.0",
            "1.0.0-1",
            "1.0.0-10",
            "1.0.0-Alpha",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0",
            "1.0.1",
            "1.0.10",
            "1.28446744073709551616.0",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        for text in [
            "",
            "0",
            "1.0",
            "v1.0.0",
            "main",
            "1.0.0.0",
            "1..0",
            "1.0.0-",
            "1.0.0+",
            "1.0.0-a..b",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
