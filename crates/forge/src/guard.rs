//! Guards for texts that are written to a forge.
//!
//! `patchgate-report` escapes text from outside, so that it mentions no person and closes no issue. A
//! line that starts with `/` is a second danger: GitLab executes it as a quick action
//! (<https://docs.gitlab.com/user/project/quick_actions/>), and bots on other forges do the same.

/// The text with no line that a forge or a bot would execute as a command.
///
/// Markdown shows `\/` as `/`.
#[must_use]
pub fn without_commands(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        let rest = line.trim_start();
        if rest.starts_with('/') {
            out.push_str(line.get(..line.len() - rest.len()).unwrap_or_default());
            out.push('\\');
            out.push_str(rest);
        } else {
            out.push_str(line);
        }
    }

    out
}

#[cfg(test)]
mod tests {
    use super::without_commands;

    #[test]
    fn no_line_starts_with_a_command() {
        for (text, guarded) in [
            ("/merge", "\\/merge"),
            ("a /merge", "a /merge"),
            (
                "a\n  /approve\n/label ~x\r\n",
                "a\n  \\/approve\n\\/label ~x\r\n",
            ),
            ("a\r/close", "a\r\\/close"),
            ("a\u{2003}\n\u{2003}/close", "a\u{2003}\n\u{2003}\\/close"),
            ("", ""),
        ] {
            assert_eq!(without_commands(text), guarded);
            assert_eq!(without_commands(guarded), guarded, "it is not stable");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_is(text in "[ /a\\n\\r\\t\\\\]{0,40}") {
            for line in without_commands(&text).split(['\n', '\r']) {
                proptest::prop_assert!(!line.trim_start().starts_with('/'));
            }
        }
    }
}
