//! YAML 1.2.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::node::map;
use super::{Budget, Key, Node, Value, fragment};
use crate::{ParseError, limits};

/// Reads a file of one YAML document.
pub fn yaml(text: &str) -> Result<Node<'_>, ParseError> {
    let mut documents = yaml_documents(text)?.into_iter();
    let first = documents
        .next()
        .ok_or_else(|| ParseError::new("is not valid YAML: it holds no value"))?;

    match documents.next() {
        None => Ok(first),
        Some(second) => {
            Err(ParseError::new("holds more than one YAML document").at_line(second.line as usize))
        }
    }
}

/// Reads a file of any number of YAML documents.
///
/// An alias stands for a copy of what it names, and each copy counts against the limit on values
/// and one on the bytes of texts, so that aliases of aliases of aliases and many of a long text end
/// as an error. `<<` is an ordinary key.
pub fn yaml_documents(text: &str) -> Result<Vec<Node<'_>>, ParseError> {
    match crate::block_yaml::documents(text) {
        Some(documents) => Ok(documents),
        None => parsed(text),
    }
}

/// Reads the documents with a parser of all of YAML.
pub(crate) fn parsed(text: &str) -> Result<Vec<Node<'_>>, ParseError> {
    let options = granit_parser::options! {
        emit_comments: false,
        simple_key_max_lookahead: MAX_KEY_CHARS,
        block_nesting_limit: limits::MAX_DEPTH * 2,
        flow_nesting_limit: limits::MAX_DEPTH,
    };
    let mut reader = Reader {
        parser: Parser::new_from_str_with_options(text, options),
        budget: Budget::new(),
        anchors: HashMap::new(),
        copied_bytes: limits::MAX_FILE_BYTES,
    };
    let mut documents = Vec::new();

    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(documents),
            (Event::DocumentStart(..), _) => {
                let event = reader.next()?;
                documents.push(reader.node(event, 0)?);
                reader.anchors.clear();
            }
            _ => {}
        }
    }
}

/// Longest key, in characters. YAML says 1,024; pnpm's keys with the peers of a package are longer.
const MAX_KEY_CHARS: usize = 16 * 1024;

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    budget: Budget,
    anchors: HashMap<usize, Anchored<'a>>,
    /// How many bytes of texts may still be copied. Readers copy the texts that they keep.
    copied_bytes: usize,
}

/// What an alias stands for.
struct Anchored<'a> {
    node: Node<'a>,
    size: Size,
}

/// What a copy of a value takes.
#[derive(Clone, Default)]
struct Size {
    /// How many values and keys that is.
    values: usize,
    /// How many levels it nests.
    height: usize,
    /// How many bytes its texts and keys have.
    bytes: usize,
}

impl Size {
    fn of(node: &Node<'_>) -> Self {
        let mut size = Self {
            values: 1,
            height: 0,
            bytes: node.text().map_or(0, str::len),
        };
        let keys = node.entries().iter().map(|(key, _)| key.name.len());
        size.bytes += keys.sum::<usize>();
        size.values += node.entries().len();
        let values = node.entries().iter().map(|(_, value)| value);
        for within in node.items().iter().chain(values).map(Self::of) {
            size.values += within.values;
            size.bytes += within.bytes;
            size.height = size.height.max(within.height + 1);
        }

        size
    }
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), ParseError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(unreadable(&error)),
            None => Err(ParseError::new("is truncated: its YAML does not end")),
        }
    }

    fn node(&mut self, event: (Event<'a>, Span), depth: usize) -> Result<Node<'a>, ParseError> {
        let (event, span) = event;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        self.budget.take(depth, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(text, style), anchor),
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let event = self.next()?;
                    if event.0 == Event::SequenceEnd {
                        break;
                    }
                    items.push(self.node(event, depth + 1)?);
                }
                (Value::List(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(id) => return self.alias(id, depth, line),
            _ => {
                return Err(
                    ParseError::new("is not valid YAML: a value is missing").at_line(line as usize)
                );
            }
        };
        let node = Node { line, value };
        if anchor != 0 {
            // Kept until the document ends, and once more for each anchor around it.
            let size = Size::of(&node);
            self.take_copy(&size, line)?;
            let node = node.clone();
            self.anchors.insert(anchor, Anchored { node, size });
        }

        Ok(node)
    }

    fn map(&mut self, depth: usize) -> Result<Value<'a>, ParseError> {
        let mut entries = Vec::new();
        loop {
            let event = self.next()?;
            if event.0 == Event::MappingEnd {
                return map(entries);
            }

            let key = self.node(event, depth + 1)?;
            let line = key.line;
            let name = match key.value {
                Value::Text(text) => text,
                Value::Null => Cow::Borrowed(""),
                _ => {
                    return Err(
                        ParseError::new("has a key that is not a text").at_line(line as usize)
                    );
                }
            };

            let event = self.next()?;
            entries.push((Key { line, name }, self.node(event, depth + 1)?));
        }
    }

    fn alias(&mut self, id: usize, depth: usize, line: u32) -> Result<Node<'a>, ParseError> {
        let Some(known) = self.anchors.get(&id) else {
            return Err(
                ParseError::new("has an alias within the value that it stands for")
                    .at_line(line as usize),
            );
        };

        self.budget.take(depth + known.size.height, line)?;
        let (size, node) = (known.size.clone(), known.node.clone());
        self.take_copy(&size, line)?;

        Ok(node)
    }

    /// Counts a copy of a value with all within.
    fn take_copy(&mut self, size: &Size, line: u32) -> Result<(), ParseError> {
        let within = |have: usize, take: usize, limit: String| {
            have.checked_sub(take).ok_or_else(|| {
                ParseError::new(format!("{limit} with its aliases written out"))
                    .at_line(line as usize)
            })
        };
        let values = format!("holds more than {} values", limits::MAX_NODES);
        self.budget.0 = within(self.budget.0, size.values, values)?;
        let megabytes = limits::MAX_FILE_BYTES / (1024 * 1024);
        let large = format!("is larger than {megabytes} MiB");
        self.copied_bytes = within(self.copied_bytes, size.bytes, large)?;

        Ok(())
    }
}

/// A scalar: only a plain one can be null.
fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value<'_> {
    let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
    if null { Value::Null } else { Value::Text(text) }
}

fn unreadable(error: &ScanError) -> ParseError {
    ParseError::new(format!("is not valid YAML: {}", fragment(&error.info())))
        .at_line(error.marker().line())
}
