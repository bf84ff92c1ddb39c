//! The values of a page, each as the text that it shows. The template escapes them for HTML.

use serde::Serialize;

use super::super::causes::Cause;
use super::super::phrases::{self, count};
use super::super::{FindingReport, LockfileReport, ScanReport, decision};
use super::HtmlOptions;
use super::cards::{Card, MAX_FINDINGS, Upgrade, cards, upgrades};
use super::chart::Chart;
use crate::clean::{clean, cut};

/// Most characters of a name, a version or a path, and of a sentence.
const MAX_LINE: usize = 200;
const MAX_LONG: usize = 400;
/// Most upgrades in the list of those that resolve most.
const MAX_UPGRADES: usize = 10;
/// Most inputs of one cause.
const MAX_INPUTS: usize = 10;
/// Most rows of every other list.
const MAX_ROWS: usize = 2_000;

/// A name, a version or a path: one line of bounded length without invisible characters.
pub(super) fn line(text: &str) -> String {
    cut(&clean(text), MAX_LINE)
}

/// A sentence of an advisory: the same, longer.
pub(super) fn long(text: &str) -> String {
    cut(&clean(text), MAX_LONG)
}

/// The first few, and the number of the others.
pub(super) fn some(texts: &[String], most: usize) -> Vec<String> {
    let mut shown: Vec<String> = texts.iter().take(most).map(|text| line(text)).collect();
    if let Some(more @ 1..) = texts.len().checked_sub(most) {
        shown.push(format!("and {more} more"));
    }
    shown
}

/// Everything on the page.
#[derive(Debug, Serialize)]
pub(super) struct View {
    name: String,
    time: String,
    version: String,
    outcome: Outcome,
    headline: String,
    notes: Vec<Vec<Piece>>,
    incomplete: Option<String>,
    causes: Vec<CauseView>,
    waived: Vec<CauseView>,
    partial: Vec<String>,
    incidents: Vec<Incident>,
    tiles: Vec<Tile>,
    chart: Option<Chart>,
    upgrades: Vec<Upgrade>,
    findings: usize,
    cards: Vec<Card>,
    omitted: usize,
    possible: Vec<Card>,
    omitted_possible: usize,
    ecosystems: Vec<String>,
    ignored: Vec<Exception>,
    suppressed: Vec<Exception>,
    notices: Vec<Notice>,
    sources: Vec<Source>,
    files: Vec<File>,
    /// Rows of the lists above that are left out.
    rows_left_out: usize,
}

/// The result of the run.
#[derive(Debug, Serialize)]
struct Outcome {
    /// `good`, `bad` or `unknown`.
    kind: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct CauseView {
    subjects: Vec<String>,
    reason: Vec<Piece>,
    hint: Vec<Piece>,
}

/// A part of a sentence: text, or code that was in backticks.
#[derive(Debug, PartialEq, Serialize)]
struct Piece {
    text: String,
    is_code: bool,
}

#[derive(Debug, Serialize)]
struct Incident {
    package: String,
    id: String,
    locations: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Tile {
    number: usize,
    label: &'static str,
    kind: &'static str,
}

/// A finding that does not count.
#[derive(Debug, Serialize)]
struct Exception {
    id: String,
    package: String,
    severity: &'static str,
    reason: String,
    by: String,
}

#[derive(Debug, Serialize)]
struct Notice {
    location: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Source {
    name: String,
    state: String,
    warning: Option<String>,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    format: String,
    packages: usize,
    note: Option<String>,
}

impl View {
    pub(super) fn new(report: &ScanReport, options: &HtmlOptions<'_>) -> Self {
        let unread = report.unread();
        let (waived, unread): (Vec<_>, Vec<_>) = unread.iter().partition(|one| one.waived);
        let notes = [
            decision::next(report),
            crate::baseline::phrase(report),
            (!report.findings.is_empty()).then(|| phrases::threshold(report)),
            phrases::groups(report),
            phrases::possible(report),
            phrases::direct_only(report),
        ];
        let cards_of_findings = cards(&report.findings, 1);
        let possible = cards(&report.possible, cards_of_findings.len() + 1);
        let mut ecosystems: Vec<String> = report
            .findings
            .iter()
            .map(|one| line(&one.package.ecosystem))
            .collect();
        ecosystems.sort();
        ecosystems.dedup();

        Self {
            name: match line(options.name) {
                name if name.is_empty() => "repository".to_owned(),
                name => name,
            },
            time: options.time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            version: report.tool.version.clone(),
            outcome: outcome(report),
            headline: long(&phrases::headline(report)),
            notes: notes
                .into_iter()
                .flatten()
                .map(|note| pieces(&note))
                .collect(),
            incomplete: phrases::incomplete(report),
            causes: causes(unread),
            waived: causes(waived),
            partial: partial(report),
            incidents: report.incidents().iter().map(incident).collect(),
            tiles: tiles(report),
            chart: Chart::new(&report.findings),
            upgrades: upgrades(&cards_of_findings, MAX_UPGRADES),
            findings: report.findings.len().min(MAX_FINDINGS),
            cards: cards_of_findings,
            omitted: report.findings.len().saturating_sub(MAX_FINDINGS),
            possible,
            omitted_possible: report.possible.len().saturating_sub(MAX_FINDINGS),
            ecosystems,
            ignored: ignored(report),
            suppressed: suppressed(report),
            notices: notices(report),
            sources: sources(report),
            files: files(report),
            rows_left_out: rows_left_out(report),
        }
    }
}

/// The outcome in a few words, by the reason for the exit code.
fn outcome(report: &ScanReport) -> Outcome {
    let summary = &report.summary;
    let (kind, text) = match summary.exit_reason.as_str() {
        "malicious" => (
            "bad",
            "Incident: a malicious release is installed".to_owned(),
        ),
        "incomplete" => (
            "unknown",
            "Incomplete: not everything could be checked".to_owned(),
        ),
        "findings" => {
            let failing = summary.at_or_above_threshold;
            let verb = if failing == 1 { "fails" } else { "fail" };
            let text = format!("{} {verb} the run", count(failing, "finding", "findings"));
            ("bad", text)
        }
        "nothing-to-scan" => ("unknown", "Nothing to scan".to_owned()),
        _ if summary.findings > 0 => ("good", "No finding fails the run".to_owned()),
        _ => ("good", "No known vulnerabilities".to_owned()),
    };

    Outcome { kind, text }
}

fn causes<'a>(
    inputs: impl IntoIterator<Item = &'a super::super::IncompleteReport>,
) -> Vec<CauseView> {
    let views = Cause::all(inputs)
        .into_iter()
        .take(MAX_ROWS)
        .map(|cause| CauseView {
            subjects: some(&cause.subjects(), MAX_INPUTS),
            reason: pieces(cause.reason()),
            hint: pieces(cause.hint.as_deref().unwrap_or_default()),
        });
    views.collect()
}

/// A sentence as text and code. A backtick without its partner stays text.
fn pieces(text: &str) -> Vec<Piece> {
    let text = long(text);
    let parts: Vec<&str> = text.split('`').collect();
    let is_balanced = parts.len() % 2 == 1;
    if !is_balanced {
        return vec![Piece {
            text,
            is_code: false,
        }];
    }

    let pieces = parts.iter().enumerate().map(|(index, part)| Piece {
        text: (*part).to_owned(),
        is_code: index % 2 == 1,
    });
    pieces.filter(|piece| !piece.text.is_empty()).collect()
}

/// The files that were read in part, those that may lack a package first.
fn partial(report: &ScanReport) -> Vec<String> {
    let mut files: Vec<&LockfileReport> = report
        .lockfiles
        .iter()
        .filter(|file| !file.skipped.is_empty())
        .collect();
    files.sort_by_key(|file| !phrases::may_lack_a_package(file));
    let texts = files
        .iter()
        .take(MAX_ROWS)
        .map(|file| long(&phrases::skipped(file)));
    texts.collect()
}

fn incident(finding: &FindingReport) -> Incident {
    let locations: Vec<String> = finding.locations.iter().map(phrases::location).collect();
    Incident {
        package: line(&phrases::package(finding)),
        id: line(&finding.id),
        locations: some(&locations, MAX_INPUTS),
    }
}

fn tiles(report: &ScanReport) -> Vec<Tile> {
    let summary = &report.summary;
    let by = &summary.by_outcome;
    let tiles = [
        (by.act_now, "act now", "act-now"),
        (by.out_of_cycle, "out of cycle", "out-of-cycle"),
        (by.scheduled, "scheduled", "scheduled"),
        (by.defer, "defer", "defer"),
        (summary.overdue, "overdue", "act-now"),
        (summary.known_exploited, "known exploited", "act-now"),
        (summary.fixable, "with a fix", "fixable"),
    ];

    let shown = tiles.into_iter().filter(|(number, ..)| *number > 0);
    shown
        .map(|(number, label, kind)| Tile {
            number,
            label,
            kind,
        })
        .collect()
}

fn exception(finding: &FindingReport, reason: &str, by: &str) -> Exception {
    Exception {
        id: line(&finding.id),
        package: line(&phrases::package(finding)),
        severity: phrases::severity(finding.severity),
        reason: long(reason),
        by: line(by),
    }
}

fn ignored(report: &ScanReport) -> Vec<Exception> {
    let rows = report.ignored.iter().take(MAX_ROWS);
    rows.map(|one| exception(&one.finding, &one.reason, &format!("until {}", one.until)))
        .collect()
}

fn suppressed(report: &ScanReport) -> Vec<Exception> {
    let rows = report.suppressed.iter().take(MAX_ROWS).map(|one| {
        let statement = phrases::statement(one);
        exception(&one.finding, &statement, &phrases::stated_by(one))
    });
    rows.collect()
}

fn notices(report: &ScanReport) -> Vec<Notice> {
    let settings = report.notices.iter().map(|one| Notice {
        location: line(&format!("{}:{}", one.file, one.line)),
        text: long(&one.text),
    });
    let vex = report.vex_notices.iter().map(|one| Notice {
        location: line(&phrases::at_line(&one.source, one.line)),
        text: long(&one.text),
    });

    settings.chain(vex).take(MAX_ROWS).collect()
}

fn sources(report: &ScanReport) -> Vec<Source> {
    let rows = report.sources.iter().take(MAX_ROWS).map(|source| Source {
        name: line(&source.name),
        state: phrases::source(source),
        warning: source.warning.as_deref().map(long),
    });
    rows.collect()
}

fn files(report: &ScanReport) -> Vec<File> {
    let rows = report.lockfiles.iter().take(MAX_ROWS).map(|file| File {
        path: line(&file.path),
        format: line(&file.format),
        packages: file.packages,
        note: match (file.direct_only, file.skipped.is_empty()) {
            (_, false) => Some("read in part".to_owned()),
            (true, true) => Some("direct dependencies only".to_owned()),
            (false, true) => None,
        },
    });
    rows.collect()
}

fn rows_left_out(report: &ScanReport) -> usize {
    [
        report.ignored.len(),
        report.suppressed.len(),
        report.notices.len() + report.vex_notices.len(),
        report.sources.len(),
        report.lockfiles.len(),
    ]
    .iter()
    .map(|rows| rows.saturating_sub(MAX_ROWS))
    .sum()
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    #[test]
    fn code_is_marked_where_backticks_pair() {
        let piece = |text: &str, is_code| Piece {
            text: text.to_owned(),
            is_code,
        };
        assert_eq!(
            pieces("run `a b`; then stop"),
            [
                piece("run ", false),
                piece("a b", true),
                piece("; then stop", false)
            ]
        );
        assert_eq!(pieces("one ` only"), [piece("one ` only", false)]);
        assert_eq!(pieces(""), []);
    }
}
