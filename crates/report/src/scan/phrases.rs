//! Sentences that the text and the Markdown of a scan share. They are not escaped yet.

use super::{
    FindingReport, LocationReport, LockfileReport, RequirementReport, ScanReport, SeverityCounts,
    SeverityName, SourceReport, SuppressedReport, ThresholdReport,
};
use crate::age::age;
use crate::markdown::address;

/// The mark of findings that fail the run.
pub(crate) const MARK: &str = "✗";

/// A number with its noun: `1 finding`, `2 findings`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A severity in at most eight characters.
pub(crate) fn severity(name: SeverityName) -> &'static str {
    match name {
        SeverityName::Critical => "critical",
        SeverityName::High => "high",
        SeverityName::Medium => "medium",
        SeverityName::Low => "low",
        SeverityName::None => "none",
        SeverityName::Unknown => "unknown",
        SeverityName::Informational => "info",
    }
}

/// The findings of each severity: `2 critical, 1 low`.
pub(crate) fn severities(counts: &SeverityCounts) -> String {
    [
        (counts.critical, "critical"),
        (counts.high, "high"),
        (counts.medium, "medium"),
        (counts.low, "low"),
        (counts.unknown, "of unknown severity"),
        (counts.none, "of severity none"),
        (counts.informational, "informational"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, name)| format!("{number} {name}"))
    .collect::<Vec<_>>()
    .join(", ")
}

/// The files of a group: `test files`.
pub(crate) fn files_of(group: &str) -> String {
    format!("{group} files")
}

/// Why no version is named that fixes a package: `no fix`, or, if so many findings have a fix of their
/// own, that no version fixes all of them.
pub(crate) fn no_common_fix(fixed: usize) -> &'static str {
    match fixed {
        0 => "no fix",
        _ => "no version fixes all",
    }
}

/// The address of the advisory, if it may be shown: a link of that kind, else one that is not the fix
/// or the package, else any.
pub(crate) fn url(finding: &FindingReport) -> Option<&str> {
    let rank = |kind: &str| match kind {
        "ADVISORY" => 0,
        "FIX" | "PACKAGE" => 2,
        _ => 1,
    };
    finding
        .references
        .iter()
        .filter_map(|one| Some((rank(&one.kind), address(&one.url)?)))
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, url)| url)
}

/// The first few, and the number of the others.
pub(crate) fn some_of(texts: &[String], most: usize) -> String {
    let shown = texts.get(..most.min(texts.len())).unwrap_or_default();
    let mut text = shown.join(", ");
    if texts.len() > shown.len() {
        text.push_str(&format!(" and {} more", texts.len() - shown.len()));
    }

    text
}

/// Whether a package of the file may be missing from the scan.
pub(crate) fn may_lack_a_package(file: &LockfileReport) -> bool {
    file.skipped.iter().any(|entry| entry.loss == "package")
}

/// What is missing from a file that was read in part: `Podfile.lock: packages may be missing: line 12
/// lacks the version of `a`; and 2 more entries`.
pub(crate) fn skipped(file: &LockfileReport) -> String {
    let (loss, consequence) = if may_lack_a_package(file) {
        ("package", "packages may be missing")
    } else if file.skipped.iter().any(|entry| entry.loss == "edge") {
        (
            "edge",
            "all packages were read, some dependencies between them are unknown",
        )
    } else {
        (
            "detail",
            "all packages were read, some hashes or other details are unknown",
        )
    };

    let mut text = format!("{}: {consequence}", file.path);
    if let Some(worst) = file.skipped.iter().find(|entry| entry.loss == loss) {
        text.push_str(&format!(": line {} {}", worst.line, worst.reason));
    }
    if let Some(more @ 1..) = file.skipped.len().checked_sub(1) {
        text.push_str(&format!(
            "; and {}",
            count(more, "more entry", "more entries")
        ));
    }

    text
}

/// The affected part of the admitted versions, and whether the newest one is in it.
pub(crate) fn affected_part(matched: &RequirementReport) -> String {
    if matched.extent == "all" {
        return "every admitted version is affected".to_owned();
    }

    let newest = match (matched.newest_affected, &matched.newest) {
        (Some(true), Some(newest)) => format!(", also the newest admitted version {newest}"),
        (Some(false), Some(newest)) => format!(", not the newest admitted version {newest}"),
        (Some(true), None) => ", also the newest admitted version".to_owned(),
        (Some(false), None) => ", not the newest admitted version".to_owned(),
        (None, _) => String::new(),
    };
    format!("affects {}{newest}", matched.affected.join(" or "))
}

/// Known exploitation: `known to be exploited since 2024-01-02, also by ransomware`.
pub(crate) fn exploited(finding: &FindingReport) -> Option<String> {
    let kev = finding.kev_details.as_ref()?;
    let mut text = format!("known to be exploited since {}", kev.date_added);
    if kev.ransomware {
        text.push_str(", also by ransomware");
    }

    Some(text)
}

/// Findings beyond those that are shown: `and 20 more of unknown severity`, `and 4 more: 1 high, 3 low`.
pub(crate) fn and_more(number: usize, counts: &SeverityCounts) -> String {
    let severities = severities(counts);
    match severities.split_once(' ') {
        Some((_, severity)) if !severities.contains(", ") => {
            format!("and {number} more {severity}")
        }
        _ => format!("and {number} more: {severities}"),
    }
}

/// The signals of a finding, including those that are unknown: `known to be exploited since
/// 2024-01-02, also by ransomware`, `EPSS 94.3 %`, `CVSS 9.8`.
pub(crate) fn exploitation(finding: &FindingReport) -> Vec<String> {
    let mut parts = Vec::new();
    if finding.malicious {
        parts.push("the release itself is malicious: remove it".to_owned());
    }
    if let Some(text) = exploited(finding) {
        parts.push(text);
    } else if finding.kev.is_none() && states_vulnerability(finding) {
        parts.push("KEV unknown".to_owned());
    }

    if let Some(epss) = finding.epss {
        parts.push(format!("EPSS {}", percent(epss)));
    } else if states_vulnerability(finding) && !finding.malicious {
        parts.push("EPSS unknown".to_owned());
    }

    if let Some(cvss) = &finding.cvss {
        parts.push(format!("CVSS {:.1}", cvss.score));
    }
    parts.extend(estimate(finding));
    if finding.scope != "runtime" {
        parts.push(format!("{} only", finding.scope));
    }
    if let Some(kind) = &finding.informational {
        // Unsound code may be exploitable; the other kinds state no vulnerability.
        parts.push(if states_vulnerability(finding) {
            kind.clone()
        } else {
            format!("no vulnerability: {kind}")
        });
    }

    parts
}

/// The estimated severity: `estimated high 7.5 (5.4 to 9.8)`, with the 80 % interval.
pub(crate) fn estimate(finding: &FindingReport) -> Option<String> {
    let estimate = finding.decision.estimate.as_ref()?;
    Some(format!(
        "estimated {} {:.1} ({:.1} to {:.1})",
        severity(estimate.severity),
        estimate.score,
        estimate.low,
        estimate.high
    ))
}

fn states_vulnerability(finding: &FindingReport) -> bool {
    finding.severity != SeverityName::Informational
}

/// A probability: `94.3 %`, `0.04 %`.
pub(crate) fn percent(value: f64) -> String {
    let percent = value * 100.0;
    if percent >= 1.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.2} %")
    }
}

/// A line of a document: `vex.json:12`, or only its name.
pub(crate) fn at_line(name: &str, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{name}:{line}"),
        None => name.to_owned(),
    }
}

/// A line of a file: `package-lock.json:12`.
pub(crate) fn location(location: &LocationReport) -> String {
    format!("{}:{}", location.file, location.line)
}

/// The size and age of a source: `3,203 records, 5 d old`.
pub(crate) fn source(source: &SourceReport) -> String {
    let mut parts = Vec::new();
    if let Some(records) = source.records {
        let noun = if records == 1 { "record" } else { "records" };
        parts.push(format!("{} {noun}", thousands(records)));
    }

    parts.push(match source.age_seconds {
        Some(seconds) => age(seconds),
        None => "of unknown age".to_owned(),
    });
    parts.join(", ")
}

/// A number with separators: `214,010`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }

    out
}

/// The summary in one sentence.
pub(crate) fn headline(report: &ScanReport) -> String {
    let summary = &report.summary;
    let scope = format!(
        "{} from {}",
        count(summary.packages, "package", "packages"),
        count(summary.lockfiles, "lockfile", "lockfiles")
    );

    if summary.findings == 0 {
        let mut text = if !summary.complete {
            format!(
                "No known vulnerabilities in the part that was read: {scope}. The scan is incomplete"
            )
        } else if summary.lockfiles == 0 && summary.exit_reason == "nothing-to-scan" {
            "Nothing to scan: no lockfile was found".to_owned()
        } else if summary.lockfiles == 0 && summary.possible > 0 {
            "No certain findings in manifests without a lockfile".to_owned()
        } else if summary.lockfiles == 0 {
            "No known vulnerabilities in manifests without a lockfile".to_owned()
        } else {
            format!("No known vulnerabilities in {scope}")
        };

        let excluded = excluded(report);
        if !excluded.is_empty() {
            text.push_str(&format!(" ({})", excluded.join(", ")));
        }

        return text;
    }

    // A package of a requirement is not among those that were read from lockfiles.
    let of_versions = report.findings.iter().all(|one| one.requirement.is_none());
    let affected = summary.affected_packages;
    let scope = match of_versions {
        true => format!("{affected} of {scope}"),
        false => format!("{} (read: {scope})", count(affected, "package", "packages")),
    };
    let mut text = format!(
        "{} in {scope}: {}; {} fixable",
        count(summary.findings, "finding", "findings"),
        severities(&summary.by_severity),
        summary.fixable
    );

    if summary.known_exploited > 0 {
        text.push_str(&format!(
            ", {} known to be exploited",
            summary.known_exploited
        ));
    }

    if summary.malicious > 0 {
        text.push_str(&format!(", {} malicious", summary.malicious));
    }
    for part in excluded(report) {
        text.push_str(&format!(", {}", part.replacen(' ', " more ", 1)));
    }

    text
}

/// The findings in files that are not part of the product: `3 findings are in test files only, 1 in
/// example files only`.
pub(crate) fn groups(report: &ScanReport) -> Option<String> {
    let mut groups = report.summary.groups.iter().filter(|one| one.findings > 0);
    let first = groups.next()?;
    let verb = if first.findings == 1 { "is" } else { "are" };
    let mut text = format!(
        "{} {verb} in {} only",
        count(first.findings, "finding", "findings"),
        files_of(&first.group)
    );
    for one in groups {
        text.push_str(&format!(
            ", {} in {} only",
            one.findings,
            files_of(&one.group)
        ));
    }

    Some(text)
}

/// The consequence of inputs that could not be read; `None` for a complete scan.
pub(crate) fn incomplete(report: &ScanReport) -> Option<String> {
    if report.summary.complete {
        return None;
    }

    let all = report.incomplete.len();
    let waived = report.incomplete.iter().filter(|one| one.waived).count();
    let waived = match waived {
        0 => String::new(),
        waived if waived == all => " (waived by the settings)".to_owned(),
        waived => format!(" ({waived} waived by the settings)"),
    };

    Some(format!(
        "The scan is incomplete: {} could not be read or looked up{waived}, so there may be more findings",
        count(all, "input", "inputs")
    ))
}

/// The possible findings: `12 possible findings (some versions that a requirement admits are
/// affected)`.
pub(crate) fn possible(report: &ScanReport) -> Option<String> {
    let number = report.summary.possible;
    (number > 0).then(|| {
        format!(
            "{} (some versions that a requirement admits are affected)",
            count(number, "possible finding", "possible findings")
        )
    })
}

/// Findings that do not count: `2 ignored`, `1 suppressed by VEX`.
fn excluded(report: &ScanReport) -> Vec<String> {
    [
        (report.summary.ignored, "ignored"),
        (report.summary.suppressed, "suppressed by VEX"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| format!("{number} {what}"))
    .collect()
}

/// A package with its version, or with the requirement if no version is known: `a@1.0.0`, `a ^1.0`.
pub(crate) fn package(finding: &FindingReport) -> String {
    let FindingReport { package, .. } = finding;
    match &finding.requirement {
        Some(matched) if matched.requirement.is_empty() => package.name.clone(),
        Some(matched) => format!("{} {}", package.name, matched.requirement),
        None => format!("{}@{}", package.name, package.version),
    }
}

/// A finding with its package: `GHSA-1 in a@1.0.0`.
pub(crate) fn subject(finding: &FindingReport) -> String {
    format!("{} in {}", finding.id, package(finding))
}

/// A VEX statement: `not_affected, vulnerable_code_not_present: it is not called`.
pub(crate) fn statement(suppressed: &SuppressedReport) -> String {
    let mut text = suppressed.status.clone();
    if let Some(word) = &suppressed.justification {
        text.push_str(&format!(", {word}"));
    }
    if let Some(impact) = &suppressed.impact {
        text.push_str(&format!(": {impact}"));
    }
    text
}

/// The source of a VEX statement: `vex.json:12, by Team, 2026-01-30`.
pub(crate) fn stated_by(suppressed: &SuppressedReport) -> String {
    let mut text = format!("{}:{}", suppressed.source, suppressed.line);
    if let Some(author) = &suppressed.author {
        text.push_str(&format!(", by {author}"));
    }

    let day = suppressed
        .timestamp
        .as_deref()
        .and_then(|time| time.get(..10));
    if let Some(day) = day {
        text.push_str(&format!(", {day}"));
    }

    text
}

/// A note about files that list direct dependencies only, with the next step.
pub(crate) fn direct_only(report: &ScanReport) -> Option<String> {
    let mut files = report.lockfiles.iter().filter(|file| file.direct_only);
    let first = files.next()?;
    let (more, verb) = match files.count() {
        0 => (String::new(), "lists"),
        1 => (" and 1 other file".to_owned(), "list"),
        more => (format!(" and {more} other files"), "list"),
    };

    Some(format!(
        "{}{more} {verb} direct dependencies only, so transitive dependencies were not scanned. \
         Commit a lockfile, or an SBOM (the CycloneDX plugins for Maven and Gradle write one)",
        first.path
    ))
}

/// How many findings fail the run, and under which conditions:
/// `3 at or above the threshold (severity high, or known to be exploited)`.
pub(crate) fn threshold(report: &ScanReport) -> String {
    let ThresholdReport {
        severity: level,
        score,
        condition,
    } = &report.summary.threshold;
    let mut conditions = Vec::new();
    if let Some(level) = level {
        conditions.push(format!("severity {}", severity(*level)));
    }
    if *score > 0.0 {
        conditions.push(format!("score {score}"));
    }
    // Every vulnerability reaches "low", so exploitation adds nothing to it.
    match condition {
        Some(condition) => conditions.push(condition.clone()),
        None if *level != Some(SeverityName::Low) => {
            conditions.push("or known to be exploited".to_owned());
        }
        None => {}
    }

    format!(
        "{} at or above the threshold ({})",
        report.summary.at_or_above_threshold,
        conditions.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(214_010_123), "214,010,123");
        assert_eq!(percent(0.943), "94.3 %");
        assert_eq!(percent(0.00042), "0.04 %");
        assert_eq!(count(1, "file", "files"), "1 file");

        let one = SourceReport {
            name: "kev".to_owned(),
            origin: String::new(),
            as_of: None,
            age_seconds: Some(0),
            records: Some(1),
            warning: None,
        };
        assert_eq!(source(&one), "1 record, just now");
    }
}
