//! Escaping of hostile text for Markdown on a forge, and bodies of bounded length.

use std::fmt::Write as _;

use crate::clean::{clean, cut};

/// Text that renders literally: no markup, no HTML, no comment, no mention, no reference to an issue,
/// no cell border.
pub(crate) fn text(raw: &str) -> String {
    let raw = clean(raw);
    let mut out = String::new();
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // The forge looks for mentions and issue references in the rendered text, which has no
            // backslashes any more. An invisible character between sign and name is still there.
            '@' | '#' => {
                out.push(c);
                out.push_str("&#8203;");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }

        // GitLab's references to merge requests, milestones, labels, snippets and epics.
        let is_sigil = matches!(c, '!' | '%' | '~' | '$' | '&');
        if is_sigil
            && rest
                .peek()
                .is_some_and(|next| next.is_alphanumeric() || *next == '"')
        {
            out.push_str("&#8203;");
        }
    }

    // A bare address would become a link.
    let out = out.replace("://", "&#58;//").replace("www.", "www&#46;");
    without_numbers(&out, "&#8203;")
}

/// A text without markup, such as a title or the message of a commit, in which nobody is mentioned and
/// no issue is referred to. An invisible character is after the signs for that.
pub(crate) fn without_references(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(c);
        let is_sigil = matches!(c, '@' | '#' | '!' | '%' | '~' | '$' | '&');
        let is_name = |next: &char| next.is_alphanumeric() || *next == '"';
        if is_sigil && rest.peek().is_some_and(is_name) {
            out.push('\u{200b}');
        }
    }

    let out = out
        .replace("://", ":\u{200b}//")
        .replace("www.", "www\u{200b}.");
    without_numbers(&out, "\u{200b}")
}

/// The text with `separator` in references to issues such as `GH-12`
/// (<https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls>).
fn without_numbers(text: &str, separator: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('-') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let start = out.len().saturating_sub(2);
        let is_prefix = out
            .get(start..)
            .is_some_and(|end| end.eq_ignore_ascii_case("gh"));
        let is_number = after
            .get(1..)
            .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        if is_prefix && is_number {
            out.push_str(separator);
        }
        out.push('-');
        rest = after.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Text in a code span, in a table or outside. Mentions and markup do not work in a span, so only its
/// own end and the border of a cell are replaced.
#[must_use]
pub fn code(raw: &str) -> String {
    let inner = clean(raw)
        .replace('`', "'")
        // An escaped `|` shows its backslash outside of a table, so the character is replaced.
        .replace('|', "¦")
        .replace("<!--", "<! --");
    if inner.is_empty() {
        String::new()
    } else {
        format!("`{inner}`")
    }
}

/// A link, or only the label when [`address`] refuses the address.
pub(crate) fn link(label: &str, url: &str) -> String {
    match address(url) {
        Some(url) => format!("[{label}]({url})"),
        None => label.to_owned(),
    }
}

/// The address if it is an `http` or `https` one without a character that Markdown interprets.
pub(crate) fn address(url: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=+%,;@".contains(c);
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() <= 500 && url.chars().all(plain)).then_some(url)
}

/// A text of bounded length, built piece by piece. Pieces that do not fit are left out, and a note
/// reports that.
pub(crate) struct Body {
    text: String,
    limit: usize,
    full: bool,
}

/// Bytes reserved for the notes about omitted pieces.
const NOTE_BYTES: usize = 600;

impl Body {
    /// A body of at most `limit` bytes, of which `reserved` are for the end that [`Body::finish`] adds.
    pub(crate) fn new(limit: usize, reserved: usize) -> Self {
        Self {
            text: String::new(),
            limit: limit.saturating_sub(reserved + NOTE_BYTES),
            full: false,
        }
    }

    /// Adds a piece if it fits; returns whether it did.
    pub(crate) fn push(&mut self, piece: &str) -> bool {
        let fits = self.text.len() + piece.len() <= self.limit;
        if fits {
            self.text.push_str(piece);
        } else {
            self.full = true;
        }
        fits
    }

    /// Adds a head and as many rows as fit, and the number of those that do not. Returns the number of
    /// rows added.
    pub(crate) fn rows(&mut self, head: &str, rows: impl IntoIterator<Item = String>) -> usize {
        let rows: Vec<String> = rows.into_iter().collect();
        if rows.is_empty() || !self.push(head) {
            return 0;
        }

        let shown = rows.iter().take_while(|row| self.push(row)).count();
        let left = rows.len() - shown;
        if left > 0 {
            // This may exceed the limit: NOTE_BYTES are reserved for it.
            if self.text.len() <= self.limit + NOTE_BYTES / 2 {
                let _ = write!(self.text, "\n{left} more are omitted here.\n");
            }
        }

        self.push("\n");
        shown
    }

    /// Adds a closing tag, in the room reserved for notes if there is no other.
    pub(crate) fn close(&mut self, end: &str) {
        self.text.push_str(end);
    }

    /// The text, with `end` after it.
    pub(crate) fn finish(mut self, end: &str) -> String {
        if self.full {
            self.text
                .push_str("\nThis text was cut to the length that the forge accepts.\n");
        }
        self.text.push_str(end);
        self.text
    }
}

/// Text of at most `width` characters, counted before escaping, that renders literally: no markup, no
/// mention, no reference to an issue.
#[must_use]
pub fn short(raw: &str, width: usize) -> String {
    text(&cut(&clean(raw), width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitlabs_references_are_broken_up() {
        assert_eq!(
            text("!12 %1 ~bug ~\"a b\" $3 &4 100% a & b 5!"),
            "!&#8203;12 %&#8203;1 \\~&#8203;bug \\~&#8203;\"a b\" \\$&#8203;3 &amp;&#8203;4 100% a &amp; b 5!"
        );
    }

    #[test]
    fn references_in_titles_are_broken_up() {
        assert_eq!(
            without_references("Update qs to 6.5.3"),
            "Update qs to 6.5.3"
        );
        assert_eq!(
            without_references("@a/b fixes #1, GH-2 and gh-x at https://x.invalid"),
            "@\u{200b}a/b fixes #\u{200b}1, GH\u{200b}-2 and gh-x at https:\u{200b}//x.invalid"
        );
        assert_eq!(
            text("closes GH-12, GHSA-1-2"),
            "closes GH&#8203;-12, GHSA-1-2"
        );
    }

    #[test]
    fn text_shows_as_it_is() {
        assert_eq!(
            text("a|b `c` <img> <!-- x --> @me #1\nhttps://x.invalid [y](z)"),
            "a\\|b \\`c\\` &lt;img&gt; &lt;!-- x --&gt; @&#8203;me #&#8203;1 https&#58;//x.invalid \\[y\\](z)"
        );
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(
            code("a`b|c\n<!-- patchgate:plan"),
            "`a'b¦c <! -- patchgate:plan`"
        );
        assert_eq!(code("@babel/core"), "`@babel/core`");
        assert_eq!(code("\u{1b}"), "");
    }

    #[test]
    fn only_plain_addresses_become_links() {
        assert_eq!(
            link("x", "https://a.invalid/b?c=d#e"),
            "[x](https://a.invalid/b?c=d#e)"
        );
        for url in [
            "javascript:alert(1)",
            "https://a.invalid/)b",
            "https://a b",
            "ftp://a",
        ] {
            assert_eq!(link("x", url), "x");
        }
    }

    #[test]
    fn a_body_keeps_its_length_and_says_what_is_missing() {
        let mut body = Body::new(2_000, 100);
        body.rows("head\n", (0..500).map(|n| format!("row {n}\n")));
        let text = body.finish(&"e".repeat(100));
        assert!(text.len() <= 2_000, "{}", text.len());
        assert!(text.contains("more are omitted here"));
        assert!(text.contains("cut to the length"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_gets_out_of_a_cell(raw in "(?s).{0,60}|[<>|`@#\\\\\\[\\]!*_&\n a-c:/-]{0,60}") {
            let cell = text(&raw);
            proptest::prop_assert!(!cell.contains(['<', '>', '\n', '\r']));

            // Every sign of markup follows its own backslash.
            let mut escaped = false;
            for c in cell.chars() {
                if escaped {
                    escaped = false;
                } else if c == '\\' {
                    escaped = true;
                } else {
                    proptest::prop_assert!(!"|`*_[]~$".contains(c), "{}", cell);
                }
            }

            let span = code(&raw);
            proptest::prop_assert!(span.is_empty() || span.matches('`').count() == 2);
            proptest::prop_assert!(!span.contains(['|', '\n', '\r']));
        }
    }
}
