//! A fast reader for the subset of YAML that programs write: block maps and lists, scalars that end
//! with their line, and flow collections on one line.
//!
//! For any other construct (an anchor, a tag, an escape, a scalar of several lines, a comment after a
//! value, an empty value) [`documents`] returns `None`, and the YAML parser reads the whole file. Only
//! the parser reports errors. This reader may therefore refuse any text, but its result for a text that
//! it accepts must be that of the parser; a property test checks this.

mod tokens;

use std::borrow::Cow;

use crate::limits;
use crate::lines::{SplitLines, split_lines};
use crate::node::{Key, Node, Value, map};

use tokens::{flow_key, item, key, plain, quoted};

/// Reads a file with any number of documents; `None` when the parser has to read it.
pub(super) fn documents(text: &str) -> Option<Vec<Node<'_>>> {
    if !is_plain(text) {
        return None;
    }

    let mut reader = Reader {
        lines: split_lines(text),
        number: 0,
        peeked: None,
        left: limits::MAX_NODES,
    };
    let mut documents = Vec::new();
    reader.advance();

    while let Some(line) = reader.peeked {
        if is_start(line) {
            reader.advance();
            // An empty document is null, which programs do not write.
            if reader.peeked.is_none_or(is_start) {
                return None;
            }
            continue;
        }
        if line.indent != 0 {
            return None;
        }

        documents.push(reader.block(0, 0)?);
        if reader.peeked.is_some_and(|line| !is_start(line)) {
            return None;
        }
    }

    Some(documents)
}

/// Whether a text has no special characters other than line feeds: no control characters, line
/// separators of Unicode, byte order marks or non-breaking spaces.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut strange = false;
    for byte in bytes {
        strange |= (*byte < b' ' && *byte != b'\n') || *byte == 0x7f || *byte >= 0x80;
    }

    if !strange {
        return true;
    }

    let mut previous = ' ';
    for c in text.chars() {
        if previous == '\r' && c != '\n' {
            return false;
        }

        let odd = (c.is_control() && c != '\n' && c != '\r')
            || matches!(
                c,
                '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            );
        if odd {
            return false;
        }

        previous = c;
    }

    previous != '\r'
}

/// A line that is neither blank nor a comment, without its indentation.
#[derive(Clone, Copy)]
struct Line<'a> {
    indent: usize,
    content: &'a str,
    number: u32,
}

struct Reader<'a> {
    lines: SplitLines<'a>,
    /// Number of the last line that was read.
    number: u32,
    /// The next line that is neither blank nor a comment.
    peeked: Option<Line<'a>>,
    /// Number of values that may still follow.
    left: usize,
}

impl<'a> Reader<'a> {
    fn advance(&mut self) {
        self.peeked = None;
        for line in self.lines.by_ref() {
            self.number += 1;
            let content = line.trim_start_matches(' ');
            if !content.is_empty() && !content.starts_with('#') {
                self.peeked = Some(Line {
                    indent: line.len() - content.len(),
                    content,
                    number: self.number,
                });
                return;
            }
        }
    }

    /// Counts a value, as the parser's reader does.
    fn take(&mut self, depth: usize) -> Option<()> {
        if depth > limits::MAX_DEPTH {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        Some(())
    }

    /// The map or list that begins on the next line, which is indented by `indent`.
    fn block(&mut self, indent: usize, depth: usize) -> Option<Node<'a>> {
        let line = self.peeked?;
        self.take(depth)?;
        let value = match item(line.content) {
            Some(_) => self.list(indent, depth)?,
            None => self.map(indent, depth)?,
        };

        Some(Node::new(line.number, value))
    }

    fn map(&mut self, indent: usize, depth: usize) -> Option<Value<'a>> {
        let mut entries = Vec::new();
        while let Some(line) = self.peeked {
            if line.indent < indent || is_marker(line) {
                break;
            }
            if line.indent > indent || item(line.content).is_some() {
                return None;
            }

            let (name, rest) = key(line.content)?;
            self.take(depth + 1)?;
            let node = match rest {
                "" => {
                    self.advance();
                    let next = self.peeked.filter(|next| !is_marker(*next))?;
                    let is_below = next.indent > indent;
                    if !is_below && (next.indent < indent || item(next.content).is_none()) {
                        return None;
                    }
                    self.block(next.indent, depth + 1)?
                }
                "|-" => self.literal(indent, line.number, depth + 1)?,
                rest => self.inline(rest, indent, line.number, depth + 1)?,
            };

            let line = line.number;
            entries.push((Key::new(line, name), node));
        }

        map(entries).ok()
    }

    fn list(&mut self, indent: usize, depth: usize) -> Option<Value<'a>> {
        let mut items = Vec::new();
        while let Some(line) = self.peeked {
            if line.indent < indent || is_marker(line) {
                break;
            }
            if line.indent > indent {
                return None;
            }
            let Some(rest) = item(line.content) else {
                // A list may be indented like the key that it belongs to. This is the next key.
                break;
            };

            if key(rest).is_some() || item(rest).is_some() {
                // A map or a list that begins on the line of its dash.
                let indent = indent + (line.content.len() - rest.len());
                self.peeked = Some(Line {
                    indent,
                    content: rest,
                    number: line.number,
                });
                items.push(self.block(indent, depth + 1)?);
            } else {
                items.push(self.inline(rest, indent, line.number, depth + 1)?);
            }
        }

        Some(Value::List(items))
    }

    /// A value on the line of its key or dash. The following lines must not be indented deeper.
    fn inline(
        &mut self,
        text: &'a str,
        indent: usize,
        line: u32,
        depth: usize,
    ) -> Option<Node<'a>> {
        let (node, rest) = match text.as_bytes().first()? {
            b'{' | b'[' => self.flow(text, line, depth)?,
            first => {
                self.take(depth)?;
                let (value, rest) = match first {
                    b'"' | b'\'' => {
                        let (text, rest) = quoted(text)?;
                        (Value::Text(text), rest)
                    }
                    _ => (plain(text)?, ""),
                };
                (Node::new(line, value), rest)
            }
        };

        self.advance();
        let goes_on = self
            .peeked
            .is_some_and(|next| next.indent > indent && !is_marker(next));

        (rest.is_empty() && !goes_on).then_some(node)
    }

    /// The literal text of `|-`: the following lines that are indented deeper.
    fn literal(&mut self, indent: usize, line: u32, depth: usize) -> Option<Node<'a>> {
        self.take(depth)?;
        let mut text = String::new();
        let mut own = 0;
        let mut blank = 0;

        let mut ahead = self.lines.clone();
        while let Some(next) = ahead.next() {
            let content = next.trim_start_matches(' ');
            let at = next.len() - content.len();
            if content.is_empty() {
                // It depends on the number of spaces whether they belong to the text.
                if at > 0 {
                    return None;
                }

                blank += 1;
            } else if at <= indent {
                break;
            } else {
                if own == 0 {
                    // Blank lines before the first line are a part of the text.
                    if blank > 0 {
                        return None;
                    }
                    own = at;
                }
                if at < own {
                    return None;
                }

                if !text.is_empty() {
                    text.push('\n');
                }
                for _ in 0..blank {
                    text.push('\n');
                }

                blank = 0;
                text.push_str(next.get(own..)?);
            }

            self.lines = ahead.clone();
            self.number += 1;
        }

        self.advance();
        // The line on which the text itself begins, as the parser reports it.
        (own > 0).then_some(Node::new(line + 1, Value::Text(Cow::Owned(text))))
    }

    /// A map or list in brackets, and the rest of the line.
    fn flow(&mut self, text: &'a str, line: u32, depth: usize) -> Option<(Node<'a>, &'a str)> {
        self.take(depth)?;
        let is_map = text.starts_with('{');
        let close = if is_map { '}' } else { ']' };
        let mut rest = text.get(1..)?.trim_start_matches(' ');
        let mut items = Vec::new();

        let mut entries = Vec::new();
        while !rest.starts_with(close) {
            if is_map {
                let (name, after) = flow_key(rest)?;
                self.take(depth + 1)?;
                let (node, after) = self.flow_value(after, line, depth + 1)?;
                entries.push((Key::new(line, name), node));
                rest = after;
            } else {
                let (node, after) = self.flow_value(rest, line, depth + 1)?;
                items.push(node);
                rest = after;
            }

            rest = rest.trim_start_matches(' ');
            if let Some(after) = rest.strip_prefix(',') {
                rest = after.trim_start_matches(' ');
                if rest.starts_with(close) {
                    return None;
                }
            } else if !rest.starts_with(close) {
                return None;
            }
        }

        let value = match is_map {
            true => map(entries).ok()?,
            false => Value::List(items),
        };
        Some((Node::new(line, value), rest.get(1..)?))
    }

    fn flow_value(
        &mut self,
        text: &'a str,
        line: u32,
        depth: usize,
    ) -> Option<(Node<'a>, &'a str)> {
        match text.as_bytes().first()? {
            b'{' | b'[' => self.flow(text, line, depth),
            b'"' | b'\'' => {
                self.take(depth)?;
                let (text, rest) = quoted(text)?;
                let value = Value::Text(text);
                Some((Node::new(line, value), rest))
            }
            _ => {
                self.take(depth)?;
                let end = text.find([',', ']', '}'])?;
                let (text, rest) = text.split_at(end);
                if text.contains(['[', '{', '\'', '"']) {
                    return None;
                }
                let value = plain(text.trim_end_matches(' '))?;
                Some((Node::new(line, value), rest))
            }
        }
    }
}

/// Whether the line begins a document.
fn is_start(line: Line<'_>) -> bool {
    line.indent == 0 && line.content == "---"
}

/// Whether the line begins or ends a document.
fn is_marker(line: Line<'_>) -> bool {
    line.indent == 0 && (line.content.starts_with("---") || line.content.starts_with("..."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::documents;
    use crate::yaml::parsed;

    /// Whether the full parser reads the text in the same way.
    fn agrees(text: &str) -> Result<bool, TestCaseError> {
        let Some(fast) = documents(text) else {
            return Ok(false);
        };
        prop_assert_eq!(parsed(text), Ok(fast), "{:?}", text);
        Ok(true)
    }

    #[test]
    fn reads_what_programs_write() {
        for text in [
            "a: 1\n",
            "# note\n\na:\n  b: x\n  'c d': \"e\"\n\n  f: {g: '>=1', h: [i, \"j\"]}\nk:\n- l\n- m: n\n  o: p\n-   - q\n",
            "---\na: 'it''s'\n---\nb: [ ]\n",
            "lock: '9.0'\npackages:\n\n  /@s/a@1.0.0(b@2):\n    resolution: {integrity: sha512-x==, tarball: https://npm.invalid/a.tgz}\n    engines: {node: '>=10'}\n    deprecated: |-\n      one\n\n        two\n    dev: true\n\n  b: ~1.2\n",
            "\"a@npm:^1, a@npm:^2\":\n  version: 1.0.0\n  checksum: 10c0/aa\n",
            "a: ~\nb: null\nc: <<\nd: é ok\n",
        ] {
            assert!(agrees(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn leaves_the_rest_to_the_parser() {
        for text in [
            "a: &x 1\nb: *x\n",
            "a: !t 1\n",
            "a:\nb: 1\n",
            "a: 1 # note\n",
            "a: b\n  c\n",
            "a: >-\n  b\n",
            "a: \"\\n\"\n",
            "? a\n: b\n",
            "a: [1,\n  2]\n",
            "a: {b}\n",
            "a:\tb\n",
            "a: b: c\n",
            " a: b\n",
            "a: 1\na: 2\n",
            "%YAML 1.2\n---\na: 1\n",
            "a: 1\n...\n",
            "a\n",
        ] {
            assert!(documents(text).is_none(), "{text}");
        }
    }

    fn token() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => prop::sample::select(vec![
                "a", "b", "cc", ": ", ":", "- ", "-", " ", "  ", "\n", "\n  ", "\n    ", "\n- ", "\n\n",
                "{", "}", "[", "]", ", ", ",", "'", "\"", "''", "#", " #", "~", "null", "|-", "|", ">",
                "---", "...", "&", "*", "!", "%", "@", "`", "?", "? ", "<<", "\\", "\t", "\r\n", "\r",
                "1.10", "é", "\u{85}", "\u{2028}", "\u{feff}", "=", "~1",
            ]).prop_map(str::to_owned),
            1 => "\\PC{1,3}",
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let scalar = prop::sample::select(vec![
            "x",
            "1.10",
            "'q'",
            "\"d\"",
            "{a: b}",
            "[c, d]",
            "{}",
            "[]",
            "{a: {b: [c]}}",
            "|-",
            "~",
            "http://h.invalid:1/x",
            "a:b",
            "'it''s'",
            "{a: 'x, y', \"b\": z}",
            "x y",
            "[a: b]",
            "{a:b}",
            "a #b",
            "-x",
            "{a: b,}",
            "'x' y",
            "[x, y",
            "x]",
            "*x",
            "!x y",
            "|",
            "",
            "# c",
        ]);

        let key = prop::sample::select(vec![
            "a", "b", "c", "'k k'", "\"@s/p\"", "k/l@1", "~", "- a", "- - b", "x y",
        ]);
        (0_usize..4, key, scalar, any::<bool>()).prop_map(|(indent, key, scalar, bare)| {
            let indent = "  ".repeat(indent);
            match bare {
                true => format!("{indent}{key}:\n"),
                false => format!("{indent}{key}: {scalar}\n"),
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn agrees_on_tokens(tokens in prop::collection::vec(token(), 0..14)) {
            agrees(&tokens.concat())?;
        }

        #[test]
        fn agrees_on_lines(lines in prop::collection::vec(prop_oneof![8 => line(), 1 => token()], 1..8)) {
            agrees(&lines.concat())?;
        }
    }
}
