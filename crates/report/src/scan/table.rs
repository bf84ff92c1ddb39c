//! The report of a scan as a table for a terminal.

use super::incident;
use super::phrases::{self, count};
use super::{FindingReport, IncompleteReport, ScanReport, SeverityName};
use crate::clean::{clean, cut};
use crate::terminal::{BOLD, CYAN, DIM, GREEN, RED, RED_BOLD, Terminal, YELLOW};

/// Indentation of a finding's details, which sets them apart from the rows.
const INDENT: usize = 12;
/// Most locations, chains and aliases of a finding; the JSON has all.
const MAX_SHOWN: usize = 3;

/// Most columns for a package's name, however wide the terminal is.
const MAX_PACKAGE: usize = 48;
/// Most characters of an id. A user may want to copy it, so only a text that cannot be an id is cut.
const MAX_ID: usize = 48;

/// Most characters of a VEX statement.
const MAX_STATEMENT: usize = 300;

/// Width of each column that depends on the content.
struct Columns {
    package: usize,
    version: usize,
    fixed: usize,
}

impl ScanReport {
    /// As text for a terminal: the findings, worst first, each with its locations and the chains of
    /// dependencies to it; then the ignored ones, the missing inputs, and the sources.
    #[must_use]
    pub fn to_table(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        incident::lines(&self.incidents(), terminal, &mut lines);
        if !self.findings.is_empty() {
            let columns = columns(&self.findings, terminal.columns());
            lines.push(terminal.paint(BOLD, &header(&columns)));
            for finding in &self.findings {
                lines.extend(finding_lines(finding, &columns, terminal));
            }
            lines.push(String::new());
        }

        self.ignored_lines(terminal, &mut lines);
        self.suppressed_lines(terminal, &mut lines);
        self.notice_lines(terminal, &mut lines);
        incomplete_lines(&self.incomplete, terminal, &mut lines);
        self.not_covered_lines(terminal, &mut lines);

        if let Some(note) = phrases::direct_only(self) {
            lines.push(terminal.paint(YELLOW, "Direct dependencies only"));
            lines.extend(terminal.wrap("", 2, &clean(&note)));
            lines.push(String::new());
        }

        self.source_lines(terminal, &mut lines);
        lines.extend(self.headline_lines(terminal));

        let mut text = String::new();
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }

        text
    }

    fn ignored_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.ignored.is_empty() {
            return;
        }

        lines.push(terminal.paint(BOLD, &format!("Ignored ({})", self.ignored.len())));
        for ignored in &self.ignored {
            let finding = &ignored.finding;
            let text = format!(
                "{} in {}@{} until {}: {}",
                clean(&finding.id),
                clean(&finding.package.name),
                clean(&finding.package.version),
                ignored.until,
                clean(&ignored.reason)
            );
            lines.extend(terminal.wrap("", 2, &text));
        }

        lines.push(String::new());
    }

    fn suppressed_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if !self.suppressed.is_empty() {
            let title = format!("Suppressed by VEX ({})", self.suppressed.len());
            lines.push(terminal.paint(BOLD, &title));
        }

        for suppressed in &self.suppressed {
            let finding = &suppressed.finding;
            let text = format!(
                "{} in {}@{}: {}",
                clean(&finding.id),
                clean(&finding.package.name),
                clean(&finding.package.version),
                cut(&clean(&phrases::statement(suppressed)), MAX_STATEMENT)
            );
            lines.extend(terminal.wrap("", 2, &text));
            let source = clean(&phrases::stated_by(suppressed));
            lines.extend(terminal.wrap("    from", 9, &source));
        }

        if !self.suppressed.is_empty() {
            lines.push(String::new());
        }

        if self.vex_notices.is_empty() {
            return;
        }

        lines.push(terminal.paint(YELLOW, "VEX documents"));
        for notice in &self.vex_notices {
            let location = phrases::at_line(&notice.source, notice.line);
            let text = format!("{} {}", clean(&location), clean(&notice.text));
            lines.extend(terminal.wrap("", 2, &text));
        }

        lines.push(String::new());
    }

    fn notice_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.notices.is_empty() {
            return;
        }

        lines.push(terminal.paint(YELLOW, "Settings"));
        for notice in &self.notices {
            let text = format!(
                "{}:{}: {}",
                clean(&notice.file),
                notice.line,
                clean(&notice.text)
            );
            lines.extend(terminal.wrap("", 2, &text));
        }

        lines.push(String::new());
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

    fn source_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.sources.is_empty() {
            return;
        }

        lines.push(terminal.paint(BOLD, "Sources"));
        let names: Vec<String> = self
            .sources
            .iter()
            .map(|source| clean(&source.name))
            .collect();
        let width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        for (source, name) in self.sources.iter().zip(names) {
            lines.push(format!("  {name:<width$}  {}", phrases::source(source)));
            if let Some(warning) = &source.warning {
                let warning = terminal.wrap("    warning:", 13, &clean(warning));
                lines.extend(warning.iter().map(|line| terminal.paint(YELLOW, line)));
            }
        }

        lines.push(String::new());
    }

    fn headline_lines(&self, terminal: Terminal) -> Vec<String> {
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
        if !self.findings.is_empty() {
            lines.extend(terminal.wrap("", 0, &phrases::threshold(self)));
        }
        if !self.summary.complete && !self.findings.is_empty() {
            let text = format!(
                "The scan is incomplete: {} could not be read or looked up, so there may be more findings",
                count(self.incomplete.len(), "input", "inputs")
            );
            lines.extend(terminal.wrap("", 0, &text));
        }

        lines
    }
}

/// The inputs that could not be read or looked up, each with the next step.
pub(crate) fn incomplete_lines(
    incomplete: &[IncompleteReport],
    terminal: Terminal,
    lines: &mut Vec<String>,
) {
    if incomplete.is_empty() {
        return;
    }

    let title = format!(
        "Incomplete: {} could not be read or looked up",
        count(incomplete.len(), "input", "inputs")
    );
    lines.push(terminal.paint(RED_BOLD, &title));
    for problem in incomplete {
        let subject = match problem.line {
            Some(line) => format!("{}:{line}", clean(&problem.subject)),
            None => clean(&problem.subject),
        };
        let text = format!("{subject}: {}", clean(&problem.reason));
        lines.extend(terminal.wrap("", 2, &text));
        if let Some(hint) = &problem.hint {
            lines.extend(terminal.wrap("    hint:", 10, &clean(hint)));
        }
    }

    lines.push(String::new());
}

/// The widths of the columns. The package gets the width that the other columns leave.
fn columns(findings: &[FindingReport], width: usize) -> Columns {
    let longest = |text: fn(&FindingReport) -> &str, least: usize| {
        let longest = findings
            .iter()
            .map(|f| clean(text(f)).chars().count())
            .max();
        longest.unwrap_or(0).max(least)
    };
    let version = longest(|f| &f.package.version, 7).min(16);
    let fixed = longest(phrases::fixed, 5).min(16);
    let id = longest(|f| &f.id, 2).min(24);
    let others = 5 + 2 + 8 + 2 + 2 + version + 2 + fixed + 2 + id;
    let package =
        longest(|f| &f.package.name, 7).min(width.saturating_sub(others).clamp(14, MAX_PACKAGE));

    Columns {
        package,
        version,
        fixed,
    }
}

fn header(columns: &Columns) -> String {
    format!(
        "{:>5}  {:<8}  {:<package$}  {:<version$}  {:<fixed$}  ID",
        "SCORE",
        "SEVERITY",
        "PACKAGE",
        "VERSION",
        "FIXED",
        package = columns.package,
        version = columns.version,
        fixed = columns.fixed,
    )
}

fn finding_lines(finding: &FindingReport, columns: &Columns, terminal: Terminal) -> Vec<String> {
    let cell = |text: &str, width: usize| format!("{:<width$}", cut(&clean(text), width));

    // The row.
    let severity = format!("{:<8}", phrases::severity(finding.severity));
    let fixed = cell(phrases::fixed(finding), columns.fixed);
    let mut lines = vec![format!(
        "{:>5.1}  {}  {}  {}  {}  {}",
        finding.score,
        terminal.paint(severity_style(finding), &severity),
        terminal.paint(BOLD, &cell(&finding.package.name, columns.package)),
        cell(&finding.package.version, columns.version),
        match finding.fixed_version {
            Some(_) => terminal.paint(GREEN, &fixed),
            None => terminal.paint(DIM, &fixed),
        },
        cut(&clean(&finding.id), MAX_ID),
    )];

    // The details below it.
    let mut detail = |label: &str, text: &str| {
        lines.extend(terminal.wrap(&format!("       {label}"), INDENT, text));
    };
    let summary = clean(&finding.summary);
    let aliases: Vec<String> = finding
        .aliases
        .iter()
        .take(MAX_SHOWN)
        .map(|a| clean(a))
        .collect();
    match (summary.is_empty(), aliases.is_empty()) {
        (false, true) => detail("", &summary),
        (false, false) => detail("", &format!("{summary} ({})", aliases.join(", "))),
        (true, false) => detail("", &format!("also {}", aliases.join(", "))),
        (true, true) => {}
    }

    let exploitation: Vec<String> = phrases::exploitation(finding)
        .iter()
        .map(|part| clean(part))
        .collect();
    if !exploitation.is_empty() {
        detail("", &exploitation.join(", "));
    }

    let locations = finding.locations.iter().map(phrases::location);
    detail("at", &some_of(locations.map(|at| clean(&at)), ", "));
    for (index, line) in chains(finding).iter().enumerate() {
        detail(if index == 0 { "via" } else { "" }, line);
    }
    if let Some(reason) = &finding.no_fix_reason {
        detail("fix", &clean(reason));
    }

    let (first, details) = lines.split_at(1);
    let mut painted = first.to_vec();
    painted.extend(details.iter().map(|line| terminal.paint(DIM, line)));

    painted
}

/// The first chains from a direct dependency, one a line, and the number of the others.
fn chains(finding: &FindingReport) -> Vec<String> {
    let mut lines: Vec<String> = finding
        .paths
        .iter()
        .take(MAX_SHOWN)
        .map(|path| {
            let steps: Vec<String> = path.iter().map(|step| clean(step)).collect();
            match steps.as_slice() {
                [only] => format!("{only} (direct)"),
                steps => steps.join(" > "),
            }
        })
        .collect();
    if finding.paths.len() > MAX_SHOWN {
        let others = finding.paths.len() - MAX_SHOWN;
        lines.push(format!(
            "and {}",
            count(others, "more chain", "more chains")
        ));
    }

    lines
}

/// The first few, and the number of the others.
fn some_of(texts: impl Iterator<Item = String>, separator: &str) -> String {
    let texts: Vec<String> = texts.collect();
    let mut shown = texts
        .iter()
        .take(MAX_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(separator);
    if texts.len() > MAX_SHOWN {
        shown.push_str(&format!(" and {} more", texts.len() - MAX_SHOWN));
    }

    shown
}

fn severity_style(finding: &FindingReport) -> anstyle::Style {
    match finding.severity {
        SeverityName::Critical => RED_BOLD,
        SeverityName::High => RED,
        SeverityName::Medium | SeverityName::Unknown => YELLOW,
        SeverityName::Low => CYAN,
        SeverityName::None | SeverityName::Informational => DIM,
    }
}
