//! The report of a scan as Markdown, for a job summary or a comment, and as annotations.

use super::causes::Cause;
use super::decision;
use super::incident;
use super::packages::PackageFindings;
use super::phrases::{self, count};
use super::reachability;
use super::{FindingReport, OutcomeName, ScanReport};
use crate::annotation::{AnnotationLevel, annotation};
use crate::clean::{clean, cut};
use crate::markdown::{Body, code, link, short, text};

/// Most characters of a package or an id in a cell. No real name is longer.
const MAX_CELL: usize = 100;
/// Most inputs of one cause, versions of a package, and vulnerabilities of a package in a row.
const MAX_INPUTS: usize = 5;
const MAX_CHANGES: usize = 4;
const MAX_VULNERABILITIES: usize = 5;
/// Annotations of each level that GitHub shows for one step.
const MAX_ANNOTATIONS: usize = 10;

impl ScanReport {
    /// As Markdown of at most `limit` bytes, for [`crate::GITHUB_SUMMARY_LIMIT`] or
    /// [`crate::GITHUB_BODY_LIMIT`].
    #[must_use]
    pub fn to_markdown(&self, limit: usize) -> String {
        let mut body = Body::new(limit, 0);
        body.push("## Patchgate scan\n\n");
        incident::markdown(&self.incidents(), &mut body);
        body.push(&format!("{}.\n\n", text(&phrases::headline(self))));

        if let Some(next) = decision::next(self) {
            body.push(&format!("{}.\n\n", text(&next)));
        }
        if !self.findings.is_empty() {
            body.push(&format!("{}.\n\n", text(&phrases::threshold(self))));
        }
        let others = [
            crate::baseline::phrase(self),
            phrases::groups(self),
            phrases::possible(self),
        ];
        for other in others.into_iter().flatten() {
            body.push(&format!("{}.\n\n", text(&other)));
        }

        incomplete(self, &mut body);
        if let Some(note) = phrases::direct_only(self) {
            body.push(&format!("{}.\n\n", text(&note)));
        }

        packages(&self.findings, &mut body);
        folded(&self.findings, &mut body);
        possible(&self.possible, &mut body);
        body.rows(
            "### Ignored\n\n| ID | Package | Until | Reason |\n| --- | --- | --- | --- |\n",
            self.ignored.iter().map(|ignored| {
                format!(
                    "| {} | {} | {} | {} |\n",
                    id_link(&ignored.finding),
                    package(&ignored.finding),
                    ignored.until,
                    short(&ignored.reason, 300)
                )
            }),
        );
        body.rows(
            "### Suppressed by VEX\n\n| ID | Package | Statement | Source |\n| --- | --- | --- | --- |\n",
            self.suppressed.iter().map(|suppressed| {
                format!(
                    "| {} | {} | {} | {} |\n",
                    id_link(&suppressed.finding),
                    package(&suppressed.finding),
                    short(&phrases::statement(suppressed), 300),
                    short(&phrases::stated_by(suppressed), 200)
                )
            }),
        );
        body.rows(
            "### VEX documents\n\n",
            self.vex_notices.iter().map(|notice| {
                let location = code(&phrases::at_line(&notice.source, notice.line));
                format!("- {location} {}\n", text(&notice.text))
            }),
        );
        body.rows(
            "### Settings\n\n",
            self.notices.iter().map(|notice| {
                let location = code(&format!("{}:{}", notice.file, notice.line));
                format!("- {location}: {}\n", text(&notice.text))
            }),
        );
        body.rows(
            "### Sources\n\n| Source | State | Warning |\n| --- | --- | --- |\n",
            self.sources.iter().map(|source| {
                format!(
                    "| {} | {} | {} |\n",
                    code(&source.name),
                    phrases::source(source),
                    text(source.warning.as_deref().unwrap_or_default())
                )
            }),
        );

        body.finish("")
    }

    /// Workflow commands that annotate the findings at or above the threshold and the inputs that
    /// could not be read. The worst ten of each level, since GitHub shows no more.
    #[must_use]
    pub fn to_annotations(&self) -> String {
        let mut out = String::new();
        let (incidents, findings): (Vec<_>, Vec<_>) =
            self.findings.iter().partition(|finding| finding.malicious);
        for incident in incidents.into_iter().take(MAX_ANNOTATIONS) {
            out.push_str(&finding_annotation(incident));
        }
        for problem in self.incomplete.iter().take(MAX_ANNOTATIONS) {
            let message = match &problem.hint {
                Some(hint) => format!("{} ({hint})", problem.reason),
                None => problem.reason.clone(),
            };
            let title = format!("Incomplete: {}", problem.subject);
            out.push_str(&annotation(
                AnnotationLevel::Warning,
                problem.file.as_deref(),
                problem.line,
                &title,
                &message,
            ));
        }

        let failing = findings.into_iter().filter(|f| f.at_or_above_threshold);
        for finding in failing.take(MAX_ANNOTATIONS) {
            out.push_str(&finding_annotation(finding));
        }
        for finding in self.possible.iter().take(MAX_ANNOTATIONS) {
            out.push_str(&possible_annotation(finding));
        }
        let room = MAX_ANNOTATIONS.saturating_sub(self.possible.len());
        for notice in self.notices.iter().take(room) {
            out.push_str(&annotation(
                AnnotationLevel::Notice,
                Some(&notice.file),
                Some(notice.line),
                "Patchgate settings",
                &notice.text,
            ));
        }

        out
    }
}

fn finding_annotation(finding: &FindingReport) -> String {
    let title = format!(
        "{}{}",
        if finding.malicious {
            "Incident: malicious release, "
        } else {
            ""
        },
        phrases::subject(finding)
    );

    let fix = match (&finding.fixed_version, &finding.no_fix_reason) {
        (Some(version), _) => format!("fixed in {version}"),
        (None, Some(reason)) => format!("no fix: {reason}"),
        (None, None) => "no fix".to_owned(),
    };
    let message = format!(
        "{} (severity {}, score {:.1}; {fix})",
        finding.summary,
        phrases::severity(finding.severity),
        finding.score
    );
    let location = finding.locations.first();

    annotation(
        AnnotationLevel::Error,
        location.map(|location| location.file.as_str()),
        location.map(|location| location.line),
        &title,
        message.trim_start(),
    )
}

fn possible_annotation(finding: &FindingReport) -> String {
    let matched = finding.requirement.as_ref();
    let mut parts = vec![finding.summary.clone()];
    parts.extend(matched.map(phrases::affected_part));
    parts.extend(
        matched
            .and_then(|one| one.raised.as_ref())
            .map(|raised| format!("fixed by {raised}")),
    );
    parts.retain(|part| !part.is_empty());
    let location = finding.locations.first();

    annotation(
        AnnotationLevel::Notice,
        location.map(|location| location.file.as_str()),
        location.map(|location| location.line),
        &format!("Possible: {}", phrases::subject(finding)),
        &parts.join("; "),
    )
}

/// Adds the inputs that could not be read, by cause, and the files that were read in part.
fn incomplete(report: &ScanReport, body: &mut Body) {
    let unread = report.unread();
    let (waived, unread): (Vec<_>, Vec<_>) = unread.iter().partition(|one| one.waived);
    body.rows(
        "### Incomplete\n\nThe following could not be read or looked up, so there may be more findings.\n\n",
        Cause::all(unread).iter().map(cause_item),
    );
    body.rows(
        "### Waived\n\nThe following could not be read or looked up, which the settings accept.\n\n",
        Cause::all(waived).iter().map(cause_item),
    );

    let partial = report
        .lockfiles
        .iter()
        .filter(|one| !one.skipped.is_empty());
    let (lacking, others): (Vec<_>, Vec<_>) =
        partial.partition(|file| phrases::may_lack_a_package(file));
    body.rows(
        "### Read in part\n\n",
        lacking
            .into_iter()
            .chain(others)
            .map(|file| format!("- {}.\n", short(&phrases::skipped(file), 500))),
    );
}

/// One cause: its first inputs, its reason, and the next step.
fn cause_item(cause: &Cause<'_>) -> String {
    let subjects: Vec<String> = cause.subjects().iter().map(|one| code(one)).collect();
    let named = phrases::some_of(&subjects, MAX_INPUTS);
    let hint = cause.hint.as_ref();
    let hint = hint.map_or_else(String::new, |hint| format!(" *{}.*", text(hint)));
    let number = match cause.varies() {
        true if subjects.len() > MAX_INPUTS => {
            format!(" ({} of this kind)", cause.inputs.len())
        }
        _ => String::new(),
    };

    format!("- {named}: {}{number}.{hint}\n", short(cause.reason(), 500))
}

/// Adds a row for each package with its fix, those in groups of files that are not part of the product
/// in tables of their own.
fn packages(findings: &[FindingReport], body: &mut Body) {
    let packages = PackageFindings::all(findings);
    for of_group in packages.chunk_by(|a, b| a.group == b.group) {
        for of_outcome in of_group.chunk_by(|a, b| a.outcome() == b.outcome()) {
            let outcome = of_outcome.first().and_then(PackageFindings::outcome);
            let outcome = outcome.map_or("", OutcomeName::title);
            let title = match of_group.first().and_then(|package| package.group) {
                None => outcome.to_owned(),
                Some(group) => format!("In {} only: {outcome}", text(&phrases::files_of(group))),
            };
            let head = format!(
                "### {title}\n\n| | Package | Fix | Vulnerabilities | Location |\n| --- | --- | --- | --- | --- |\n"
            );
            body.rows(&head, of_outcome.iter().map(package_row));
        }
    }
}

/// Adds a row for each possible finding.
fn possible(findings: &[FindingReport], body: &mut Body) {
    body.rows(
        "### Possible findings\n\nSome of the versions that these requirements admit are affected. No file states which one is installed.\n\n\
         | Score | Severity | Requirement | Affected | Raise to | ID | Summary | Location |\n| ---: | --- | --- | --- | --- | --- | --- | --- |\n",
        findings.iter().map(|finding| {
            let matched = finding.requirement.as_ref();
            format!(
                "| {:.1} | {} | {} | {} | {} | {} | {} | {} |\n",
                finding.score,
                phrases::severity(finding.severity),
                package(finding),
                matched.map_or_else(String::new, |one| text(&phrases::affected_part(one))),
                match matched.and_then(|one| one.raised.as_ref()) {
                    Some(raised) => code(raised),
                    None => "none".to_owned(),
                },
                id_link(finding),
                summary(finding),
                locations(finding)
            )
        }),
    );
}

/// Adds every finding in a section that is collapsed at first.
fn folded(findings: &[FindingReport], body: &mut Body) {
    let title = count(findings.len(), "finding", "findings");
    if findings.is_empty() || !body.push(&format!("<details><summary>{title}</summary>\n\n")) {
        return;
    }

    findings_table(findings, body);
    // Without the end tag, the rest of the text would be collapsed too.
    body.close("</details>\n\n");
    reasons(findings, body);
}

/// One package: whether it fails the run, its versions with their fixes, its worst vulnerabilities.
fn package_row(package: &PackageFindings<'_>) -> String {
    let mark = if package.fails() { phrases::MARK } else { "" };
    let (mut versions, mut fixes) = (Vec::new(), Vec::new());
    for change in package.changes.iter().take(MAX_CHANGES) {
        versions.push(match change.from {
            "" if change.is_requirement => "any version".to_owned(),
            from => code(&cut(&clean(from), MAX_CELL)),
        });
        fixes.push(match change.written_fix() {
            Some(to) if change.fixed == change.findings => code(&to),
            Some(to) => format!(
                "{} (fixes {} of {})",
                code(&to),
                change.fixed,
                change.findings
            ),
            None => phrases::no_common_fix(change.fixed).to_owned(),
        });
    }
    if let Some(more @ 1..) = package.changes.len().checked_sub(MAX_CHANGES) {
        versions.push(count(more, "more version", "more versions"));
    }

    let vulnerabilities = package.vulnerabilities();
    let mut shown: Vec<String> = vulnerabilities
        .iter()
        .take(MAX_VULNERABILITIES)
        .map(|finding| vulnerability(finding))
        .collect();
    if let Some(more @ 1..) = vulnerabilities.len().checked_sub(MAX_VULNERABILITIES) {
        shown.push(format!("and {more} more"));
    }

    let mut at: Vec<String> = package
        .files()
        .iter()
        .take(2)
        .map(|(file, line)| code(&format!("{file}:{line}")))
        .collect();
    if let Some(more @ 1..) = package.files().len().checked_sub(2) {
        at.push(count(more, "more file", "more files"));
    }
    match (package.is_direct(), package.dependents().as_slice()) {
        (true, _) => at.push("direct".to_owned()),
        (false, []) => {}
        (false, [only]) => at.push(format!("via {}", code(only))),
        (false, [first, others @ ..]) => {
            at.push(format!("via {} and {} more", code(first), others.len()));
        }
    }

    format!(
        "| {mark} | {} {} | {} | {} | {} |\n",
        code(&cut(&clean(package.name), MAX_CELL)),
        versions.join(", "),
        fixes.join(", "),
        shown.join("<br>"),
        at.join("<br>")
    )
}

/// One vulnerability of a package: `94.8 medium GHSA-1 (CVE-1), known to be exploited since 2025-01-02`.
fn vulnerability(finding: &FindingReport) -> String {
    let mut line = format!(
        "{:.1} {} {}",
        finding.score,
        phrases::severity(finding.severity),
        id_link(finding)
    );
    let cve = finding.aliases.iter().find(|one| one.starts_with("CVE-"));
    if let Some(cve) = cve.filter(|_| !finding.id.starts_with("CVE-")) {
        line.push_str(&format!(" ({})", text(cve)));
    }
    if let Some(exploited) = phrases::exploited(finding) {
        line.push_str(&format!(", **{}**", text(&exploited)));
    }
    if let Some(estimate) = phrases::estimate(finding) {
        line.push_str(&format!(", {}", text(&estimate)));
    }
    if let Some(deadline) = decision::deadline(finding) {
        line.push_str(&format!(", {}", text(&deadline)));
    }
    if let Some(reached) = reachability::reached(finding) {
        line.push_str(&format!(", {}", text(&reached)));
    }

    line
}

/// Adds the table of findings, in the given order.
pub(crate) fn findings_table(findings: &[FindingReport], body: &mut Body) {
    body.rows(
        "### Findings\n\n| Score | Severity | Package | Fixed | ID | Summary | Location |\n| ---: | --- | --- | --- | --- | --- | --- |\n",
        findings.iter().map(|finding| {
            format!(
                "| {:.1} | {} | {} | {} | {} | {} | {} |\n",
                finding.score,
                phrases::severity(finding.severity),
                package(finding),
                match &finding.fixed_version {
                    Some(version) => code(version),
                    None => "none".to_owned(),
                },
                id_link(finding),
                summary(finding),
                locations(finding)
            )
        }),
    );
}

/// Adds the reasons of each score in a section that is collapsed at first.
pub(crate) fn reasons(findings: &[FindingReport], body: &mut Body) {
    if findings.is_empty() || !body.push("<details><summary>Reasons for the scores</summary>\n\n") {
        return;
    }

    body.rows(
        "| Score | Package | ID | Reasons |\n| ---: | --- | --- | --- |\n",
        findings.iter().map(|finding| {
            let reasons: Vec<String> = finding
                .score_reasons
                .iter()
                .map(|reason| format!("{:+.1} {}", reason.points, text(&reason.text)))
                .collect();
            format!(
                "| {:.1} | {} | {} | {} |\n",
                finding.score,
                package(finding),
                code(&cut(&clean(&finding.id), MAX_CELL)),
                reasons.join("<br>")
            )
        }),
    );
    // Without the end tag, the rest of the text would be collapsed too.
    body.close("</details>\n\n");
}

/// Summary, signals, and the reason for which there is no fix.
fn summary(finding: &FindingReport) -> String {
    let mut parts = Vec::new();
    if !finding.summary.is_empty() {
        parts.push(short(&finding.summary, 160));
    }

    parts.push(text(&phrases::exploitation(finding).join(", ")));
    if let Some(reason) = &finding.no_fix_reason {
        parts.push(format!("No fix: {}", short(reason, 200)));
    }

    parts.join("<br>")
}

/// The first locations and the shortest chain.
fn locations(finding: &FindingReport) -> String {
    let mut parts: Vec<String> = finding
        .locations
        .iter()
        .take(2)
        .map(|location| code(&phrases::location(location)))
        .collect();
    if finding.locations.len() > 2 {
        parts.push(count(
            finding.locations.len() - 2,
            "more location",
            "more locations",
        ));
    }

    match finding.paths.first().map(Vec::as_slice) {
        Some([_]) => parts.push("direct".to_owned()),
        Some(steps) => parts.push(format!("via {}", code(&steps.join(" > ")))),
        None => {}
    }

    parts.join("<br>")
}

pub(crate) fn package(finding: &FindingReport) -> String {
    let version = match &finding.requirement {
        Some(matched) => &matched.requirement,
        None => &finding.package.version,
    };
    let package = format!("{} {version}", finding.package.name);
    code(&cut(&clean(&package), MAX_CELL))
}

/// The id, linked to the advisory where the record has an address for it.
pub(crate) fn id_link(finding: &FindingReport) -> String {
    let url = phrases::url(finding);
    match url {
        Some(url) => link(&code(&cut(&clean(&finding.id), MAX_CELL)), url),
        None => code(&cut(&clean(&finding.id), MAX_CELL)),
    }
}
