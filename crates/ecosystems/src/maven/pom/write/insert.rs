//! A new entry in `dependencyManagement`, in the style of the file around it.

use crate::maven::xml_spans::{Span, splice};

/// An entry of `dependencyManagement`.
#[derive(Debug, Clone)]
pub(super) struct ManagedEntry {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    /// Type of the file; `jar` is not written.
    pub(super) kind: String,
    pub(super) classifier: String,
}

/// An element that is to be written.
enum New<'e> {
    List(&'static str, Vec<New<'e>>),
    Text(&'static str, &'e str),
}

/// The text with a new entry at the end of `dependencyManagement`, which is added if it is missing.
pub(super) fn managed(text: &str, root: &Span, entry: &ManagedEntry) -> Option<String> {
    let style = Style::of(text, root);
    let element = entry.element();
    let Some(management) = root.child("dependencyManagement") else {
        let list = New::List("dependencies", vec![element]);
        let management = New::List("dependencyManagement", vec![list]);
        return match root.child("dependencies") {
            Some(before) => style.insert_before(text, before, &management),
            None => style.append(text, root, &management),
        };
    };

    match management.child("dependencies") {
        Some(list) => style.append(text, list, &element),
        None => style.append(text, management, &New::List("dependencies", vec![element])),
    }
}

impl ManagedEntry {
    fn element(&self) -> New<'_> {
        let mut parts = vec![
            New::Text("groupId", self.group.as_str()),
            New::Text("artifactId", self.artifact.as_str()),
            New::Text("version", self.version.as_str()),
        ];
        if self.kind != "jar" {
            parts.push(New::Text("type", self.kind.as_str()));
        }
        if !self.classifier.is_empty() {
            parts.push(New::Text("classifier", self.classifier.as_str()));
        }
        New::List("dependency", parts)
    }
}

/// How a file is laid out.
struct Style<'t> {
    line_end: &'static str,
    /// What one level adds to the start of a line; `None` for a file without lines.
    unit: Option<&'t str>,
}

impl<'t> Style<'t> {
    fn of(text: &'t str, root: &Span) -> Self {
        let first = root.children.first();
        let unit = first.and_then(|child| indent(text, child.outer.0));
        let outer = indent(text, root.outer.0).unwrap_or_default();
        Self {
            line_end: if text.contains("\r\n") { "\r\n" } else { "\n" },
            unit: unit.map(|unit| unit.strip_prefix(outer).unwrap_or(unit)),
        }
    }

    fn render(&self, new: &New<'_>, indent: &str) -> String {
        match new {
            New::Text(name, value) => format!("<{name}>{value}</{name}>"),
            New::List(name, parts) => {
                let mut text = format!("<{name}>");
                let inner = format!("{indent}{}", self.unit.unwrap_or_default());
                for part in parts {
                    text += &self.line(&inner);
                    text += &self.render(part, &inner);
                }
                text + &self.line(indent) + &format!("</{name}>")
            }
        }
    }

    /// The start of a line; empty in a file without lines.
    fn line(&self, indent: &str) -> String {
        match self.unit {
            Some(_) => format!("{}{indent}", self.line_end),
            None => String::new(),
        }
    }

    /// Adds an element at the end of another one.
    fn append(&self, text: &str, parent: &Span, new: &New<'_>) -> Option<String> {
        let outer = line_start(text, parent.outer.0);
        let own = format!("{outer}{}", self.unit.unwrap_or_default());
        if let Some(last) = parent.children.last() {
            let own = indent(text, last.outer.0).unwrap_or(&own);
            let new = self.line(own) + &self.render(new, own);
            return splice(text, (last.outer.1, last.outer.1), &new);
        }

        let body = self.line(&own) + &self.render(new, &own);
        if parent.is_one_tag() {
            let name = &parent.name;
            let whole = format!("<{name}>{body}{}</{name}>", self.line(outer));
            return splice(text, parent.outer, &whole);
        }
        let inner = text.get(parent.inner.0..parent.inner.1)?;
        let end = parent.inner.0 + inner.trim_end().len();
        splice(text, (end, parent.inner.1), &(body + &self.line(outer)))
    }

    /// Adds an element before another one, at the same distance as that one has to what is before it.
    fn insert_before(&self, text: &str, next: &Span, new: &New<'_>) -> Option<String> {
        let start = text.get(..next.outer.0)?;
        let trimmed = start.trim_end();
        let own = line_start(text, next.outer.0);
        let new = self.render(new, own);
        if trimmed.ends_with("-->") {
            // The comment is about the next element.
            let new = self.line(own) + &new;
            return splice(text, (next.outer.1, next.outer.1), &new);
        }

        let gap = start.get(trimmed.len()..)?;
        splice(text, (next.outer.0, next.outer.0), &(new + gap))
    }
}

/// The blanks at the start of the line with a position.
fn line_start(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let end = line
        .find(|one| one != ' ' && one != '\t')
        .unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// The blanks between the start of a line and a position, if nothing else is there.
fn indent(text: &str, at: usize) -> Option<&str> {
    let before = text.get(..at)?;
    let line = before.rfind('\n')? + 1;
    before
        .get(line..)
        .filter(|blanks| blanks.chars().all(|one| one == ' ' || one == '\t'))
}
