//! Width and color of the terminal that a text is made for, and the wrapping of words.

use anstyle::{AnsiColor, Style};

/// The terminal, file or pipe that text is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Width in columns. Values outside of 60 to 160 are clamped.
    pub width: usize,
    /// Whether texts contain escape sequences for color.
    pub color: bool,
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

    /// Wraps words into lines of at most the terminal's width. Each line is indented by `indent`
    /// spaces; the first begins with `label`, which has at most `indent` characters. A word that is
    /// longer than a line gets a line of its own and is not cut: a user may want to copy it.
    pub(crate) fn wrap(self, label: &str, indent: usize, text: &str) -> Vec<String> {
        let width = self.columns().saturating_sub(indent).max(20);
        let mut lines: Vec<String> = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }

        lines
            .iter()
            .enumerate()
            .map(|(index, line)| {
                let label = if index == 0 { label } else { "" };
                format!("{label:<indent$}{line}")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_words_and_keeps_long_ones() {
        let terminal = Terminal {
            width: 60,
            color: false,
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
    fn colours_only_when_told() {
        let plain = Terminal {
            width: 80,
            color: false,
        };
        assert_eq!(plain.paint(RED, "a"), "a");

        let color = Terminal {
            color: true,
            ..plain
        };
        assert_eq!(color.paint(RED, "a"), "\u{1b}[31ma\u{1b}[0m");
    }
}
