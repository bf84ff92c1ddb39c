//! YAML 1.2.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::node::map;
use super::{Budget, Key, Node, Value, core_schema, fragment};
use crate::{ParseError, limits};

/// Reads a YAML file with one document.
///
/// # Errors
/// See [`yaml_documents`]; also when there are several documents or none.
pub fn yaml(text: &str) -> Result<Node<'_>, ParseError> {
    let mut documents = yaml_documents(text)?.into_iter();
    let first = documents
        .next()
        .ok_or_else(|| ParseError::new("is not valid YAML: it has no value"))?;

    match documents.next() {
        None => Ok(first),
        Some(second) => Err(ParseError::new(SEVERAL_DOCUMENTS).at_line(second.line as usize)),
    }
}

const SEVERAL_DOCUMENTS: &str = "contains more than one YAML document";

/// Reads a YAML file with any number of documents.
///
/// An alias becomes a copy of the value that it names. Each copy counts against the limit on values
/// and against one on the bytes of texts, so that aliases of aliases and many aliases of a long text
/// are refused. `<<` is an ordinary key.
///
/// # Errors
/// When the text is not YAML, has a key twice, or exceeds a limit.
pub fn yaml_documents(text: &str) -> Result<Vec<Node<'_>>, ParseError> {
    match crate::block_yaml::documents(text) {
        Some(documents) => Ok(documents),
        None => parsed(text),
    }
}

/// Reads a YAML file that a person writes and that has one document, such as the settings file.
/// `None` is a file without a value.
///
/// It differs from [`yaml`] in this: plain scalars are truth values and numbers where the core schema
/// says so, `<<` merges maps (<https://yaml.org/type/merge.html>), values, keys and errors have
/// columns, and the limits are [`limits::MAX_SETTINGS_VALUES`] and [`limits::MAX_SETTINGS_DEPTH`].
///
/// # Errors
/// When the text is not YAML, has several documents, a key twice, or exceeds a limit.
///
/// ```
/// let root = patchgate_syntax::yaml_settings("store:\n  max-age-days: 7\n").unwrap().unwrap();
/// let age = root.get("store").and_then(|store| store.get("max-age-days")).unwrap();
/// assert_eq!((age.integer(), age.line, age.column), (Some(7), 2, 17));
/// ```
pub fn yaml_settings(text: &str) -> Result<Option<Node<'_>>, ParseError> {
    let budget = Budget::of(limits::MAX_SETTINGS_VALUES, limits::MAX_SETTINGS_DEPTH);
    let mut reader = Reader::new(text, Mode::Settings, budget);
    let mut document = None;

    loop {
        match reader.next()? {
            (Event::StreamEnd, _) => return Ok(document.filter(|node: &Node<'_>| !node.is_null())),
            (Event::DocumentStart(..), span) if document.is_some() => {
                let (line, column) = position(&span.start);
                return Err(ParseError::new(SEVERAL_DOCUMENTS).at(line, column));
            }
            (Event::DocumentStart(..), _) => {
                let event = reader.next()?;
                document = Some(reader.node(event, 0)?);
            }
            _ => {}
        }
    }
}

/// Reads the documents with a parser of all of YAML.
pub(crate) fn parsed(text: &str) -> Result<Vec<Node<'_>>, ParseError> {
    let mut reader = Reader::new(text, Mode::Files, Budget::new());
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

/// Longest key, in characters. YAML allows 1,024; pnpm's keys with the peers of a package are longer.
const MAX_KEY_CHARS: usize = 16 * 1024;

/// The two ways to read YAML.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Files that programs write: [`yaml`] and [`yaml_documents`].
    Files,
    /// Files that persons write: [`yaml_settings`].
    Settings,
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    mode: Mode,
    budget: Budget,
    anchors: HashMap<usize, Anchored<'a>>,
    /// The number of bytes of texts that may still be copied. Callers copy the texts that they keep.
    copied_bytes: usize,
}

/// A value that an alias may name.
struct Anchored<'a> {
    node: Node<'a>,
    size: Size,
}

/// The size of a value with everything in it.
#[derive(Clone, Default)]
struct Size {
    /// Number of values and keys.
    values: usize,
    /// Number of levels below the value.
    height: usize,
    /// Number of bytes of its texts and keys.
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
    fn new(text: &'a str, mode: Mode, budget: Budget) -> Self {
        let options = granit_parser::options! {
            emit_comments: false,
            simple_key_max_lookahead: MAX_KEY_CHARS,
            block_nesting_limit: budget.max_depth * 2,
            flow_nesting_limit: budget.max_depth,
        };
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            mode,
            budget,
            anchors: HashMap::new(),
            copied_bytes: limits::MAX_FILE_BYTES,
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ParseError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(unreadable(&error)),
            None => Err(ParseError::new("is truncated: its YAML does not end")),
        }
    }

    fn node(&mut self, event: (Event<'a>, Span), depth: usize) -> Result<Node<'a>, ParseError> {
        let (event, span) = event;
        let (line, column) = self.position(&span);
        self.budget.take(depth, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (self.scalar(text, style), anchor),
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
            Event::Alias(id) => return self.alias(id, depth, &span),
            _ => return Err(self.error("is not valid YAML: a value is missing", &span)),
        };
        let node = Node {
            line,
            column,
            value,
        };
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
                return match self.mode {
                    Mode::Files => map(entries),
                    Mode::Settings => merged(map(entries)?),
                };
            }

            let span = event.1;
            let key = self.node(event, depth + 1)?;
            let (line, column) = (key.line, key.column);
            let name = match key.value {
                Value::Text(text) => text,
                Value::Null => Cow::Borrowed(""),
                // A key of digits, as written.
                Value::Number(text) => text,
                _ => return Err(self.error("has a key that is not a text", &span)),
            };

            let event = self.next()?;
            let key = Key { line, column, name };
            entries.push((key, self.node(event, depth + 1)?));
        }
    }

    fn alias(&mut self, id: usize, depth: usize, span: &Span) -> Result<Node<'a>, ParseError> {
        let Some(known) = self.anchors.get(&id) else {
            return Err(self.error("has an alias within the value that it names", span));
        };

        let (line, column) = self.position(span);
        self.budget.take(depth + known.size.height, line)?;
        let (size, node) = (known.size.clone(), known.node.clone());
        self.take_copy(&size, line)?;

        Ok(match self.mode {
            Mode::Files => node,
            // A person looks for the mistake at the alias.
            Mode::Settings => Node {
                line,
                column,
                ..node
            },
        })
    }

    /// Line and column, from 1; the column is 0 in files, whose readers only need the line.
    fn position(&self, span: &Span) -> (u32, u32) {
        let (line, column) = position(&span.start);
        let column = match self.mode {
            Mode::Files => 0,
            Mode::Settings => u32::try_from(column).unwrap_or(u32::MAX),
        };
        (u32::try_from(line).unwrap_or(u32::MAX), column)
    }

    fn error(&self, reason: &str, span: &Span) -> ParseError {
        let (line, column) = position(&span.start);
        ParseError::new(reason).at(line, column)
    }

    fn scalar(&self, text: Cow<'a, str>, style: ScalarStyle) -> Value<'a> {
        match self.mode {
            Mode::Settings if style == ScalarStyle::Plain => core_schema::resolve(text),
            _ => scalar(text, style),
        }
    }

    /// Counts a copy of a value with everything in it.
    fn take_copy(&mut self, size: &Size, line: u32) -> Result<(), ParseError> {
        let within = |have: usize, take: usize, limit: String| {
            have.checked_sub(take).ok_or_else(|| {
                ParseError::new(format!("{limit} with its aliases written out"))
                    .at_line(line as usize)
            })
        };
        let values = format!("contains more than {} values", self.budget.max_values);
        self.budget.values = within(self.budget.values, size.values, values)?;
        let megabytes = limits::MAX_FILE_BYTES / (1024 * 1024);
        let large = format!("is larger than {megabytes} MiB");
        self.copied_bytes = within(self.copied_bytes, size.bytes, large)?;

        Ok(())
    }
}

/// A map with the entries of the maps under its `<<` key. An entry of its own goes before one that is
/// merged, and an earlier map before a later one.
fn merged(value: Value<'_>) -> Result<Value<'_>, ParseError> {
    let Value::Map(entries) = value else {
        return Ok(value);
    };
    let (sources, mut entries): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key.name == "<<");
    let mut names: HashSet<Cow<'_, str>> =
        entries.iter().map(|(key, _)| key.name.clone()).collect();

    for (key, source) in sources {
        let maps = match source.value {
            Value::List(items) => items,
            value => vec![Node { value, ..source }],
        };
        for map in maps {
            let Value::Map(inherited) = map.value else {
                let reason = "has a merge key `<<` without a map";
                return Err(ParseError::new(reason).at(key.line as usize, key.column as usize));
            };
            let new = inherited
                .into_iter()
                .filter(|(key, _)| names.insert(key.name.clone()));
            entries.extend(new);
        }
    }

    Ok(Value::Map(entries))
}

/// Line and column of a marker, both from 1.
fn position(marker: &Marker) -> (usize, usize) {
    (marker.line(), marker.col() + 1)
}

/// A scalar: only a plain one can be null.
fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value<'_> {
    let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
    if null { Value::Null } else { Value::Text(text) }
}

fn unreadable(error: &ScanError) -> ParseError {
    let (line, column) = position(error.marker());
    ParseError::new(format!("is not valid YAML: {}", fragment(&error.info()))).at(line, column)
}
