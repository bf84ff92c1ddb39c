//! Package URLs (<https://github.com/package-url/purl-spec>).

use std::fmt::Write as _;

/// Builds a package URL from its parts.
///
/// `name` may carry a namespace before its last `/` (`@scope/name`, `github.com/a/b`); each
/// segment is percent-encoded on its own, as the specification's "How to build purl string" says.
#[must_use]
pub fn package_url(purl_type: &str, name: &str, version: &str) -> String {
    let mut purl = format!("pkg:{purl_type}");
    for segment in name.split('/').filter(|segment| !segment.is_empty()) {
        purl.push('/');
        encode(segment, &mut purl);
    }
    if !version.is_empty() {
        purl.push('@');
        encode(version, &mut purl);
    }
    purl
}

/// Percent-encodes all but the characters that the specification leaves as they are: letters,
/// digits, `.`, `-`, `_`, `~` and `:`.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::package_url;

    #[test]
    fn follows_the_specification() {
        assert_eq!(
            package_url("npm", "@babel/core", "7.0.0"),
            "pkg:npm/%40babel/core@7.0.0"
        );
        assert_eq!(
            package_url("cargo", "time", "0.1.0+build"),
            "pkg:cargo/time@0.1.0%2Bbuild"
        );
    }
}
