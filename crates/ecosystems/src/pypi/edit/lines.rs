//! Requirements in files with one on each line: `setup.cfg` and requirements files.

use std::ops::Range;

use super::versions_in;
use crate::{EditError, RequirementEdit};

/// The positions of the versions in a requirements file.
///
/// # Errors
/// If the requirement has hashes: they are those of the version before, and belong to a lockfile.
pub(super) fn requirements(
    text: &str,
    edit: &RequirementEdit,
) -> Result<Vec<Range<usize>>, EditError> {
    let mut spans = Vec::new();
    for (start, line) in lines(text) {
        let code = without_comment(line);
        let wanted = code.split(" --").next().unwrap_or(code);
        let wanted = wanted.strip_suffix('\\').unwrap_or(wanted);
        let Some(span) = versions_in(wanted, edit) else {
            continue;
        };
        if code.trim_end().ends_with('\\') || code.contains("--hash") {
            return Err(EditError::Refused(
                "the requirement has hashes or continues on the next line".to_owned(),
            ));
        }
        spans.push(start + span.start..start + span.end);
    }

    Ok(spans)
}

/// The positions of the versions in a `setup.cfg`: in the lists `install_requires` and
/// `tests_require`, and in the extras.
pub(super) fn setup_cfg(text: &str, edit: &RequirementEdit) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut section = "";
    let mut key = "";
    for (start, line) in lines(text) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }

        let (start, value) = if line.starts_with([' ', '\t']) && !key.is_empty() {
            (start, line)
        } else if trimmed.starts_with('[') {
            section = trimmed.trim_matches(['[', ']']);
            key = "";
            continue;
        } else {
            let Some((name, value)) = line.split_once(['=', ':']) else {
                continue;
            };
            key = name.trim();
            (start + line.len() - value.len(), value)
        };

        let is_list = match section {
            "options" => matches!(key, "install_requires" | "tests_require"),
            "options.extras_require" => true,
            _ => false,
        };
        if !is_list {
            continue;
        }

        // A value may also have its requirements on one line, separated by `;`.
        let mut at = start;
        let alone = versions_in(without_comment(value), edit);
        if let Some(span) = alone {
            spans.push(start + span.start..start + span.end);
            continue;
        }
        for part in value.split(';') {
            if let Some(span) = versions_in(part, edit) {
                spans.push(at + span.start..at + span.end);
            }
            at += part.len() + 1;
        }
    }

    spans
}

/// Lines with their positions, without line ends.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// The line without a comment, which begins at the start of the line or after a blank.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with([' ', '\t'])
    });
    comment.map_or(line, |(at, _)| line.get(..at).unwrap_or(line))
}
