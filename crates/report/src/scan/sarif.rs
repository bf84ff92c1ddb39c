//! The report of a scan as SARIF 2.1.0
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), within the limits of GitHub's
//! code scanning (<https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>).

use std::collections::BTreeMap;

use patchgate_model::Level;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    FindingReport, IgnoredReport, IncompleteReport, ScanReport, SeverityName, SuppressedReport,
    phrases,
};
use crate::clean::{clean, cut};
use crate::markdown::{address, code, link, text};

/// Most results in one run that GitHub accepts.
const MAX_RESULTS: usize = 25_000;
/// Most rules in one run that GitHub accepts.
const MAX_RULES: usize = 25_000;
/// Most tags of a rule that GitHub accepts.
const MAX_TAGS: usize = 20;
/// Most characters of a description that GitHub accepts.
const MAX_DESCRIPTION: usize = 1_024;
/// Least `security-severity` of a known exploited vulnerability: GitHub shows it as critical.
const EXPLOITED_SEVERITY: f64 = 9.0;
/// Most locations of one finding that become results.
const MAX_LOCATIONS: usize = 100;

impl ScanReport {
    /// As SARIF: one rule for each vulnerability, one result for each location of a finding. Possible
    /// findings are notes with the property `possible`. Ignored and suppressed findings are suppressed
    /// results, and the invocation of an incomplete scan is marked as not successful, unless the
    /// settings waive all that is missing.
    #[must_use]
    pub fn to_sarif(&self) -> String {
        let mut rules = Rules::default();
        let mut results = Vec::new();
        let mut omitted = 0usize;
        let all = self
            .findings
            .iter()
            .chain(&self.possible)
            .map(|finding| (finding, None))
            .chain(self.ignored.iter().map(|i| (&i.finding, Some(accepted(i)))))
            .chain(
                self.suppressed
                    .iter()
                    .map(|s| (&s.finding, Some(stated(s)))),
            );

        for (finding, suppression) in all {
            let Some(rule) = rules.index(finding) else {
                omitted += 1;
                continue;
            };

            for location in 0..finding.locations.len().clamp(1, MAX_LOCATIONS) {
                if results.len() == MAX_RESULTS {
                    omitted += 1;
                } else {
                    results.push(result(finding, rule, location, suppression.as_deref()));
                }
            }
        }

        let run = json!({
            "tool": { "driver": {
                "name": "Patchgate",
                "semanticVersion": self.tool.version,
                "rules": rules.list,
            }},
            // Without a category, uploads of two tools for one commit would replace each other.
            "automationDetails": { "id": "patchgate/" },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "The root of the repository." } }
            },
            "invocations": [{
                "executionSuccessful": self.incomplete.iter().all(|one| one.waived) && omitted == 0,
                "exitCode": self.summary.exit_code,
                "toolExecutionNotifications": self.notifications(omitted),
            }],
            "results": results,
        });

        crate::to_json(&json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [run],
        }))
    }

    fn notifications(&self, omitted: usize) -> Vec<Value> {
        let mut notifications: Vec<Value> = self.incomplete.iter().map(incomplete).collect();
        if omitted > 0 {
            let message = format!("{omitted} results are omitted: GitHub accepts {MAX_RESULTS}.");
            notifications.push(json!({ "level": "error", "message": { "text": message } }));
        }

        if let Some(note) = phrases::direct_only(self) {
            notifications.push(json!({
                "level": "note",
                "message": { "text": sentence(&note) },
            }));
        }

        for notice in &self.vex_notices {
            let location = phrases::at_line(&notice.source, notice.line);
            notifications.push(json!({
                "level": "warning",
                "message": { "text": format!("{} {}", clean(&location), sentence(&notice.text)) },
            }));
        }

        for notice in &self.notices {
            notifications.push(json!({
                "level": "warning",
                "message": { "text": sentence(&notice.text) },
                "locations": [location(&notice.file, Some(notice.line))],
            }));
        }

        notifications
    }
}

fn incomplete(problem: &IncompleteReport) -> Value {
    let mut message = format!("{}: {}", clean(&problem.subject), sentence(&problem.reason));
    if let Some(hint) = &problem.hint {
        message.push(' ');
        message.push_str(&sentence(hint));
    }

    let level = if problem.waived { "warning" } else { "error" };
    let mut notification = json!({ "level": level, "message": { "text": message } });
    if let Some(file) = &problem.file {
        notification["locations"] = json!([location(file, problem.line)]);
    }

    notification
}

/// The rules so far, each id once.
#[derive(Default)]
struct Rules {
    list: Vec<Value>,
    by_id: BTreeMap<String, usize>,
}

impl Rules {
    /// The index of the finding's rule, which is added if it is new; `None` when there are too many.
    fn index(&mut self, finding: &FindingReport) -> Option<usize> {
        if let Some(index) = self.by_id.get(&finding.id) {
            return Some(*index);
        }
        if self.list.len() == MAX_RULES {
            return None;
        }

        let index = self.list.len();
        self.list.push(rule(finding));
        self.by_id.insert(finding.id.clone(), index);

        Some(index)
    }
}

fn rule(finding: &FindingReport) -> Value {
    let id = clean(&finding.id);
    let summary = match clean(&finding.summary) {
        summary if summary.is_empty() => format!("Vulnerability {id}."),
        summary => sentence(&summary),
    };
    let kind = if finding.malicious {
        "malicious"
    } else {
        "vulnerability"
    };
    let exploited = (finding.kev == Some(true)).then(|| "known-exploited".to_owned());
    let tags: Vec<String> = ["security".to_owned(), kind.to_owned()]
        .into_iter()
        .chain(exploited)
        .chain(finding.cwes.iter().map(|cwe| clean(cwe)))
        .take(MAX_TAGS)
        .collect();
    let mut properties = json!({ "tags": tags, "precision": "very-high" });
    let score = security_severity(finding);
    if score > 0.0 {
        properties["security-severity"] = json!(format!("{score:.1}"));
    }

    let mut rule = json!({
        "id": id,
        "shortDescription": { "text": cut(&summary, MAX_DESCRIPTION) },
        "fullDescription": { "text": cut(&summary, MAX_DESCRIPTION) },
        "help": { "text": help_text(finding), "markdown": help_markdown(finding) },
        "defaultConfiguration": { "level": level(finding) },
        "properties": properties,
    });

    let url = finding.references.iter().find_map(|r| address(&r.url));
    if let Some(url) = url {
        rule["helpUri"] = json!(url);
    }

    rule
}

/// The number by which GitHub sorts: the base score, for a known exploited vulnerability at least that
/// of a critical one, because it fails a run whatever its base score is.
fn security_severity(finding: &FindingReport) -> f64 {
    let score = base_score(finding);
    match finding.kev {
        Some(true) => score.max(EXPLOITED_SEVERITY),
        _ => score,
    }
}

/// The CVSS score, or the middle of the band of the stated severity.
pub(super) fn base_score(finding: &FindingReport) -> f64 {
    if let Some(cvss) = &finding.cvss {
        return cvss.score;
    }

    patchgate_risk::midpoint(match finding.severity {
        SeverityName::Critical => Level::Critical,
        SeverityName::High => Level::High,
        SeverityName::Medium => Level::Medium,
        SeverityName::Low => Level::Low,
        SeverityName::None => Level::None,
        SeverityName::Unknown => Level::Unknown,
        SeverityName::Informational => Level::Informational,
    })
}

/// The level of a result. An unknown severity is an error because thresholds count it as high.
fn level(finding: &FindingReport) -> &'static str {
    match finding.severity {
        _ if finding.malicious => "error",
        SeverityName::Critical | SeverityName::High | SeverityName::Unknown => "error",
        SeverityName::Medium => "warning",
        SeverityName::Low | SeverityName::None | SeverityName::Informational => "note",
    }
}

fn help_text(finding: &FindingReport) -> String {
    let mut lines = vec![sentence(&finding.summary)];
    if !finding.aliases.is_empty() {
        let aliases: Vec<String> = finding.aliases.iter().map(|a| clean(a)).collect();
        lines.push(format!("Also known as {}.", aliases.join(", ")));
    }

    lines.extend(
        finding
            .references
            .iter()
            .filter_map(|r| address(&r.url))
            .take(20)
            .map(str::to_owned),
    );
    lines.retain(|line| !line.is_empty());
    if lines.is_empty() {
        lines.push(clean(&finding.id));
    }

    lines.join("\n")
}

fn help_markdown(finding: &FindingReport) -> String {
    let mut parts = vec![format!(
        "**{}**: {}",
        text(&finding.id),
        text(&finding.summary)
    )];
    if !finding.aliases.is_empty() {
        let aliases: Vec<String> = finding.aliases.iter().map(|a| code(a)).collect();
        parts.push(format!("Also known as {}.", aliases.join(", ")));
    }

    let links: Vec<String> = finding
        .references
        .iter()
        .filter_map(|reference| address(&reference.url))
        .take(20)
        .map(|url| format!("- {}", link(&text(url), url)))
        .collect();
    parts.push(links.join("\n"));
    parts.retain(|part| !part.is_empty());

    parts.join("\n\n")
}

fn result(finding: &FindingReport, rule: usize, index: usize, suppression: Option<&str>) -> Value {
    let at = finding.locations.get(index);
    let print = location_fingerprint(finding, index);

    let mut result = json!({
        "ruleId": clean(&finding.id),
        "ruleIndex": rule,
        "level": if is_possible(finding) { "note" } else { level(finding) },
        "message": { "text": escaped(&message(finding)) },
        // GitHub matches results by the second one alone, which it otherwise computes from the text
        // of the line.
        "partialFingerprints": {
            "patchgateFinding/v1": print,
            "primaryLocationLineHash": format!("{print}:1"),
        },
        "properties": {
            "score": finding.score,
            "outcome": finding.decision.outcome.word(),
            "due": finding.decision.deadline.as_ref().and_then(|one| one.due.as_deref()),
            "overdue": finding.decision.deadline.as_ref().map(|one| one.overdue),
            "epss": finding.epss,
            "kev": finding.kev,
            "purl": finding.package.purl,
            "fixedVersion": finding.fixed_version,
        },
    });
    if let Some(matched) = &finding.requirement {
        result["properties"]["requirement"] = json!(matched.requirement);
        result["properties"]["possible"] = json!(is_possible(finding));
    }
    if let Some(sources) = &finding.reachability {
        result["properties"]["reachability"] = json!(sources.answer);
        let places = sources.places.iter().map(|place| {
            let mut location = location(&place.file, Some(place.line));
            location["message"] = json!({ "text": escaped(&clean(&place.name)) });
            location
        });
        result["relatedLocations"] = Value::Array(places.collect());
    }
    if let Some(at) = at {
        result["locations"] = json!([location(&at.file, Some(at.line))]);
    }
    if let Some(why) = suppression {
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": why }]);
    }

    result
}

/// Whether only some versions that a requirement admits are affected.
pub(super) fn is_possible(finding: &FindingReport) -> bool {
    finding
        .requirement
        .as_ref()
        .is_some_and(|matched| matched.extent == "some")
}

/// The package with its version, or with its requirement where no file states a version.
fn subject(finding: &FindingReport) -> String {
    let name = clean(&finding.package.name);
    match &finding.requirement {
        None => format!("{name}@{}", clean(&finding.package.version)),
        Some(matched) if matched.requirement.is_empty() => format!("{name} (any version)"),
        Some(matched) => format!("{name} ({})", clean(&matched.requirement)),
    }
}

/// The justification of an ignore entry.
fn accepted(ignored: &IgnoredReport) -> String {
    format!("{} (until {})", clean(&ignored.reason), ignored.until)
}

/// The justification of a VEX statement.
fn stated(suppressed: &SuppressedReport) -> String {
    let statement = clean(&phrases::statement(suppressed));
    format!(
        "{} ({})",
        cut(&statement, MAX_DESCRIPTION),
        clean(&phrases::stated_by(suppressed))
    )
}

/// What the finding is, how it is fixed, and how it came into the tree, in sentences.
pub(super) fn message(finding: &FindingReport) -> String {
    let mut parts = vec![format!(
        "{} is {} {}{}.",
        subject(finding),
        match (finding.malicious, is_possible(finding)) {
            (true, false) => "a malicious release, an incident:",
            (true, true) => "possibly a malicious release:",
            (false, false) => "affected by",
            (false, true) => "possibly affected by",
        },
        clean(&finding.id),
        match clean(&finding.summary) {
            summary if summary.is_empty() => String::new(),
            summary => format!(": {}", summary.trim_end_matches('.')),
        }
    )];
    if let Some(matched) = finding
        .requirement
        .as_ref()
        .filter(|_| is_possible(finding))
    {
        parts.push(format!(
            "Affected of the admitted versions: {}.",
            clean(&matched.affected.join("; "))
        ));
    }
    parts.push(match (&finding.fixed_version, &finding.no_fix_reason) {
        (Some(version), _) => format!("Fixed in {}.", clean(version)),
        (None, Some(reason)) => format!("No fix: {}", sentence(reason)),
        (None, None) => "No fix is known.".to_owned(),
    });
    if let Some(path) = finding.paths.first().filter(|path| path.len() > 1) {
        parts.push(format!("Dependency chain: {}.", clean(&path.join(" > "))));
    }

    if let Some(text) = super::reachability::explained(finding) {
        parts.push(format!("Reachability: {}.", clean(&text)));
    }
    parts.push(format!(
        "Decision: {}. Score {:.1} of 100: {}.",
        finding.decision.outcome.phrase(),
        finding.score,
        clean(&phrases::exploitation(finding).join(", "))
    ));
    parts.join(" ")
}

/// The message for a result. An unescaped bracket in it begins a link to a location (3.11.6).
fn escaped(message: &str) -> String {
    message
        .replace('\\', "\\\\")
        .replace('[', "\\[")
        .replace(']', "\\]")
}

/// The fingerprint of a finding at one of its locations. Two lines of one file differ in it by their
/// order.
pub(super) fn location_fingerprint(finding: &FindingReport, index: usize) -> String {
    let file = finding.locations.get(index).map(|at| at.file.as_str());
    let earlier = finding.locations.iter().take(index);
    let repeats = earlier.filter(|at| Some(at.file.as_str()) == file).count();
    let fingerprint = fingerprint(finding, file.unwrap_or_default());
    match repeats {
        0 => fingerprint,
        repeats => format!("{fingerprint}-{repeats}"),
    }
}

/// A hash that stays the same when only lines change: vulnerability, package version and file.
pub(super) fn fingerprint(finding: &FindingReport, file: &str) -> String {
    let mut hash = Sha256::new();
    for part in [
        finding.id.as_str(),
        &finding.package.ecosystem,
        &finding.package.name,
        &finding.package.version,
        file,
    ]
    .into_iter()
    // Results about locked versions keep the hash that they had before there were others.
    .chain(
        finding
            .requirement
            .as_ref()
            .map(|matched| matched.requirement.as_str()),
    ) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }

    hex::encode(hash.finalize().get(..16).unwrap_or_default())
}

fn location(file: &str, line: Option<u32>) -> Value {
    let mut location = json!({
        "artifactLocation": { "uri": uri(file), "uriBaseId": "%SRCROOT%" }
    });
    if let Some(line) = line {
        location["region"] = json!({ "startLine": line.max(1) });
    }
    json!({ "physicalLocation": location })
}

/// The characters that are encoded in a path: all but the unreserved ones (RFC 3986, 2.3), and `/`,
/// `@` and `+`, which a path may contain as they are.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b'@')
    .remove(b'+');

/// A path as a relative URI reference (RFC 3986, 4.2).
fn uri(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// The text with a period at its end; empty stays empty.
pub(super) fn sentence(raw: &str) -> String {
    let text = clean(raw);
    if text.is_empty() || text.ends_with(['.', '!', '?', '…']) {
        text
    } else {
        format!("{text}.")
    }
}
