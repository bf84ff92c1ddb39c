//! The report of a scan as text for a person.
//!
//! The sections are ordered by importance. On a terminal they are reversed, and the summary is last,
//! because the end of the text is what is seen when the command has ended. In a file or a pipe the
//! most important part is first, and the summary is repeated at the end.

use std::collections::BTreeMap;

use super::decision;
use super::incident;
use super::package_table::{self, Detail};
use super::phrases::{self, count};
use super::{ScanReport, SourceReport, incomplete_table};
use crate::clean::{clean, cut};
use crate::terminal::{BOLD, DIM, GREEN, RED_BOLD, Terminal, YELLOW};

/// Most characters of a VEX statement.
const MAX_STATEMENT: usize = 300;
/// Most ignored or suppressed findings in brief.
const MAX_EXCLUDED: usize = 10;
/// Lines of a text in a file or a pipe from which it has the summary at its beginning, too.
const LONG: usize = 30;

impl ScanReport {
    /// As text for a person: the packages with findings, each with its fix and its vulnerabilities;
    /// possible findings; missing inputs; then what was excluded, and the sources.
    #[must_use]
    pub fn to_table(&self, terminal: Terminal, detail: Detail) -> String {
        let mut incidents = Vec::new();
        incident::lines(&self.incidents(), terminal, &mut incidents);
        let summary = self.summary_lines(terminal);
        let mut sections = package_table::findings(&self.findings, terminal, detail);
        sections.push(package_table::possible(&self.possible, terminal, detail));
        sections.push(self.missing_lines(terminal, detail));
        sections.push(self.notice_lines(terminal));
        sections.push(self.excluded_lines(terminal, detail));
        sections.push(self.source_lines(terminal, detail));

        let mut lines = Vec::new();
        if terminal.interactive {
            lines.extend(sections.into_iter().rev().flatten());
            lines.extend(incidents);
        } else {
            lines.extend(incidents);
            if sections.iter().map(Vec::len).sum::<usize>() > LONG {
                lines.extend(summary.clone());
                lines.push(String::new());
            }
            lines.extend(sections.into_iter().flatten());
        }
        lines.extend(summary);

        let mut text = String::new();
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }

        text
    }

    /// Inputs that could not be read, files that were read in part, packages without advisories, and
    /// files without transitive dependencies.
    fn missing_lines(&self, terminal: Terminal, detail: Detail) -> Vec<String> {
        let mut lines = Vec::new();
        incomplete_table::incomplete_lines(&self.unread(), terminal, detail, &mut lines);
        incomplete_table::read_in_part(&self.lockfiles, terminal, detail, &mut lines);
        self.not_covered_lines(terminal, &mut lines);
        if let Some(note) = phrases::direct_only(self) {
            lines.push(terminal.paint(YELLOW, "Direct dependencies only"));
            lines.extend(terminal.wrap("", 2, &clean(&note)));
            lines.push(String::new());
        }

        lines
    }

    /// Ignored and suppressed findings.
    fn excluded_lines(&self, terminal: Terminal, detail: Detail) -> Vec<String> {
        let most = match detail {
            Detail::Brief => MAX_EXCLUDED,
            Detail::All => usize::MAX,
        };
        let rest = |number: usize| {
            let more = number.checked_sub(most).filter(|more| *more > 0)?;
            Some(format!("  and {more} more; `--all` shows them"))
        };
        let mut lines = Vec::new();

        if !self.ignored.is_empty() {
            lines.push(terminal.paint(BOLD, &format!("Ignored ({})", self.ignored.len())));
        }
        for ignored in self.ignored.iter().take(most) {
            let text = format!(
                "{} until {}: {}",
                clean(&phrases::subject(&ignored.finding)),
                ignored.until,
                clean(&ignored.reason)
            );
            lines.extend(terminal.wrap("", 2, &text));
        }
        if !self.ignored.is_empty() {
            lines.extend(rest(self.ignored.len()));
            lines.push(String::new());
        }

        if !self.suppressed.is_empty() {
            let title = format!("Suppressed by VEX ({})", self.suppressed.len());
            lines.push(terminal.paint(BOLD, &title));
        }
        for suppressed in self.suppressed.iter().take(most) {
            let text = format!(
                "{}: {}",
                clean(&phrases::subject(&suppressed.finding)),
                cut(&clean(&phrases::statement(suppressed)), MAX_STATEMENT)
            );
            lines.extend(terminal.wrap("", 2, &text));
            let source = clean(&phrases::stated_by(suppressed));
            lines.extend(terminal.wrap("    from ", 9, &source));
        }
        if !self.suppressed.is_empty() {
            lines.extend(rest(self.suppressed.len()));
            lines.push(String::new());
        }

        lines
    }

    /// Notices about VEX documents and the settings.
    fn notice_lines(&self, terminal: Terminal) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.vex_notices.is_empty() {
            lines.push(terminal.paint(YELLOW, "VEX documents"));
            for notice in &self.vex_notices {
                let location = phrases::at_line(&notice.source, notice.line);
                let text = format!("{} {}", clean(&location), clean(&notice.text));
                lines.extend(terminal.wrap("", 2, &text));
            }
            lines.push(String::new());
        }

        if !self.notices.is_empty() {
            lines.push(terminal.paint(YELLOW, "Settings"));
            for notice in &self.notices {
                let location = format!("{}:{}", notice.file, notice.line);
                let text = format!("{}: {}", clean(&location), clean(&notice.text));
                lines.extend(terminal.wrap("", 2, &text));
            }
            lines.push(String::new());
        }

        lines
    }

    fn not_covered_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.not_covered.is_empty() {
            return;
        }

        let counts: Vec<String> = self
            .not_covered
            .iter()
            .map(|one| format!("{} {}", one.packages, clean(&one.ecosystem)))
            .collect();
        let text = format!(
            "Skipped: no advisories cover these packages: {}",
            counts.join(", ")
        );
        let wrapped = terminal.wrap("", 0, &text);
        lines.extend(wrapped.iter().map(|line| terminal.paint(YELLOW, line)));
        lines.push(String::new());
    }

    /// The sources with their ages. In brief they are one paragraph, and a warning that several sources
    /// have in common is one line.
    fn source_lines(&self, terminal: Terminal, detail: Detail) -> Vec<String> {
        if self.sources.is_empty() {
            return Vec::new();
        }

        let described: Vec<String> = self
            .sources
            .iter()
            .map(|one| (clean(&one.name), phrases::source(one)))
            .map(|(name, state)| match detail {
                Detail::Brief => format!("{name} ({state})"),
                Detail::All => format!("{name}: {state}"),
            })
            .collect();
        let mut lines = Vec::new();
        match detail {
            Detail::Brief => {
                let text = format!("Sources: {}", described.join(", "));
                let wrapped = terminal.wrap("", 0, &text);
                lines.extend(wrapped.iter().map(|line| terminal.paint(DIM, line)));
            }
            Detail::All => {
                lines.push(terminal.paint(BOLD, "Sources"));
                for one in &described {
                    lines.extend(terminal.wrap("", 2, one));
                }
            }
        }

        let mut warnings: BTreeMap<String, Vec<&SourceReport>> = BTreeMap::new();
        for source in &self.sources {
            if let Some(warning) = &source.warning {
                let key = match detail {
                    Detail::Brief => super::causes::pattern(warning),
                    Detail::All => format!("{warning} {}", source.name),
                };
                warnings.entry(key).or_default().push(source);
            }
        }
        for sources in warnings.values() {
            let Some((first, others)) = sources.split_first() else {
                continue;
            };
            let more = match others.len() {
                0 => String::new(),
                more => format!(" and {}", count(more, "more source", "more sources")),
            };
            let text = format!(
                "{}{more}: {}",
                clean(&first.name),
                clean(first.warning.as_deref().unwrap_or_default())
            );
            let warning = terminal.wrap("  warning: ", 11, &text);
            lines.extend(warning.iter().map(|line| terminal.paint(YELLOW, line)));
        }

        lines.push(String::new());
        lines
    }

    /// The totals, what of them fails the run, and what is missing.
    fn summary_lines(&self, terminal: Terminal) -> Vec<String> {
        let style = if !self.summary.complete || self.summary.at_or_above_threshold > 0 {
            RED_BOLD
        } else if self.findings.is_empty() {
            GREEN
        } else {
            YELLOW
        };
        let mut lines: Vec<String> = terminal
            .wrap("", 0, &phrases::headline(self))
            .iter()
            .map(|line| terminal.paint(style, line))
            .collect();
        if let Some(text) = decision::next(self) {
            lines.extend(terminal.wrap("", 0, &clean(&text)));
        }
        let others = [
            crate::baseline::phrase(self),
            phrases::groups(self),
            phrases::possible(self),
        ];
        for text in others.into_iter().flatten() {
            lines.extend(terminal.wrap("", 0, &clean(&text)));
        }
        if !self.findings.is_empty() {
            lines.extend(terminal.wrap("", 0, &phrases::threshold(self)));
        }
        // Without findings, the first line says it.
        if let Some(text) = phrases::incomplete(self).filter(|_| !self.findings.is_empty()) {
            lines.extend(terminal.wrap("", 0, &text));
        }

        lines
    }
}
