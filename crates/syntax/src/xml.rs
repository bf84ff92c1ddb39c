//! XML 1.0 without document types.

use std::borrow::Cow;

use quick_xml::Reader as XmlReader;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Budget, Lines, fragment};
use crate::ParseError;

/// An element with its attributes, its text and its children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element<'a> {
    /// Line on which the element begins, from 1.
    pub line: u32,
    /// Name without a namespace's prefix.
    pub name: Cow<'a, str>,
    /// Attributes without the prefixes of their names, in the order of the file. Namespace
    /// declarations are not included.
    pub attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The default namespace that this element declares (`xmlns="…"`).
    pub namespace: Option<Cow<'a, str>>,
    /// The text between the tags, without that of child elements and trimmed; may be empty.
    pub text: String,
    /// The child elements, in the order of the file.
    pub children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    /// The first child with a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children with a name.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the first child with a name; `None` when it is missing or empty.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name)
            .map(|child| child.text.as_str())
            .filter(|text| !text.is_empty())
    }

    /// The value of an attribute; `None` when it is missing.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| &**value)
    }
}

/// Reads an XML file into its top element.
///
/// # Errors
/// When the text is not XML or exceeds a limit. A document type is refused because it can define
/// entities; so is every entity other than the five of XML and character references.
pub fn xml(text: &str) -> Result<Element<'_>, ParseError> {
    xml_without(text, &[])
}

/// Reads an XML file without some children of its top element, by their names. They are only checked
/// for tags that do not match.
///
/// # Errors
/// As those of [`xml`].
pub fn xml_without<'a>(text: &'a str, left_out: &[&str]) -> Result<Element<'a>, ParseError> {
    let mut parser = Parser {
        text,
        lines: Lines::new(text),
        budget: Budget::new(),
        open: Vec::new(),
        root: None,
        left_out,
        depth_left_out: 0,
    };
    let mut reader = XmlReader::from_str(text);

    loop {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
            let line = parser.lines.of(at);
            ParseError::new(format!(
                "is not valid XML: {}",
                fragment(&error.to_string())
            ))
            .at_line(line as usize)
        })?;
        if matches!(event, Event::Eof) {
            return parser.finish();
        }

        let line = parser.lines.of(offset);
        parser
            .event(event, offset, line)
            .map_err(|error| match error.line {
                Some(_) => error,
                None => error.at_line(line as usize),
            })?;
    }
}

struct Parser<'a, 'n> {
    text: &'a str,
    lines: Lines<'a>,
    budget: Budget,
    open: Vec<Element<'a>>,
    root: Option<Element<'a>>,
    /// Names of the children of the top element that are left out.
    left_out: &'n [&'n str],
    /// Number of open elements of one that is left out, with itself.
    depth_left_out: usize,
}

impl<'a> Parser<'a, '_> {
    fn event(&mut self, event: Event<'a>, offset: usize, line: u32) -> Result<(), ParseError> {
        match event {
            Event::Start(_) if self.depth_left_out > 0 => {
                self.depth_left_out += 1;
                self.budget
                    .take(self.open.len() + self.depth_left_out, line)?;
            }
            Event::End(_) if self.depth_left_out > 0 => self.depth_left_out -= 1,
            Event::Empty(_) | Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)
                if self.depth_left_out > 0 => {}
            Event::Start(start)
                if self.open.len() == 1 && self.left_out.contains(&start.local_name().as_ref()) =>
            {
                self.budget.take(self.open.len(), line)?;
                self.depth_left_out = 1;
            }
            Event::Start(start) => {
                let element = self.element(&start, offset, line)?;
                self.open.push(element);
            }
            Event::Empty(start) => {
                let element = self.element(&start, offset, line)?;
                self.close(element)?;
            }
            Event::End(_) => {
                if let Some(mut element) = self.open.pop() {
                    element.text.truncate(element.text.trim_end().len());
                    self.close(element)?;
                }
            }
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let text = resolved(&reference)?;
                self.text(&text)?;
            }
            Event::DocType(_) => {
                return Err(
                    ParseError::new("has a document type, which is not supported")
                        .with_hint("remove the `<!DOCTYPE …>` line"),
                );
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }

        Ok(())
    }

    fn element(
        &mut self,
        start: &BytesStart<'_>,
        offset: usize,
        line: u32,
    ) -> Result<Element<'a>, ParseError> {
        self.budget.take(self.open.len(), line)?;
        let mut element = Element {
            line,
            name: self.name(start, offset),
            ..Element::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| invalid(&error.to_string()))?;
            self.budget.take(self.open.len(), line)?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| invalid(&error.to_string()))?
                .into_owned();
            let name = attribute.key.as_ref();

            if name == "xmlns" {
                element.namespace = Some(Cow::Owned(value));
            } else if !name.starts_with("xmlns:") {
                let local = attribute.key.local_name().as_ref().to_owned();
                element
                    .attributes
                    .push((Cow::Owned(local), Cow::Owned(value)));
            }
        }

        Ok(element)
    }

    /// The local name of the tag at an offset, from the text itself, so that most elements need no copy.
    fn name(&self, start: &BytesStart<'_>, offset: usize) -> Cow<'a, str> {
        let local = start.local_name();
        let local: &str = local.as_ref();
        // A prefix ends with a colon.
        let written = start.name().as_ref().len();
        let begin = offset + 1 + (written - local.len());
        match self.text.get(begin..begin + local.len()) {
            Some(name) if name == local => Cow::Borrowed(name),
            _ => Cow::Owned(local.to_owned()),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), ParseError> {
        match self.open.last_mut() {
            // Text is trimmed, and most of it is indentation.
            Some(element) if element.text.is_empty() => element.text.push_str(text.trim_start()),
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => {
                return Err(ParseError::new(
                    "is not valid XML: text outside its top element",
                ));
            }
        }

        Ok(())
    }

    fn close(&mut self, element: Element<'a>) -> Result<(), ParseError> {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None if self.root.is_none() => self.root = Some(element),
            None => return Err(ParseError::new("is not valid XML: it has two top elements")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element<'a>, ParseError> {
        if let Some(open) = self.open.last() {
            return Err(
                ParseError::new(format!("is truncated: `<{}>` is not closed", open.name))
                    .at_line(open.line as usize),
            );
        }
        self.root
            .ok_or_else(|| ParseError::new("is not valid XML: it has no element"))
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, ParseError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => return Ok(character.to_string()),
        Ok(None) => {}
        Err(error) => return Err(invalid(&error.to_string())),
    }

    resolve_xml_entity(reference)
        .map(str::to_owned)
        .ok_or_else(|| {
            ParseError::new(format!(
                "uses the entity `&{};`, which is not supported",
                fragment(reference)
            ))
        })
}

fn invalid(message: &str) -> ParseError {
    ParseError::new(format!("is not valid XML: {}", fragment(message)))
}
