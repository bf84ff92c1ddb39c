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
    let mut parser = Parser {
        lines: Lines::new(text),
        budget: Budget::new(),
        open: Vec::new(),
        root: None,
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
            .event(event, line)
            .map_err(|error| match error.line {
                Some(_) => error,
                None => error.at_line(line as usize),
            })?;
    }
}

struct Parser<'a> {
    lines: Lines<'a>,
    budget: Budget,
    open: Vec<Element<'a>>,
    root: Option<Element<'a>>,
}

impl<'a> Parser<'a> {
    fn event(&mut self, event: Event<'a>, line: u32) -> Result<(), ParseError> {
        match event {
            Event::Start(start) => {
                let element = self.element(&start, line)?;
                self.open.push(element);
            }
            Event::Empty(start) => {
                let element = self.element(&start, line)?;
                self.close(element)?;
            }
            Event::End(_) => {
                if let Some(mut element) = self.open.pop() {
                    element.text = element.text.trim().to_owned();
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

    fn element(&mut self, start: &BytesStart<'_>, line: u32) -> Result<Element<'a>, ParseError> {
        self.budget.take(self.open.len(), line)?;
        let mut element = Element {
            line,
            name: Cow::Owned(start.local_name().as_ref().to_owned()),
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

    fn text(&mut self, text: &str) -> Result<(), ParseError> {
        match self.open.last_mut() {
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
