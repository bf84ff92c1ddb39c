//! Secrets in the output of programs, and the end of a long output.

/// The text that replaces a secret.
const HIDDEN: &str = "***";

/// Parts of the names of variables that have a secret as their value.
const SECRET_NAMES: [&str; 12] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "AUTH",
    "COOKIE",
];

/// Beginnings of tokens by which their issuers make them recognisable.
const TOKEN_PREFIXES: [&str; 16] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "npm_",
    "pypi-",
    "cio",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "eyJ",
];

/// Fewest characters of a token. Shorter words with such a beginning are words.
const MIN_TOKEN: usize = 20;

/// Fewest bytes of a value that is replaced wherever it occurs: a shorter one is too common a text.
const MIN_VALUE: usize = 6;

/// Whether a variable of this name has a secret as its value.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// The text without secrets: the given values, tokens of a known form, and the user information of
/// addresses.
#[must_use]
pub fn redacted(text: &str, values: &[String]) -> String {
    let mut values: Vec<&String> = values
        .iter()
        .filter(|value| value.len() >= MIN_VALUE)
        .collect();
    // A value can contain another one.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let mut out = without_escapes(text);
    for value in values {
        out = out.replace(value.as_str(), HIDDEN);
    }

    without_tokens(&patchgate_model::without_credentials(&out))
}

/// The text without the sequences by which programs color their output (ECMA-48, section 5.4): a
/// secret may have one inside.
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split("\u{1b}[");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| ('\u{40}'..='\u{7e}').contains(&c));
        let behind = end.and_then(|end| part.get(end + 1..));
        out.push_str(behind.unwrap_or_default());
    }

    out
}

fn without_tokens(text: &str) -> String {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_of_token(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_token =
            word.len() >= MIN_TOKEN && TOKEN_PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        out.push_str(if is_token { HIDDEN } else { word });

        let next = after.find(is_of_token).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        out.push_str(between);
        rest = after;
    }

    out
}

/// The last lines of a text, at most `lines` lines and `bytes` bytes.
#[must_use]
pub fn tail(text: &str, lines: usize, bytes: usize) -> String {
    let text = text.trim_end();
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let cut = text.get(start..).unwrap_or_default();
    // A line that was cut says less than it seems to.
    let cut = match (start, cut.split_once('\n')) {
        (1.., Some((_, whole))) => whole,
        _ => cut,
    };

    let all: Vec<&str> = cut.lines().collect();
    let first = all.len().saturating_sub(lines);
    all.get(first..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        let values = [
            "hunter22".to_owned(),
            "hunter22-more".to_owned(),
            "a".to_owned(),
        ];
        let log = "a \u{1b}[1;31mkey=hunter\u{1b}[0m22-more (hunter22)\n\
                   https://user:pass1234@host.invalid/x\n\
                   Authorization: token ghs_0123456789abcdefghij and npm_short, ghs_fn";
        assert_eq!(
            redacted(log, &values),
            "a key=*** (***)\n\
             https://host.invalid/x\n\
             Authorization: token *** and npm_short, ghs_fn"
        );
    }

    #[test]
    fn names_of_secrets_are_recognised() {
        for name in [
            "GITHUB_TOKEN",
            "npm_config__authToken",
            "AWS_SECRET_ACCESS_KEY",
            "db_password",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PATH", "HOME", "CARGO_HOME", "KEYBOARD"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn the_end_of_a_log_has_whole_lines() {
        let log = "one\ntwo\nthree\nfour\n\n";
        assert_eq!(tail(log, 2, 100), "three\nfour");
        assert_eq!(tail(log, 10, 8), "four");
        assert_eq!(tail("ööö", 10, 3), "ö");
        assert_eq!(tail("", 10, 3), "");
    }
}
