//! A text with line feeds, and the way back to its own line ends.

use crate::Input;

/// The text of a file, with line feeds and without a byte order mark.
pub(crate) struct PlainText {
    pub(crate) text: String,
    has_returns: bool,
    has_mark: bool,
}

const BOM: char = '\u{feff}';

impl PlainText {
    /// # Errors
    /// If it is not UTF-8, or it has line ends of several kinds.
    pub(crate) fn of(input: &Input<'_>) -> Result<Self, String> {
        let text = input.text().map_err(|error| error.reason)?;
        let text = text.strip_prefix(BOM).unwrap_or(text);
        let has_returns = text.contains('\r');
        let plain = text.replace("\r\n", "\n");
        let ended = plain.matches('\n').count();
        if plain.contains('\r') || (has_returns && ended != text.matches("\r\n").count()) {
            return Err("it has line ends of several kinds".to_owned());
        }

        Ok(Self {
            text: plain,
            has_returns,
            has_mark: input.bytes.starts_with("\u{feff}".as_bytes()),
        })
    }

    /// A new text as the bytes of the file.
    pub(crate) fn restore(&self, text: &str) -> Vec<u8> {
        let text = match self.has_returns {
            true => text.replace('\n', "\r\n"),
            false => text.to_owned(),
        };
        let mark = if self.has_mark { "\u{feff}" } else { "" };
        format!("{mark}{text}").into_bytes()
    }
}
