//! What is missing from a scan, as text: inputs that could not be read, by cause, and files that were
//! read in part.

use super::causes::Cause;
use super::package_table::Detail;
use super::phrases::{self, count};
use super::{IncompleteReport, LockfileReport};
use crate::clean::clean;
use crate::terminal::{DIM, RED_BOLD, Terminal, YELLOW};

/// Most causes in brief, worst first.
const MAX_CAUSES: usize = 8;
/// Most inputs of a cause, and files that were read in part, in brief.
const MAX_INPUTS: usize = 3;

/// The inputs that could not be read or looked up: for each cause a line, its inputs and the next
/// step. Adds nothing when there are none.
pub(crate) fn incomplete_lines(
    incomplete: &[IncompleteReport],
    terminal: Terminal,
    detail: Detail,
    lines: &mut Vec<String>,
) {
    let (waived, incomplete): (Vec<_>, Vec<_>) = incomplete.iter().partition(|one| one.waived);
    if !incomplete.is_empty() {
        let title = format!(
            "Incomplete: {} could not be read or looked up",
            count(incomplete.len(), "input", "inputs")
        );
        lines.push(terminal.paint(RED_BOLD, &title));
        cause_lines(&Cause::all(incomplete), terminal, detail, lines);
    }

    if !waived.is_empty() {
        let title = format!(
            "Waived by the settings: {} could not be read or looked up",
            count(waived.len(), "input", "inputs")
        );
        lines.push(terminal.paint(YELLOW, &title));
        cause_lines(&Cause::all(waived), terminal, detail, lines);
    }
}

/// The causes of one section.
fn cause_lines(causes: &[Cause<'_>], terminal: Terminal, detail: Detail, lines: &mut Vec<String>) {
    let most = match detail {
        Detail::Brief => MAX_CAUSES,
        Detail::All => usize::MAX,
    };
    for cause in causes.iter().take(most) {
        lines.extend(terminal.wrap("", 2, &clean(&heading(cause, detail))));
        if let Some(hint) = &cause.hint {
            lines.extend(terminal.wrap("    hint: ", 10, &clean(hint)));
        }
    }

    let left = causes.get(most.min(causes.len())..).unwrap_or_default();
    if !left.is_empty() {
        let inputs = left.iter().map(|cause| cause.inputs.len()).sum();
        let text = format!(
            "and {} with {}; `--format json` lists them",
            count(left.len(), "more cause", "more causes"),
            count(inputs, "input", "inputs")
        );
        lines.extend(terminal.wrap("", 2, &text));
    }

    lines.push(String::new());
}

/// One cause: its inputs and its reason, which is that of the first input.
fn heading(cause: &Cause<'_>, detail: Detail) -> String {
    let subjects = cause.subjects();
    let most = match detail {
        Detail::Brief => MAX_INPUTS,
        Detail::All => usize::MAX,
    };
    let named = phrases::some_of(&subjects, most);
    match (detail, cause.varies()) {
        (_, false) => format!("{named}: {}", cause.reason()),
        (Detail::Brief, true) if subjects.len() <= most => format!("{named}: {}", cause.reason()),
        (Detail::Brief, true) => format!(
            "{named}: {} ({} of this kind)",
            cause.reason(),
            cause.inputs.len()
        ),
        (Detail::All, true) => {
            let each: Vec<String> = cause
                .inputs
                .iter()
                .map(|one| {
                    format!(
                        "{}: {}",
                        phrases::at_line(&one.subject, one.line),
                        one.reason
                    )
                })
                .collect();
            each.join("; ")
        }
    }
}

/// Files that were read in part, those that may lack a package first. Adds nothing when there are none.
pub(super) fn read_in_part(
    lockfiles: &[LockfileReport],
    terminal: Terminal,
    detail: Detail,
    lines: &mut Vec<String>,
) {
    let may_lack = |file: &&LockfileReport| phrases::may_lack_a_package(file);
    let partial = || lockfiles.iter().filter(|file| !file.skipped.is_empty());
    let mut files: Vec<&LockfileReport> = partial().filter(may_lack).collect();
    let lacking = files.len();
    files.extend(partial().filter(|file| !may_lack(file)));
    if files.is_empty() {
        return;
    }

    let style = if lacking > 0 { RED_BOLD } else { YELLOW };
    let title = format!("Read in part: {}", count(files.len(), "file", "files"));
    lines.push(terminal.paint(style, &title));
    let most = match detail {
        Detail::Brief => MAX_INPUTS,
        Detail::All => usize::MAX,
    };
    for file in files.iter().take(most) {
        lines.extend(terminal.wrap("", 2, &clean(&phrases::skipped(file))));
        if detail == Detail::All {
            for entry in &file.skipped {
                let text = format!("line {}: {}", entry.line, clean(&entry.reason));
                let wrapped = terminal.wrap("", 4, &text);
                lines.extend(wrapped.iter().map(|line| terminal.paint(DIM, line)));
            }
        }
    }
    if let Some(more @ 1..) = files.len().checked_sub(most) {
        lines.push(format!(
            "  and {}; `--all` shows them",
            count(more, "more file", "more files")
        ));
    }

    lines.push(String::new());
}
