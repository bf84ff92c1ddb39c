//! The report of a scan for GitLab's dependency scanning, version 15.0.7
//! (<https://docs.gitlab.com/development/integrations/secure/#report>). GitLab 15 and later read it;
//! later versions of the format only leave out `dependency_files`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patchgate_model::{Lockfile, Origin};
use serde_json::{Value, json};

use super::sarif::{base_score, fingerprint, is_possible, sentence};
use super::{FindingReport, LocationReport, ScanReport, SeverityName, phrases};
use crate::clean::{clean, cut};
use crate::markdown::address;

/// The version of the format.
const VERSION: &str = "15.0.7";
/// Most characters of a name, a description and a solution. GitLab's own limits are 255, 1,048,576
/// and 7,000.
const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 8_000;
const MAX_SOLUTION: usize = 1_000;
/// Most links and identifiers of a finding; GitLab keeps 20 identifiers.
const MAX_LINKS: usize = 20;
/// Most locations of one finding that become vulnerabilities.
const MAX_LOCATIONS: usize = 100;

/// What the report says about the run, and the packages that were scanned.
#[derive(Debug, Clone, Copy)]
pub struct GitLabOptions<'a> {
    /// The packages, which become GitLab's dependency list.
    pub lockfiles: &'a [Lockfile],
    /// Start of the scan.
    pub start: Timestamp,
    /// End of the scan.
    pub end: Timestamp,
}

impl ScanReport {
    /// As a dependency scanning report of GitLab: a vulnerability for each file with a finding.
    /// Possible findings have a name that says so. Ignored and suppressed findings are left out, so
    /// GitLab shows them as no longer detected. An incomplete scan has the status `failure`, and a
    /// message for each input, unless the settings waive all that is missing.
    #[must_use]
    pub fn to_gitlab_dependency_scanning(&self, options: &GitLabOptions<'_>) -> String {
        let findings = self.findings.iter().chain(&self.possible);
        let vulnerabilities: Vec<Value> = findings
            .flat_map(|finding| {
                // To GitLab, two lines of one file are the same vulnerability.
                let mut files = BTreeSet::new();
                let locations = finding.locations.iter();
                let locations = locations.filter(move |one| files.insert(one.file.as_str()));
                locations
                    .take(MAX_LOCATIONS)
                    .map(move |location| vulnerability(finding, location))
            })
            .collect();
        let failed = self.incomplete.iter().any(|one| !one.waived);
        let program = json!({
            "id": "patchgate",
            "name": "Patchgate",
            "version": self.tool.version,
            "vendor": { "name": "Patchgate" },
        });

        crate::to_json(&json!({
            "version": VERSION,
            "scan": {
                "type": "dependency_scanning",
                "status": if failed { "failure" } else { "success" },
                "start_time": time(options.start),
                "end_time": time(options.end),
                "analyzer": program,
                "scanner": program,
                "messages": self.messages(),
            },
            "vulnerabilities": vulnerabilities,
            "dependency_files": dependency_files(options.lockfiles),
        }))
    }

    /// The inputs that could not be read, and the files with direct dependencies only.
    fn messages(&self) -> Vec<Value> {
        let inputs = self.incomplete.iter().map(|problem| {
            let mut text = format!("{}: {}", clean(&problem.subject), sentence(&problem.reason));
            if let Some(hint) = &problem.hint {
                text.push_str(&format!(" {}", sentence(hint)));
            }
            let level = if problem.waived { "warn" } else { "fatal" };
            json!({ "level": level, "value": cut(&text, MAX_DESCRIPTION) })
        });

        let note = phrases::direct_only(self);
        let note = note.map(|note| json!({ "level": "warn", "value": sentence(&note) }));
        inputs.chain(note).collect()
    }
}

/// A time in UTC without its zone, as the format has it.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn vulnerability(finding: &FindingReport, location: &LocationReport) -> Value {
    let summary = sentence(&finding.summary);
    let mut name = match summary.trim_end_matches('.') {
        "" => format!("{} in {}", clean(&finding.id), clean(&finding.package.name)),
        summary => summary.to_owned(),
    };
    for (applies, mark) in [
        (is_possible(finding), "Possible"),
        (finding.malicious, "Malicious release"),
    ] {
        if applies {
            name = format!("{mark}: {name}");
        }
    }

    let mut vulnerability = json!({
        "id": uuid(&fingerprint(finding, &location.file)),
        "name": cut(&name, MAX_NAME),
        "description": description(finding),
        "severity": severity(finding.severity),
        "identifiers": identifiers(finding),
        "links": links(finding),
        "details": details(finding),
        "location": {
            "file": path(&location.file),
            "dependency": {
                "package": { "name": clean(&finding.package.name) },
                "version": version(finding),
                "direct": finding.paths.iter().any(|path| path.len() == 1),
            },
        },
    });
    if let Some(solution) = solution(finding) {
        vulnerability["solution"] = json!(cut(&solution, MAX_SOLUTION));
    }

    vulnerability
}

/// The path, which the format requires to be not empty.
fn path(file: &str) -> String {
    match clean(file) {
        file if file.is_empty() => ".".to_owned(),
        file => file,
    }
}

/// The locked version, or the requirement where no file states a version.
fn version(finding: &FindingReport) -> String {
    match &finding.requirement {
        Some(matched) => clean(&matched.requirement),
        None => clean(&finding.package.version),
    }
}

fn severity(severity: SeverityName) -> &'static str {
    match severity {
        SeverityName::Critical => "Critical",
        SeverityName::High => "High",
        SeverityName::Medium => "Medium",
        SeverityName::Low => "Low",
        SeverityName::Unknown => "Unknown",
        SeverityName::None | SeverityName::Informational => "Info",
    }
}

fn description(finding: &FindingReport) -> String {
    let mut text = format!(
        "{} {} is affected by {}. Score {:.1} of 100: {}.",
        sentence(&finding.summary),
        clean(&phrases::package(finding)),
        clean(&finding.id),
        finding.score,
        clean(&phrases::exploitation(finding).join(", "))
    );
    if let Some(path) = finding.paths.first().filter(|path| path.len() > 1) {
        text.push_str(&format!(" Dependency chain: {}.", clean(&path.join(" > "))));
    }

    cut(text.trim_start(), MAX_DESCRIPTION)
}

fn solution(finding: &FindingReport) -> Option<String> {
    let name = clean(&finding.package.name);
    if let Some(raised) = finding.requirement.as_ref().and_then(|m| m.raised.as_ref()) {
        return Some(format!(
            "Raise the requirement of {name} to {}.",
            clean(raised)
        ));
    }

    let fixed = finding
        .package_fix
        .as_ref()
        .or(finding.fixed_version.as_ref());
    match (fixed, &finding.no_fix_reason) {
        (Some(version), _) => Some(format!("Upgrade {name} to {} or later.", clean(version))),
        (None, Some(reason)) => Some(format!("No fix: {}", sentence(reason))),
        (None, None) => None,
    }
}

/// The ids. The first one decides whether two reports mean the same vulnerability, so it is the
/// finding's own.
fn identifiers(finding: &FindingReport) -> Vec<Value> {
    let mut identifiers: Vec<Value> = std::iter::once(&finding.id)
        .chain(&finding.aliases)
        .map(|id| clean(id))
        .filter(|id| !id.is_empty())
        .map(|id| json!({ "type": database(&id), "name": id, "value": id }))
        .collect();
    if let (Some(first), Some(url)) = (identifiers.first_mut(), phrases::url(finding)) {
        first["url"] = json!(url);
    }

    for cwe in finding.cwes.iter().map(|cwe| clean(cwe)) {
        let Some(number) = cwe.strip_prefix("CWE-") else {
            continue;
        };
        if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
            identifiers.push(json!({
                "type": "cwe",
                "name": cwe,
                "value": number,
                "url": format!("https://cwe.mitre.org/data/definitions/{number}.html"),
            }));
        }
    }

    identifiers.truncate(MAX_LINKS);
    if identifiers.is_empty() {
        // The format requires one.
        let value = fingerprint(finding, "");
        identifiers.push(json!({ "type": "patchgate", "name": value, "value": value }));
    }
    identifiers
}

/// The type of an id: the word before its first hyphen.
fn database(id: &str) -> String {
    let prefix = id.split('-').next().unwrap_or_default();
    match prefix.chars().all(|c| c.is_ascii_alphanumeric()) && !prefix.is_empty() {
        true => prefix.to_ascii_lowercase(),
        false => "osv".to_owned(),
    }
}

fn links(finding: &FindingReport) -> Vec<Value> {
    let urls = finding
        .references
        .iter()
        .filter_map(|one| address(&one.url));
    urls.take(MAX_LINKS)
        .map(|url| json!({ "url": url }))
        .collect()
}

/// The facts that the format has no field for.
fn details(finding: &FindingReport) -> Value {
    let text = |name: &str, value: String| json!({ "name": name, "type": "text", "value": value });
    let mut details = json!({ "score": text("Score", format!("{:.1}", finding.score)) });
    if finding.cvss.is_some() {
        details["cvss"] = text("CVSS", format!("{:.1}", base_score(finding)));
    }
    if let Some(epss) = finding.epss {
        details["epss"] = text("EPSS", phrases::percent(epss));
    }
    if let Some(exploited) = phrases::exploited(finding) {
        details["exploited"] = text("Exploitation", exploited);
    }

    details["scope"] = text("Scope", clean(&finding.scope));
    details
}

/// The first digits of a hash in the form of a UUID.
fn uuid(hash: &str) -> String {
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let parts = parts.map(|(from, to)| hash.get(from..to).unwrap_or_default());
    parts.join("-")
}

/// The packages of each file, without those of the repository itself. A file that several ecosystems
/// read is one.
fn dependency_files(lockfiles: &[Lockfile]) -> Vec<Value> {
    let mut files: BTreeMap<&str, (&Lockfile, Vec<Value>)> = BTreeMap::new();
    for lockfile in lockfiles {
        let direct: BTreeSet<u32> = lockfile
            .roots
            .iter()
            .flat_map(|root| root.edges.iter().map(|edge| edge.to.0))
            .collect();
        let (_, dependencies) = files
            .entry(&lockfile.path)
            .or_insert_with(|| (lockfile, Vec::new()));
        let first = dependencies.len();
        let packages = lockfile.packages.iter().enumerate();
        let packages = packages.filter(|(_, one)| !matches!(one.origin, Origin::Path(_)));
        dependencies.extend(packages.map(|(index, package)| {
            json!({
                "package": { "name": clean(&package.name) },
                "version": clean(&package.version),
                "iid": first + index + 1,
                "direct": u32::try_from(index).is_ok_and(|index| direct.contains(&index)),
            })
        }));
    }

    let files = files.into_values();
    files
        .map(|(lockfile, dependencies)| {
            json!({
                "path": path(&lockfile.path),
                "package_manager": lockfile.ecosystem.to_string().to_lowercase(),
                "dependencies": dependencies,
            })
        })
        .collect()
}
