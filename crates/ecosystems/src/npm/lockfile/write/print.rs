//! JSON as npm prints it, and changes of a document that keep every byte of what stays.

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use serde_json::{Map, Value};

use super::order;

/// The indentation and the line break of a document.
pub(super) struct Style {
    indent: String,
    line_end: &'static str,
}

impl Style {
    /// The style of a document, as npm takes it over: from its first line break
    /// (`json-parse-even-better-errors`). `None` for a document that is not laid out in lines.
    pub(super) fn of(text: &str) -> Option<Self> {
        let inner = text.trim_start().strip_prefix('{')?;
        let (line_end, rest) = match inner.strip_prefix("\r\n") {
            Some(rest) => ("\r\n", rest),
            None => ("\n", inner.strip_prefix('\n')?),
        };
        let key = rest.trim_start_matches([' ', '\t']);
        let indent = rest.strip_suffix(key).unwrap_or_default();
        let is_one_kind = text.matches('\n').count() == text.matches(line_end).count()
            && (line_end == "\r\n" || !text.contains('\r'));
        let is_plain = !indent.is_empty() && key.starts_with('"') && is_one_kind;
        is_plain.then(|| Self {
            indent: indent.to_owned(),
            line_end,
        })
    }

    fn line(&self, depth: usize) -> String {
        format!("{}{}", self.line_end, self.indent.repeat(depth))
    }

    /// A value at a depth of nesting, as `JSON.stringify` prints it.
    fn print(&self, value: &Value, depth: usize, out: &mut String) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&self.line(depth + 1));
                    self.print(item, depth + 1, out);
                }
                out.push_str(&self.line(depth));
                out.push(']');
            }
            Value::Object(fields) if !fields.is_empty() => {
                out.push('{');
                for (index, (key, value)) in sorted(fields).into_iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&self.line(depth + 1));
                    out.push_str(&format!("{}: ", Value::from(key)));
                    self.print(value, depth + 1, out);
                }
                out.push_str(&self.line(depth));
                out.push('}');
            }
            other => out.push_str(&other.to_string()),
        }
    }
}

/// The fields of an object in npm's order.
fn sorted(fields: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<(&str, &Value)> = fields
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    fields.sort_by(|a, b| order::keys((a.0, a.1.is_object()), (b.0, b.1.is_object())));
    fields
}

/// A document with its tree.
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) style: Style,
}

impl Document<'_> {
    /// The text of a value after a change. Everything that is equal before and after keeps its bytes.
    pub(super) fn changed(
        &self,
        tree: &ast::Value<'_>,
        before: &Value,
        after: &Value,
        depth: usize,
    ) -> String {
        let range = tree.range();
        if before == after {
            return self.slice(range.start, range.end).to_owned();
        }
        match (tree.as_object(), before, after) {
            (Some(object), Value::Object(before), Value::Object(after)) if !after.is_empty() => {
                self.changed_object(object, before, after, depth)
            }
            _ => {
                let mut out = String::new();
                self.style.print(after, depth, &mut out);
                out
            }
        }
    }

    /// A value at the top, as `JSON.stringify` prints it.
    #[cfg(test)]
    pub(super) fn printed(&self, value: &Value) -> String {
        let mut out = String::new();
        self.style.print(value, 0, &mut out);
        out
    }

    /// A new property after another one, at a depth of nesting.
    pub(super) fn property(&self, key: &str, value: &Value, depth: usize) -> String {
        let mut out = format!(",{}{}: ", self.style.line(depth), Value::from(key));
        self.style.print(value, depth, &mut out);
        out
    }

    fn changed_object(
        &self,
        object: &ast::Object<'_>,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        depth: usize,
    ) -> String {
        let names: Vec<&str> = object
            .properties
            .iter()
            .map(|property| property.name.as_str())
            .collect();
        let mut out = "{".to_owned();
        let mut last = None;
        let keys = key_order(&names, before, after);
        let count = keys.len();

        for (position, (key, value)) in keys.into_iter().enumerate() {
            let at = names.iter().position(|name| *name == key);
            let property = at.and_then(|at| object.properties.get(at));

            // The text between two entries that follow each other as before stays.
            let follows = match (last, at) {
                (None, Some(0)) if position == 0 => Some(object.range.start + 1),
                (Some(last), Some(at)) if last + 1 == at => object
                    .properties
                    .get::<usize>(last)
                    .map(|property| property.range.end),
                _ => None,
            };
            match (follows, property) {
                (Some(start), Some(property)) => {
                    out.push_str(self.slice(start, property.range.start));
                }
                _ => {
                    out.push_str(if position > 0 { "," } else { "" });
                    out.push_str(&self.style.line(depth + 1));
                }
            }

            match (property, before.get(key)) {
                (Some(property), Some(old)) => {
                    let start = property.value.range().start;
                    out.push_str(self.slice(property.range.start, start));
                    out.push_str(&self.changed(&property.value, old, value, depth + 1));
                }
                _ => {
                    out.push_str(&format!("{}: ", Value::from(key)));
                    self.style.print(value, depth + 1, &mut out);
                }
            }
            last = at;

            let is_end = position + 1 == count;
            match property.filter(|_| is_end && at.is_some_and(|at| at + 1 == names.len())) {
                Some(property) => out.push_str(self.slice(property.range.end, object.range.end)),
                None if is_end => {
                    out.push_str(&self.style.line(depth));
                    out.push('}');
                }
                None => {}
            }
        }

        out
    }

    fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }
}

/// The keys of an object after a change: in npm's order if the object was, otherwise where they were,
/// and new ones before the first that npm puts after them.
fn key_order<'a>(
    names: &[&str],
    before: &Map<String, Value>,
    after: &'a Map<String, Value>,
) -> Vec<(&'a str, &'a Value)> {
    let is_object = |name: &str| before.get(name).is_some_and(Value::is_object);
    let in_order = names.windows(2).all(|pair| {
        order::keys((pair[0], is_object(pair[0])), (pair[1], is_object(pair[1]))).is_lt()
    });
    let fields = sorted(after);
    if in_order {
        return fields;
    }

    let mut keys: Vec<(&str, &Value)> = names
        .iter()
        .filter_map(|name| {
            after
                .get_key_value(*name)
                .map(|(key, value)| (&**key, value))
        })
        .collect();
    for (key, value) in fields {
        if names.contains(&key) {
            continue;
        }
        let place = (key, value.is_object());
        let at = keys
            .iter()
            .position(|(other, of)| order::keys(place, (other, of.is_object())).is_lt());
        keys.insert(at.unwrap_or(keys.len()), (key, value));
    }
    keys
}
