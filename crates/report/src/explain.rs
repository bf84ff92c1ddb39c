//! The report of `patchgate explain`: an advisory, and whether the scanned packages are affected.

mod decision;
mod passages;

use std::collections::BTreeSet;

use jiff::Timestamp;
use patchgate_ecosystems::intervals;
use patchgate_model::{
    Advisory, Affected, EventKind, Explanation, Exposure, Finding, Problem, Range, Signals,
    SmolStr, SourceStatus,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clean::clean;
use crate::scan::{
    Detail, IncompleteReport, KevReport, LocationReport, PackageReport, ReferenceReport,
    SourceReport, Tool, count, cve_first, incident_head, incomplete_lines, percent,
};
use crate::terminal::{BOLD, DIM, GREEN, RED_BOLD, Span, Terminal, YELLOW};

pub use decision::DecidedReport;
pub use passages::AskedFeatures;
use passages::{PassageReport, passages};

/// Most versions and links of a record in a text; the JSON has all.
const MAX_SHOWN: usize = 12;

/// The input of an explanation.
#[derive(Debug, Clone, Copy)]
pub struct ExplainInput<'a> {
    /// The id that was asked for, which may be an alias.
    pub id: &'a str,
    /// The records of the vulnerability, the one with the preferred id first.
    pub records: &'a [Advisory],
    /// Package URLs of the packages that are malicious releases.
    pub malicious: &'a [String],
    /// The feeds' reports about its exploitation.
    pub signals: &'a Signals,
    /// The scanned packages that the records name, with the evidence for each.
    pub packages: &'a [Explanation],
    /// The findings of the vulnerability, rated, each with the reason why it does not count, if an
    /// ignore entry or a VEX statement covers it.
    pub findings: &'a [(Finding, Option<String>)],
    /// The features that manifests ask of these packages.
    pub asked: &'a [AskedFeatures],
    /// Number of lockfiles that were read.
    pub lockfiles: usize,
    /// Inputs that could not be read or looked up.
    pub problems: &'a [Problem],
    /// The advisory sources and feeds, with their age.
    pub sources: &'a [SourceStatus],
    /// The exit code of the run.
    pub exit_code: u8,
    /// The time that ages are relative to.
    pub now: Timestamp,
}

/// An advisory, and whether the scanned packages are affected.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExplainReport {
    /// Version of this format.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// The id that was asked for, which may be an alias.
    pub id: String,
    /// The records of the vulnerability in all databases.
    pub records: Vec<RecordReport>,
    /// Whether one of the packages is a malicious release.
    pub malicious: bool,
    /// Probability, from 0 to 1, that exploitation is seen within 30 days (EPSS); `null` when
    /// unknown.
    pub epss: Option<f64>,
    /// Whether it is known to be exploited (CISA KEV); `null` when the catalogue was not read.
    pub kev: Option<bool>,
    /// The entry in the KEV catalogue.
    pub kev_details: Option<KevReport>,
    /// The scanned packages that the records name.
    pub packages: Vec<ExplainedReport>,
    /// The decision about each affected package.
    pub decisions: Vec<DecidedReport>,
    /// Number of lockfiles that were read.
    pub lockfiles: usize,
    /// Inputs that could not be read or looked up.
    pub incomplete: Vec<IncompleteReport>,
    /// The advisory sources and feeds, with their age.
    pub sources: Vec<SourceReport>,
    /// The exit code of the run.
    pub exit_code: u8,
}

/// A record of an advisory database (<https://ossf.github.io/osv-schema/>).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RecordReport {
    /// Id of the record.
    pub id: String,
    /// Ids of the same vulnerability in other databases, CVE ids first.
    pub aliases: Vec<String>,
    /// Description in one line; may be empty.
    pub summary: String,
    /// Description as Markdown, of at most 2,000 characters; empty where the record has none, and for
    /// malicious packages from a store.
    pub details: String,
    /// Time of the first publication (RFC 3339).
    pub published: Option<String>,
    /// Time of the last change (RFC 3339).
    pub modified: Option<String>,
    /// Time of the withdrawal (RFC 3339). A withdrawn record matches no package.
    pub withdrawn: Option<String>,
    /// Severities as the record states them: a kind such as `CVSS_V3` and a vector.
    pub severity: Vec<StatedSeverity>,
    /// Weakness ids, such as `CWE-79`.
    pub cwes: Vec<String>,
    /// The packages that the record names as affected.
    pub affected: Vec<AffectedReport>,
    /// Sentences of the details about workarounds, about what an attack needs, and about affected
    /// configurations, found by rule.
    pub passages: Vec<PassageReport>,
    /// Links of the record.
    pub references: Vec<ReferenceReport>,
    /// Fields that the database adds to the schema.
    pub database_specific: Option<Value>,
}

/// A severity as a record states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatedSeverity {
    /// `CVSS_V3`, `CVSS_V4`, or another kind.
    pub kind: String,
    /// The vector, or the text of another kind.
    pub value: String,
}

/// A package that a record names.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AffectedReport {
    /// Ecosystem as OSV writes it; `GIT` for a repository.
    pub ecosystem: String,
    /// Name as the record writes it; host and path of a repository.
    pub name: String,
    /// Ranges of affected versions.
    pub ranges: Vec<RangeReport>,
    /// Affected versions that the record lists one by one.
    pub versions: Vec<String>,
    /// Fields that the ecosystem adds to the schema.
    pub ecosystem_specific: Option<Value>,
    /// Fields that the database adds to the schema.
    pub database_specific: Option<Value>,
}

/// A range of affected versions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RangeReport {
    /// `SEMVER`, `ECOSYSTEM` or `GIT`.
    pub kind: String,
    /// The repository, for `GIT`.
    pub repo: Option<String>,
    /// The affected versions as requirements: `>= 1.0.0, < 1.2.3`.
    pub intervals: Vec<String>,
    /// The events as the record lists them, each an object with its kind and version.
    pub events: Vec<Map<String, Value>>,
}

/// A package version and the evidence for whether it is affected.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExplainedReport {
    /// The package version that is explained.
    pub package: PackageReport,
    /// The requirement that is explained, where no file states a version; otherwise `null`.
    pub requirement: Option<String>,
    /// Lines of lockfiles that contain it.
    pub locations: Vec<LocationReport>,
    /// `yes`, `no`, `unknown`, or `possibly` for a requirement that admits affected versions and
    /// others.
    pub affected: String,
    /// Whether it is a malicious release.
    pub malicious: bool,
    /// Why it is unknown whether the package is affected.
    pub unknown_because: Option<String>,
    /// The parts of the records that name the package, each with its result.
    pub evidence: Vec<EvidenceReport>,
}

/// A part of a record and its result for one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EvidenceReport {
    /// Id of the record.
    pub record: String,
    /// Whether the version is affected according to this part; `null` when undetermined.
    pub affects: Option<bool>,
    /// Description of the part.
    pub text: String,
}

impl ExplainReport {
    /// Makes the report of an advisory.
    #[must_use]
    pub fn new(input: &ExplainInput<'_>) -> Self {
        let kev = &input.signals.kev;

        Self {
            schema_version: crate::SCHEMA_VERSION,
            tool: Tool::this(),
            id: input.id.to_owned(),
            records: input
                .records
                .iter()
                .map(|record| RecordReport::new(record, input.asked))
                .collect(),
            malicious: !input.malicious.is_empty(),
            epss: input.signals.epss.as_ref().map(|epss| epss.probability),
            kev: kev.is_listed(),
            kev_details: kev.entry().map(KevReport::from),
            packages: input
                .packages
                .iter()
                .map(|one| ExplainedReport::new(one, input.malicious))
                .collect(),
            decisions: input
                .findings
                .iter()
                .map(|(finding, suppressed)| DecidedReport::new(finding, suppressed.clone()))
                .collect(),
            lockfiles: input.lockfiles,
            incomplete: input.problems.iter().map(IncompleteReport::from).collect(),
            sources: input
                .sources
                .iter()
                .map(|source| SourceReport::new(source, input.now))
                .collect(),
            exit_code: input.exit_code,
        }
    }

    /// The report as indented JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        crate::to_json(self)
    }

    /// As text for a terminal: incident, records, signals, packages, then missing inputs.
    #[must_use]
    pub fn to_text(&self, terminal: Terminal) -> String {
        let mut lines = Vec::new();
        let malicious = self.packages.iter().filter(|one| one.malicious);
        incident_head(malicious.map(|one| &one.package), terminal, &mut lines);

        for record in &self.records {
            record_lines(record, terminal, &mut lines);
        }

        self.exploitation_lines(terminal, &mut lines);
        self.package_lines(terminal, &mut lines);
        self.decision_lines(terminal, &mut lines);
        incomplete_lines(&self.incomplete, terminal, Detail::Brief, &mut lines);

        for source in self.sources.iter().filter(|one| one.warning.is_some()) {
            let warning = source.warning.as_deref().unwrap_or_default();
            let text = format!("warning: {}: {}", clean(&source.name), clean(warning));
            lines.push(terminal.paint(YELLOW, &text));
        }

        let mut text = String::new();
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }

        text
    }

    fn exploitation_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        lines.push(match (&self.kev_details, self.kev) {
            (Some(kev), _) => {
                let text = format!("Known to be exploited since {}", clean(&kev.date_added));
                terminal.paint(RED_BOLD, &text)
            }
            (None, Some(_)) => "Not in the catalogue of known exploited vulnerabilities".to_owned(),
            (None, None) => {
                "Unknown whether it is exploited: the KEV catalogue was not read".to_owned()
            }
        });
        lines.push(match self.epss {
            Some(epss) => format!("EPSS {}", percent(epss)),
            None => "EPSS unknown".to_owned(),
        });
        lines.push(String::new());
    }

    fn package_lines(&self, terminal: Terminal, lines: &mut Vec<String>) {
        if self.packages.is_empty() {
            lines.push(match self.lockfiles {
                0 => "No lockfile was read, so no package was checked".to_owned(),
                1 => "The lockfile that was read contains none of these packages".to_owned(),
                read => {
                    format!("The {read} lockfiles that were read contain none of these packages")
                }
            });
            return;
        }

        for one in &self.packages {
            let (style, verdict) = match one.affected.as_str() {
                "yes" => (RED_BOLD, "is affected"),
                "no" => (GREEN, "is not affected"),
                "possibly" => (YELLOW, "is possibly affected"),
                _ => (YELLOW, "may be affected (undetermined)"),
            };
            lines.push(format!(
                "{} {} {}",
                terminal.paint(BOLD, &clean(&one.package.name)),
                clean(one.requirement.as_deref().unwrap_or(&one.package.version)),
                terminal.paint(style, verdict)
            ));
            for location in &one.locations {
                lines.push(format!("  at {}:{}", clean(&location.file), location.line));
            }
            // A reason that a record gives is in the record's own line.
            if let Some(reason) = &one.unknown_because
                && !one
                    .evidence
                    .iter()
                    .any(|piece| reason.ends_with(&piece.text))
            {
                lines.extend(terminal.wrap("  because", 4, &clean(reason)));
            }
            for piece in &one.evidence {
                let sign = match piece.affects {
                    Some(true) => "+",
                    Some(false) => "-",
                    None => "?",
                };
                let text = format!("{}: {}", clean(&piece.record), clean(&piece.text));
                lines.extend(terminal.wrap(&format!("  {sign}"), 4, &text));
            }

            lines.push(String::new());
        }
    }
}

fn record_lines(record: &RecordReport, terminal: Terminal, lines: &mut Vec<String>) {
    lines.push(terminal.paint(BOLD, &clean(&record.id)));
    let mut field = |label: &str, text: String| {
        if !text.is_empty() {
            lines.extend(terminal.wrap(&format!("  {label}"), 14, &clean(&text)));
        }
    };
    field("summary", record.summary.clone());
    field("aliases", record.aliases.join(", "));
    let time = |time: &Option<String>| time.clone().unwrap_or_default();
    field("published", time(&record.published));
    field("modified", time(&record.modified));
    field("withdrawn", time(&record.withdrawn));
    let severity = record.severity.iter().map(|one| one.value.clone());
    field("severity", severity.collect::<Vec<_>>().join(", "));
    field("weakness", record.cwes.join(", "));

    for entry in &record.affected {
        field("package", format!("{} {}", entry.ecosystem, entry.name));
        for range in &entry.ranges {
            let repo = range.repo.as_deref().unwrap_or_default();
            let words = range.intervals.join(" or ");
            field("  range", format!("{words} ({}) {repo}", range.kind));
        }
        field("  versions", some_of(&entry.versions));
    }

    for passage in &record.passages {
        lines.extend(passage.lines(terminal));
    }

    // Many records list a link twice, as two kinds.
    let mut seen = BTreeSet::new();
    let urls = record.references.iter().map(|one| clean(&one.url));
    let urls: Vec<String> = urls.filter(|url| seen.insert(url.clone())).collect();
    for url in urls.iter().take(MAX_SHOWN) {
        let link = Span::styled(DIM, url.as_str()).linked(Some(url));
        lines.extend(terminal.flow(&format!("{:14}", "  see"), 14, &[link]));
    }
    let more = urls.len().saturating_sub(MAX_SHOWN);
    if more > 0 {
        let text = format!("and {}", count(more, "more link", "more links"));
        lines.extend(terminal.wrap("", 14, &text));
    }

    let details = details_lines(&record.details, terminal);
    if !details.is_empty() {
        lines.push(String::new());
        lines.extend(details);
    }

    lines.push(String::new());
}

/// The details with the line breaks of the record. Empty lines are kept, but not two in a row.
fn details_lines(details: &str, terminal: Terminal) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in details.lines() {
        let text = clean(line);
        if text.is_empty() {
            if lines.last().is_some_and(|line| !line.is_empty()) {
                lines.push(String::new());
            }
        } else {
            lines.extend(terminal.wrap("", 2, &text));
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }

    lines
}

fn some_of(versions: &[String]) -> String {
    let mut text = versions
        .iter()
        .take(MAX_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if versions.len() > MAX_SHOWN {
        text.push_str(&format!(" and {} more", versions.len() - MAX_SHOWN));
    }

    text
}

fn strings(texts: &[SmolStr]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

impl RecordReport {
    fn new(record: &Advisory, asked: &[AskedFeatures]) -> Self {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());

        Self {
            id: record.id.to_string(),
            aliases: cve_first(strings(&record.aliases)),
            summary: record.summary.clone(),
            details: record.details.clone(),
            published: time(record.published),
            modified: time(record.modified),
            withdrawn: time(record.withdrawn),
            severity: record
                .severity
                .iter()
                .map(|one| StatedSeverity {
                    kind: one.kind.to_string(),
                    value: one.value.clone(),
                })
                .collect(),
            cwes: strings(&record.cwes),
            affected: record.affected.iter().map(AffectedReport::new).collect(),
            passages: passages(&record.details, asked),
            references: record
                .references
                .iter()
                .map(|one| ReferenceReport {
                    kind: one.kind.to_string(),
                    url: one.url.clone(),
                })
                .collect(),
            database_specific: json(record.database_specific.as_deref()),
        }
    }
}

impl AffectedReport {
    fn new(entry: &Affected) -> Self {
        let ecosystem = match &entry.distribution {
            Some(release) => format!("{}:{release}", entry.ecosystem),
            None => entry.ecosystem.to_string(),
        };
        Self {
            ecosystem,
            name: entry.name.to_string(),
            ranges: entry
                .ranges
                .iter()
                .map(|range| RangeReport::new(range, &entry.ecosystem))
                .collect(),
            versions: strings(&entry.versions),
            ecosystem_specific: json(entry.ecosystem_specific.as_deref()),
            database_specific: json(entry.database_specific.as_deref()),
        }
    }
}

impl RangeReport {
    fn new(range: &Range, ecosystem: &str) -> Self {
        let event = |kind: EventKind| match kind {
            EventKind::Introduced => "introduced",
            EventKind::Fixed => "fixed",
            EventKind::LastAffected => "last_affected",
            EventKind::Limit => "limit",
        };

        Self {
            kind: range.kind.as_str().to_owned(),
            repo: range.repo.clone(),
            intervals: intervals(patchgate_ecosystems::by_name(ecosystem), range),
            events: range
                .events
                .iter()
                .map(|one| {
                    let version = Value::from(one.version.as_str());
                    Map::from_iter([(event(one.kind).to_owned(), version)])
                })
                .collect(),
        }
    }
}

impl ExplainedReport {
    fn new(explained: &Explanation, malicious: &[String]) -> Self {
        let (affected, unknown_because) = match &explained.exposure {
            Exposure::Affected => ("yes", None),
            Exposure::Possible => ("possibly", None),
            Exposure::NotAffected => ("no", None),
            Exposure::Unknown(reason) => ("unknown", Some(reason.clone())),
        };

        Self {
            package: PackageReport::from(&explained.package),
            requirement: explained.requirement.clone(),
            locations: explained
                .locations
                .iter()
                .map(LocationReport::from)
                .collect(),
            affected: affected.to_owned(),
            malicious: malicious.contains(&explained.package.purl),
            unknown_because,
            evidence: explained
                .evidence
                .iter()
                .map(|(record, one)| EvidenceReport {
                    record: record.clone(),
                    affects: one.affects,
                    text: one.text.clone(),
                })
                .collect(),
        }
    }
}

/// Parses a text that the model keeps as JSON; `None` for a missing text.
fn json(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

#[cfg(test)]
mod tests;
