//! Parser for the subset of Elixir's syntax in a file of literal terms: maps, tuples, lists,
//! strings, atoms and numbers. Nothing is evaluated; anything that needs evaluation is an error.

use crate::{ParseError, limits};

/// Deepest nesting. Mix nests five levels.
const MAX_DEPTH: usize = 32;

/// A literal with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Line on which the term begins, from 1.
    pub(super) line: u32,
    /// The literal itself, without its position.
    pub(super) kind: Kind,
}

/// The kinds of literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A double-quoted string, without its quotes.
    Text(String),
    /// An atom, a bare word or a number: `:hex`, `true`, `12`.
    Atom(String),
    /// A list: `[a, b]`.
    List(Vec<Term>),
    /// A tuple: `{a, b}`.
    Tuple(Vec<Term>),
    /// A map: `%{a => b}`.
    Map(Vec<Term>),
    /// A key with its value, inside a map or a list.
    Pair(String, Box<Term>),
}

impl Term {
    /// The content of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The name of an atom, a word or a number.
    pub(super) fn atom(&self) -> Option<&str> {
        match &self.kind {
            Kind::Atom(name) => Some(name),
            _ => None,
        }
    }

    /// The items of a tuple.
    pub(super) fn tuple(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of a key in a keyword list.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.list()?.iter().find_map(|item| match &item.kind {
            Kind::Pair(key, value) if key == name => Some(&**value),
            _ => None,
        })
    }
}

/// Parses a text that consists of one term.
pub(super) fn read(text: &str) -> Result<Term, ParseError> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        left: limits::MAX_NODES,
    };
    let term = reader.term(0)?;
    reader.skip();

    match reader.rest.is_empty() {
        true => Ok(term),
        false => Err(reader.failed("continues after its term")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: u32,
    left: usize,
}

impl<'a> Reader<'a> {
    fn failed(&self, reason: &str) -> ParseError {
        ParseError::new(reason).at_line(self.line as usize)
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            let passed = self.rest.len() - trimmed.len();
            let passed = self.rest.get(..passed).unwrap_or_default();
            let breaks = passed.bytes().filter(|byte| *byte == b'\n').count();
            self.line += u32::try_from(breaks).unwrap_or(0);
            self.rest = trimmed;
            if !trimmed.starts_with('#') {
                return;
            }

            let end = trimmed.find('\n').unwrap_or(trimmed.len());
            self.rest = trimmed.get(end..).unwrap_or_default();
        }
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn term(&mut self, depth: usize) -> Result<Term, ParseError> {
        self.skip();
        let line = self.line;
        self.left = self
            .left
            .checked_sub(1)
            .filter(|_| depth <= MAX_DEPTH)
            .ok_or_else(|| self.failed("is nested too deeply, or too large"))?;
        let kind = if self.take("%{") {
            Kind::Map(self.items("}", depth)?)
        } else if self.take("{") {
            Kind::Tuple(self.items("}", depth)?)
        } else if self.take("[") {
            Kind::List(self.items("]", depth)?)
        } else if self.rest.starts_with('"') {
            Kind::Text(self.quoted()?)
        } else if self.rest.starts_with(":\"") {
            self.take(":");
            Kind::Atom(self.quoted()?)
        } else {
            let is_symbol = self.take(":");
            let word = self.word();
            if word.is_empty() {
                return Err(self.failed(match self.rest.is_empty() && !is_symbol {
                    true => "is truncated",
                    false => "contains something other than a literal term",
                }));
            }

            Kind::Atom(word.to_owned())
        };

        self.pair(Term { line, kind }, depth)
    }

    /// Parses the value if `key` is followed by one, and returns the pair; otherwise returns `key`.
    fn pair(&mut self, key: Term, depth: usize) -> Result<Term, ParseError> {
        // `key: value` has no space before the colon; `key => value` may have one.
        let is_keyword = self.rest.starts_with(':') && !self.rest.starts_with("::");
        if !is_keyword {
            self.skip();
        }

        let sign = if is_keyword { ":" } else { "=>" };
        if !self.take(sign) {
            return Ok(key);
        }

        let name = match key.kind {
            Kind::Text(name) | Kind::Atom(name) => name,
            _ => return Err(self.failed("has a key that is neither a string nor an atom")),
        };
        let value = self.term(depth + 1)?;

        Ok(Term {
            line: key.line,
            kind: Kind::Pair(name, Box::new(value)),
        })
    }

    fn items(&mut self, end: &str, depth: usize) -> Result<Vec<Term>, ParseError> {
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.take(end) {
                return Ok(items);
            }

            items.push(self.term(depth + 1)?);
            self.skip();
            if !self.take(",") && !self.rest.starts_with(end) {
                return Err(self.failed(match self.rest.is_empty() {
                    true => "is truncated",
                    false => "lacks a comma between two terms",
                }));
            }
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self
            .rest
            .find(|c: char| {
                !(c.is_alphanumeric() || matches!(c, '_' | '@' | '!' | '?' | '.' | '-'))
            })
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or(("", self.rest));
        self.rest = rest;

        word
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        self.take("\"");

        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\' | '#'))) => text.push(c),
                    _ => return Err(self.failed("has a string with an unsupported escape")),
                },
                '#' if self
                    .rest
                    .get(at + 1..)
                    .is_some_and(|rest| rest.starts_with('{')) =>
                {
                    return Err(self.failed("has a string with an interpolation"));
                }
                '\n' => return Err(self.failed("has a string that does not end on its line")),
                c => text.push(c),
            }
        }

        Err(self.failed("is truncated within a string"))
    }
}
