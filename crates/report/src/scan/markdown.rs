//! The report of a scan as Markdown, for a job summary or a comment, and as annotations.

use super::incident;
use super::phrases::{self, count};
use super::{FindingReport, ScanReport};
use crate::annotation::{AnnotationLevel, annotation};
use crate::clean::{clean, cut};
use crate::markdown::{Body, address, code, link, short, text};

/// Most characters of a package or an id in a cell. No real name is longer.
const MAX_CELL: usize = 100;
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

        if !self.findings.is_empty() {
            body.push(&format!("{}.\n\n", text(&phrases::threshold(self))));
        }

        incomplete(self, &mut body);
        if let Some(note) = phrases::direct_only(self) {
            body.push(&format!("{}.\n\n", text(&note)));
        }

        findings_table(&self.findings, &mut body);
        reasons(&self.findings, &mut body);
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
        for notice in self.notices.iter().take(MAX_ANNOTATIONS) {
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
        "{}{} in {}@{}",
        if finding.malicious {
            "Incident: malicious release, "
        } else {
            ""
        },
        finding.id,
        finding.package.name,
        finding.package.version
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

fn incomplete(report: &ScanReport, body: &mut Body) {
    body.rows(
        "### Incomplete\n\nThe following could not be read or looked up, so there may be more findings.\n\n",
        report.incomplete.iter().map(|problem| {
            let subject = match problem.line {
                Some(line) => code(&format!("{}:{line}", problem.subject)),
                None => code(&problem.subject),
            };
            let hint = problem
                .hint
                .as_ref()
                .map(|hint| format!(" *{}.*", text(hint)))
                .unwrap_or_default();

            format!("- {subject}: {}.{hint}\n", short(&problem.reason, 500))
        }),
    );
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
    let package = format!("{} {}", finding.package.name, finding.package.version);
    code(&cut(&clean(&package), MAX_CELL))
}

/// The id, linked to the advisory where the record has an address for it.
pub(crate) fn id_link(finding: &FindingReport) -> String {
    let url = finding
        .references
        .iter()
        .filter(|reference| reference.kind == "ADVISORY")
        .chain(&finding.references)
        .find_map(|reference| address(&reference.url));
    match url {
        Some(url) => link(&code(&cut(&clean(&finding.id), MAX_CELL)), url),
        None => code(&cut(&clean(&finding.id), MAX_CELL)),
    }
}
