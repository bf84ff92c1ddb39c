//! The report of a fix as text: the summary, the steps, what remains, and on request the diff.

use std::collections::{BTreeMap, BTreeSet};

use super::left::unfixed_lines;
use super::remarks::evidence_lines;
use super::verification::verification_lines;
use super::{EntryChangeName, EntryReport, FixReport, FixSummary, UpgradeReport};
use crate::clean::{clean, is_unsafe};
use crate::scan::{Detail, count, incident_lines, incomplete_lines};
use crate::terminal::{BOLD, CYAN, DIM, GREEN, RED, Span, Terminal, YELLOW};

/// Most entries of a list; the JSON has all.
const MAX_LISTED: usize = 12;

/// Most entries that may break their dependents; they are what a reader has to look at.
const MAX_BREAKING: usize = 40;

impl FixReport {
    /// As text: the summary first, then the steps and the findings that remain. The diff is at the
    /// end, if it is asked for.
    #[must_use]
    pub fn to_text(&self, terminal: Terminal, with_diff: bool) -> String {
        let mut lines = Vec::new();
        incident_lines(&self.incidents, terminal, &mut lines);
        self.summary_lines(terminal, &mut lines);

        let several = self.has_several_lockfiles();
        for step in &self.steps {
            let title = format!(
                "Step {}: fixes {}; {}",
                step.number,
                count(step.fixes.len(), "finding", "findings"),
                step.entries.sentence()
            );
            lines.extend(painted(terminal, BOLD, &title));
            self.part_lines(Some(step.number), several, terminal, &mut lines);
            lines.push(String::new());
        }
        if self.entries.iter().any(|entry| entry.step.is_none())
            || self.upgrades.iter().any(|upgrade| upgrade.step.is_none())
        {
            let title = "Also changes";
            lines.extend(painted(terminal, BOLD, title));
            self.part_lines(None, several, terminal, &mut lines);
            lines.push(String::new());
        }

        evidence_lines(&self.evidence, terminal, &mut lines);
        if let Some(verification) = &self.verification {
            verification_lines(verification, terminal, &mut lines);
        }
        unfixed_lines(&self.unfixed, several, terminal, &mut lines);
        incomplete_lines(&self.incomplete, terminal, Detail::Brief, &mut lines);

        if with_diff && !self.diff.is_empty() {
            lines.extend(colored_diff(&self.diff, terminal));
        } else if !self.files.is_empty() && !self.applied {
            let next = "`--diff` shows the change, `--patch FILE` saves it, `--apply` makes it";
            lines.push(next.to_owned());
        } else {
            // The last section ends with an empty line.
            lines.pop_if(|line| line.is_empty());
        }

        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Whether a package must be told with its lockfile. The only one that changes is in the
    /// summary.
    fn has_several_lockfiles(&self) -> bool {
        let entries = self.entries.iter().map(|entry| &entry.lockfile);
        let upgrades = self.upgrades.iter().map(|upgrade| &upgrade.lockfile);
        let left = self.unfixed.iter().map(|one| &one.lockfile);
        let lockfiles: BTreeSet<&String> = entries.chain(upgrades).chain(left).collect();
        let is_told = |lockfile: &&String| self.files.iter().any(|file| file.path == **lockfile);

        lockfiles.len() > 1 || !lockfiles.iter().all(is_told)
    }

    /// The summary: what is fixed, what changes, what remains.
    fn summary_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        let summary = &self.summary;
        let headline = summary.headline(self.applied, self.incomplete.is_empty());
        lines.extend(painted(terminal, BOLD, &headline));
        for sentence in sentences(summary) {
            lines.extend(terminal.wrap("", 2, &sentence));
        }
        for file in &self.files {
            let size = match (file.additions, file.deletions) {
                (Some(added), Some(removed)) => format!("+{added} -{removed} lines"),
                _ => "too large to compare".to_owned(),
            };
            lines.extend(terminal.wrap("", 2, &format!("{} ({size})", clean(&file.path))));
        }
        lines.push(String::new());
    }

    /// The upgrades and entries of one step, or of none.
    fn part_lines(
        &self,
        step: Option<usize>,
        several_files: bool,
        terminal: Terminal,
        lines: &mut Vec<String>,
    ) {
        let upgrades: Vec<&UpgradeReport> = self
            .upgrades
            .iter()
            .filter(|upgrade| upgrade.step == step)
            .collect();
        for upgrade in &upgrades {
            upgrade_lines(upgrade, several_files, terminal, lines);
        }

        // An upgrade is an entry as well, and is not told twice.
        let is_told = |entry: &EntryReport| {
            upgrades.iter().any(|upgrade| {
                upgrade.lockfile == entry.lockfile
                    && upgrade.package == entry.package
                    && Some(&upgrade.from) == entry.from.as_ref()
                    && Some(&upgrade.to) == entry.to.as_ref()
            })
        };
        let entries: Vec<&EntryReport> = self
            .entries
            .iter()
            .filter(|entry| entry.step == step && !is_told(entry))
            .collect();
        let list = |change: EntryChangeName, breaking: bool| {
            entries
                .iter()
                .copied()
                .filter(move |entry| entry.change == change && entry.breaking == breaking)
        };
        let lists = [
            (
                "may break",
                list(EntryChangeName::Moves, true),
                MAX_BREAKING,
            ),
            ("moves", list(EntryChangeName::Moves, false), MAX_LISTED),
            ("comes", list(EntryChangeName::Comes, false), MAX_LISTED),
            ("goes", list(EntryChangeName::Goes, false), MAX_LISTED),
        ];
        for (label, entries, most) in lists {
            let style = if label == "may break" { YELLOW } else { DIM };
            let text = listed(entries, several_files, most);
            let label = terminal.paint(style, &format!("  {:<11}", format!("{label}:")));
            if !text.is_empty() {
                lines.extend(terminal.flow(&label, 13, &[Span::new(text)]));
            }
        }
    }
}

/// The numbers after the headline, a sentence each.
pub(super) fn sentences(summary: &FixSummary) -> Vec<String> {
    let mut sentences = Vec::new();
    if summary.files > 0 {
        sentences.push(format!(
            "{}; in the lockfiles {}",
            count(
                summary.packages,
                "package is upgraded",
                "packages are upgraded"
            ),
            summary.entries.sentence()
        ));
    }
    if summary.remaining > 0 {
        sentences.push(format!(
            "{}: {}",
            count(summary.remaining, "finding remains", "findings remain"),
            summary.remaining_by_class.sentence()
        ));
    }
    if summary.introduced > 0 {
        sentences.push(format!(
            "{} with the change",
            count(summary.introduced, "finding is new", "findings are new")
        ));
    }

    sentences
}

/// Entries in one line: `a 1.0.0 -> 1.0.1, b 2.0.0 (3 copies)`.
fn listed<'e>(
    entries: impl Iterator<Item = &'e EntryReport>,
    several_files: bool,
    most: usize,
) -> String {
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let versions: Vec<String> = [&entry.from, &entry.to]
            .into_iter()
            .flatten()
            .map(|version| clean(version))
            .collect();
        let mut text = format!("{} {}", clean(&entry.package), versions.join(" -> "));
        if entry.direct && entry.breaking {
            text.push_str(" (direct)");
        }
        if several_files {
            text.push_str(&format!(" in {}", clean(&entry.lockfile)));
        }
        *copies.entry(text).or_default() += 1;
    }

    let more = copies.len().saturating_sub(most);
    let mut shown: Vec<String> = copies
        .into_iter()
        .take(most)
        .map(|(text, copies)| match copies {
            1 => text,
            _ => format!("{text} ({copies} copies)"),
        })
        .collect();
    if more > 0 {
        shown.push(format!("and {more} more (`--format json` lists all)"));
    }

    shown.join(", ")
}

fn painted(terminal: Terminal, style: anstyle::Style, text: &str) -> Vec<String> {
    terminal.flow("", 0, &[Span::styled(style, text)])
}

fn upgrade_lines(
    upgrade: &UpgradeReport,
    several_files: bool,
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    let mut spans = vec![
        Span::styled(BOLD, clean(&upgrade.package)),
        Span::new(format!("{} ->", clean(&upgrade.from))),
        Span::styled(GREEN, clean(&upgrade.to)),
        Span::new(format!("({})", upgrade.bump)),
    ];
    if several_files {
        spans.push(Span::new(format!("in {}", clean(&upgrade.lockfile))));
    }
    let mut why = Vec::new();
    if !upgrade.fixes.is_empty() {
        why.push(format!("fixes {}", clean(&upgrade.fixes.join(", "))));
    }
    if let Some(because) = &upgrade.because_of {
        why.push(format!("required by the upgrade of {}", clean(because)));
    }
    if !why.is_empty() {
        spans.push(Span::styled(DIM, why.join(", ")));
    }
    lines.extend(terminal.flow("  ", 6, &spans));

    let mut detail = |text: &str| {
        let wrapped = terminal.wrap("", 6, text);
        lines.extend(wrapped.iter().map(|line| terminal.paint(DIM, line)));
    };
    for change in &upgrade.requirement_changes {
        detail(&format!("requirement {}", clean(change)));
    }
}

/// A diff as a terminal may show it.
#[must_use]
pub fn shown_diff(diff: &str, terminal: Terminal) -> String {
    let lines = colored_diff(diff, terminal);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The lines of a diff without the characters that a terminal interprets. Tabs are kept, and so is
/// a carriage return at the end of a line: without it the diff of such a file would not apply.
fn colored_diff(diff: &str, terminal: Terminal) -> Vec<String> {
    diff.split_terminator('\n')
        .map(|line| colored_line(line, terminal))
        .collect()
}

fn colored_line(line: &str, terminal: Terminal) -> String {
    let (line, end) = match line.strip_suffix('\r') {
        Some(line) => (line, "\r"),
        None => (line, ""),
    };
    let safe: String = line
        .chars()
        .filter(|&c| c == '\t' || !is_unsafe(c))
        .collect();

    // A line of context could be a workflow command. The JSON has the line unchanged.
    let safe = match safe.strip_prefix(' ') {
        Some(context) if context.trim_start().starts_with("::") => safe.replacen("::", ": :", 1),
        _ => safe,
    };
    let style = match safe.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] | [b'd', ..] => Some(BOLD),
        [b'+', ..] => Some(GREEN),
        [b'-', ..] => Some(RED),
        [b'@', b'@', ..] => Some(CYAN),
        _ => None,
    };
    match style {
        Some(style) => format!("{}{end}", terminal.paint(style, &safe)),
        None => format!("{safe}{end}"),
    }
}
