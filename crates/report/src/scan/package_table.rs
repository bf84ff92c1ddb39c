//! Findings as text: one line for each package with its fix, and its vulnerabilities below.
//!
//! In brief the text is about a screen long, however many findings there are: the worst packages, the
//! worst vulnerabilities of each, and the number of the others.

use super::decision::deadline;
use super::packages::{Change, PackageFindings};
use super::phrases::{self, count};
use super::reachability;
use super::{FindingReport, OutcomeName, SeverityCounts, SeverityName};
use crate::clean::{clean, cut};
use crate::terminal::{BOLD, CYAN, DIM, GREEN, RED, RED_BOLD, Span, Terminal, YELLOW};

/// How much of a scan the table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// The most important packages and vulnerabilities, about a screen, and the number of the others.
    #[default]
    Brief,
    /// Every finding with all its ids, locations and chains.
    All,
}

/// Columns before the text of a vulnerability: mark, score and severity.
const INDENT: usize = 19;
/// Room for the repository's own findings in brief: about a screen.
const OWN: Room = Room {
    lines: 28,
    packages: 15,
};
/// Room for possible findings, or for the findings in one group of files, in brief.
const OTHER: Room = Room {
    lines: 10,
    packages: 3,
};
/// Vulnerabilities of a package in brief, where not all fit.
const VULNERABILITIES: usize = 2;
/// Versions of a package in brief.
const CHANGES: usize = 3;
/// Most characters of a description on a terminal, in brief.
const TITLE: usize = 160;
/// EPSS probability from which it is shown in brief: one in ten.
const NOTABLE_EPSS: f64 = 0.1;

/// The room for a section in brief.
#[derive(Clone, Copy)]
struct Room {
    /// Lines for packages with their vulnerabilities.
    lines: usize,
    /// Further packages, on one line each.
    packages: usize,
}

impl Room {
    /// The room that a section leaves to those after it.
    fn without(self, section: &Section) -> Self {
        let lines: usize = section.packages.iter().map(|one| one.len() + 1).sum();
        Self {
            lines: self.lines.saturating_sub(lines),
            packages: self.packages.saturating_sub(section.further.len()),
        }
    }
}

/// The packages of one section, rendered.
struct Section {
    title: String,
    /// Whether a finding of it fails the run.
    fails: bool,
    /// One for each package that is shown with its vulnerabilities, worst first.
    packages: Vec<Vec<String>>,
    /// One for each further package, worst first.
    further: Vec<Vec<String>>,
    /// The number of the others.
    rest: Option<String>,
}

/// What the lines of all packages have in common.
#[derive(Clone, Copy)]
struct Style {
    terminal: Terminal,
    detail: Detail,
    /// Whether there are packages of several ecosystems, so that each is named.
    names_ecosystem: bool,
}

/// The findings, with those of each group of files in a section of its own.
pub(super) fn findings(
    findings: &[FindingReport],
    terminal: Terminal,
    detail: Detail,
) -> Vec<Vec<String>> {
    let packages = PackageFindings::all(findings);
    let style = Style::new(&packages, terminal, detail);
    let has_own = packages.iter().any(|package| package.group.is_none());

    let mut sections = Vec::new();
    for of_group in packages.chunk_by(|a, b| a.group == b.group) {
        let group = of_group.first().and_then(|package| package.group);
        let mut room = match (group, has_own, sections.is_empty()) {
            (None, ..) | (_, false, true) => OWN,
            _ => OTHER,
        };
        for of_outcome in of_group.chunk_by(|a, b| a.outcome() == b.outcome()) {
            let numbers = format!(
                "{} in {}",
                findings_of(of_outcome),
                count(of_outcome.len(), "package", "packages")
            );
            let outcome = of_outcome.first().and_then(PackageFindings::outcome);
            let outcome = outcome.map_or("", OutcomeName::title);
            let title = match group {
                None => format!("{outcome}: {numbers}"),
                Some(group) => {
                    format!("In {} only: {outcome}: {numbers}", phrases::files_of(group))
                }
            };
            let section = style.section(&title, of_outcome, room);
            room = room.without(&section);
            sections.push(section.lines(style));
        }
    }

    sections
}

/// The possible findings.
pub(super) fn possible(
    findings: &[FindingReport],
    terminal: Terminal,
    detail: Detail,
) -> Vec<String> {
    if findings.is_empty() {
        return Vec::new();
    }

    let packages = PackageFindings::all(findings);
    let style = Style::new(&packages, terminal, detail);
    let title = format!(
        "{} in {}: some versions that these requirements admit are affected",
        count(findings.len(), "possible finding", "possible findings"),
        count(packages.len(), "package", "packages")
    );
    style.section(&title, &packages, OTHER).lines(style)
}

fn findings_of(packages: &[PackageFindings<'_>]) -> String {
    let number = packages.iter().map(|package| package.findings.len()).sum();
    count(number, "finding", "findings")
}

impl Section {
    /// The lines with the worst package first; on a terminal last, since its end is seen first.
    fn lines(mut self, style: Style) -> Vec<String> {
        let Style { terminal, .. } = style;
        if terminal.interactive {
            self.packages.reverse();
            self.further.reverse();
        }

        let order = match terminal.interactive {
            true => "worst last",
            false => "worst first",
        };
        let legend = match self.fails {
            true => format!(" ({} fails the run)", phrases::MARK),
            false => String::new(),
        };
        let title = format!("{}, {order}{legend}", self.title);
        let mut lines = terminal.flow("", 0, &[Span::styled(BOLD, title)]);
        lines.push(String::new());

        let mut packages = Vec::new();
        for package in self.packages {
            packages.extend(package);
            packages.push(String::new());
        }
        let mut further: Vec<String> = self.further.into_iter().flatten().collect();
        let rest = self.rest.map(|rest| terminal.wrap("", 0, &rest));
        let rest = rest.into_iter().flatten();
        if terminal.interactive {
            further.splice(0..0, rest);
        } else {
            further.extend(rest);
        }
        if !further.is_empty() {
            further.push(String::new());
        }

        if terminal.interactive {
            lines.extend(further);
            lines.extend(packages);
        } else {
            lines.extend(packages);
            lines.extend(further);
        }

        lines
    }
}

impl Style {
    fn new(packages: &[PackageFindings<'_>], terminal: Terminal, detail: Detail) -> Self {
        let mut ecosystems = packages.iter().map(|package| package.ecosystem);
        let first = ecosystems.next();
        Self {
            terminal,
            detail,
            names_ecosystem: ecosystems.any(|other| Some(other) != first),
        }
    }

    /// The packages that fit into the room, at least one with its vulnerabilities.
    fn section(self, title: &str, packages: &[PackageFindings<'_>], room: Room) -> Section {
        let of_all: Vec<Vec<String>> = packages
            .iter()
            .map(|package| self.package(package, usize::MAX))
            .collect();
        let height = |package: &Vec<String>| package.len() + 1;
        let fits = of_all.iter().map(height).sum::<usize>() <= room.lines + room.packages;
        let fails = packages.iter().any(PackageFindings::fails);
        if self.detail == Detail::All || fits {
            return Section {
                title: title.to_owned(),
                fails,
                packages: of_all,
                further: Vec::new(),
                rest: None,
            };
        }

        let mut shown = Vec::new();
        let mut used = 0;
        for package in packages {
            let lines = self.package(package, VULNERABILITIES);
            used += height(&lines);
            if used > room.lines && !shown.is_empty() {
                break;
            }
            shown.push(lines);
        }

        let left = packages.get(shown.len()..).unwrap_or_default();
        let (further, left) = left.split_at(room.packages.min(left.len()));
        Section {
            title: title.to_owned(),
            fails,
            packages: shown,
            further: further.iter().map(|one| self.one_line(one)).collect(),
            rest: rest(left),
        }
    }

    /// The name of a package, and its versions with their fixes.
    fn heading(self, package: &PackageFindings<'_>) -> Vec<Span> {
        let mut spans = vec![Span::styled(BOLD, clean(package.name))];
        if self.names_ecosystem {
            spans.push(Span::styled(DIM, format!("({})", clean(package.ecosystem))));
        }
        spans.extend(self.changes(&package.changes));

        spans
    }

    /// A package with its worst finding and the number of its vulnerabilities.
    fn one_line(self, package: &PackageFindings<'_>) -> Vec<String> {
        let Some(worst) = package.findings.first() else {
            return Vec::new();
        };
        let mut spans = self.heading(package);
        let vulnerabilities = package.vulnerabilities();
        spans.push(match vulnerabilities.as_slice() {
            [only] => Span::styled(DIM, clean(&only.id)).linked(phrases::url(only)),
            several => Span::styled(
                DIM,
                count(several.len(), "vulnerability", "vulnerabilities"),
            ),
        });

        let label = self.label(worst, package.fails());
        self.terminal.flow(&label, INDENT, &spans)
    }

    /// The lines of a package, with at most so many vulnerabilities.
    fn package(self, package: &PackageFindings<'_>, most: usize) -> Vec<String> {
        let terminal = self.terminal;
        let mut spans = self.heading(package);
        if self.detail == Detail::Brief
            && let Some(location) = location(package)
        {
            spans.push(Span::styled(DIM, clean(&location)));
        }

        let mut lines = terminal.flow("", 4, &spans);
        let findings = match self.detail {
            Detail::Brief => package.vulnerabilities(),
            Detail::All => package.findings.clone(),
        };
        for finding in findings.iter().take(most) {
            lines.extend(self.vulnerability(finding));
            if self.detail == Detail::All {
                lines.extend(self.details(finding, package));
            }
        }

        if let Some(left @ [_, ..]) = findings.get(most.min(findings.len())..) {
            let text = phrases::and_more(left.len(), &counts(left.iter().copied()));
            lines.extend(terminal.wrap("", INDENT, &text));
        }

        lines
    }

    /// The versions and their fixes: `1.2.5 -> 1.2.6, 2.0.0 (no fix)`.
    fn changes(self, changes: &[Change<'_>]) -> Vec<Span> {
        let most = match self.detail {
            Detail::Brief => CHANGES,
            Detail::All => usize::MAX,
        };
        let mut spans = Vec::new();
        for (index, change) in changes.iter().take(most).enumerate() {
            let comma = if index + 1 == changes.len() { "" } else { "," };
            let from = match clean(change.from) {
                from if from.is_empty() && change.is_requirement => "(any version)".to_owned(),
                from => from,
            };
            let next = changes.get(index + 1).filter(|_| index + 1 < most);
            match change.written_fix() {
                None => {
                    spans.push(Span::new(from));
                    let text = phrases::no_common_fix(change.fixed);
                    spans.push(Span::styled(YELLOW, format!("({text}){comma}")));
                }
                // Versions with the same fix have it once, after the last of them.
                Some(_) if is_shared(change, next) => {
                    spans.push(Span::new(format!("{from},")));
                }
                Some(to) => {
                    spans.push(Span::new(format!("{from} ->")));
                    if change.fixed == change.findings {
                        spans.push(Span::styled(GREEN, format!("{to}{comma}")));
                    } else {
                        spans.push(Span::styled(GREEN, to));
                        let text =
                            format!("(fixes {} of {}){comma}", change.fixed, change.findings);
                        spans.push(Span::styled(YELLOW, text));
                    }
                }
            }
        }
        if let Some(left @ 1..) = changes.len().checked_sub(most) {
            let text = format!("and {}", count(left, "more version", "more versions"));
            spans.push(Span::new(text));
        }

        spans
    }

    /// Mark, score and severity, in [`INDENT`] columns.
    fn label(self, finding: &FindingReport, fails: bool) -> String {
        let terminal = self.terminal;
        let is_exploited = finding.kev == Some(true) || finding.malicious;
        let mark = match fails {
            true => terminal.paint(RED_BOLD, phrases::MARK),
            false => " ".to_owned(),
        };
        let score = format!("{:>5.1}", finding.score);
        let severity = format!("{:<8}", phrases::severity(finding.severity));
        format!(
            "{mark} {}  {}  ",
            match is_exploited {
                true => terminal.paint(RED_BOLD, &score),
                false => score,
            },
            terminal.paint(severity_style(finding.severity), &severity)
        )
    }

    /// The line of a vulnerability: its label, id, description and exploitation.
    fn vulnerability(self, finding: &FindingReport) -> Vec<String> {
        let terminal = self.terminal;

        let mut spans = vec![Span::new(clean(&finding.id)).linked(phrases::url(finding))];
        let mut title = clean(&finding.summary);
        if terminal.interactive && self.detail == Detail::Brief {
            title = cut(&title, TITLE);
        }
        spans.push(Span::new(title));
        if let Some(aliases) = self.aliases(finding) {
            spans.push(Span::styled(DIM, format!("({aliases})")));
        }
        for (style, text) in self.signals(finding) {
            // A comma before the signal would be painted like the words before it.
            spans.push(Span::styled(style, format!("· {}", clean(&text))));
        }

        let label = self.label(finding, finding.at_or_above_threshold);
        terminal.flow(&label, INDENT, &spans)
    }

    /// The other ids; in brief the CVE alone.
    fn aliases(self, finding: &FindingReport) -> Option<String> {
        let shown = match self.detail {
            Detail::All => finding.aliases.len(),
            Detail::Brief if finding.id.starts_with("CVE-") => 0,
            Detail::Brief => 1,
        };
        let is_shown = |alias: &&String| self.detail == Detail::All || alias.starts_with("CVE-");
        let aliases: Vec<String> = finding
            .aliases
            .iter()
            .filter(is_shown)
            .take(shown)
            .map(|alias| clean(alias))
            .collect();

        (!aliases.is_empty()).then(|| aliases.join(", "))
    }

    /// What is known about its exploitation, and the affected part of a requirement.
    fn signals(self, finding: &FindingReport) -> Vec<(anstyle::Style, String)> {
        let mut signals = Vec::new();
        if finding.malicious {
            signals.push((RED_BOLD, "the release is malicious: remove it".to_owned()));
        }
        if let Some(exploited) = phrases::exploited(finding) {
            signals.push((RED_BOLD, exploited));
        }
        if let Some(text) = deadline(finding) {
            let overdue = finding
                .decision
                .deadline
                .as_ref()
                .is_some_and(|one| one.overdue);
            signals.push((if overdue { RED_BOLD } else { DIM }, text));
        }
        if let Some(text) = reachability::reached(finding) {
            let style = if reachability::is_called(finding) {
                YELLOW
            } else {
                DIM
            };
            signals.push((style, clean(&text)));
        }
        if self.detail == Detail::Brief {
            signals.extend(phrases::estimate(finding).map(|text| (DIM, text)));
        }
        match (self.detail, finding.epss) {
            (Detail::Brief, Some(epss)) if epss >= NOTABLE_EPSS => {
                signals.push((YELLOW, format!("EPSS {}", phrases::percent(epss))));
            }
            (Detail::Brief, _) => {
                signals.extend(finding.informational.clone().map(|kind| (DIM, kind)));
            }
            (Detail::All, _) => {
                let all = phrases::exploitation(finding).into_iter();
                let known: Vec<String> = signals.iter().map(|(_, text)| text.clone()).collect();
                signals.extend(
                    all.filter(|text| !known.contains(text) && !finding.malicious)
                        .map(|text| (DIM, text)),
                );
            }
        }
        if let Some(matched) = &finding.requirement {
            signals.push((DIM, phrases::affected_part(matched)));
        }

        signals
    }

    /// Every location and chain of a finding.
    fn details(self, finding: &FindingReport, package: &PackageFindings<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        let mut detail = |label: &str, text: &str| {
            let label = format!("{:INDENT$}{label:<5}", "");
            let wrapped = self.terminal.wrap(&label, INDENT + 5, text);
            lines.extend(wrapped.iter().map(|line| self.terminal.paint(DIM, line)));
        };
        if package.changes.len() > 1 {
            let mut text = match &finding.requirement {
                Some(matched) => clean(&matched.requirement),
                None => clean(&finding.package.version),
            };
            if let Some(fixed) = &finding.fixed_version {
                text.push_str(&format!(", fixed in {}", clean(fixed)));
            }
            detail("in", &text);
        }

        let at: Vec<String> = finding
            .locations
            .iter()
            .map(|location| clean(&phrases::location(location)))
            .collect();
        detail("at", &at.join(", "));
        for path in &finding.paths {
            let steps: Vec<String> = path.iter().map(|step| clean(step)).collect();
            match steps.as_slice() {
                [only] => detail("via", &format!("{only} (direct)")),
                steps => detail("via", &steps.join(" > ")),
            }
        }
        if let Some(text) = reachability::explained(finding) {
            detail("use", &clean(&text));
        }
        if let Some(reason) = &finding.no_fix_reason {
            detail("fix", &clean(reason));
        }
        if let Some(url) = phrases::url(finding) {
            detail("see", url);
        }

        lines
    }
}

/// Whether two versions are wholly fixed by the same version.
fn is_shared(change: &Change<'_>, next: Option<&Change<'_>>) -> bool {
    next.is_some_and(|next| {
        change.to.is_some()
            && change.to == next.to
            && change.fixed == change.findings
            && next.fixed == next.findings
    })
}

/// The number of packages that are not shown, with their findings.
fn rest(left: &[PackageFindings<'_>]) -> Option<String> {
    if left.is_empty() {
        return None;
    }

    let findings = left.iter().flat_map(|package| &package.findings).copied();
    let more = count(left.len(), "more package", "more packages");
    let failing = left.iter().filter(|package| package.fails()).count();
    let marked = match failing {
        0 => String::new(),
        all if all == left.len() => format!(" {}", phrases::MARK),
        some => format!(", {some} of them {},", phrases::MARK),
    };

    Some(format!(
        "and {more}{marked} with {}: {}; `--all` shows them",
        findings_of(left),
        phrases::severities(&counts(findings))
    ))
}

/// The first location of a package, and what needs it: `in Cargo.lock:12 and 3 more files, via a@1.0.0`.
fn location(package: &PackageFindings<'_>) -> Option<String> {
    let files = package.files();
    let (file, line) = files.first()?;
    let mut text = format!("in {file}:{line}");
    if let Some(more @ 1..) = files.len().checked_sub(1) {
        text.push_str(&format!(" and {}", count(more, "more file", "more files")));
    }

    let dependents = package.dependents();
    match (package.is_direct(), dependents.as_slice()) {
        (true, _) => text.push_str(", direct"),
        (false, []) => {}
        (false, [only]) => text.push_str(&format!(", via {only}")),
        (false, [first, others @ ..]) => {
            text.push_str(&format!(", via {first} and {} more", others.len()));
        }
    }

    let scope = package.findings.first().map(|finding| &finding.scope)?;
    if scope != "runtime" && package.findings.iter().all(|one| one.scope == *scope) {
        text.push_str(&format!(", {scope} only"));
    }

    Some(text)
}

fn counts<'a>(findings: impl Iterator<Item = &'a FindingReport>) -> SeverityCounts {
    let mut counts = SeverityCounts::default();
    for finding in findings {
        counts.add(finding.severity);
    }

    counts
}

fn severity_style(severity: SeverityName) -> anstyle::Style {
    match severity {
        SeverityName::Critical => RED_BOLD,
        SeverityName::High => RED,
        SeverityName::Medium | SeverityName::Unknown => YELLOW,
        SeverityName::Low => CYAN,
        SeverityName::None | SeverityName::Informational => DIM,
    }
}
