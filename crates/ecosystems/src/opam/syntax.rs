//! Lexer for opam files (its manual, "Common file format"): tokens with their lines.

use crate::ParseError;

/// A lexical element of an opam file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name or a number: `depends`, `with-test`, `true`, `10`.
    Word(&'a str),
    /// The content of a string, unescaped.
    Text(String),
    /// An operator: `=`, `>=`, `&`, `|`, `!`, `:` and so on.
    Sign(&'a str),
    /// A bracket: one of `[](){}`.
    Bracket(char),
}

/// A token with its line.
pub(super) type LocatedToken<'a> = (Token<'a>, u32);

/// Splits a file into tokens. Brackets must be balanced and strings terminated.
pub(super) fn tokens(text: &str) -> Result<Vec<LocatedToken<'_>>, ParseError> {
    let mut tokens = Vec::new();
    let mut open: Vec<(char, u32)> = Vec::new();
    let mut rest = text;
    let mut line = 1_u32;

    while let Some(first) = rest.chars().next() {
        let failed = |reason: &str| ParseError::new(reason).at_line(line as usize);
        let mut taken = first.len_utf8();
        match first {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '#' => taken = rest.find('\n').unwrap_or(rest.len()),
            '(' if rest.starts_with("(*") => {
                let end = rest.find("*)");
                taken = end.ok_or_else(|| failed("is truncated: a comment is not closed"))? + 2;
            }
            '"' => {
                let (text, length) =
                    quoted(rest).ok_or_else(|| failed("is truncated: a string is not closed"))?;
                tokens.push((Token::Text(text), line));
                taken = length;
            }
            '[' | '(' | '{' => {
                open.push((first, line));
                tokens.push((Token::Bracket(first), line));
            }
            ']' | ')' | '}' => {
                let opened = open.pop().map(|(bracket, _)| bracket);
                if !matches!(
                    (opened, first),
                    (Some('['), ']') | (Some('('), ')') | (Some('{'), '}')
                ) {
                    return Err(failed("is not an opam file: its brackets do not match"));
                }
                tokens.push((Token::Bracket(first), line));
            }
            c if is_word(c) => {
                taken = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                tokens.push((Token::Word(rest.get(..taken).unwrap_or_default()), line));
            }
            c if "=<>!&|:?~".contains(c) => {
                let two = rest.get(..2).unwrap_or_default();
                taken = if matches!(two, ">=" | "<=" | "!=" | "!~") {
                    2
                } else {
                    1
                };
                tokens.push((Token::Sign(rest.get(..taken).unwrap_or_default()), line));
            }
            c => {
                return Err(failed(&format!("is not an opam file: unexpected `{c}`")));
            }
        }

        let (passed, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        if taken > 1 {
            let breaks = passed.bytes().filter(|byte| *byte == b'\n').count();
            line += u32::try_from(breaks).unwrap_or(0);
        }

        rest = after;
    }

    match open.last() {
        None => Ok(tokens),
        Some((bracket, line)) => {
            let reason = format!("is truncated: `{bracket}` is not closed");
            Err(ParseError::new(reason).at_line(*line as usize))
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '.' | '%')
}

/// The content of the string at the start of `rest`, and its length in the source. A string in
/// triple quotes has no escapes.
fn quoted(rest: &str) -> Option<(String, usize)> {
    if let Some(inner) = rest.strip_prefix("\"\"\"") {
        let end = inner.find("\"\"\"")?;
        return Some((inner.get(..end)?.to_owned(), end + 6));
    }

    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            c => text.push(c),
        }
    }

    None
}
