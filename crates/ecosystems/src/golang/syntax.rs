//! Syntax shared by `go.mod` and `go.work` (<https://go.dev/ref/mod#go-mod-file-lexical>): one
//! directive per line, or several of one verb in parentheses. The meaning of the verbs is in
//! `directives`.

use std::borrow::Cow;

use crate::{ParseError, limits};

/// A verb with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive<'a> {
    /// Line number, from 1.
    pub(super) line: u32,
    /// The keyword: `require`, `replace`, and so on.
    pub(super) verb: Cow<'a, str>,
    /// The words after the verb, without quotes.
    pub(super) words: Vec<Cow<'a, str>>,
    /// The comment at the end of the line, without `//`.
    pub(super) comment: &'a str,
}

impl Directive<'_> {
    /// An error at the line of the directive.
    pub(super) fn error(&self, reason: impl Into<String>) -> ParseError {
        ParseError::new(reason).at_line(self.line as usize)
    }
}

/// Splits a file into its directives, in file order.
pub(super) fn directives(text: &str) -> Result<Vec<Directive<'_>>, ParseError> {
    let mut parsed = Vec::new();
    let mut block: Option<(Cow<'_, str>, u32)> = None;
    for (line, content) in (1u32..).zip(text.lines()) {
        let (mut words, comment) =
            words(content).map_err(|reason| ParseError::new(reason).at_line(line as usize))?;
        if words.is_empty() {
            continue;
        }

        let closes = matches!(words.as_slice(), [only] if only == ")");
        let opens = words.len() == 2 && words.last().is_some_and(|word| word == "(");
        match (&block, closes, opens) {
            (Some(_), true, _) => block = None,
            (None, true, _) => {
                return Err(
                    ParseError::new("closes a block that is not open").at_line(line as usize)
                );
            }
            (Some(_), _, true) => {
                return Err(ParseError::new("opens a block within a block").at_line(line as usize));
            }
            (None, _, true) => block = Some((words.swap_remove(0), line)),
            (open, false, false) => {
                let verb = match open {
                    Some((verb, _)) => verb.clone(),
                    None => words.remove(0),
                };
                parsed.push(Directive {
                    line,
                    verb,
                    words,
                    comment,
                });
            }
        }

        if parsed.len() > limits::MAX_PACKAGES {
            return Err(ParseError::new(format!(
                "contains more than {} directives",
                limits::MAX_PACKAGES
            )));
        }
    }

    if let Some((verb, line)) = block {
        return Err(
            ParseError::new(format!("is truncated: the block `{verb} (` is not closed"))
                .at_line(line as usize),
        );
    }

    ends_whole(text)?;
    Ok(parsed)
}

/// Refuses a file that stops within a line, because `v1.2.3` may have been `v1.2.30`. Go ends its
/// files with a line break, but reads one that a person wrote without.
pub(super) fn ends_whole(text: &str) -> Result<(), ParseError> {
    let last = text.lines().last().unwrap_or_default().trim_start();
    if text.ends_with('\n') || is_whole(last) {
        return Ok(());
    }

    Err(
        ParseError::new("is truncated: its last line does not end with a line break")
            .at_line(text.lines().count())
            .with_hint("if the file is whole, end its last line with a line break, as Go does"),
    )
}

/// Whether nothing of a last line can be missing that changes the list of modules: it is a closing
/// parenthesis, or states the module itself or a version of Go.
fn is_whole(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [")"] | ["module", _] => true,
        ["go", version] => {
            let parts: Vec<&str> = version.split('.').collect();
            // `1.2` may have been `1.20`, which is why two digits are needed.
            matches!(parts.as_slice(), ["1", minor, ..] if minor.len() >= 2)
        }
        _ => false,
    }
}

/// The words of a line and its comment.
fn words(line: &str) -> Result<(Vec<Cow<'_, str>>, &str), String> {
    let mut words = Vec::new();
    let mut rest = line;

    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return Ok((words, ""));
        };
        if let Some(comment) = rest.strip_prefix("//") {
            return Ok((words, comment.trim()));
        }
        if rest.starts_with("/*") {
            return Err("has a `/*` comment, which Go does not allow there".to_owned());
        }

        let (word, after) = match first {
            '"' => quoted(rest.get(1..).unwrap_or_default())?,
            '`' => {
                let (word, after) = rest
                    .get(1..)
                    .and_then(|rest| rest.split_once('`'))
                    .ok_or("has an unterminated string")?;
                (Cow::Borrowed(word), after)
            }
            '(' | ')' | '[' | ']' | ',' => {
                let (word, after) = rest.split_at(1);
                (Cow::Borrowed(word), after)
            }
            _ => {
                let (word, after) = rest.split_at(word_end(rest));
                (Cow::Borrowed(word), after)
            }
        };
        words.push(word);
        rest = after;
    }
}

/// The length of the unquoted word at the start of `text`; at least one character.
fn word_end(text: &str) -> usize {
    text.char_indices()
        .find(|(at, c)| {
            c.is_whitespace()
                || matches!(c, '(' | ')' | '[' | ']' | ',' | '"' | '`')
                || text.get(*at..).is_some_and(|rest| rest.starts_with("//"))
        })
        .map_or(text.len(), |(at, _)| at)
        .max(text.chars().next().map_or(0, char::len_utf8))
}

/// Unescapes a double-quoted string whose opening quote is already consumed, and returns it with
/// the rest of the line.
fn quoted(text: &str) -> Result<(Cow<'_, str>, &str), String> {
    let mut unescaped = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => {
                let after = text.get(at + 1..).unwrap_or_default();
                return Ok((Cow::Owned(unescaped), after));
            }
            '\\' => match characters.next() {
                Some((_, c @ ('"' | '\\'))) => unescaped.push(c),
                _ => {
                    return Err(
                        "has a string with an escape other than `\\\\` and `\\\"`".to_owned()
                    );
                }
            },
            c => unescaped.push(c),
        }
    }

    Err("has an unterminated string".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        directives(text)
            .unwrap()
            .iter()
            .map(|one| {
                format!(
                    "{} {} {:?} {:?}",
                    one.line, one.verb, one.words, one.comment
                )
            })
            .collect()
    }

    #[test]
    fn blocks_and_lines_give_the_same_directives() {
        assert_eq!(
            shown(
                "// Deprecated: no\nrequire (\n\ta v1 // indirect\n\n\t\"b\" `v2`\n)\nrequire c v3//x\n"
            ),
            [
                r#"3 require ["a", "v1"] "indirect""#,
                r#"5 require ["b", "v2"] """#,
                r#"7 require ["c", "v3"] "x""#,
            ]
        );
        assert_eq!(
            shown("retract [v1.0.0, v1.1.0]\nreplace a=>b v1\n"),
            [
                r#"1 retract ["[", "v1.0.0", ",", "v1.1.0", "]"] """#,
                r#"2 replace ["a=>b", "v1"] """#,
            ]
        );
    }

    #[test]
    fn what_is_not_of_the_syntax_is_refused() {
        for (text, reason) in [
            (
                "require (\n",
                "is truncated: the block `require (` is not closed",
            ),
            (")\n", "closes a block that is not open"),
            ("require (\nreplace (\n", "opens a block within a block"),
            ("module \"a\n", "has an unterminated string"),
            ("module `a\n", "has an unterminated string"),
            (
                "module \"\\x41\"\n",
                "has a string with an escape other than `\\\\` and `\\\"`",
            ),
            (
                "/* a */\n",
                "has a `/*` comment, which Go does not allow there",
            ),
            (
                "go 1.2",
                "is truncated: its last line does not end with a line break",
            ),
        ] {
            assert_eq!(directives(text).unwrap_err().reason, reason, "{text}");
        }
    }
}
