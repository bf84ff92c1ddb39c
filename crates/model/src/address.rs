//! Addresses as files write them, without what must not go on.

use std::borrow::Cow;

/// Words in the query of an address that tell of a secret in it.
const SECRET_WORDS: [&str; 9] = [
    "token",
    "key",
    "sig",
    "secret",
    "password",
    "auth",
    "pass",
    "credential",
    "sas",
];

/// A text without the user names, passwords and secret queries of the addresses in it: a lockfile
/// may hold an access token, and reports are published.
///
/// The user of an `ssh` address stays, without a password: it is `git`, and secrets there are keys
/// in files.
#[must_use]
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }

    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after
            .find(|c: char| matches!(c, '"' | '\'') || c.is_whitespace())
            .unwrap_or(after.len());
        let (address, behind) = after.split_at(end);
        push_address(address, before.ends_with("ssh"), &mut out);
        rest = behind;
    }

    out.push_str(rest);
    Cow::Owned(out)
}

/// Pushes what stands behind `://` of one address.
fn push_address(address: &str, is_ssh: bool, out: &mut String) {
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let (authority, path) = address.split_at(end);
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            if is_ssh && !user.is_empty() {
                out.push_str(user);
                out.push('@');
            }
            out.push_str(host);
        }
        None => out.push_str(authority),
    }

    let secret = path.find('?').filter(|at| {
        let query = path.get(*at..).unwrap_or_default().to_ascii_lowercase();
        SECRET_WORDS.iter().any(|word| query.contains(word))
    });
    out.push_str(path.get(..secret.unwrap_or(path.len())).unwrap_or(path));
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn names_passwords_and_secret_queries_are_taken_out() {
        for (text, expected) in [
            (
                "https://user:s3cret@host.invalid/a?b=c",
                "https://host.invalid/a?b=c",
            ),
            ("https://token@host.invalid", "https://host.invalid"),
            (
                "https://a@b@host.invalid/x@1#y",
                "https://host.invalid/x@1#y",
            ),
            (
                "https://me:pass@host.invalid?a@b",
                "https://host.invalid?a@b",
            ),
            (
                "https://host.invalid/a?sv=1&SIG=s3cret",
                "https://host.invalid/a",
            ),
            (
                "git+ssh://git:s3cret@host.invalid/a",
                "git+ssh://git@host.invalid/a",
            ),
            ("ssh://git@host.invalid/a", "ssh://git@host.invalid/a"),
            ("git@host.invalid:a/b", "git@host.invalid:a/b"),
            (
                "a @ git+https://u:p@q@h.invalid/r.git@v1",
                "a @ git+https://h.invalid/r.git@v1",
            ),
            (
                "https://h.invalid/a@b https://x@y",
                "https://h.invalid/a@b https://y",
            ),
            ("../a", "../a"),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }
}
