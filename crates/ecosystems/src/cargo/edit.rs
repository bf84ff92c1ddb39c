//! Replacement of one requirement in a `Cargo.toml`. Every other byte stays as it is.
//!
//! The text is edited at the spans that the parser reports and is not printed from a tree, so
//! comments, quotes and line ends survive. The result is parsed again and compared with the
//! original before it is returned.

use std::ops::Range;

use semver::VersionReq;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{self, boolean, table};
use super::manifest::dependency_tables;
use crate::{EditError, RequirementEdit, limits};

/// Changes the requirement in every dependency table that has it under that name.
pub(super) fn edit(manifest: &str, edit: &RequirementEdit) -> Result<String, EditError> {
    if manifest.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Unreadable(format!(
            "it is larger than {} MiB",
            limits::MAX_FILE_BYTES / (1024 * 1024)
        )));
    }
    // A valid requirement has no character that TOML would have to escape in any kind of string,
    // so it can be inserted between the existing quotes.
    if VersionReq::parse(&edit.to).is_err() {
        return Err(EditError::Refused(format!(
            "`{}` is not a requirement of {}",
            edit.to.escape_debug(),
            super::NAME
        )));
    }

    // The parser does not accept a byte order mark, so spans are relative to the text after it.
    let mark = manifest.len() - manifest.trim_start_matches('\u{feff}').len();
    let body = &manifest[mark..];
    let before = parse(body)?;

    let mut spans: Vec<Range<usize>> = requirements(&before, edit)
        .map(|value| within_quotes(body, value.span()))
        .collect::<Option<_>>()
        .ok_or_else(|| EditError::Refused("the requirement has no quotes".to_owned()))?;
    if spans.is_empty() {
        return Err(EditError::NotFound {
            name: edit.name.clone(),
            requirement: edit.from.clone(),
        });
    }

    // From the last span to the first, so that a change does not shift the spans still to come.
    spans.sort_by_key(|span| span.start);
    let mut changed = manifest.to_owned();
    for span in spans.iter().rev() {
        changed.replace_range(mark + span.start..mark + span.end, &edit.to);
    }

    verify(&before, &changed[mark..], edit, spans.len())?;
    Ok(changed)
}

fn parse(text: &str) -> Result<DeTable<'_>, EditError> {
    document::parse(text)
        .map(|document| document.table.into_inner())
        .map_err(|error| {
            EditError::Unreadable(match error.line {
                Some(line) => format!("line {line} {}", error.reason),
                None => error.reason,
            })
        })
}

/// The values that state the requirement, in every dependency table and in
/// `[workspace.dependencies]`.
fn requirements<'t, 'a>(
    manifest: &'t DeTable<'a>,
    edit: &'t RequirementEdit,
) -> impl Iterator<Item = &'t Spanned<DeValue<'a>>> {
    let shared =
        table(manifest, "workspace").and_then(|workspace| table(workspace, "dependencies"));
    dependency_tables(manifest)
        .into_iter()
        .map(|(_, table)| table)
        .chain(shared)
        .filter_map(|table| requirement_in(table.get(edit.name.as_str())?))
        .filter(|value| value.get_ref().as_str() == Some(&edit.from))
}

/// The value with a dependency's own requirement. `None` for a dependency that has none or inherits
/// it from the workspace.
fn requirement_in<'t, 'a>(
    dependency: &'t Spanned<DeValue<'a>>,
) -> Option<&'t Spanned<DeValue<'a>>> {
    match dependency.get_ref() {
        DeValue::String(_) => Some(dependency),
        DeValue::Table(table) if boolean(table, "workspace") != Some(true) => table.get("version"),
        _ => None,
    }
}

/// The span of a string without its quotes, for all four kinds of TOML strings.
fn within_quotes(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let literal = text.get(span.clone())?;
    let width = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| {
            literal.len() >= 2 * quotes.len()
                && literal.starts_with(quotes)
                && literal.ends_with(quotes)
        })?
        .len();

    Some(span.start + width..span.end - width)
}

/// Checks that the result parses and differs from the original in the intended requirements only.
fn verify(
    before: &DeTable<'_>,
    changed: &str,
    edit: &RequirementEdit,
    count: usize,
) -> Result<(), EditError> {
    let after = parse(changed)?;
    let mut differences = Vec::new();
    compare_tables(before, &after, &mut differences);

    let intended: Vec<Range<usize>> = requirements(before, edit).map(Spanned::span).collect();
    let as_intended = |difference: &Difference<'_>| {
        difference.after == Some(edit.to.as_str()) && intended.contains(&difference.at)
    };
    let expected = if edit.from == edit.to { 0 } else { count };

    if differences.len() == expected && differences.iter().all(as_intended) {
        Ok(())
    } else {
        Err(EditError::Refused(format!(
            "changing the requirement of `{}` would also change something else",
            edit.name
        )))
    }
}

/// A value in which two trees differ.
struct Difference<'t> {
    /// Span of the value in the old text; of the new value when the old text has none.
    at: Range<usize>,
    /// The new value, when it is a string.
    after: Option<&'t str>,
}

fn compare_tables<'t>(
    before: &DeTable<'_>,
    after: &'t DeTable<'_>,
    into: &mut Vec<Difference<'t>>,
) {
    for (key, value) in before {
        match after.get(key.get_ref().as_ref()) {
            Some(other) => compare(value, other, into),
            None => into.push(Difference {
                at: key.span(),
                after: None,
            }),
        }
    }

    for (key, value) in after {
        if !before.contains_key(key.get_ref().as_ref()) {
            into.push(Difference {
                at: value.span(),
                after: None,
            });
        }
    }
}

fn compare<'t>(
    before: &Spanned<DeValue<'_>>,
    after: &'t Spanned<DeValue<'_>>,
    into: &mut Vec<Difference<'t>>,
) {
    let same = match (before.get_ref(), after.get_ref()) {
        (DeValue::Table(a), DeValue::Table(b)) => {
            compare_tables(a, b, into);
            true
        }
        (DeValue::Array(a), DeValue::Array(b)) if a.len() == b.len() => {
            for (a, b) in a.iter().zip(b.iter()) {
                compare(a, b, into);
            }
            true
        }
        (DeValue::String(a), DeValue::String(b)) => a == b,
        (DeValue::Integer(a), DeValue::Integer(b)) => {
            a.as_str() == b.as_str() && a.radix() == b.radix()
        }
        (DeValue::Float(a), DeValue::Float(b)) => a.as_str() == b.as_str(),
        (DeValue::Boolean(a), DeValue::Boolean(b)) => a == b,
        (DeValue::Datetime(a), DeValue::Datetime(b)) => a == b,
        _ => false,
    };

    if !same {
        into.push(Difference {
            at: before.span(),
            after: after.get_ref().as_str(),
        });
    }
}

#[cfg(test)]
mod tests;
