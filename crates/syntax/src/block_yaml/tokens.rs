//! The tokens of one line: dashes, keys, plain and quoted scalars. Each function returns `None` for
//! anything that YAML could read in another way.

use std::borrow::Cow;

use crate::node::Value;

/// Longest key that is read here, in bytes. YAML's own limit of 1,024 counts characters.
const MAX_KEY_BYTES: usize = 4 * 1024;

/// The text after the dash of a list's item; `None` for another line.
pub(super) fn item(content: &str) -> Option<&str> {
    let rest = content.strip_prefix("- ")?.trim_start_matches(' ');
    (!rest.is_empty()).then_some(rest)
}

/// The key at the start of a line, and the text after its colon.
pub(super) fn key(content: &str) -> Option<(Cow<'_, str>, &str)> {
    let (name, rest) = match content.as_bytes().first()? {
        b'"' | b'\'' => {
            let (name, rest) = quoted(content)?;
            (name, rest.strip_prefix(':')?)
        }
        _ => {
            let end = colon(content)?;
            let name = content.get(..end)?;
            match plain(name)? {
                Value::Text(name) => (name, content.get(end + 1..)?),
                _ => return None,
            }
        }
    };
    if name.len() > MAX_KEY_BYTES || !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }

    let value = rest.trim_start_matches(' ');
    // Spaces after the colon without a value are left to the parser.
    (value.is_empty() == rest.is_empty()).then_some((name, value))
}

/// The key of an entry of a map in brackets, and the text after its colon.
pub(super) fn flow_key(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let (name, rest) = match text.as_bytes().first()? {
        b'"' | b'\'' => quoted(text)?,
        _ => {
            let end = colon(text)?;
            let (name, rest) = text.split_at(end);
            if name.contains([',', '[', ']', '{', '}', '\'', '"']) {
                return None;
            }
            match plain(name)? {
                Value::Text(name) => (name, rest),
                _ => return None,
            }
        }
    };

    let value = rest.strip_prefix(": ")?.trim_start_matches(' ');
    (name.len() <= MAX_KEY_BYTES && !value.is_empty()).then_some((name, value))
}

/// The index of the colon that ends a plain key: the first one before a space or the end.
fn colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().find_map(|(at, byte)| {
        (*byte == b':' && matches!(bytes.get(at + 1), None | Some(b' '))).then_some(at)
    })
}

/// A plain scalar. The whole text must be one, without a character that YAML could interpret.
pub(super) fn plain(text: &str) -> Option<Value<'_>> {
    let bytes = text.as_bytes();
    let first = bytes.first()?;
    let starts = !matches!(
        first,
        b'-' | b'?'
            | b':'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'#'
            | b'&'
            | b'*'
            | b'!'
            | b'|'
            | b'>'
            | b'\''
            | b'"'
            | b'%'
            | b'@'
            | b'`'
            | b' '
    );
    if !starts || matches!(bytes.last(), Some(b' ' | b':')) {
        return None;
    }

    let mut previous = b'x';
    for byte in bytes {
        match (previous, byte) {
            (b':', b' ' | b',' | b'[' | b']' | b'{' | b'}') | (b' ', b'#') => return None,
            _ => previous = *byte,
        }
    }

    Some(match text {
        "~" | "null" | "Null" | "NULL" => Value::Null,
        text => Value::Text(Cow::Borrowed(text)),
    })
}

/// A text in quotes, and the text after it. `''` is the only escape that is read.
pub(super) fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    if let Some(inner) = text.strip_prefix('"') {
        let end = inner.find(['"', '\\'])?;
        let (text, rest) = inner.split_at(end);
        return Some((Cow::Borrowed(text), rest.strip_prefix('"')?));
    }

    let inner = text.strip_prefix('\'')?;
    let mut from = 0;

    loop {
        let end = from + inner.get(from..)?.find('\'')?;
        let rest = inner.get(end + 1..)?;
        if rest.starts_with('\'') {
            from = end + 2;
            continue;
        }

        let text = inner.get(..end)?;
        let text = match from {
            0 => Cow::Borrowed(text),
            _ => Cow::Owned(text.replace("''", "'")),
        };
        return Some((text, rest));
    }
}
