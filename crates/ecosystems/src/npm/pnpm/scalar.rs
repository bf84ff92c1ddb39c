//! Texts in the style of pnpm's YAML: plain where YAML reads the same text back, otherwise in single
//! quotes (<https://yaml.org/spec/1.2.2/#733-plain-style>).

/// The text of a key or a value on a line of its own. `None` for one that needs another style, such
/// as a text with line breaks.
pub(super) fn block(text: &str) -> Option<String> {
    written(text, false)
}

/// The text of a value inside `{}` or `[]`.
pub(super) fn flow(text: &str) -> Option<String> {
    written(text, true)
}

fn written(text: &str, in_flow: bool) -> Option<String> {
    if text.chars().any(char::is_control) || !text.is_ascii() {
        return None;
    }

    let is_plain = is_plain(text) && !(in_flow && text.contains([',', '[', ']', '{', '}']));
    Some(match is_plain {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "''")),
    })
}

fn is_plain(text: &str) -> bool {
    let starts_plain = text
        .chars()
        .next()
        .is_some_and(|first| !first.is_whitespace() && !"-?:,[]{}#&*!|=>'\"%@`".contains(first));
    let is_one_text = !text.contains(": ") && !text.contains(" #") && !text.ends_with([':', ' ']);

    starts_plain && is_one_text && !is_other_type(text)
}

/// Whether YAML reads the text as something else than a text.
fn is_other_type(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let is_word = matches!(
        &*lower,
        "~" | "null" | "true" | "false" | "<<" | ".inf" | ".nan"
    );
    // Numbers in all notations, and dates. Too wide a rule would quote a version, so all characters
    // must occur in a number, and a version has two points.
    let digits = lower.trim_start_matches(['+', '.']);
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && lower.matches('.').count() < 2
        && (lower.parse::<f64>().is_ok()
            || lower.replace('_', "").parse::<f64>().is_ok()
            || lower.starts_with("0x")
            || lower.starts_with("0o")
            || lower.starts_with("0b"));
    let is_date = lower.len() >= 8
        && lower.as_bytes().get(4) == Some(&b'-')
        && lower.bytes().take(4).all(|byte| byte.is_ascii_digit());

    is_word || is_number || is_date
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_yaml_would_read_otherwise() {
        for text in [
            "1.0.0",
            "^1.2.0",
            "~4.6.0",
            "npm:a@1",
            "link:../lib",
            "workspace:*",
            "1 || 2",
        ] {
            assert_eq!(block(text).as_deref(), Some(text));
        }
        for text in [
            "",
            "*",
            ">=10",
            "5",
            "1.0",
            "1e3",
            "true",
            "null",
            "@s/a@1.0.0",
            "catalog:",
            "a: b",
            "a #b",
        ] {
            assert_eq!(block(text), Some(format!("'{text}'")), "{text}");
        }

        assert_eq!(block("a, b").as_deref(), Some("a, b"));
        assert_eq!(flow("a, b").as_deref(), Some("'a, b'"));
        assert_eq!(block("don't: x").as_deref(), Some("'don''t: x'"));
        assert_eq!(block("a\nb"), None);
    }
}
