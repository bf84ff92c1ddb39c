//! The comments in which pip-tools and uv name the dependents of a package.

use std::collections::BTreeSet;

use super::entry::Parts;
use crate::pypi::name::normalize;
use crate::pypi::requirements_txt::lines::split_comment;
use crate::pypi::requirements_txt::via::{Reason, reason, texts};

/// The annotation style of a file (`--annotation-style`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// One reason on each line.
    Split,
    /// All reasons on one line.
    Line,
}

/// Width of a requirement before a comment on the same line, in both tools.
const WIDTH: usize = 24;

impl Style {
    pub(super) fn of(text: &str) -> Self {
        let is_line = |line: &str| {
            line.starts_with('#')
                && (line.contains("--annotation-style=line")
                    || line.contains("--annotation-style line"))
                || line
                    .split_once("# via ")
                    .is_some_and(|(_, reasons)| reasons.contains(", "))
        };
        match text.lines().any(is_line) {
            true => Self::Line,
            false => Self::Split,
        }
    }
}

/// The rest of a requirement whose dependents stay. A comment on the same line stays in its column,
/// if that follows from the tools' width.
pub(super) fn kept(parts: &Parts<'_>, code: &str) -> String {
    let comment = parts.rest.trim_start_matches(' ');
    let padding = parts.rest.len() - comment.len();
    match comment.starts_with("# via ") && padding == gap(parts.code) {
        true => format!("{}{comment}", " ".repeat(gap(code))),
        false => parts.rest.to_owned(),
    }
}

/// The number of blanks before a comment on the same line.
fn gap(code: &str) -> usize {
    WIDTH.saturating_sub(code.chars().count()) + 2
}

/// The rest of a requirement with other dependents.
///
/// # Errors
/// If it has other comments as well.
pub(super) fn changed(
    parts: &Parts<'_>,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    style: Style,
) -> Result<String, String> {
    let comments: Vec<String> = parts
        .rest
        .lines()
        .filter_map(|line| split_comment(line).1.map(str::to_owned))
        .collect();
    let listed = texts(&comments);
    let count: usize = comments
        .iter()
        .map(|comment| comment.trim())
        .map(|comment| comment.strip_prefix("via").unwrap_or(comment))
        .flat_map(|comment| comment.split(", "))
        .filter(|text| !text.trim().is_empty())
        .count();
    if listed.is_empty() || listed.len() != count {
        return Err(format!(
            "`{}` has other comments than its dependents",
            parts.code.split(['=', ' ']).next().unwrap_or_default()
        ));
    }

    let is_gone = |text: &str| match reason(text) {
        Some(Reason::Package(name)) => {
            let name = normalize(&name);
            before.contains(name.as_ref()) && !after.contains(name.as_ref())
        }
        _ => false,
    };
    let mut reasons: BTreeSet<String> = listed
        .into_iter()
        .filter(|text| !is_gone(text))
        .map(str::to_owned)
        .collect();
    reasons.extend(after.difference(before).cloned());
    if reasons.is_empty() {
        return Err("a package would be without dependents".to_owned());
    }

    Ok(rendered(parts.code, &reasons, style))
}

/// The comment with the reasons, as both tools write it.
pub(super) fn rendered(code: &str, reasons: &BTreeSet<String>, style: Style) -> String {
    let all: Vec<&str> = reasons.iter().map(String::as_str).collect();
    match (style, all.as_slice()) {
        (Style::Split, [only]) => format!("\n    # via {only}"),
        (Style::Split, all) => format!("\n    # via\n    #   {}", all.join("\n    #   ")),
        (Style::Line, all) if code.contains('\n') => format!("\n    # via {}", all.join(", ")),
        (Style::Line, all) => format!("{}# via {}", " ".repeat(gap(code)), all.join(", ")),
    }
}
