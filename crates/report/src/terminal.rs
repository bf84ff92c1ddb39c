//! Width and color of the terminal that a text is made for, and the wrapping of words.
//!
//! Lines are wrapped between words. On a terminal a word that is longer than a line is broken, since
//! the terminal would break it at the edge. Elsewhere it stays whole: a user may search for it.

use anstyle::{AnsiColor, Style};

use crate::markdown::address;

/// The terminal, file or pipe that text is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Width in columns. Values outside of 60 to 160 are clamped.
    pub width: usize,
    /// Whether texts contain escape sequences for color.
    pub color: bool,
    /// Whether the text is shown on a terminal, where its end is seen first, and a link can be
    /// opened (OSC 8, <https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda>).
    pub interactive: bool,
}

/// A piece of a text with one style, as words that can be wrapped. The text must be cleaned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Span {
    text: String,
    style: Style,
    url: Option<String>,
}

impl Span {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::styled(Style::new(), text)
    }

    pub(crate) fn styled(style: Style, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            style,
            url: None,
        }
    }

    /// The piece as a link on a terminal, if the address is one that may be shown.
    pub(crate) fn linked(self, url: Option<&str>) -> Self {
        Self {
            url: url.and_then(address).map(str::to_owned),
            ..self
        }
    }
}

/// Fewest columns that text is laid out for.
const MIN_WIDTH: usize = 60;
/// Most columns that are used: longer lines are hard to read.
const MAX_WIDTH: usize = 160;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default();
pub(crate) const RED_BOLD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

impl Terminal {
    pub(crate) fn columns(self) -> usize {
        self.width.clamp(MIN_WIDTH, MAX_WIDTH)
    }

    /// The text in a style, or unchanged without color.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Wraps the words of several pieces, with a space between two, into lines of at most the
    /// terminal's width. The first line begins with `label`, which has `indent` columns and may be
    /// painted; the other lines are indented.
    pub(crate) fn flow(self, label: &str, indent: usize, spans: &[Span]) -> Vec<String> {
        let width = self.columns().saturating_sub(indent).max(20);
        let words = spans
            .iter()
            .flat_map(|span| span.text.split(' ').map(move |word| (word, span)))
            .filter(|(word, _)| !word.is_empty());

        // Each line as runs of text, each with the span that it comes from.
        let mut lines: Vec<Vec<(String, &Span)>> = vec![Vec::new()];
        let mut used = 0;
        for (word, span) in words {
            if used > 0 && used + 1 + word.chars().count() > width {
                lines.push(Vec::new());
                used = 0;
            }
            let mut rest = word;
            while self.interactive && rest.chars().count() > width {
                let (head, tail) = break_at(rest, width);
                push(&mut lines, head, span);
                lines.push(Vec::new());
                rest = tail;
            }
            used += usize::from(used > 0) + rest.chars().count();
            push(&mut lines, rest, span);
        }

        let show = |runs: &Vec<(String, &Span)>| {
            let shown: Vec<String> = runs
                .iter()
                .map(|(text, span)| self.show(text, span))
                .collect();
            shown.join(" ")
        };
        let mut shown: Vec<String> = Vec::with_capacity(lines.len());
        for (index, runs) in lines.iter().enumerate() {
            shown.push(match index {
                0 => format!("{label}{}", show(runs)),
                _ => format!("{:indent$}{}", "", show(runs)),
            });
        }

        shown
    }

    /// A word in its style, as a link on a terminal.
    fn show(self, word: &str, span: &Span) -> String {
        let painted = self.paint(span.style, word);
        match &span.url {
            Some(url) if self.interactive => {
                format!("\u{1b}]8;;{url}\u{1b}\\{painted}\u{1b}]8;;\u{1b}\\")
            }
            _ => painted,
        }
    }

    /// Wraps words into lines of at most the terminal's width. Each line is indented by `indent`
    /// spaces; the first begins with `label`, which has at most `indent` characters. No word is cut.
    pub(crate) fn wrap(self, label: &str, indent: usize, text: &str) -> Vec<String> {
        if text.trim().is_empty() {
            return Vec::new();
        }
        let label = format!("{label:<indent$}");
        self.flow(&label, indent, &[Span::new(text)])
    }
}

/// Adds a word to the last line.
fn push<'a>(lines: &mut [Vec<(String, &'a Span)>], word: &str, span: &'a Span) {
    let Some(line) = lines.last_mut() else { return };
    match line.last_mut() {
        Some((run, of)) if std::ptr::eq(*of, span) => {
            run.push(' ');
            run.push_str(word);
        }
        _ => line.push((word.to_owned(), span)),
    }
}

/// Breaks a long word so that the first part has at most `width` characters: after the last `/`, `-`,
/// `.` or `,` if the part remains longer than half a line, else anywhere.
fn break_at(word: &str, width: usize) -> (&str, &str) {
    let mut after_sign = None;
    for (count, (index, c)) in word.char_indices().enumerate() {
        if count == width {
            return word.split_at(after_sign.unwrap_or(index));
        }
        if count >= width / 2 && "/-.,".contains(c) {
            after_sign = Some(index + c.len_utf8());
        }
    }

    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_words_and_keeps_long_ones() {
        let terminal = Terminal {
            width: 60,
            color: false,
            interactive: false,
        };
        let long = "x".repeat(70);
        let lines = terminal.wrap("  at", 6, &format!("{} {long} end", "word ".repeat(12)));

        assert_eq!(
            lines,
            [
                format!("  at  {}", "word ".repeat(10) + "word"),
                "      word".to_owned(),
                format!("      {long}"),
                "      end".to_owned(),
            ]
        );
    }

    #[test]
    fn breaks_long_words_on_a_terminal_only() {
        let terminal = |interactive| Terminal {
            width: 60,
            color: false,
            interactive,
        };
        let name = format!("{}/{}", "a".repeat(40), "b".repeat(40));
        let spans = [Span::new("in"), Span::new(name.as_str())];

        assert_eq!(
            terminal(true).flow("x ", 2, &spans),
            [
                "x in".to_owned(),
                format!("  {}/", "a".repeat(40)),
                format!("  {}", "b".repeat(40)),
            ]
        );
        assert_eq!(
            terminal(false).flow("x ", 2, &spans),
            ["x in".to_owned(), format!("  {name}")]
        );
        for line in terminal(true).flow("", 0, &[Span::new("c".repeat(130))]) {
            assert!(line.len() <= 60, "{line}");
        }
    }

    #[test]
    fn links_only_on_a_terminal_and_only_to_safe_addresses() {
        let show = |interactive, url: &str| {
            let terminal = Terminal {
                width: 60,
                color: false,
                interactive,
            };
            let span = Span::new("GHSA-1").linked(Some(url));
            terminal.flow("", 0, &[span]).concat()
        };
        let url = "https://advisories.invalid/GHSA-1";

        assert_eq!(
            show(true, url),
            format!("\u{1b}]8;;{url}\u{1b}\\GHSA-1\u{1b}]8;;\u{1b}\\")
        );
        assert_eq!(show(false, url), "GHSA-1");
        assert_eq!(show(true, "javascript:alert(1)"), "GHSA-1");
        assert_eq!(show(true, "https://a.invalid/\u{1b}]0;x"), "GHSA-1");
    }

    #[test]
    fn colours_only_when_told() {
        let plain = Terminal {
            width: 80,
            color: false,
            interactive: false,
        };
        assert_eq!(plain.paint(RED, "a"), "a");

        let color = Terminal {
            color: true,
            ..plain
        };
        assert_eq!(color.paint(RED, "a"), "\u{1b}[31ma\u{1b}[0m");
    }
}
