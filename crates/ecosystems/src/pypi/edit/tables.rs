//! Requirements in `pyproject.toml` and `Pipfile`, at the positions that the TOML parser reports.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::versions_in;
use crate::pypi::name::normalize;
use crate::{EditError, RequirementEdit};

/// Lists of requirements below `project` and `tool`, and tables of such lists.
const LISTS: [&[&str]; 6] = [
    &["project", "dependencies"],
    &["tool", "uv", "constraint-dependencies"],
    &["tool", "uv", "override-dependencies"],
    &["tool", "uv", "dev-dependencies"],
    &["tool", "pdm", "resolution", "overrides"],
    &["tool", "pdm", "dependencies"],
];
const GROUPS: [&[&str]; 3] = [
    &["project", "optional-dependencies"],
    &["dependency-groups"],
    &["tool", "pdm", "dev-dependencies"],
];

/// The positions of the versions in a `pyproject.toml`.
pub(super) fn pyproject(
    text: &str,
    edit: &RequirementEdit,
) -> Result<Vec<Range<usize>>, EditError> {
    let file = parse(text)?;
    let mut spans = Vec::new();

    for path in LISTS {
        if let Some(list) = value(&file, path) {
            in_list(text, list, edit, &mut spans)?;
        }
    }
    for path in GROUPS {
        let groups = value(&file, path).and_then(DeValue::as_table);
        for (_, list) in groups.into_iter().flat_map(DeTable::iter) {
            in_list(text, list.get_ref(), edit, &mut spans)?;
        }
    }

    let poetry = value(&file, &["tool", "poetry"]).and_then(DeValue::as_table);
    for table in poetry.into_iter().flat_map(poetry_tables) {
        in_table(text, table, edit, &mut spans)?;
    }

    Ok(spans)
}

/// The positions of the versions in a `Pipfile`.
pub(super) fn pipfile(text: &str, edit: &RequirementEdit) -> Result<Vec<Range<usize>>, EditError> {
    let file = parse(text)?;
    let mut spans = Vec::new();
    for (category, packages) in file.iter() {
        let is_setting = ["source", "requires", "scripts", "pipenv", "pipfile"]
            .contains(&category.get_ref().as_ref());
        if let (false, Some(packages)) = (is_setting, packages.get_ref().as_table()) {
            in_table(text, packages, edit, &mut spans)?;
        }
    }

    Ok(spans)
}

fn parse(text: &str) -> Result<DeTable<'_>, EditError> {
    match DeTable::parse(text) {
        Ok(table) => Ok(table.into_inner()),
        Err(error) => Err(EditError::Unreadable(error.message().replace('\n', ", "))),
    }
}

/// The value at a path of keys.
fn value<'t, 'a>(table: &'t DeTable<'a>, path: &[&str]) -> Option<&'t DeValue<'a>> {
    let (first, rest) = path.split_first()?;
    let found = table.get(*first)?.get_ref();
    match rest.is_empty() {
        true => Some(found),
        false => value(found.as_table()?, rest),
    }
}

/// Every table of Poetry that has requirements.
fn poetry_tables<'t, 'a>(poetry: &'t DeTable<'a>) -> Vec<&'t DeTable<'a>> {
    let table = |name: &str| value(poetry, &[name]).and_then(DeValue::as_table);
    let groups = table("group").into_iter().flat_map(DeTable::iter);
    ["dependencies", "dev-dependencies"]
        .into_iter()
        .filter_map(table)
        .chain(groups.filter_map(|(_, group)| {
            value(group.get_ref().as_table()?, &["dependencies"])?.as_table()
        }))
        .collect()
}

/// Adds the positions in a list of requirements of PEP 508. A group also includes others by tables.
fn in_list(
    text: &str,
    list: &DeValue<'_>,
    edit: &RequirementEdit,
    spans: &mut Vec<Range<usize>>,
) -> Result<(), EditError> {
    for item in list.as_array().into_iter().flat_map(|items| items.iter()) {
        let Some(span) = item
            .get_ref()
            .as_str()
            .and_then(|wanted| versions_in(wanted, edit))
        else {
            continue;
        };
        let start = plain(text, item)?.start;
        spans.push(start + span.start..start + span.end);
    }

    Ok(())
}

/// Adds the positions in a table from names to versions, to tables with versions, or to lists of them.
fn in_table(
    text: &str,
    table: &DeTable<'_>,
    edit: &RequirementEdit,
    spans: &mut Vec<Range<usize>>,
) -> Result<(), EditError> {
    for (name, wanted) in table.iter() {
        if normalize(name.get_ref()) != normalize(&edit.name) {
            continue;
        }

        let alternatives: Vec<&Spanned<DeValue<'_>>> = match wanted.get_ref().as_array() {
            Some(items) => items.iter().collect(),
            None => vec![wanted],
        };
        for wanted in alternatives {
            let version = match wanted.get_ref() {
                DeValue::Table(table) => table.get("version"),
                _ => Some(wanted),
            };
            let Some(version) =
                version.filter(|version| version.get_ref().as_str() == Some(edit.from.as_str()))
            else {
                continue;
            };
            spans.push(plain(text, version)?);
        }
    }

    Ok(())
}

/// The position of a string between its quotes.
///
/// # Errors
/// If the string is written with escapes, so that positions in its value are not those in the file.
fn plain(text: &str, value: &Spanned<DeValue<'_>>) -> Result<Range<usize>, EditError> {
    let span = value.span();
    let literal = text.get(span.clone()).unwrap_or_default();
    ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| {
            literal.len() >= 2 * quotes.len()
                && literal.starts_with(quotes)
                && literal.ends_with(quotes)
        })
        .map(|quotes| span.start + quotes.len()..span.end - quotes.len())
        .filter(|span| text.get(span.clone()) == value.get_ref().as_str())
        .ok_or_else(|| EditError::Refused("the requirement is written with escapes".to_owned()))
}
