//! Escaping of hostile text for terminals and logs.

/// The text on one line, without the characters that a terminal interprets or a reader cannot see:
/// control characters, introducers of escape sequences, bidirectional overrides, invisible
/// characters. Line breaks and tabs become spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c if is_unsafe(c) => {}
            c => out.push(c),
        }
    }

    disarm(out.trim())
}

/// Breaks up workflow commands. GitHub's runner interprets a line of a job's log that begins with
/// `::` after spaces, or has `##[` anywhere. Any word may begin a line after the text was wrapped, so
/// every `::` after a space is broken up.
fn disarm(text: &str) -> String {
    let mut out = text.replace("##[", "# #[").replace(" ::", " : :");
    if out.starts_with("::") {
        out.insert(1, ' ');
    }
    out
}

/// Characters that change how text is shown and show nothing themselves.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}'                  // soft hyphen
            | '\u{061c}'                // Arabic letter mark
            | '\u{180e}'                // Mongolian vowel separator
            | '\u{200b}'..='\u{200f}'   // zero width, directional marks
            | '\u{202a}'..='\u{202e}'   // directional embeddings and overrides
            | '\u{2060}'..='\u{206f}'   // invisible operators, directional isolates
            | '\u{feff}'                // byte order mark
            | '\u{fff9}'..='\u{fffb}'   // interlinear annotation
            | '\u{e0000}'..='\u{e007f}' // tags
        )
}

/// At most `width` characters of the text; `…` marks a cut.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_away_what_acts() {
        assert_eq!(clean("\u{1b}[31mred\u{1b}]0;title\u{7}"), "[31mred]0;title");
        assert_eq!(clean("a\u{202e}b\u{2066}c\u{200b}d\u{9b}e"), "abcde");
        assert_eq!(clean(" two\r\nlines\tand "), "two lines and");
        assert_eq!(clean("übergrößen 漢字"), "übergrößen 漢字");
    }

    #[test]
    fn takes_the_sting_out_of_workflow_commands() {
        assert_eq!(clean("::error::x"), ": :error::x");
        assert_eq!(clean("a\n::error::x ##[group]"), "a : :error::x # #[group]");
        assert_eq!(clean("std::mem"), "std::mem");
    }

    #[test]
    fn cuts_by_characters() {
        assert_eq!(cut("äöüäöü", 4), "äöü…");
        assert_eq!(cut("äöü", 3), "äöü");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in ".{0,60}|[\u{0}-\u{a0}\u{2000}-\u{206f}]{0,60}") {
            proptest::prop_assert!(!clean(&text).chars().any(is_unsafe));
        }
    }
}
