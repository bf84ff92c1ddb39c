//! Addresses as files write them, without what must not go on: names and passwords.

use std::borrow::Cow;

/// An address without the name and password that may stand in it. The user of SSH (`git@`) is no
/// secret and stays, without its password.
pub(crate) fn without_credentials(address: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = address.split_once("://") else {
        return Cow::Borrowed(address);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let Some((user, host)) = authority.rsplit_once('@') else {
        return Cow::Borrowed(address);
    };
    let user = match user.split(':').next() {
        Some(name) if scheme.ends_with("ssh") && !name.is_empty() => format!("{name}@"),
        _ => String::new(),
    };
    Cow::Owned(format!("{scheme}://{user}{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn names_and_passwords_are_taken_out() {
        for (address, expected) in [
            ("https://gems.invalid/a@b", "https://gems.invalid/a@b"),
            ("https://token@gems.invalid/", "https://gems.invalid/"),
            ("https://me:p@ss@gems.invalid", "https://gems.invalid"),
            (
                "https://me:pass@gems.invalid?a@b",
                "https://gems.invalid?a@b",
            ),
            ("ssh://git@code.invalid/a", "ssh://git@code.invalid/a"),
            ("ssh://git:pw@code.invalid/a", "ssh://git@code.invalid/a"),
            ("git@code.invalid:a/b.git", "git@code.invalid:a/b.git"),
            ("../vendor", "../vendor"),
        ] {
            assert_eq!(without_credentials(address), expected);
        }
    }
}
