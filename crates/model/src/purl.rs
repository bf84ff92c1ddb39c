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

/// Builds the package URL of what has an address and no registry: a generic package with the last
/// part of the address as its name. `qualifier` is the specification's own: `download_url` for a
/// file, or `vcs_url` for a repository, whose address then begins with its tool and ends with the
/// revision as SPDX writes it (`git+https://host/path@commit`).
#[must_use]
pub fn generic_package_url(qualifier: &str, address: &str, name: &str, version: &str) -> String {
    let last = name.rsplit('/').find(|part| !part.is_empty());
    let mut purl = package_url("generic", last.unwrap_or("package"), version);
    purl.push('?');
    purl.push_str(qualifier);
    purl.push('=');
    encode(address, &mut purl);
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
    use super::{generic_package_url, package_url};

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
        assert_eq!(
            generic_package_url(
                "vcs_url",
                "git+https://a.invalid/b@1",
                "https://a.invalid/b",
                "1"
            ),
            "pkg:generic/b@1?vcs_url=git%2Bhttps:%2F%2Fa.invalid%2Fb%401"
        );
    }
}
