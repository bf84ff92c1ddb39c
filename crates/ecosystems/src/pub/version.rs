//! Version order of pub (<https://dart.dev/tools/pub/versioning>, `pub_semver`): Semantic
//! Versioning, except that the build after `+` counts. A version with a build sorts after the one
//! without.

use crate::version::semantic::{Build, Rules, Semantic};

/// `pub_semver` accepts and ignores leading zeros.
const RULES: Rules = Rules::STRICT.with_leading_zeros();

/// A version and its build, compared in this order.
pub(super) type Version<'a> = (Semantic<'a>, Build<'a>);

/// Parses a version; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Version<'_>> {
    RULES.read(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::assert_rising;

    fn version(text: &str) -> Version<'_> {
        parse(text).unwrap_or_else(|| panic!("`{text}` is a version"))
    }

    #[test]
    fn orders_as_pub_does() {
        let rising = [
            "1.0.0-alpha",
            "1.0.0-alpha+1",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0-rc.1+build.1",
            "1.0.0",
            "1.0.0+0.3.7",
            "1.0.0+1",
            "1.0.0+10",
            "1.3.7+build",
            "1.3.7+build.2.b8f12d7",
            "1.3.7+build.11.e0f985a",
            "2.0.0",
            "18446744073709551616.0.0",
        ];
        assert_rising(&rising, |a, b| version(a).cmp(&version(b)));

        for text in [
            "", "1", "1.0", "v1.0.0", "1.0.0.0", "1.0.0-", "1.0.0+", "any", "^1.0.0",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
