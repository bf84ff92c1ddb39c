//! Words, texts and signs of a build script, without its comments.

use std::ops::Range;

/// A part of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a number.
    Word(Range<usize>),
    /// What is in quotes. It is plain if it is in one line and nothing is put into it.
    Text {
        content: Range<usize>,
        is_plain: bool,
    },
    /// Any other character that is not blank, with its position.
    Sign(char, usize),
}

/// The parts of a script. A text without an end goes to the end of the script and is not plain.
pub(super) fn tokens(script: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = script.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = script.get(at..).unwrap_or_default();
        if rest.starts_with("//") || (at == 0 && rest.starts_with("#!")) {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += rest.find("*/").map_or(rest.len(), |end| end + 2);
        } else if let Some(open) = ["\"\"\"", "'''"].iter().find(|one| rest.starts_with(**one)) {
            let end = rest.get(3..).and_then(|text| text.find(open));
            let end = end.map_or(script.len(), |end| at + 3 + end);
            found.push(Token::Text {
                content: at + 3..end.max(at + 3).min(script.len()),
                is_plain: false,
            });
            at = (end + 3).min(script.len());
        } else if next == '"' || next == '\'' {
            at = text(script, at, next, &mut found);
        } else if next == '/' && begins_pattern(&found) {
            at = pattern(script, at, &mut found);
        } else if next.is_alphanumeric() || next == '_' {
            let is_part = |one: char| one.is_alphanumeric() || one == '_';
            let length = rest.find(|one| !is_part(one)).unwrap_or(rest.len());
            found.push(Token::Word(at..at + length));
            at += length;
        } else {
            if !next.is_whitespace() {
                found.push(Token::Sign(next, at));
            }
            at += next.len_utf8();
        }
    }
    found
}

/// Reads a text in one line, and returns the position after it.
fn text(script: &str, start: usize, quote: char, found: &mut Vec<Token>) -> usize {
    let mut is_plain = true;
    let body = script.get(start + 1..).unwrap_or_default();
    let mut escaped = false;
    for (offset, one) in body.char_indices() {
        let at = start + 1 + offset;
        match one {
            _ if escaped => escaped = false,
            '\\' => (escaped, is_plain) = (true, false),
            '$' if quote == '"' => is_plain = false,
            '\n' => {
                found.push(Token::Text {
                    content: start + 1..at,
                    is_plain: false,
                });
                return at;
            }
            _ if one == quote => {
                found.push(Token::Text {
                    content: start + 1..at,
                    is_plain,
                });
                return at + 1;
            }
            _ => {}
        }
    }

    found.push(Token::Text {
        content: start + 1..script.len(),
        is_plain: false,
    });
    script.len()
}

/// Whether a slash begins a text of Groovy (`~/…/`) and is no division.
fn begins_pattern(before: &[Token]) -> bool {
    match before.last() {
        None => true,
        Some(Token::Sign(sign, _)) => !matches!(sign, ')' | ']' | '}'),
        Some(Token::Word(_) | Token::Text { .. }) => false,
    }
}

/// Reads a text between slashes, if it ends in the same line.
fn pattern(script: &str, start: usize, found: &mut Vec<Token>) -> usize {
    let body = script.get(start + 1..).unwrap_or_default();
    let line = body.lines().next().unwrap_or_default();
    let mut escaped = false;
    for (offset, one) in line.char_indices() {
        if one == '/' && !escaped {
            let end = start + 1 + offset;
            found.push(Token::Text {
                content: start + 1..end,
                is_plain: false,
            });
            return end + 1;
        }
        escaped = one == '\\' && !escaped;
    }

    found.push(Token::Sign('/', start));
    start + 1
}
