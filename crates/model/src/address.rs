//! Addresses in reports: [`without_credentials`], the only definition of their removal.
//!
//! The rule has no list of suspicious words, because every server names its secrets differently
//! (`token`, `jwt`, `sig`, …). An address in a report has no user information, no query and no
//! fragment, with the exceptions that carry no secret:
//!
//! - the user `git` of an SSH address, without a password: the address is not usable without it;
//! - parts of a fragment (separated by `&`) that are a commit id (40 or 64 hexadecimal digits, also
//!   as `commit=…`), a version (`v1.2.3`, `semver:^1.2`), or a part that pip reads: `egg=<name>` or
//!   `subdirectory=<path>`.
//!
//! A text is filtered where it leaves: the functions that compare origins see the whole address.

use std::borrow::Cow;

use crate::CommitId;

/// A text without the credentials of the addresses in it. Lockfiles may contain access tokens, and
/// reports are published.
///
/// Recognised are addresses with a scheme (`https://…`), without one (`//host/…`), nested ones
/// (`https://proxy/https://…`) and the SSH form `user:password@host:path`, anywhere in the text. An
/// address ends at white space, a quote, a backtick, `<` or `>`.
///
/// ```
/// use patchgate_model::without_credentials;
///
/// assert_eq!(
///     without_credentials("a @ https://me:secret@host.invalid/a.tgz?jwt=secret"),
///     "a @ https://host.invalid/a.tgz",
/// );
/// ```
#[must_use]
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    // Most texts are versions and names.
    if !text.contains("//") && !text.contains('@') {
        return Cow::Borrowed(text);
    }

    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(ends_address).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        push_word(word, &mut out);

        let mut chars = behind.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }

    if out == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(out)
    }
}

/// Whether a character cannot be part of an address.
fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

fn push_word(word: &str, out: &mut String) {
    match address_start(word) {
        Some(start) => {
            let (before, address) = word.split_at(start);
            out.push_str(before);
            push_address(address, is_ssh(before), out);
        }
        None => push_scp_like(word, out),
    }
}

/// The index behind the first `//` that starts an authority: after a scheme's colon, or where no
/// path can be before it. The `//` in `a//b` is part of a path.
fn address_start(word: &str) -> Option<usize> {
    word.match_indices("//")
        .find(|(at, _)| {
            let before = word
                .get(..*at)
                .and_then(|before| before.chars().next_back());
            before.is_none_or(|c| matches!(c, ':' | '=' | ',' | ';' | '|' | '(' | '[' | '{'))
        })
        .map(|(at, slashes)| at + slashes.len())
}

fn is_ssh(before: &str) -> bool {
    before.to_ascii_lowercase().ends_with("ssh://")
}

/// Pushes the part of an address that follows `//`.
fn push_address(address: &str, is_ssh: bool, out: &mut String) {
    let (user, rest) = address.split_at(user_info_end(address, is_ssh));
    if is_ssh {
        push_git_user(user, out);
    }

    push_without_query(rest, out);
}

/// Pushes host and path without the query, and the fragment only if it is harmless.
fn push_without_query(address: &str, out: &mut String) {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    push_path(path, out);

    let fragment = address.split_once('#').map_or("", |(_, fragment)| fragment);
    let mut separator = '#';
    for part in fragment.split('&').filter(|part| is_harmless(part)) {
        out.push(separator);
        out.push_str(part);
        separator = '&';
    }
}

/// The length of the user information with its `@`; 0 without any.
fn user_info_end(address: &str, is_ssh: bool) -> usize {
    let end = address.find(['/', '\\', '?', '#']).unwrap_or(address.len());
    let authority = address.get(..end).unwrap_or_default();
    if let Some(end) = after_last_at(authority) {
        return end;
    }

    // A password with an unescaped delimiter, as in `me:pass/word@host`: what looks like a port is
    // none. In `ssh://host:group/project` it is the beginning of a path.
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let has_port = match authority.rsplit_once(':') {
        Some((_, port)) => is_port(port) || authority.ends_with(']'),
        None => true,
    };
    if has_port || is_ssh {
        0
    } else {
        after_last_at(address).unwrap_or(0)
    }
}

/// The index behind the last `@`. An encoded one cannot be part of a host either.
fn after_last_at(text: &str) -> Option<usize> {
    let plain = text.rfind('@').map(|at| at + 1);
    let encoded = text.rfind("%40").map(|at| at + 3);
    plain.max(encoded)
}

/// Pushes `git@` if that is the user, with or without a password.
fn push_git_user(user_info: &str, out: &mut String) {
    let user = user_info.split([':', '@']).next();
    if user == Some("git") {
        out.push_str("git@");
    }
}

/// Pushes host and path, which may contain further addresses: mirrors put the address of their
/// original there.
fn push_path(path: &str, out: &mut String) {
    let encoded = path
        .to_ascii_lowercase()
        .find("%3a%2f%2f")
        .unwrap_or(path.len());
    // An encoded address hides its own delimiters, so all of it goes.
    let path = path.get(..encoded).unwrap_or(path);

    match path.find("://") {
        Some(at) => {
            let (before, nested) = path.split_at(at + 3);
            out.push_str(before);
            push_address(nested, is_ssh(before), out);
        }
        None => out.push_str(path),
    }
}

/// Pushes a word that may be an address without a scheme: `user@host:path`,
/// `user:password@host:path` or `user:password@host/path`.
///
/// Many other texts have an `@` and a colon: `name@npm:1.0`, `image:tag@sha256:…`. So the host needs
/// a dot and a last label with a letter, or the path ends in `.git`.
fn push_scp_like(word: &str, out: &mut String) {
    let split = word.rsplit_once('@').and_then(|(before, after)| {
        let (host, path) = after.split_at(after.find([':', '/'])?);
        Some((before, host, path))
    });
    let Some((before, host, path)) = split else {
        out.push_str(word);
        return;
    };

    // The word may start with something else: `name@git@host:path`, `--url=git@host:path`.
    let start = before
        .rfind(['@', '=', ',', ';', '|', '(', '[', '{', '+', '/'])
        .map_or(0, |at| at + 1);
    let (other, user) = before.split_at(start);

    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let top_level = host.rsplit_once('.').map_or("", |(_, label)| label);
    let is_host = !host.is_empty()
        && host.chars().all(is_name)
        && (top_level.contains(|c: char| c.is_ascii_alphabetic()) || path.ends_with(".git"));
    let is_address = is_host && path.len() > 1 && (path.starts_with(':') || user.contains(':'));
    if !is_address {
        out.push_str(word);
        return;
    }

    out.push_str(other);
    push_git_user(user, out);
    out.push_str(host);
    push_without_query(path, out);
}

/// Whether a part of a fragment is a commit id, a version, or a name or path for pip, which are no
/// secrets.
fn is_harmless(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./[],".contains(c);
    let for_pip = ["egg=", "subdirectory="]
        .iter()
        .find_map(|name| part.strip_prefix(name));
    if let Some(value) = for_pip {
        return value.chars().all(is_plain);
    }

    let commit = part.strip_prefix("commit=").unwrap_or(part);
    let is_commit = CommitId::parse(commit).is_some();

    let version = part.strip_prefix("semver:").unwrap_or(part);
    let version = version.strip_prefix('v').unwrap_or(version);
    let is_version = version
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".*^~<>=".contains(&byte));

    is_commit || (is_version && !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(without_credentials(text), expected, "{text}");
        // A filtered text is not changed by a second run.
        assert_eq!(without_credentials(expected), expected, "{text}");
    }

    #[test]
    fn user_information_is_removed() {
        for (text, expected) in [
            ("https://user:s3cret@h.invalid/a", "https://h.invalid/a"),
            ("https://token@h.invalid", "https://h.invalid"),
            ("https://a@b@h.invalid/x@1", "https://h.invalid/x@1"),
            ("https://a%40b:s3cret@h.invalid/x", "https://h.invalid/x"),
            ("https://s3cret%40h.invalid/x", "https://h.invalid/x"),
            ("https://me:s3/cr?e#t@h.invalid/x", "https://h.invalid/x"),
            (r"https://me:s3cret@h.invalid\x", r"https://h.invalid\x"),
            (
                "HTTPS://me:s3cret@h.invalid:8080/x",
                "HTTPS://h.invalid:8080/x",
            ),
            ("https://me:s3cret@[::1]:8080/x", "https://[::1]:8080/x"),
            ("//user:s3cret@h.invalid/x", "//h.invalid/x"),
            (
                "git+ssh://git:s3cret@h.invalid/a",
                "git+ssh://git@h.invalid/a",
            ),
            ("ssh://s3cret@h.invalid/a", "ssh://h.invalid/a"),
            ("git:s3cret@h.invalid:a/b.git", "git@h.invalid:a/b.git"),
            ("user:s3cret@h.invalid:a/b", "h.invalid:a/b"),
            ("user:s3cret@server:a/b.git", "server:a/b.git"),
            ("user:s3cret@h.invalid/a", "h.invalid/a"),
            ("a@git:s3cret@h.invalid:a/b", "a@git@h.invalid:a/b"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn queries_and_fragments_are_removed() {
        for (text, expected) in [
            ("https://h.invalid/a?jwt=s3cret", "https://h.invalid/a"),
            ("https://h.invalid?s3cret", "https://h.invalid"),
            ("https://h.invalid?a@b", "https://h.invalid"),
            ("https://h.invalid/a?b#s3cret", "https://h.invalid/a"),
            ("https://h.invalid/a#s3cret?b", "https://h.invalid/a"),
            ("https://h.invalid/a#sha256=s3cret", "https://h.invalid/a"),
            ("//h.invalid/a?s3cret", "//h.invalid/a"),
            ("git@h.invalid:a/b?s3cret#main", "git@h.invalid:a/b"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn commits_and_versions_stay() {
        for text in [
            format!("git+https://h.invalid/a.git#{COMMIT}"),
            format!("a@https://h.invalid/a.git#commit={COMMIT}"),
            format!("git@h.invalid:a/b.git#{COMMIT}"),
            "git+https://h.invalid/a.git#v1.2.3".to_owned(),
            "git+https://h.invalid/a.git@v1#egg=a[b]&subdirectory=c/d".to_owned(),
            "git+ssh://git@h.invalid/a.git#semver:^1.2".to_owned(),
        ] {
            check(&text, &text);
        }

        check(
            &format!("git+https://h.invalid/a.git?s3cret#{COMMIT}"),
            &format!("git+https://h.invalid/a.git#{COMMIT}"),
        );
        check(
            "https://h.invalid/a.whl#egg=a&sha256=s3cret&s3cret",
            "https://h.invalid/a.whl#egg=a",
        );
        let longer = format!("https://h.invalid/a#{COMMIT}0");
        check(&longer, "https://h.invalid/a");
    }

    #[test]
    fn addresses_are_found_inside_other_texts() {
        for (text, expected) in [
            (
                "a @ git+https://u:p@q@h.invalid/r.git@v1",
                "a @ git+https://h.invalid/r.git@v1",
            ),
            (
                "https://h.invalid/a@b https://x@y",
                "https://h.invalid/a@b https://y",
            ),
            (
                "--index-url=https://u:p@h.invalid/simple --hash=sha256:0",
                "--index-url=https://h.invalid/simple --hash=sha256:0",
            ),
            (
                "--extra-index-url //u:p@h.invalid/simple?s3cret",
                "--extra-index-url //h.invalid/simple",
            ),
            (
                r#"{"git": "https://u:p@h.invalid/a?x", "tag": "1"}"#,
                r#"{"git": "https://h.invalid/a", "tag": "1"}"#,
            ),
            (
                "<https://h.invalid/a?s3cret>, `https://u@h.invalid/b`",
                "<https://h.invalid/a>, `https://h.invalid/b`",
            ),
            (
                "https://proxy.invalid/https://u:p@h.invalid/a?s3cret",
                "https://proxy.invalid/https://h.invalid/a",
            ),
            (
                "https://proxy.invalid/https%3A%2F%2Fu%3Ap%40h.invalid%2Fa%3Fs3cret",
                "https://proxy.invalid/https",
            ),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "",
            "../a",
            "a//b",
            "^1.0.0",
            "@scope/name@npm:^1.0.0",
            "name@npm:@scope/other@1.0.0",
            "name@patch:other@npm%3A1.0#./a.patch",
            "image:1.25@sha256:0123",
            "npm:name@1.x",
            "name/1.0@user/channel",
            "group:artifact@1.2.3:jar",
            "git@h.invalid:a/b",
            "a ; python_version < '3' and extra == \"x\"",
            "https://h.invalid/@scope/name/-/name-1.0.0.tgz",
            "ssh://git@h.invalid:a/b@v1",
            "ssh://h.invalid:a/b@v1",
            "me <me@h.invalid>: ä?",
        ] {
            check(text, text);
        }
    }
}
