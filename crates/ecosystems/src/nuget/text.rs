//! Decoding of files that may be UTF-16, as Visual Studio writes some XML files.

use std::borrow::Cow;

use crate::{Input, ParseError, limits};

/// The content as text: UTF-16 if it has that byte order mark, otherwise as in [`Input::text`].
///
/// # Errors
/// As [`Input::text`], and if UTF-16 is truncated within a character.
pub(super) fn text<'a>(input: &Input<'a>) -> Result<Cow<'a, str>, ParseError> {
    let decode: fn([u8; 2]) -> u16 = match input.bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return input.text().map(Cow::Borrowed),
    };
    let pairs = input.bytes.chunks_exact(2);
    if input.bytes.len() > limits::MAX_FILE_BYTES || !pairs.remainder().is_empty() {
        return Err(ParseError::new(
            "has a UTF-16 byte order mark but is not valid UTF-16",
        ));
    }

    let units = pairs.filter_map(|pair| Some(decode([*pair.first()?, *pair.get(1)?])));
    let decoded: String = char::decode_utf16(units)
        .collect::<Result<_, _>>()
        .map_err(|_| ParseError::new("has a UTF-16 byte order mark but is not valid UTF-16"))?;
    let checked = Input {
        bytes: decoded.as_bytes(),
        ..*input
    };

    Ok(Cow::Owned(checked.text()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Siblings;

    #[test]
    fn both_byte_orders_are_read() {
        let read = |bytes: &[u8]| {
            let siblings = Siblings::new();
            text(&Input {
                path: "packages.config",
                bytes,
                siblings: &siblings,
            })
            .map(Cow::into_owned)
        };
        assert_eq!(read(b"\xff\xfea\0\xe4\0").as_deref(), Ok("aä"));
        assert_eq!(read(b"\xfe\xff\0a\0\xe4").as_deref(), Ok("aä"));
        assert_eq!(read(b"\xef\xbb\xbfa").as_deref(), Ok("a"));

        for cut in [
            b"\xff\xfea".as_slice(),
            b"\xff\xfe\x00\xd8",
            b"\xff\xfe\0\0",
            b"\xff\xfe",
        ] {
            assert!(read(cut).is_err(), "{cut:?}");
        }
    }
}
