//! Text from outside, made safe to stand in Markdown on a forge, and bodies of bounded length.

use std::fmt::Write as _;

use crate::clean::{clean, cut};

/// Text that shows as it is: no markup, no HTML, no comment, no mention, no reference to an issue,
/// no cell border.
pub(crate) fn text(raw: &str) -> String {
    let mut out = String::new();
    for c in clean(raw).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A mention or an issue reference is looked for in the rendered text, where an escape
            // is gone; an invisible character between the sign and the name is not.
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
    }
    // A bare address would become a link.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

/// Text in a code span, within or outside a table. Mentions and markup are dead in there; only the
/// span's own end and a cell's border must be kept out.
pub(crate) fn code(raw: &str) -> String {
    let inner = clean(raw)
        .replace('`', "'")
        // The cell's border cannot be escaped in a way that holds both within and outside a table.
        .replace('|', "¦")
        .replace("<!--", "<! --");
    if inner.is_empty() {
        String::new()
    } else {
        format!("`{inner}`")
    }
}

/// A link, or the label alone when the address is not a plain one.
pub(crate) fn link(label: &str, url: &str) -> String {
    match address(url) {
        Some(url) => format!("[{label}]({url})"),
        None => label.to_owned(),
    }
}

/// The address when it is of the web and has no character that means something to Markdown.
pub(crate) fn address(url: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=+%,;@".contains(c);
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() <= 500 && url.chars().all(plain)).then_some(url)
}

/// Text of a bounded length, built piece by piece. What does not fit is counted, and a note says so.
pub(crate) struct Body {
    text: String,
    limit: usize,
    full: bool,
}

/// Bytes kept for the notes about what was left out.
const NOTE_BYTES: usize = 600;

impl Body {
    /// A body of at most `limit` bytes, of which `reserved` are kept for what [`Body::finish`] adds.
    pub(crate) fn new(limit: usize, reserved: usize) -> Self {
        Self {
            text: String::new(),
            limit: limit.saturating_sub(reserved + NOTE_BYTES),
            full: false,
        }
    }

    /// Adds a piece when it fits.
    pub(crate) fn push(&mut self, piece: &str) -> bool {
        let fits = self.text.len() + piece.len() <= self.limit;
        if fits {
            self.text.push_str(piece);
        } else {
            self.full = true;
        }
        fits
    }

    /// Adds a head and as many rows as fit; of the others, their number. Returns how many stand.
    pub(crate) fn rows(&mut self, head: &str, rows: impl IntoIterator<Item = String>) -> usize {
        let rows: Vec<String> = rows.into_iter().collect();
        if rows.is_empty() || !self.push(head) {
            return 0;
        }

        let shown = rows.iter().take_while(|row| self.push(row)).count();
        let left = rows.len() - shown;
        if left > 0 {
            // Written past the limit: that is what NOTE_BYTES is for.
            if self.text.len() <= self.limit + NOTE_BYTES / 2 {
                let _ = write!(self.text, "\n{left} more are left out here.\n");
            }
        }

        self.push("\n");
        shown
    }

    /// Adds the end of something that was opened, in the room for notes when there is no other.
    pub(crate) fn close(&mut self, end: &str) {
        self.text.push_str(end);
    }

    /// The text with its end.
    pub(crate) fn finish(mut self, end: &str) -> String {
        if self.full {
            self.text
                .push_str("\nThis text is cut to the length that the forge accepts.\n");
        }
        self.text.push_str(end);
        self.text
    }
}

/// Text as [`text`], of at most `width` characters before it is escaped.
pub(crate) fn short(raw: &str, width: usize) -> String {
    text(&cut(&clean(raw), width))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(text.contains("more are left out here"));
        assert!(text.contains("cut to the length"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_gets_out_of_a_cell(raw in "(?s).{0,60}|[<>|`@#\\\\\\[\\]!*_&\n a-c:/-]{0,60}") {
            let cell = text(&raw);
            proptest::prop_assert!(!cell.contains(['<', '>', '\n', '\r']));

            // Every sign of markup stands behind exactly its own backslash.
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
