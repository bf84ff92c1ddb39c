//! Project names and their normal form.

use std::borrow::Cow;

/// The normal form of a name, by which an index compares names: lower case, and one `-` for each run
/// of `-`, `_` and `.`
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub(crate) fn normalize(name: &str) -> Cow<'_, str> {
    let is_normal = name
        .bytes()
        .all(|byte| !byte.is_ascii_uppercase() && !matches!(byte, b'_' | b'.'))
        && !name.contains("--");
    if is_normal {
        return Cow::Borrowed(name);
    }

    let mut normal = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.push(other.to_ascii_lowercase()),
        }
    }

    Cow::Owned(normal)
}

/// Whether a text is a valid project name: letters and digits, with `-`, `_` and `.` between them.
pub(crate) fn is_name(text: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_normal_form() {
        for name in [
            "friendly-bard",
            "Friendly-Bard",
            "friendly.bard",
            "FRIENDLY_-.bard",
        ] {
            assert_eq!(normalize(name), "friendly-bard");
        }

        assert!(matches!(normalize("friendly-bard"), Cow::Borrowed(_)));
    }

    #[test]
    fn names_begin_and_end_with_a_letter_or_digit() {
        for name in ["a", "zope.interface", "A_b-c.9"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a b", "a/b", "ä", "./a"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
