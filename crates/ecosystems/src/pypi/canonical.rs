//! The normal spelling of a version
//! (<https://packaging.python.org/en/latest/specifications/version-specifiers/#normalization>).
//!
//! File names of one release may spell its version differently (`1.0.0rc1`, `1.0.0.RC1`). Lockfiles
//! have the normal spelling.

use super::admitted::Parts;
use super::version::is_standard;

/// The version in its normal spelling, trailing zeros included; `None` for a text that is not a
/// version of PEP 440.
pub(super) fn canonical(version: &str) -> Option<String> {
    if !is_standard(version) {
        return None;
    }
    let parts = Parts::of(version)?;

    let mut text = format!("{}{}", parts.release(), parts.pre);
    if let Some(post) = &parts.post {
        text.push_str(&format!(".post{post}"));
    }
    if let Some(dev) = &parts.dev {
        text.push_str(&format!(".dev{dev}"));
    }
    if let Some((_, local)) = version.trim().split_once('+') {
        let local = local.to_ascii_lowercase().replace(['-', '_'], ".");
        let parts: Vec<&str> = local.split('.').map(without_leading_zeros).collect();
        text.push('+');
        text.push_str(&parts.join("."));
    }

    Some(text)
}

/// A number of a local version without leading zeros. Words stay as they are.
fn without_leading_zeros(part: &str) -> &str {
    match part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => match part.trim_start_matches('0') {
            "" => "0",
            number => number,
        },
        false => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_have_one_normal_form() {
        for (version, expected) in [
            ("1.0.0", Some("1.0.0")),
            ("v2022.07.04", Some("2022.7.4")),
            ("1.0-RC_1", Some("1.0rc1")),
            ("1.0-1", Some("1.0.post1")),
            ("1!1.0.DEV", Some("1!1.0.dev0")),
            ("1.0+Ubuntu-01_a", Some("1.0+ubuntu.1.a")),
            ("1.0+000", Some("1.0+0")),
            ("odd-one", None),
        ] {
            assert_eq!(canonical(version).as_deref(), expected, "{version}");
        }
    }
}
