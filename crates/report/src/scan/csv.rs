//! The report of a scan as comma-separated values (RFC 4180,
//! <https://www.rfc-editor.org/rfc/rfc4180>), one line for each finding.

use super::{FindingReport, IncompleteReport, ScanReport, phrases};
use crate::clean::{clean, cut};

/// The columns. New ones are added at the end.
const COLUMNS: [&str; 25] = [
    "status",
    "id",
    "aliases",
    "package",
    "ecosystem",
    "version",
    "requirement",
    "severity",
    "score",
    "cvss",
    "epss",
    "known_exploited",
    "malicious",
    "fails",
    "scope",
    "group",
    "fixed_version",
    "package_fix",
    "no_fix_reason",
    "locations",
    "chain",
    "summary",
    "reason",
    "url",
    "severity_estimate",
];

/// Most characters of a cell. Spreadsheets take 32,767.
const MAX_CELL: usize = 8_000;
/// Most locations in a cell.
const MAX_LOCATIONS: usize = 100;

impl ScanReport {
    /// As CSV with a header. `status` is `open`, `possible`, `ignored` or `suppressed`, or
    /// `incomplete` and `waived` for an input that could not be read, which has only a summary and a
    /// reason.
    ///
    /// A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, so such a cell
    /// begins with a single quote (<https://owasp.org/www-community/attacks/CSV_Injection>).
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut out = String::new();
        push_line(COLUMNS.map(str::to_owned), &mut out);

        for finding in &self.findings {
            push_line(cells(finding, "open", ""), &mut out);
        }
        for finding in &self.possible {
            push_line(cells(finding, "possible", ""), &mut out);
        }
        for one in &self.ignored {
            let reason = format!("{} (until {})", one.reason, one.until);
            push_line(cells(&one.finding, "ignored", &reason), &mut out);
        }
        for one in &self.suppressed {
            let reason = format!("{} ({})", phrases::statement(one), phrases::stated_by(one));
            push_line(cells(&one.finding, "suppressed", &reason), &mut out);
        }
        for problem in &self.incomplete {
            push_line(incomplete(problem), &mut out);
        }

        out
    }
}

fn cells(finding: &FindingReport, status: &str, reason: &str) -> [String; COLUMNS.len()] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let number = |number: Option<f64>| number.map_or_else(String::new, |it| it.to_string());
    let locations: Vec<String> = finding.locations.iter().map(phrases::location).collect();
    let requirement = finding.requirement.as_ref();

    [
        status.to_owned(),
        finding.id.clone(),
        finding.aliases.join(" "),
        finding.package.name.clone(),
        finding.package.ecosystem.clone(),
        finding.package.version.clone(),
        requirement.map_or_else(String::new, |one| one.requirement.clone()),
        phrases::severity(finding.severity).to_owned(),
        format!("{:.1}", finding.score),
        number(finding.cvss.as_ref().map(|cvss| cvss.score)),
        number(finding.epss),
        // Unknown is not the same as no.
        finding.kev.map_or_else(String::new, |kev| kev.to_string()),
        finding.malicious.to_string(),
        finding.at_or_above_threshold.to_string(),
        finding.scope.clone(),
        text(&finding.group),
        text(&finding.fixed_version),
        match requirement {
            Some(matched) => text(&matched.raised),
            None => text(&finding.package_fix),
        },
        text(&finding.no_fix_reason),
        phrases::some_of(&locations, MAX_LOCATIONS),
        finding
            .paths
            .first()
            .map_or_else(String::new, |path| path.join(" > ")),
        finding.summary.clone(),
        reason.to_owned(),
        phrases::url(finding).unwrap_or_default().to_owned(),
        phrases::estimate(finding).unwrap_or_default(),
    ]
}

fn incomplete(problem: &IncompleteReport) -> [String; COLUMNS.len()] {
    let status = if problem.waived {
        "waived"
    } else {
        "incomplete"
    };
    let location = problem.file.as_ref();
    let location = location.map(|file| phrases::at_line(file, problem.line));
    let mut cells = COLUMNS.map(|column| match column {
        "status" => status.to_owned(),
        "locations" => location.clone().unwrap_or_default(),
        "summary" => problem.subject.clone(),
        "reason" => problem.reason.clone(),
        _ => String::new(),
    });
    // Everything behind it may be vulnerable.
    if let (Some(fails), false) = (cells.get_mut(13), problem.waived) {
        "true".clone_into(fails);
    }

    cells
}

fn push_line(cells: [String; COLUMNS.len()], out: &mut String) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&quoted(cell));
    }
    out.push_str("\r\n");
}

/// The cell in quotes, which RFC 4180 allows for every cell, on one line.
fn quoted(cell: &str) -> String {
    let text = cut(&clean(cell), MAX_CELL);
    // Also the full-width forms, which some spreadsheets take for the signs.
    let formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let guard = if formula { "'" } else { "" };

    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (cell, expected) in [
            ("=1+1", "\"'=1+1\""),
            ("@scope/name", "\"'@scope/name\""),
            ("-1", "\"'-1\""),
            ("+1", "\"'+1\""),
            ("\t=1", "\"'=1\""),
            ("\u{200b}=1", "\"'=1\""),
            ("＝1", "\"'＝1\""),
            ("a,\"b\"\n=c", "\"a,\"\"b\"\" =c\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(cell), expected, "{cell:?}");
        }
    }
}
