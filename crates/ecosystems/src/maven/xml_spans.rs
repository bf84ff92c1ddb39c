//! Positions of elements in the text of an XML file, for changes that leave every other byte as it is.
//!
//! Validation is deliberately absent: a file is read by [`syntax::xml`] first, which refuses document
//! types.

use crate::syntax;
use crate::{ParseError, limits};

/// An element with its byte positions.
#[derive(Debug, Clone, Default)]
pub(super) struct Span {
    /// Name as written, with a namespace's prefix.
    pub(super) name: String,
    pub(super) children: Vec<Span>,
    /// From the start of its first tag to the end of its last one.
    pub(super) outer: (usize, usize),
    /// The content between its tags. Empty, at the end, for one tag that is both (`<a/>`).
    pub(super) inner: (usize, usize),
    /// Runs of text that are not blank, without the blanks around them.
    texts: Vec<(usize, usize)>,
}

impl Span {
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Position of the element's text, if it is one run. Comments may be around it.
    pub(super) fn text(&self) -> Option<(usize, usize)> {
        match (self.texts.as_slice(), self.children.is_empty()) {
            ([only], true) => Some(*only),
            _ => None,
        }
    }

    /// Whether it is one tag (`<a/>`).
    pub(super) fn is_one_tag(&self) -> bool {
        self.inner.0 == self.outer.1
    }

    /// The runs of text in it and in everything below it.
    pub(super) fn all_texts(&self, found: &mut Vec<(usize, usize)>) {
        found.extend(&self.texts);
        for child in &self.children {
            child.all_texts(found);
        }
    }

    /// The text of a child; empty without one.
    pub(super) fn child_text<'t>(&self, name: &str, text: &'t str) -> &'t str {
        self.child(name)
            .and_then(Self::text)
            .and_then(|(start, end)| text.get(start..end))
            .unwrap_or_default()
    }

    fn add_text(&mut self, text: &str, start: usize) {
        let trimmed = text.trim();
        if !trimmed.is_empty() {
            let start = start + (text.len() - text.trim_start().len());
            self.texts.push((start, start + trimmed.len()));
        }
    }
}

/// The root of a file.
///
/// # Errors
/// If the text is not XML, or exceeds a limit.
pub(super) fn spans(text: &str) -> Result<Span, ParseError> {
    syntax::xml(text.trim_start_matches('\u{feff}'))?;
    scan(text)
        .filter(|root| !root.name.is_empty())
        .ok_or_else(|| ParseError::new("has tags whose positions are not known"))
}

fn scan(text: &str) -> Option<Span> {
    let mut open = vec![Span::default()];
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find('<') {
        let start = at + found;
        open.last_mut()?.add_text(text.get(at..start)?, at);
        let rest = text.get(start..)?;
        if rest.starts_with("<!--") {
            at = start + 4 + rest.get(4..)?.find("-->")? + 3;
        } else if let Some(body) = rest.strip_prefix("<![CDATA[") {
            let length = body.find("]]>")?;
            open.last_mut()?.add_text(body.get(..length)?, start + 9);
            at = start + 9 + length + 3;
        } else if rest.starts_with("<?") {
            at = start + rest.find("?>")? + 2;
        } else if rest.starts_with("</") {
            at = start + rest.find('>')? + 1;
            let mut closed = open.pop()?;
            (closed.inner.1, closed.outer.1) = (start, at);
            open.last_mut()?.children.push(closed);
        } else {
            at = start + tag_length(rest)?;
            let tag = text.get(start + 1..at - 1)?;
            let is_empty_tag = tag.ends_with('/');
            let name = tag.split(|c: char| c.is_whitespace() || c == '/').next()?;
            let span = Span {
                name: name.to_owned(),
                outer: (start, at),
                inner: (at, at),
                ..Span::default()
            };
            if is_empty_tag {
                open.last_mut()?.children.push(span);
            } else {
                open.push(span);
            }
            if open.len() > limits::MAX_DEPTH + 2 {
                return None;
            }
        }
    }

    match open.as_mut_slice() {
        [document] => document.children.pop(),
        _ => None,
    }
}

/// Length of a tag. A `>` in a quoted value does not end it.
fn tag_length(rest: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in rest.bytes().enumerate() {
        match quote {
            Some(open) if open == byte => quote = None,
            Some(_) => {}
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None if byte == b'>' => return Some(at + 1),
            None => {}
        }
    }
    None
}

/// The text with a range replaced.
pub(super) fn splice(text: &str, (start, end): (usize, usize), with: &str) -> Option<String> {
    Some(format!("{}{with}{}", text.get(..start)?, text.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_survive_comments_cdata_and_quotes() {
        let text = "\u{feff}<?xml version='1.0'?>\r\n<!-- <a> --><a b='>'>\r\n\
            <v> <!-- c --><![CDATA[ 1.0 ]]></v><w/><v>x<!-- -->y</v></a>\r\n";
        let root = spans(text).unwrap();
        assert_eq!(root.name, "a");
        assert_eq!(root.child_text("v", text), "1.0");
        assert_eq!(root.children[2].text(), None);
        let part = |(start, end): (usize, usize)| &text[start..end];
        assert_eq!(part(root.children[1].outer), "<w/>");
        assert!(root.children[1].is_one_tag());
        assert_eq!(part(root.children[2].outer), "<v>x<!-- -->y</v>");
        assert_eq!(part(root.children[2].inner), "x<!-- -->y");
        assert_eq!(root.all("w").count(), 1);
    }
}
