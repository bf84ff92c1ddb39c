//! The envelope in the body of a pull request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The text before the envelope in base64. A comment is invisible in the rendered body.
const OPEN: &str = "<!-- patchgate:proof ";
/// The text after it.
const CLOSE: &str = " -->";
/// Largest envelope in base64 that is read, in bytes. GitHub's limit for a body is 65,536 characters.
const MAX_BYTES: usize = 256 * 1024;

/// The envelope as one HTML comment on one line.
#[must_use]
pub fn render_block(envelope: &str) -> String {
    format!("{OPEN}{}{CLOSE}", STANDARD.encode(envelope))
}

/// The envelope in a body; `None` when it has none.
///
/// # Errors
/// When there are several, or it cannot be read; a fragment without a subject.
pub fn parse_block(body: &str) -> Result<Option<Vec<u8>>, &'static str> {
    let mut parts = body.split("<!-- patchgate:proof");
    let _before = parts.next();
    let Some(rest) = parts.next() else {
        return Ok(None);
    };
    if parts.next().is_some() {
        return Err("the body has more than one `patchgate:proof` block");
    }

    let (text, _) = rest
        .split_once("-->")
        .ok_or("the body's `patchgate:proof` block has no end")?;
    if text.len() > MAX_BYTES {
        return Err("the body's `patchgate:proof` block is too long");
    }
    STANDARD
        .decode(text.trim())
        .map(Some)
        .map_err(|_| "the body's `patchgate:proof` block is not base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_it_was_written() {
        let block = render_block("{\"a\": \"-->\"}");
        assert!(!block.contains("\"a\""));
        let body = format!("Text\n\n{block}\nmore");
        assert_eq!(parse_block(&body), Ok(Some(b"{\"a\": \"-->\"}".to_vec())));
        assert_eq!(parse_block("Text"), Ok(None));
        assert!(parse_block(&format!("{block}{block}")).is_err());
        assert!(parse_block("<!-- patchgate:proof abc").is_err());
        assert!(parse_block("<!-- patchgate:proof !! -->").is_err());
        let long = "A".repeat(MAX_BYTES + 4);
        assert!(parse_block(&format!("<!-- patchgate:proof {long} -->")).is_err());
    }
}
