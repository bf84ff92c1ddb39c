//! Replacement of one requirement in a manifest of a Python project. Every other byte stays as it is.
//!
//! The kind of manifest follows from its name: `pyproject.toml` and `Pipfile` (`tables.rs`),
//! `setup.cfg`, and files with one requirement on each line (`lines.rs`). The result is read again and
//! compared with the manifest before.

mod lines;
mod tables;

use std::ops::Range;

use super::admitted::admitted;
use super::manifest;
use super::name::normalize;
use super::requirement::Requirement;
use crate::{EditError, Input, RequirementEdit, Siblings, limits};

/// Whether a path of keys leads to the versions of a requirement: in the tables of Poetry.
pub(super) fn is_requirement_key(path: &[&str]) -> bool {
    let in_table = match path {
        [
            "tool",
            "poetry",
            "dependencies" | "dev-dependencies",
            rest @ ..,
        ]
        | ["tool", "poetry", "group", _, "dependencies", rest @ ..] => rest,
        _ => return false,
    };
    match in_table {
        [name] | [name, "version"] => normalize(name) != "python",
        _ => false,
    }
}

/// Changes a requirement wherever the manifest has it under that name.
pub(super) fn edit(
    path: &str,
    manifest: &str,
    edit: &RequirementEdit,
) -> Result<String, EditError> {
    if manifest.len() > limits::MAX_FILE_BYTES {
        return Err(EditError::Unreadable(format!(
            "it is larger than {} MiB",
            limits::MAX_FILE_BYTES / (1024 * 1024)
        )));
    }
    check_new(edit)?;

    // No parser accepts a byte order mark, so positions are relative to the text after it.
    let mark = manifest.len() - manifest.trim_start_matches('\u{feff}').len();
    let body = manifest.get(mark..).unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or(path);
    let mut spans = match file {
        "Pipfile" => tables::pipfile(body, edit)?,
        "setup.cfg" => lines::setup_cfg(body, edit),
        _ if file.ends_with(".toml") => tables::pyproject(body, edit)?,
        _ => lines::requirements(body, edit)?,
    };
    if spans.is_empty() {
        return Err(EditError::NotFound {
            name: edit.name.clone(),
            requirement: edit.from.clone(),
        });
    }

    // From the last span to the first, so that a change does not shift the spans still to come.
    spans.sort_by_key(|span| span.start);
    spans.dedup();
    let mut changed = manifest.to_owned();
    for span in spans.iter().rev() {
        changed.replace_range(mark + span.start..mark + span.end, &edit.to);
    }

    verify(path, body, changed.get(mark..).unwrap_or_default(), edit)?;
    Ok(changed)
}

/// Checks the new requirement: it has no character that a format would have to escape, and does not
/// start something else, such as a comment, an option or a condition.
fn check_new(edit: &RequirementEdit) -> Result<(), EditError> {
    let is_plain = edit
        .to
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || ".,<>=!~^*|+_- ".contains(c));
    let is_requirement = !edit.to.trim().is_empty() && admitted(&edit.to).is_ok();
    match is_plain && is_requirement && !edit.to.contains(" -") {
        true => Ok(()),
        false => Err(EditError::Refused(format!(
            "`{}` is not a requirement of {}",
            edit.to.escape_debug(),
            super::NAME
        ))),
    }
}

/// The position of the versions in a requirement of PEP 508, if it is the one to change.
fn versions_in(text: &str, edit: &RequirementEdit) -> Option<Range<usize>> {
    let parsed = Requirement::parse(text)?;
    if parsed.url.is_some()
        || normalize(parsed.name) != normalize(&edit.name)
        || parsed.specifier != edit.from
    {
        return None;
    }

    // Name and extras contain none of the characters that begin a specifier.
    let mut start = text.find(parsed.name)? + parsed.name.len();
    if !parsed.extras.is_empty() || text.get(start..)?.trim_start().starts_with('[') {
        start += text.get(start..)?.find(']')? + 1;
    }
    if !parsed.specifier.is_empty() {
        start += text.get(start..)?.find(parsed.specifier)?;
    }
    Some(start..start + parsed.specifier.len())
}

/// Checks that the result can be read and differs from the manifest before in the intended
/// requirements only.
fn verify(path: &str, before: &str, after: &str, edit: &RequirementEdit) -> Result<(), EditError> {
    let siblings = Siblings::new();
    let read = |text: &str| {
        // A requirements file is read like its source, which has the same lines.
        let path = match path.ends_with(".txt") {
            true => "requirements.in",
            false => path,
        };
        let input = Input {
            path,
            bytes: text.as_bytes(),
            siblings: &siblings,
        };
        manifest::parse(&input).map_err(|error| EditError::Unreadable(error.reason))
    };
    let (before, after) = (read(before)?, read(after)?);

    let is_intended = |(before, after): (&manifest::Direct, &manifest::Direct)| {
        let mut expected = before.clone();
        if before != after {
            expected.requirement.clone_from(&edit.to);
        }
        expected == *after
            && (before == after
                || normalize(&before.name) == normalize(&edit.name)
                    && before.requirement == edit.from)
    };
    let same = before.name == after.name
        && before.direct.len() == after.direct.len()
        && before.overrides.len() == after.overrides.len()
        && before
            .direct
            .iter()
            .chain(&before.overrides)
            .zip(after.direct.iter().chain(&after.overrides))
            .all(is_intended);
    match same {
        true => Ok(()),
        false => Err(EditError::Refused(
            "the change would affect other requirements".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
